"""What the API may ask of the engine."""

from collections.abc import AsyncIterator

import structlog

from cigri.clusters.identity import account
from cigri.clusters.worker import command_line
from cigri.domain import jdl
from cigri.domain.admission import refusal
from cigri.domain.jdl import check_name
from cigri.domain.lifecycle import CampaignEvent
from cigri.domain.model import (
    Caller,
    Campaign,
    CampaignId,
    CampaignSpec,
    CampaignState,
    EventId,
    Parameter,
)
from cigri.domain.site import Site as Facts
from cigri.domain.verdict import FAILURES
from cigri.engine import uploads
from cigri.engine.answers import Fixed, Preview, Submitted
from cigri.engine.inspection import Inspection
from cigri.engine.progress import Progress
from cigri.engine.runtime import Runtime
from cigri.errors import CigriError, InvalidJdl, InvalidRequest, NotAllowed
from cigri.store import campaigns, events, tasks
from cigri.store.records import NO_STATUS

log = structlog.get_logger()

#: What brings a campaign into the states that its owner may ask for.
_LEADING_TO = {
    CampaignState.PAUSED: CampaignEvent.PAUSE,
    CampaignState.IN_TREATMENT: CampaignEvent.RESUME,
}


class Campaigns(Inspection):
    """Changes campaigns on behalf of their owners."""

    def __init__(self, runtime: Runtime, progress: Progress, facts: Facts) -> None:
        super().__init__(runtime, progress)
        self._facts = facts

    async def submit(
        self, caller: Caller, text: bytes, lines: AsyncIterator[bytes] | None = None
    ) -> Submitted:
        """
        Store a campaign with all its tasks, or nothing.

        *lines* are blocks of bytes with one parameter a line, for a JDL that gives none itself.

        Raises:
            InvalidJdl: The description or a parameter has mistakes.
            NotAllowed: The caller may not run this.
            TooLarge: There are too many tasks.
            StorageFull: The disk is full.
        """
        spec = jdl.read(text, self._facts, lines=lines is not None)
        del text
        self._admit(caller, spec)
        campaign = await self._create(caller, spec, has_chunks=spec.nb_jobs is None)
        try:
            total = await self._fill(campaign, spec, lines)
            async with self._database.write() as tx:
                await campaigns.open_campaign(tx, campaign, total, self._runtime.now())
        except BaseException:
            await self._discard(campaign)
            raise
        log.info("campaign.submitted", campaign=campaign, user=caller.user, tasks=total)
        self._progress.begin(campaign, self._runtime.now())
        self._runtime.ring()
        return Submitted(campaign=await self.get(campaign), warnings=spec.warnings)

    async def preview(
        self, caller: Caller, text: bytes, lines: AsyncIterator[bytes] | None = None
    ) -> Preview:
        """
        Return what `submit` would store, storing nothing.

        Raises:
            InvalidJdl, NotAllowed, TooLarge: As `submit`.
        """
        spec = jdl.read(text, self._facts, lines=lines is not None)
        self._admit(caller, spec)
        found = await uploads.glance(spec, lines, self._facts.max_tasks)
        uploads.check_count(found.tasks, self._facts.max_tasks)
        command = next(iter(spec.clusters.values())).exec_file
        home = account(caller.user).home
        samples = tuple(
            (number, _words(command, parameter, home)) for number, parameter in found.samples
        )
        return Preview(tasks=found.tasks, samples=samples, jdl=spec.jdl, warnings=spec.warnings)

    def _admit(self, caller: Caller, spec: CampaignSpec) -> None:
        reason = refusal(spec, caller, self._facts)
        for name in spec.clusters:
            site = self._runtime.sites.get(name)
            if reason is None and site is not None:
                reason = site.driver.refusal(caller.user)
        if reason:
            raise NotAllowed(reason)

    async def _create(self, caller: Caller, spec: CampaignSpec, *, has_chunks: bool) -> CampaignId:
        ids = {name: site.id for name, site in self._runtime.sites.items()}
        async with self._database.write() as tx:
            return await campaigns.create(
                tx,
                spec,
                user=caller.user,
                at=self._runtime.now(),
                cluster_ids=ids,
                has_chunks=has_chunks,
            )

    async def _fill(
        self, campaign: CampaignId, spec: CampaignSpec, lines: AsyncIterator[bytes] | None
    ) -> int:
        limit = self._facts.max_tasks
        if spec.nb_jobs is not None:
            uploads.check_count(spec.nb_jobs, limit)
            return spec.nb_jobs
        source = uploads.chunks(spec, lines, limit)
        return await uploads.store(self._database, campaign, source)

    async def _discard(self, campaign: CampaignId) -> None:
        """Delete what a submission that failed has stored; the next start does it otherwise."""
        try:
            async with self._database.write() as tx:
                await campaigns.delete(tx, campaign)
        except CigriError as error:
            log.warning("campaign.not_discarded", campaign=campaign, reason=str(error))

    async def fix(self, caller: Caller, campaign: CampaignId, *, resubmit: bool) -> Fixed:
        """Close the events of a campaign and lift its holds; *resubmit* what failed."""
        now = self._runtime.now()
        resubmitted = 0
        async with self._database.write() as tx:
            await self._check_owner(tx, caller, campaign)
            closed = await events.close_of_campaign(tx, campaign, now)
            if resubmit:
                resubmitted = await tasks.resubmit_failed(tx, campaign)
            if resubmitted:
                await campaigns.happen(tx, campaign, CampaignEvent.REOPENED, now)
        self._runtime.ring()
        return Fixed(closed=closed, resubmitted=resubmitted)

    async def fix_event(self, caller: Caller, event: EventId, *, resubmit: bool) -> Fixed:
        """Close one event and lift its hold; *resubmit* the tasks that it is about."""
        found = await self.event(caller, event)
        if found.campaign is None and not caller.admin:
            message = "only an administrator may fix the events of a cluster"
            raise NotAllowed(message)
        now = self._runtime.now()
        resubmitted = 0
        async with self._database.write() as tx:
            closed = await events.close(tx, found, now)
            if resubmit and found.campaign is not None and found.code in FAILURES:
                resubmitted = await tasks.resubmit_failed(
                    tx,
                    found.campaign,
                    cluster_id=found.cluster_id,
                    recorded_status=NO_STATUS if found.exit_status is None else found.exit_status,
                )
            if resubmitted and found.campaign is not None:
                await campaigns.happen(tx, found.campaign, CampaignEvent.REOPENED, now)
        self._runtime.ring()
        return Fixed(closed=closed, resubmitted=resubmitted)

    async def pause(self, caller: Caller, campaign: CampaignId) -> Campaign:
        """Start no more tasks of a campaign; what runs goes on."""
        return await self.update(caller, campaign, state=CampaignState.PAUSED)

    async def resume(self, caller: Caller, campaign: CampaignId) -> Campaign:
        """Go on with a campaign that is paused."""
        return await self.update(caller, campaign, state=CampaignState.IN_TREATMENT)

    async def rename(self, caller: Caller, campaign: CampaignId, name: str) -> Campaign:
        """Give a campaign another name."""
        return await self.update(caller, campaign, name=name)

    async def update(
        self,
        caller: Caller,
        campaign: CampaignId,
        *,
        name: str | None = None,
        state: CampaignState | None = None,
    ) -> Campaign:
        """
        Rename a campaign, and bring it into *state*, paused or in treatment: all or nothing.

        Raises:
            InvalidRequest: The name is none.
            Conflict: The campaign cannot come into that state.
        """
        if name is not None:
            _check_name(name)
        async with self._database.write() as tx:
            await self._check_owner(tx, caller, campaign)
            if state is not None:
                await campaigns.happen(tx, campaign, _LEADING_TO[state], self._runtime.now())
            if name is not None:
                await campaigns.rename(tx, campaign, name)
        found = await self.get(campaign)
        if state is not None:
            self._measure_anew(found)
            self._runtime.ring()
        return found

    def _measure_anew(self, campaign: Campaign) -> None:
        if campaign.state is CampaignState.IN_TREATMENT:
            self._progress.begin(campaign.id, self._runtime.now(), campaign.counts.settled)
        else:
            self._progress.forget(campaign.id)

    async def cancel(self, caller: Caller, campaign: CampaignId) -> Campaign:
        """End a campaign: its bag is emptied, what runs is killed, its output stays."""
        async with self._database.write() as tx:
            await self._check_owner(tx, caller, campaign)
            await campaigns.cancel(tx, campaign, self._runtime.now())
        self._progress.forget(campaign)
        self._runtime.ring()
        return await self.get(campaign)


def _check_name(name: str) -> None:
    try:
        check_name(name)
    except InvalidJdl as error:
        raise InvalidRequest(error.problems) from error


def _words(command: str, parameter: Parameter, home: str) -> tuple[str, ...]:
    given = parameter if isinstance(parameter, str) else list(parameter)
    try:
        return tuple(command_line(command, given, home, 0))
    except ValueError as error:
        raise InvalidJdl.at("/params", f"{error}: {parameter!r}") from error
