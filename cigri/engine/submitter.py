"""Hands out tasks to one cluster."""

from collections.abc import Collection
from enum import StrEnum

import attrs
import structlog

from cigri.domain import bag
from cigri.domain.calendar import mode
from cigri.domain.lifecycle import JobEvent
from cigri.domain.model import (
    CampaignId,
    CampaignType,
    ClusterSettings,
    JobId,
    JobKind,
    Shape,
)
from cigri.domain.reactions import EventCode
from cigri.domain.scheduling import Choice, Policy
from cigri.domain.steps import FAILED, step_settings
from cigri.engine import gauges, health, late, unanswered
from cigri.engine.batches import batch_of
from cigri.engine.runtime import Runtime, Site
from cigri.errors import (
    ClusterError,
    ClusterUnreachable,
    StorageFull,
    SubmissionRejected,
    SubmissionUnknown,
)
from cigri.store import brakes, campaigns, claims, clusters, events, growth, jobs, steps
from cigri.store.claims import Claim
from cigri.store.events import Incident
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
        if rest := health.rest(runtime, row):
            return rest
        pause = await unanswered.settle(runtime, site)
        if pause:
            return pause
        if row.stopped:
            return EVERY
        known = await gauges.read(runtime, site)
        if not gauges.is_strained(site):
            await _hand_out(runtime, site, policy, known.slots or 0)
        await late.sweep(runtime, site)
        await health.worked(runtime, site, row)
    except StorageFull as error:
        # No submission without a durable intent.
        log.warning("submission.postponed", cluster=site.name, reason=str(error))
        return health.AFTER_FULL
    except ClusterError as error:
        return await health.failed(runtime, site, error)
    return runtime.until_change(EVERY)


async def _hand_out(runtime: Runtime, site: Site, policy: Policy, slots: int) -> None:
    await _bring_up_to_date(runtime, site)
    night = runtime.night
    async with runtime.database.read() as db:
        due = await steps.due(db, site.id)
        busy = await steps.in_flight(db, site.id)
        offers = await campaigns.offers(db, site.id, night=night, capacity=site.driver.capacity)
    ready = [
        item.step
        for item in due
        if not item.waits_for_test and mode(item.type, night=night) is not None
    ]
    for step in ready[: max(0, slots - busy)]:
        if not await _submit_step(runtime, site, step):
            return
        busy += 1
    free = max(1, slots - busy)
    types = {offer.campaign: offer.type for offer in offers}
    for choice in policy(offers, free):
        if not await _submit_tasks(runtime, site, choice, types[choice.campaign], free):
            # A cluster that does not answer costs one time-out a cycle.
            return


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


async def _submit_tasks(
    runtime: Runtime, site: Site, choice: Choice, type_: CampaignType, slots: int
) -> bool:
    """Submit what was chosen, in as many submissions as it takes; return whether all answered."""
    wanted = choice.tasks
    while wanted > 0:
        now = runtime.now()
        try:
            async with runtime.database.write() as tx:
                claim = await claims.claim(
                    tx,
                    choice.campaign,
                    site.id,
                    wanted,
                    now,
                    capacity=site.driver.capacity,
                    slots=slots,
                )
        except _REFUSALS as error:
            await _refused(runtime, site, error, campaign=choice.campaign)
            return True
        if claim is None:
            return True
        wanted -= sum(bag.size(portion) for portion in claim.jobs.values())
        settings = attrs.evolve(claim.settings, type=type_)
        outcome = await _submit(runtime, site, claim, settings)
        if outcome is not _Outcome.ACCEPTED:
            return outcome is _Outcome.REFUSED
    return True


async def _submit_step(runtime: Runtime, site: Site, step: Step) -> bool:
    """Submit a step; return whether the cluster answered."""
    shape = Shape.ARRAY if site.driver.capacity.arrays else Shape.GROUP
    async with runtime.database.write() as tx:
        claim = await claims.claim_step(tx, step, site.id, runtime.now(), shape=shape)
    if claim is None:
        return True
    settings = step_settings(claim.settings, step.kind)
    return await _submit(runtime, site, claim, settings) is not _Outcome.UNANSWERED


class _Outcome(StrEnum):
    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNANSWERED = "unanswered"


async def _submit(
    runtime: Runtime, site: Site, claim: Claim, settings: ClusterSettings
) -> _Outcome:
    outcome, told = _Outcome.ACCEPTED, ""
    try:
        batch = await batch_of(runtime, site, claim, settings)
        remote_ids = await site.driver.submit(batch)
    except SubmissionUnknown as error:
        outcome, told = _Outcome.UNANSWERED, str(error)
        async with runtime.database.write() as tx:
            await jobs.unanswered(tx, claim.jobs)
        # The next cycle looks for them, as soon as looking can be trusted.
        site.submitter.ring()
    except _REFUSALS as error:
        outcome, told = _Outcome.REFUSED, str(error)
        await _refused(
            runtime, site, error, campaign=claim.campaign, rejected=claim.jobs, kind=claim.kind
        )
    except ClusterUnreachable:
        async with runtime.database.write() as tx:
            await jobs.returned(tx, claim.jobs, JobEvent.NOT_SENT, runtime.now())
        raise
    else:
        async with runtime.database.write() as tx:
            await jobs.accepted(tx, remote_ids)
    log.debug("submission.recorded", cluster=site.name, tag=claim.tag, outcome=outcome, told=told)
    if site.known.idle:
        site.poller.ring()
    else:
        # What was just sent has not ended yet, and the poller looks anyway.
        site.poller.hasten(site.driver.pace.steady)
    return outcome


#: What ends a submission for good, and how it is told.
_REFUSALS = (SubmissionRejected, DamagedParameters, DamagedRecords)


def _code(error: Exception, kind: JobKind) -> EventCode:
    if isinstance(error, DamagedParameters):
        return EventCode.DAMAGED_PARAMETERS
    if isinstance(error, DamagedRecords):
        return EventCode.DAMAGED_RECORDS
    # Nothing comes after an epilogue that a hold could spare.
    return FAILED[kind] if kind is JobKind.EPILOGUE else EventCode.SUBMISSION_REJECTED


async def _refused(
    runtime: Runtime,
    site: Site,
    error: Exception,
    *,
    campaign: CampaignId,
    rejected: Collection[JobId] = (),
    kind: JobKind = JobKind.TASKS,
) -> None:
    """Put the tasks back and hold the campaign: the same request would fail again."""
    incident = Incident(
        code=_code(error, kind), message=str(error), campaign=campaign, cluster_id=site.id
    )
    now = runtime.now()
    async with runtime.database.write() as tx:
        await jobs.returned(tx, rejected, JobEvent.REFUSED, now)
        await events.record(tx, incident, now)
        if await campaigns.finish_if_done(tx, campaign, now):
            log.info("campaign.terminated", campaign=campaign)
