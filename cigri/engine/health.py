"""Leaves a cluster that fails alone for a while, and takes it back when it works."""

import structlog

from cigri.domain.reactions import (
    CONDITIONS,
    FAULTS,
    LONGEST_RETRY,
    REACTIONS,
    EventCode,
    retry_delay,
)
from cigri.engine.runtime import Runtime, Site
from cigri.errors import ClusterError, ClusterUnreachable, Fault, StorageFull
from cigri.store import clusters, events
from cigri.store.clusters import ClusterRow
from cigri.store.events import Incident

log = structlog.get_logger()

#: Seconds until the next try after the disk was full.
AFTER_FULL = 2.0


def rest(runtime: Runtime, row: ClusterRow) -> float:
    """Return the seconds for which a cluster that failed is to be left alone, 0 for none."""
    seconds = 0.0 if row.hold_until is None else row.hold_until - runtime.now()
    # A longer one was written by a clock that has been set back since.
    return seconds if 0 < seconds <= LONGEST_RETRY else 0.0


async def failed(
    runtime: Runtime, site: Site, error: ClusterError, loop: str = "submitter"
) -> float:
    """
    Hold a cluster that did not do as it was asked; return the seconds until the next try.

    A refusal of what nobody can be refused for is one of the whole cluster.
    """
    now = runtime.now()
    fault = error.fault if isinstance(error, ClusterUnreachable) else Fault.DENIED
    code = FAULTS[fault]
    reason = f"{REACTIONS[code].meaning}: {error}"
    delay = retry_delay(1)
    site.known.failing.add(loop)
    try:
        async with runtime.database.write() as tx:
            row = (await clusters.all_clusters(tx))[site.name]
            delay = retry_delay(row.failures + 1)
            await clusters.hold(tx, site.id, reason, now, now + delay)
            # What was wrong before and is otherwise now is over.
            others = frozenset(FAULTS.values()) - {code}
            await events.close_of_cluster(tx, site.id, others, now)
            await events.record(tx, Incident(code=code, message=reason, cluster_id=site.id), now)
    except StorageFull:
        # One disk holds the database and the groups of the local cluster: the log has to do.
        log.warning("cluster.hold_not_recorded", cluster=site.name)
    log.warning(
        "cluster.failed", cluster=site.name, fault=fault, reason=str(error), retry_in=delay
    )
    return delay


async def worked(runtime: Runtime, site: Site, row: ClusterRow, loop: str = "submitter") -> None:
    """
    Release a cluster that did as it was asked; *row* is what was known before.

    One that answers the one loop and not the other stays held, else it would never be left alone
    for longer.
    """
    site.known.failing.discard(loop)
    if row.hold is None or row.stopped or site.known.failing:
        return
    now = runtime.now()
    async with runtime.database.write() as tx:
        await clusters.release(tx, site.id)
        await events.close_of_cluster(tx, site.id, FAULTS.values(), now)
    log.info("cluster.released", cluster=site.name)
    site.submitter.ring()


async def tell(runtime: Runtime, site: Site, code: EventCode, what: str | None) -> None:
    """
    Open the event of a condition of a cluster with *what* it is, or close it with `None`.

    It costs nothing as long as nothing changes.
    """
    if site.known.conditions is None:
        async with runtime.database.read() as db:
            site.known.conditions = await events.open_of_cluster(db, site.id, CONDITIONS)
    if (code in site.known.conditions) is (what is not None):
        return
    now = runtime.now()
    async with runtime.database.write() as tx:
        if what is None:
            await events.close_of_cluster(tx, site.id, [code], now)
        else:
            message = f"{REACTIONS[code].meaning}: {what}"
            await events.record(tx, Incident(code=code, message=message, cluster_id=site.id), now)
    site.known.conditions ^= {code}
    log.info("cluster.condition", cluster=site.name, code=code, now=what or "over")
