"""Closes events, and with them what they held; opens those that an administrator makes."""

from cigri.domain.event import Event
from cigri.domain.lifecycle import CampaignEvent
from cigri.domain.model import (
    Caller,
    CampaignId,
    CampaignState,
    ClusterName,
    EventId,
    TaskId,
    TaskNumber,
)
from cigri.domain.reactions import BY_HAND, REACTIONS, EventCode, Scope
from cigri.domain.verdict import FAILURES
from cigri.engine.answers import Fixed
from cigri.engine.aspect import Aspect
from cigri.errors import InvalidRequest, NotAllowed
from cigri.store import brakes, campaigns, clusters, events, retries, spans, steps, tasks
from cigri.store.database import Connection
from cigri.store.events import Incident
from cigri.store.records import NO_STATUS


class Fixing(Aspect):
    """Repairs campaigns, once a person has repaired the cause."""

    async def fix(self, caller: Caller, campaign: CampaignId, *, resubmit: bool) -> Fixed:
        """
        Close the events of a campaign and lift its holds; *resubmit* what failed.

        A prologue that failed runs again, an epilogue only with *resubmit*.  What waits for a go
        after its test goes on waiting.
        """
        now = self._runtime.now()
        async with self._database.write() as tx:
            row = await self._check_owner(tx, caller, campaign)
            paused = await brakes.release(tx, campaign, now, {EventCode.TOO_MANY_FAILURES})
            closed = len(paused) + await events.close_of_campaign(tx, campaign, now)
            if row["state"] != CampaignState.CANCELLED:
                # One that failed there is why the epilogue runs.
                await steps.retry_prologues(tx, campaign)
            if paused:
                await _go_on(tx, campaign, now)
            resubmitted = 0
            if resubmit and row["state"] != CampaignState.CANCELLED:
                resubmitted = await tasks.resubmit_failed(tx, campaign)
            epilogues = 0
            if resubmit:
                epilogues = await steps.reopen(tx, campaign, only_failed=not resubmitted)
            if resubmit and not epilogues and row["failed"]:
                # Of one that is cancelled nothing comes back: that is said.
                await campaigns.happen(tx, campaign, CampaignEvent.REOPENED, now)
            elif resubmitted or epilogues:
                await _reopen(tx, campaign, now)
            if resubmitted:
                await _try_anew(tx, campaign)
        self._runtime.ring()
        return Fixed(closed=closed, resubmitted=resubmitted)

    async def fix_event(self, caller: Caller, event: EventId, *, resubmit: bool) -> Fixed:
        """
        Close one event and lift its hold; *resubmit* the tasks that it is about.

        Those are the tasks of its cluster that failed with its exit status, whatever they said
        last.  What paused its campaign lets it go on.
        """
        async with self._database.read() as db:
            found = await self._event(db, caller, event)
        if found.campaign is None and not caller.admin:
            message = "only an administrator may fix the events of a cluster"
            raise NotAllowed(message)
        now = self._runtime.now()
        resubmitted = 0
        async with self._database.write() as tx:
            if found.open and found.campaign is None:
                await self._release_cluster(tx, found)
            if found.open and found.campaign is not None:
                await _release(tx, found, found.campaign, now)
            closed = int(found.open)
            await events.close(tx, found, now)
            if resubmit and found.campaign is not None:
                resubmitted = await _resubmit(tx, found, found.campaign, now)
        site = None if found.cluster_id is None else self._runtime.site(found.cluster_id)
        if site is not None:
            # What lasts is told again.
            site.known.conditions = None
        self._runtime.ring()
        return Fixed(closed=closed, resubmitted=resubmitted)

    @staticmethod
    async def _release_cluster(tx: Connection, event: Event) -> None:
        holds = REACTIONS[EventCode(event.code)].holds
        if event.cluster_id is None or holds not in (Scope.CLUSTER, Scope.CLUSTER_TILL_FIXED):
            return
        rows = {row.id: row for row in (await clusters.all_clusters(tx)).values()}
        # What an administrator stopped goes on when that is fixed, not when it is reached again.
        if holds is Scope.CLUSTER_TILL_FIXED or not rows[event.cluster_id].stopped:
            await clusters.release(tx, event.cluster_id)

    async def create_event(
        self,
        caller: Caller,
        code: str,
        *,
        message: str = "",
        cluster: ClusterName | None = None,
        campaign: CampaignId | None = None,
        task: TaskId | None = None,
    ) -> Event:
        """
        Record an event by hand: what it holds rests until somebody fixes it.

        Raises:
            NotAllowed: The caller is no administrator.
            InvalidRequest: It is no event that can be made by hand, or it holds nothing.
            NotFound: There is no such campaign or task.
        """
        if not caller.admin:
            text = "only an administrator may create events"
            raise NotAllowed(text)
        incident_code = _by_hand(code)
        site = None if cluster is None else self._runtime.sites.get(cluster)
        if cluster is not None and site is None:
            raise InvalidRequest.at("/cluster", f"there is no cluster {cluster}")
        now = self._runtime.now()
        async with self._database.write() as tx:
            number: TaskNumber | None = None
            if task is not None:
                campaign, number = await spans.locate(tx, task)
            if campaign is not None:
                await campaigns.row(tx, campaign)
            incident = Incident(
                code=incident_code,
                message=message or REACTIONS[incident_code].meaning,
                campaign=campaign,
                cluster_id=None if site is None else site.id,
                task=number,
            )
            _check_holds_something(incident)
            made = await events.record(tx, incident, now)
            if incident_code is EventCode.CLUSTER_MANUALLY_DISABLED and site is not None:
                await clusters.stop(tx, site.id, incident.message, now)
            found = await events.get(tx, made)
        self._runtime.ring()
        return found


