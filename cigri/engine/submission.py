"""New campaigns: what may be submitted, and how it comes into the store."""

from collections.abc import AsyncIterator

import structlog

from cigri.clusters.identity import account
from cigri.clusters.worker import command_line
from cigri.domain import jdl
from cigri.domain.admission import Load, refusal
from cigri.domain.model import Caller, CampaignId, ClusterSettings, Parameter
from cigri.domain.spec import CampaignSpec
from cigri.engine import param_files, uploads
from cigri.engine.answers import Preview, Submitted
from cigri.engine.aspect import Aspect
from cigri.engine.receipts import Receipt
from cigri.engine.uploads import Chunk
from cigri.errors import AdmissionRefused, CigriError, InvalidJdl, NotAllowed, NotFound
from cigri.store import campaigns, listings, parameters

log = structlog.get_logger()


class Submission(Aspect):
    """Takes campaigns in."""

    async def submit(
        self,
        caller: Caller,
        text: bytes,
        lines: AsyncIterator[bytes] | None = None,
        *,
        receipt: Receipt[Submitted] | None = None,
    ) -> Submitted:
        """
        Store a campaign with all its tasks, or nothing.

        *lines* are blocks of bytes with one parameter a line, for a JDL that gives none itself.
        *receipt* is written in the transaction that shows the campaign to everybody.

        Raises:
            InvalidJdl: The description or a parameter has mistakes.
            AdmissionRefused: A rule is against it.
            NotAllowed: The caller may not run this.
            TooLarge: There are too many tasks.
            StorageFull: The disk is full.
        """
        spec = jdl.read(text, self._facts, lines=lines is not None)
        del text
        await self._admit(caller, spec)
        campaign = await self._create(caller, spec)
        try:
            total = await self._fill(campaign, spec, self._source(caller, spec, lines))
            await self._check_rules(caller, spec, total, campaign)
            async with self._database.write() as tx:
                await campaigns.open_campaign(tx, campaign, total, self._runtime.now())
                opened = await campaigns.get(tx, campaign)
                submitted = Submitted(campaign=opened, warnings=spec.warnings)
                if receipt is not None:
                    await receipt(tx, submitted)
        except BaseException:
            await self._discard(campaign)
            raise
        log.info("campaign.submitted", campaign=campaign, user=caller.user, tasks=total)
        self._progress.begin(campaign, self._runtime.now())
        self._runtime.ring()
        return submitted

    async def preview(
        self, caller: Caller, text: bytes, lines: AsyncIterator[bytes] | None = None
    ) -> Preview:
        """
        Return what `submit` would store, storing nothing.

        Raises:
            InvalidJdl, NotAllowed, TooLarge: As `submit`.
        """
        spec = jdl.read(text, self._facts, lines=lines is not None)
        await self._admit(caller, spec)
        found = await uploads.sampled(spec, self._source(caller, spec, lines))
        await self._check_rules(caller, spec, found.tasks)
        settings = next(iter(spec.clusters.values()))
        home = _home(caller.user)
        samples = tuple(
            (number, _words(settings, parameter, home)) for number, parameter in found.samples
        )
        return Preview(tasks=found.tasks, samples=samples, jdl=spec.jdl, warnings=spec.warnings)

    async def _admit(self, caller: Caller, spec: CampaignSpec) -> None:
        """Check that *caller* may submit *spec*, before anything of it is expanded or stored."""
        described = spec.nb_jobs if spec.sweep is None else spec.sweep.total
        reason = refusal(spec, caller, self._facts, await self._load(caller, described))
        if reason:
            raise AdmissionRefused(reason)
        for name in spec.clusters:
            site = self._runtime.sites.get(name)
            reason = None if site is None else site.driver.refusal(caller.user)
            if reason:
                raise NotAllowed(f"{name}: {reason}")
        uploads.check_count(described or 0, self._facts.max_tasks)

    async def _check_rules(
        self, caller: Caller, spec: CampaignSpec, total: int, campaign: CampaignId | None = None
    ) -> None:
        """Check it again, now that all of it is known, and ask the administrators' own rules."""
        load = await self._load(caller, None if spec.endless else total, campaign)
        reason = refusal(spec, caller, self._facts, load)
        if reason:
            raise AdmissionRefused(reason)
        await self._rules.check(spec, caller, load)

    async def _load(
        self, caller: Caller, tasks: int | None, before: CampaignId | None = None
    ) -> Load:
        async with self._database.read() as db:
            active = await listings.count_active(db, caller.user, before=before)
        return Load(tasks=tasks, active_campaigns=active)

    def _source(
        self, caller: Caller, spec: CampaignSpec, lines: AsyncIterator[bytes] | None
    ) -> AsyncIterator[Chunk]:
        """Return what reads the parameters that are given one by one."""
        limit = self._facts.max_tasks
        if spec.param_file is not None:
            found = param_files.blocks(caller.user, spec.param_file, self._facts.max_file)
            return uploads.of_lines(found, limit, stripped=True)
        if lines is not None:
            return uploads.of_lines(lines, limit)
        return uploads.of_array(b"[]" if spec.params is None else spec.params, limit)

    async def _create(self, caller: Caller, spec: CampaignSpec) -> CampaignId:
        ids = {name: site.id for name, site in self._runtime.sites.items()}
        async with self._database.write() as tx:
            return await campaigns.create(
                tx, spec, user=caller.user, at=self._runtime.now(), cluster_ids=ids
            )

    async def _fill(
        self, campaign: CampaignId, spec: CampaignSpec, source: AsyncIterator[Chunk]
    ) -> int:
        piece = uploads.whole(spec)
        if piece is None:
            return await uploads.store(self._database, campaign, source)
        async with self._database.write() as tx:
            return await parameters.insert(tx, campaign, 0, [piece])

    async def _discard(self, campaign: CampaignId) -> None:
        """Delete what a submission that failed has stored; the next start does it otherwise."""
        try:
            async with self._database.write() as tx:
                await campaigns.delete(tx, campaign)
        except CigriError as error:
            log.warning("campaign.not_discarded", campaign=campaign, reason=str(error))


def _home(user: str) -> str:
    """Return the home directory of a user, as it is written where this host does not know them."""
    try:
        return account(user).home
    except NotFound:
        return "~"


def _words(settings: ClusterSettings, parameter: Parameter, home: str) -> tuple[str, ...]:
    given = parameter if isinstance(parameter, str) else list(parameter)
    names, template = settings.parameter_names, settings.parameter_template
    try:
        return tuple(command_line(settings.exec_file, given, home, 0, names, template))
    except ValueError as error:
        raise InvalidJdl.at("/params", f"{error}: {parameter!r}") from error
