"""Tasks that are added to a campaign."""

import asyncio
from collections.abc import AsyncIterator
from sqlite3 import Row
from weakref import WeakValueDictionary

import attrs
import structlog

from cigri.clusters.worker import split_words
from cigri.domain.admission import most_tasks
from cigri.domain.facts import Facts
from cigri.domain.lifecycle import CampaignEvent
from cigri.domain.model import Caller, Campaign, CampaignId, CampaignState, JobsType, Parameter
from cigri.engine import uploads
from cigri.engine.admission import NO_RULES, Rules
from cigri.engine.aspect import Aspect
from cigri.engine.progress import Progress
from cigri.engine.receipts import Receipt
from cigri.engine.runtime import Runtime
from cigri.engine.uploads import Chunk
from cigri.errors import CigriError, Conflict, InvalidInput, InvalidRequest, TooLarge
from cigri.store import campaigns, growth
from cigri.store.database import Connection

log = structlog.get_logger()


class Adding(Aspect):
    """Lets campaigns grow."""

    def __init__(
        self, runtime: Runtime, progress: Progress, facts: Facts, rules: Rules = NO_RULES
    ) -> None:
        super().__init__(runtime, progress, facts, rules)
        #: Who adds to a campaign keeps others from it: new tasks follow the last one.
        self._growing: WeakValueDictionary[CampaignId, asyncio.Lock] = WeakValueDictionary()

    async def add(
        self,
        caller: Caller,
        campaign: CampaignId,
        array: bytes | None,
        lines: AsyncIterator[bytes] | None = None,
        *,
        receipt: Receipt[Campaign] | None = None,
    ) -> Campaign:
        """
        Add tasks to a campaign, all of them or none; one that is terminated goes on.

        Their parameters are a JSON *array*, or *lines*: blocks of bytes with one a line.
        *receipt* is written in the transaction that shows them to everybody.

        Raises:
            InvalidRequest: A parameter has mistakes.
            Conflict: The campaign is cancelled, or takes no parameters.
            TooLarge: The campaign would have too many tasks.
            StorageFull: The disk is full.
        """
        source = uploads.of_lines(lines) if lines is not None else uploads.of_array(array or b"")
        lock = self._growing.setdefault(campaign, asyncio.Lock())
        async with lock:
            async with self._database.write() as tx:
                row = await self._check_growing(tx, caller, campaign)
                # What an addition that failed could not delete itself.
                await growth.forget_invisible(tx, campaign)
                held = await campaigns.get(tx, campaign)
            clusters = {item.cluster: item.settings for item in held.clusters}
            names = max(len(settings.parameter_names) for settings in clusters.values())
            most = most_tasks(clusters, caller, self._facts)
            try:
                checked = self._checked(source, campaign, row["total"], names, most)
                count = await uploads.store(self._database, campaign, checked, row["total"])
                found = await self._show(caller, campaign, count, receipt)
            except BaseException as error:
                await self._undo(campaign)
                if isinstance(error, InvalidInput):
                    raise _as_request(error) from error
                raise
        log.info("campaign.grown", campaign=campaign, user=caller.user, tasks=count)
        if row["state"] == CampaignState.TERMINATED:
            self._progress.begin(campaign, self._runtime.now(), found.counts.settled)
        self._runtime.ring()
        return found

    async def _check_growing(self, tx: Connection, caller: Caller, campaign: CampaignId) -> Row:
        row = await self._check_owner(tx, caller, campaign)
        if row["state"] == CampaignState.CANCELLED:
            message = f"campaign {campaign} is cancelled: submit a new one with these parameters"
            raise Conflict(message)
        if row["jobs_type"] == JobsType.DESKTOP_COMPUTING:
            message = (
                f"campaign {campaign} is of jobs_type desktop_computing, whose tasks have no"
                " parameters: submit a new one"
            )
            raise Conflict(message)
        return row

    async def _checked(
        self,
        source: AsyncIterator[Chunk],
        campaign: CampaignId,
        total: int,
        names: int,
        most: int,
    ) -> AsyncIterator[Chunk]:
        """Yield *source* as long as the campaign may have so many tasks more."""
        count = 0
        async for chunk in source:
            if names:
                _check_words(chunk, names, count)
            count += uploads.size(chunk)
            if total + count > most:
                message = (
                    f"campaign {campaign} has {total} tasks and may have at most"
                    f" {most}: submit a new one with these parameters"
                )
                raise TooLarge(message)
            yield chunk

    async def _show(
        self,
        caller: Caller,
        campaign: CampaignId,
        count: int,
        receipt: Receipt[Campaign] | None,
    ) -> Campaign:
        async with self._database.write() as tx:
            # Somebody may have cancelled it meanwhile.
            await self._check_growing(tx, caller, campaign)
            if count:
                await growth.grow(tx, campaign, count)
                await campaigns.happen(tx, campaign, CampaignEvent.REOPENED, self._runtime.now())
                await campaigns.reopen_steps(tx, campaign)
            found = await campaigns.get(tx, campaign)
            if receipt is not None:
                await receipt(tx, found)
        return found

    async def _undo(self, campaign: CampaignId) -> None:
        """Delete what was not shown; the next addition or start does it otherwise."""
        try:
            async with self._database.write() as tx:
                await growth.forget_invisible(tx, campaign)
        except CigriError as error:
            log.warning("campaign.not_tidied", campaign=campaign, reason=str(error))


def _check_words(chunk: Chunk, names: int, first: int) -> None:
    for number, parameter in enumerate(uploads.values(chunk), first):
        if _size(parameter) < names:
            detail = f"{parameter!r}: each parameter of this campaign has {names} words"
            raise InvalidRequest.at(f"/params/{number}", detail)


def _size(parameter: Parameter) -> int:
    if not isinstance(parameter, str):
        return len(parameter)
    try:
        return len(split_words(parameter))
    except ValueError:
        # A quote is not closed: the attempt will say so, as it does for others.
        return 0


def _as_request(error: InvalidInput) -> InvalidRequest:
    """Return the mistakes of a JDL that was none: the parameters stood alone."""
    return InvalidRequest(
        [
            attrs.evolve(problem, pointer=problem.pointer.removeprefix("/params"))
            for problem in error.problems
        ]
    )
