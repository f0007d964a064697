"""Submissions of which nobody knows whether the cluster got them: looked for by their name."""

from collections.abc import Mapping, Sequence

import structlog

from cigri.domain.lifecycle import JobEvent
from cigri.domain.model import JobId, RemoteId, Shape
from cigri.domain.reactions import EventCode
from cigri.domain.remote_ids import RemoteNumbers
from cigri.engine import health
from cigri.engine.runtime import Runtime, Site
from cigri.errors import SubmissionRejected
from cigri.store import campaigns, events, jobs, submissions
from cigri.store.database import Connection
from cigri.store.events import Incident
from cigri.store.submissions import Unsettled

log = structlog.get_logger()

#: Seconds between the newest of so many submissions in doubt and the next one: an ill cluster is
#: sent ever less, and a healthy one that lost an answer hardly notices.
PAUSES = (0.0, 2.0, 10.0, 30.0)
#: How many times one is looked for until its fence has passed.
LOOKS = 8


async def settle(runtime: Runtime, site: Site) -> float:
    """
    Settle the submissions without an answer that can be; return the seconds until the next one.

    0: something may be submitted now.
    """
    async with runtime.database.read() as db:
        waiting = await submissions.unsettled(db, site.id)
    doubtful = []
    tags = {each.tag for each in waiting}
    for each in waiting:
        try:
            if not await _settle(runtime, site, each):
                doubtful.append(each)
                continue
        except SubmissionRejected as error:
            # Its user is not let in any more: that is no reason to keep others back.
            await _refused(runtime, site, each, error)
            continue
        tags.discard(each.tag)
    site.known.in_doubt = {tag: at for tag, at in site.known.in_doubt.items() if tag in tags}
    site.known.refused &= tags
    await health.tell(runtime, site, EventCode.POST_TIMEOUT, _doubts(doubtful))
    return _pause(site, doubtful, runtime.now())


def _pause(site: Site, doubtful: Sequence[Unsettled], now: float) -> float:
    if not doubtful:
        return 0.0
    if len(doubtful) < len(PAUSES):
        return max(0.0, max(each.at for each in doubtful) + PAUSES[len(doubtful)] - now)
    return max(1.0, min(each.at for each in doubtful) + site.driver.fence - now)


async def in_doubt(db: Connection, site: Site, now: float) -> int:
    """Return how many submissions have no answer, if they keep others back; else 0."""
    waiting = [
        each
        for each in await submissions.unsettled(db, site.id)
        if each.tag in site.known.in_doubt
    ]
    return len(waiting) if _pause(site, waiting, now) else 0


def _doubts(doubtful: list[Unsettled]) -> str | None:
    return f"the first is {doubtful[0].tag}" if doubtful else None


async def _settle(runtime: Runtime, site: Site, submission: Unsettled) -> bool:
    """Return whether it is known what became of a submission."""
    driver, tag, user = site.driver, submission.tag, submission.user
    end = submission.at + driver.fence
    looked, now = site.known.in_doubt.get(tag, 0.0), runtime.now()
    over = now >= end
    if looked <= now < looked + driver.fence / LOOKS and not looked < end <= now:
        if tag in site.known.refused:
            raise SubmissionRejected("asked a moment ago")
        return False
    site.known.in_doubt[tag] = now
    found = await driver.find(tag, user, submission.jobs)
    whole = await _is_whole(runtime, submission, found)
    if not whole:
        if not over:
            return False
        # From here on what appears runs nothing; what came before is found now.
        await driver.renounce(tag, user)
        found = await driver.find(tag, user, submission.jobs)
        whole = await _is_whole(runtime, submission, found)
    absent = [job for job in submission.jobs if job not in found]
    now = runtime.now()
    async with runtime.database.write() as tx:
        await jobs.accepted(tx, found)
        await jobs.returned(tx, absent, JobEvent.NOT_SENT, now)
        if not whole:
            await submissions.renounce(tx, submission.id, now)
        await campaigns.finish_if_done(tx, submission.campaign, now)
    log.info(
        "submission.settled",
        cluster=site.name,
        tag=tag,
        adopted=len(found),
        returned=len(absent),
    )
    site.poller.ring()
    return True


async def _refused(
    runtime: Runtime, site: Site, submission: Unsettled, error: SubmissionRejected
) -> None:
    """Tell once that a submission cannot be looked for; its campaign is held there."""
    if submission.tag in site.known.refused:
        return
    log.warning("submission.not_looked_for", cluster=site.name, tag=submission.tag)
    incident = Incident(
        code=EventCode.SUBMISSION_REJECTED,
        message=f"it cannot be seen what became of {submission.tag}: {error}",
        campaign=submission.campaign,
        cluster_id=site.id,
    )
    async with runtime.database.write() as tx:
        await events.record(tx, incident, runtime.now())
    site.known.refused.add(submission.tag)


async def _is_whole(
    runtime: Runtime, submission: Unsettled, found: Mapping[JobId, RemoteId]
) -> bool:
    """Return whether all jobs of a submission were found, and of an array every one."""
    if any(job not in found for job in submission.jobs):
        return False
    async with runtime.database.read() as db:
        sent = await jobs.get_all(db, submission.jobs)
    return all(
        job.shape is Shape.GROUP or RemoteNumbers(found[job.id]).whole(job.positions.size)
        for job in sent
    )