def _by_hand(code: str) -> EventCode:
    if code not in BY_HAND:
        known = ", ".join(sorted(BY_HAND))
        raise InvalidRequest.at("/code", f"no event that can be made by hand: {code!r}", known)
    return EventCode(code)


def _check_holds_something(incident: Incident) -> None:
    """
    Check what an event is about.

    Raises:
        InvalidRequest: A cluster or a campaign has to be named, or must not be.
    """
    if incident.code is EventCode.CLUSTER_MANUALLY_DISABLED:
        if incident.cluster_id is None:
            raise InvalidRequest.at("/cluster_id", "missing: which cluster?")
        if incident.campaign is not None:
            hint = "MANUAL_EVENT holds one campaign"
            raise InvalidRequest.at("/campaign_id", "a cluster is stopped for everybody", hint)
    elif incident.campaign is None:
        hint = "CLUSTER_MANUALLY_DISABLED holds a cluster for everybody"
        raise InvalidRequest.at("/campaign_id", "missing: which campaign?", hint)


async def _release(tx: Connection, event: Event, campaign: CampaignId, now: float) -> None:
    """Let go on what an open event of a campaign kept."""
    code = EventCode(event.code)
    if code in brakes.SELF_MADE:
        await brakes.release(tx, campaign, now, {code})
        await _go_on(tx, campaign, now)
    elif code is EventCode.PROLOG_EXIT_ERROR and not await _is_cancelled(tx, campaign):
        await steps.retry_prologues(tx, campaign, event.cluster_id)


async def _resubmit(tx: Connection, event: Event, campaign: CampaignId, now: float) -> int:
    if event.code == EventCode.EPILOG_EXIT_ERROR:
        if await steps.reopen(tx, campaign, event.cluster_id, only_failed=True):
            await _reopen(tx, campaign, now)
        return 0
    if event.code not in FAILURES:
        return 0
    resubmitted = await tasks.resubmit_failed(
        tx,
        campaign,
        cluster_id=event.cluster_id,
        recorded_status=NO_STATUS if event.exit_status is None else event.exit_status,
    )
    if resubmitted:
        await campaigns.happen(tx, campaign, CampaignEvent.REOPENED, now)
        await campaigns.reopen_steps(tx, campaign)
        await _try_anew(tx, campaign)
    return resubmitted


async def _try_anew(tx: Connection, campaign: CampaignId) -> None:
    """Forget how often the tasks of a campaign failed: they have a new start."""
    await retries.forget(tx, campaign)
    await brakes.forget_resubmitted(tx, campaign)


async def _go_on(tx: Connection, campaign: CampaignId, now: float) -> None:
    """Resume a campaign that had paused itself, if its owner did not end it meanwhile."""
    if (await campaigns.row(tx, campaign))["state"] == CampaignState.PAUSED:
        await campaigns.happen(tx, campaign, CampaignEvent.RESUME, now)


async def _reopen(tx: Connection, campaign: CampaignId, now: float) -> None:
    """Let a campaign go on with what came back; of a cancelled one only its epilogues do."""
    if not await _is_cancelled(tx, campaign):
        await campaigns.happen(tx, campaign, CampaignEvent.REOPENED, now)


async def _is_cancelled(db: Connection, campaign: CampaignId) -> bool:
    state: str = (await campaigns.row(db, campaign))["state"]
    return state == CampaignState.CANCELLED
