"""Hands out tasks to one cluster."""

import structlog

from cigri.clusters.driver import Batch, TaskOrder
from cigri.domain.lifecycle import JobEvent
from cigri.domain.model import JobId, TaskId, TaskNumber
from cigri.domain.reactions import LONGEST_RETRY, EventCode
from cigri.domain.scheduling import Choice, Policy
from cigri.engine import health
from cigri.engine.runtime import Runtime, Site
from cigri.errors import ClusterUnreachable, StorageFull, SubmissionRejected, SubmissionUnknown
from cigri.store import campaigns, clusters, events, jobs
from cigri.store.events import Incident
from cigri.store.jobs import Claim, Unsettled
from cigri.store.parameters import DamagedParameters

log = structlog.get_logger()

#: Seconds between two cycles when no bell rings.
EVERY = 30.0


async def submit_once(runtime: Runtime, site: Site, policy: Policy) -> float:
    """
    Hand out to *site* what *policy* chooses now; return the seconds until the next look.

    Begins with the submissions that a lost answer or a crash left open: what they took may be on
    the cluster already.
    """
    try:
        async with runtime.database.read() as db:
            row = (await clusters.all_clusters(db))[site.name]
        rest = 0.0 if row.hold_until is None else row.hold_until - runtime.now()
        # A longer one was written by a clock that has been set back since.
        if 0 < rest <= LONGEST_RETRY:
            return rest
        if not await settle_unanswered(runtime, site):
            return max(site.driver.fence / 2, 1.0)
        await _hand_out(runtime, site, policy)
        await health.worked(runtime, site, row)
    except StorageFull as error:
        # No submission without a durable intent.
        log.warning("submission.postponed", cluster=site.name, reason=str(error))
        return health.AFTER_FULL
    except ClusterUnreachable as error:
        return await health.failed(runtime, site, error)
    return EVERY


async def settle_unanswered(runtime: Runtime, site: Site) -> bool:
    """Settle the submissions whose outcome is unknown; return whether all could be."""
    async with runtime.database.read() as db:
        waiting = await jobs.unsettled(db, site.id)
    settled = [await _settle(runtime, site, submission) for submission in waiting]
    return all(settled)


async def _settle(runtime: Runtime, site: Site, submission: Unsettled) -> bool:
    found = await site.driver.find(submission.tag, submission.user, submission.jobs)
    absent = [job for job in submission.jobs if job not in found]
    if absent and runtime.now() < submission.at + site.driver.fence:
        return False
    now = runtime.now()
    async with runtime.database.write() as tx:
        await jobs.accepted(tx, found)
        await jobs.returned(tx, absent, JobEvent.NOT_SENT, now)
        await campaigns.finish_if_done(tx, submission.campaign, now)
    log.info(
        "submission.settled",
        cluster=site.name,
        tag=submission.tag,
        adopted=len(found),
        returned=len(absent),
    )
    site.poller.ring()
    return True


async def _hand_out(runtime: Runtime, site: Site, policy: Policy) -> None:
    slots = await site.driver.slots()
    async with runtime.database.read() as db:
        offers = await campaigns.offers(db, site.id)
    for choice in policy(offers, slots):
        await _submit(runtime, site, choice)


async def _submit(runtime: Runtime, site: Site, choice: Choice) -> None:
    async with runtime.database.write() as tx:
        claim = await jobs.claim(tx, choice.campaign, site.id, choice.tasks, runtime.now())
    if claim is None:
        return
    outcome = "accepted"
    try:
        batch = await _batch(runtime, claim)
        remote_ids = await site.driver.submit(batch)
    except SubmissionUnknown as error:
        outcome = f"unanswered: {error}"
        async with runtime.database.write() as tx:
            await jobs.unanswered(tx, claim.jobs)
        # The next cycle looks for them, as soon as looking can be trusted.
        site.submitter.ring()
    except (SubmissionRejected, DamagedParameters) as error:
        outcome = f"refused: {error}"
        await _refused(runtime, site, claim, error)
    except ClusterUnreachable:
        async with runtime.database.write() as tx:
            await jobs.returned(tx, claim.jobs, JobEvent.NOT_SENT, runtime.now())
        raise
    else:
        async with runtime.database.write() as tx:
            await jobs.accepted(tx, remote_ids)
    log.debug("submission.recorded", cluster=site.name, tag=claim.tag, outcome=outcome)
    site.poller.ring()


async def _batch(runtime: Runtime, claim: Claim) -> Batch:
    async with runtime.database.read() as db:
        given, attempts = await jobs.contents(db, claim)
    orders = {
        job: [
            TaskOrder(
                TaskNumber(number),
                attempts.get(number, 0) + 1,
                TaskId(claim.first_task_id + number),
                given[number],
            )
            for item in portion
            for number in item.numbers()
        ]
        for job, portion in claim.jobs.items()
    }
    return Batch(
        tag=claim.tag,
        user=claim.user,
        campaign=claim.campaign,
        campaign_name=claim.campaign_name,
        settings=claim.settings,
        jobs=orders,
    )


async def _refused(
    runtime: Runtime, site: Site, claim: Claim, error: SubmissionRejected | DamagedParameters
) -> None:
    """Put the tasks back and hold the campaign: the same request would fail again."""
    damaged = isinstance(error, DamagedParameters)
    code = EventCode.DAMAGED_PARAMETERS if damaged else EventCode.SUBMISSION_REJECTED
    incident = Incident(code=code, message=str(error), campaign=claim.campaign, cluster_id=site.id)
    rejected: list[JobId] = list(claim.jobs)
    now = runtime.now()
    async with runtime.database.write() as tx:
        await jobs.returned(tx, rejected, JobEvent.REFUSED, now)
        await events.record(tx, incident, now)
