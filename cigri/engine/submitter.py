"""Hands out tasks to one cluster."""

import attrs
import structlog

from cigri.clusters.driver import Batch, TaskOrder
from cigri.domain.calendar import mode
from cigri.domain.lifecycle import JobEvent
from cigri.domain.model import CampaignType, ClusterSettings, JobId, JobKind, TaskNumber
from cigri.domain.reactions import LONGEST_RETRY, EventCode
from cigri.domain.scheduling import Choice, Policy
from cigri.domain.steps import FAILED, script_of, step_settings
from cigri.engine import health
from cigri.engine.runtime import Runtime, Site
from cigri.errors import ClusterUnreachable, StorageFull, SubmissionRejected, SubmissionUnknown
from cigri.store import brakes, campaigns, claims, clusters, events, growth, jobs, steps
from cigri.store.claims import Claim
from cigri.store.events import Incident
from cigri.store.jobs import Unsettled
from cigri.store.parameters import DamagedParameters
from cigri.store.records import DamagedRecords
from cigri.store.steps import Step

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
        if row.stopped:
            return EVERY
        await _hand_out(runtime, site, policy)
        await health.worked(runtime, site, row)
    except StorageFull as error:
        # No submission without a durable intent.
        log.warning("submission.postponed", cluster=site.name, reason=str(error))
        return health.AFTER_FULL
    except ClusterUnreachable as error:
        return await health.failed(runtime, site, error)
    return runtime.until_change(EVERY)


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
    await _bring_up_to_date(runtime, site)
    night = runtime.night
    async with runtime.database.read() as db:
        due = await steps.due(db, site.id)
        busy = await steps.in_flight(db, site.id)
        offers = await campaigns.offers(db, site.id, night=night)
    ready = [
        item.step
        for item in due
        if not item.waits_for_test and mode(item.type, night=night) is not None
    ]
    for step in ready[: max(0, slots - busy)]:
        await _submit_step(runtime, site, step)
        busy += 1
    types = {offer.campaign: offer.type for offer in offers}
    for choice in policy(offers, max(1, slots - busy)):
        await _submit_tasks(runtime, site, choice, types[choice.campaign])


async def _bring_up_to_date(runtime: Runtime, site: Site) -> None:
    """Let the bags of endless campaigns be full, and tests end that wait for what is held."""
    async with runtime.database.read() as db:
        short = await growth.short_of_tasks(db, site.id)
        in_test = await brakes.in_test(db)
    if short or in_test:
        async with runtime.database.write() as tx:
            await growth.refill_endless(tx, site.id)
            for campaign in in_test:
                await brakes.check(tx, campaign, runtime.now())


async def _submit_tasks(runtime: Runtime, site: Site, choice: Choice, type_: CampaignType) -> None:
    now = runtime.now()
    async with runtime.database.write() as tx:
        claim = await claims.claim(tx, choice.campaign, site.id, choice.tasks, now)
    if claim is not None:
        await _submit(runtime, site, claim, attrs.evolve(claim.settings, type=type_))


async def _submit_step(runtime: Runtime, site: Site, step: Step) -> None:
    async with runtime.database.write() as tx:
        claim = await claims.claim_step(tx, step, site.id, runtime.now())
    if claim is not None:
        await _submit(runtime, site, claim, step_settings(claim.settings, step.kind))


async def _submit(runtime: Runtime, site: Site, claim: Claim, settings: ClusterSettings) -> None:
    outcome = "accepted"
    try:
        batch = await _batch(runtime, claim, settings)
        remote_ids = await site.driver.submit(batch)
    except SubmissionUnknown as error:
        outcome = f"unanswered: {error}"
        async with runtime.database.write() as tx:
            await jobs.unanswered(tx, claim.jobs)
        # The next cycle looks for them, as soon as looking can be trusted.
        site.submitter.ring()
    except _REFUSALS as error:
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


async def _batch(runtime: Runtime, claim: Claim, settings: ClusterSettings) -> Batch:
    async with runtime.database.read() as db:
        known = await claims.contents(db, claim)
    orders = {
        job: [
            TaskOrder(
                TaskNumber(number),
                known.attempts.get(number, 0) + 1,
                known.ids[number],
                known.parameters[number],
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
        settings=settings,
        jobs=orders,
        kind=claim.kind,
        script=None if claim.kind is JobKind.TASKS else script_of(claim.settings, claim.kind),
    )


#: What ends a submission for good, and how it is told.
_REFUSALS = (SubmissionRejected, DamagedParameters, DamagedRecords)


def _code(error: Exception, kind: JobKind) -> EventCode:
    if isinstance(error, DamagedParameters):
        return EventCode.DAMAGED_PARAMETERS
    if isinstance(error, DamagedRecords):
        return EventCode.DAMAGED_RECORDS
    # Nothing comes after an epilogue that a hold could spare.
    return FAILED[kind] if kind is JobKind.EPILOGUE else EventCode.SUBMISSION_REJECTED


async def _refused(runtime: Runtime, site: Site, claim: Claim, error: Exception) -> None:
    """Put the tasks back and hold the campaign: the same request would fail again."""
    code = _code(error, claim.kind)
    incident = Incident(code=code, message=str(error), campaign=claim.campaign, cluster_id=site.id)
    rejected: list[JobId] = list(claim.jobs)
    now = runtime.now()
    async with runtime.database.write() as tx:
        await jobs.returned(tx, rejected, JobEvent.REFUSED, now)
        await events.record(tx, incident, now)
        if await campaigns.finish_if_done(tx, claim.campaign, now):
            log.info("campaign.terminated", campaign=claim.campaign)
