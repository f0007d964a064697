"""Leaves a cluster that fails alone for a while, and takes it back when it works."""

import structlog

from cigri.domain.reactions import REACTIONS, EventCode, retry_delay
from cigri.engine.runtime import Runtime, Site
from cigri.errors import ClusterUnreachable, StorageFull
from cigri.store import clusters, events
from cigri.store.clusters import ClusterRow
from cigri.store.events import Incident

log = structlog.get_logger()

#: Seconds until the next try after the disk was full.
AFTER_FULL = 2.0


async def failed(runtime: Runtime, site: Site, error: ClusterUnreachable) -> float:
    """Hold a cluster that did not do as it was asked; return the seconds until the next try."""
    now = runtime.now()
    meaning = REACTIONS[EventCode.CLUSTER_UNREACHABLE].meaning
    reason = f"{meaning}: {error}"
    delay = retry_delay(1)
    try:
        async with runtime.database.write() as tx:
            row = (await clusters.all_clusters(tx))[site.name]
            delay = retry_delay(row.failures + 1)
            await clusters.hold(tx, site.id, reason, now, now + delay)
            code = EventCode.CLUSTER_UNREACHABLE
            await events.record(tx, Incident(code=code, message=reason, cluster_id=site.id), now)
    except StorageFull:
        # One disk holds the database and the groups of the local cluster: the log has to do.
        log.warning("cluster.hold_not_recorded", cluster=site.name)
    log.warning("cluster.failed", cluster=site.name, reason=str(error), retry_in=delay)
    return delay


async def worked(runtime: Runtime, site: Site, row: ClusterRow) -> None:
    """Release a cluster that did as it was asked; *row* is what was known before."""
    if row.hold is None or row.stopped:
        return
    now = runtime.now()
    async with runtime.database.write() as tx:
        await clusters.release(tx, site.id)
        await events.close_of_cluster(tx, site.id, EventCode.CLUSTER_UNREACHABLE, now)
    log.info("cluster.released", cluster=site.name)
    site.submitter.ring()
