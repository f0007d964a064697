"""Kills what appears on a cluster after its submission was given up."""

import contextlib
from collections.abc import Sequence

import attrs
import structlog

from cigri.clusters.driver import JobRef
from cigri.domain.model import RemoteId, Shape, TaskNumber
from cigri.domain.reactions import REACTIONS, EventCode
from cigri.domain.remote_ids import RemoteNumbers, join_ids
from cigri.engine.incidents import reference
from cigri.engine.runtime import Runtime, Site
from cigri.errors import SubmissionRejected
from cigri.store import events, jobs, submissions
from cigri.store.events import Incident
from cigri.store.jobs import OpenJob
from cigri.store.submissions import Unsettled

log = structlog.get_logger()

#: Seconds between two sweeps for what appeared late, and for how long one goes on.
SWEEP = 300.0
REMEMBERED = 86_400.0


async def sweep(runtime: Runtime, site: Site) -> None:
    """
    Kill what has appeared on a cluster after its submission was given up: its tasks run again.

    Each submission is looked for again in growing intervals, for a day.
    """
    now, before = runtime.now(), site.known.swept_at
    if before <= now < before + SWEEP:
        return
    async with runtime.database.read() as db:
        given_up = await submissions.renounced(db, site.id, now - REMEMBERED)
    for submission in given_up:
        if _is_due(submission.at, before, now):
            # Whose user is not let in any more is looked for another time.
            with contextlib.suppress(SubmissionRejected):
                await _kill_late(runtime, site, submission)
    site.known.swept_at = now


def _is_due(since: float, before: float, now: float) -> bool:
    """Return whether an age of 1, 2, 4, 8 … sweeps was reached between two moments."""
    if not since <= before <= now:
        # It is new, the clock was set back, or nobody has looked since the start.
        return True
    ages = [int((at - since) / SWEEP).bit_length() for at in (before, now)]
    return ages[0] != ages[1]


async def _kill_late(runtime: Runtime, site: Site, submission: Unsettled) -> None:
    found = await site.driver.find(submission.tag, submission.user, submission.jobs)
    if not found:
        return
    async with runtime.database.read() as db:
        sent = await jobs.get_all(db, submission.jobs)
    late = [ref for job in sent if (ref := _late(job, found.get(job.id))) is not None]
    if late:
        await site.driver.kill(late)
    now = runtime.now()
    async with runtime.database.write() as tx:
        await submissions.settle_renounced(tx, submission.id)
        if late:
            await events.record(tx, _late_duplicate(site, submission, late), now)
    log.warning("submission.appeared_late", cluster=site.name, tag=submission.tag, jobs=len(late))


def _late(job: OpenJob, found: RemoteId | None) -> JobRef | None:
    """Return what of a job was found and is not known to be there."""
    if found is None or found == job.remote_id:
        return None
    every = dict(enumerate(map(TaskNumber, job.positions.tasks())))
    if job.shape is Shape.GROUP:
        # One that runs under another number was moved by its cluster.
        return None if job.remote_id else attrs.evolve(reference(job, found), open=every)
    known = RemoteNumbers(job.remote_id or "-")
    there = RemoteNumbers(found)
    late = [there.of(place) if known.of(place) is None else None for place in every]
    tasks = {place: task for place, task in every.items() if late[place] is not None}
    return attrs.evolve(reference(job, join_ids(late)), open=tasks) if tasks else None


def _late_duplicate(site: Site, submission: Unsettled, late: Sequence[JobRef]) -> Incident:
    meaning = REACTIONS[EventCode.LATE_DUPLICATE].meaning
    return Incident(
        code=EventCode.LATE_DUPLICATE,
        message=f"{meaning}: {late[0].remote_id}, of {submission.tag}"[:500],
        count=len(late),
        campaign=submission.campaign,
        cluster_id=site.id,
    )
