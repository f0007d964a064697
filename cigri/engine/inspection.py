"""What the API may read of the engine, for callers who are known."""

from collections.abc import AsyncIterator, Collection, Mapping
from sqlite3 import Row

from cigri.clusters.driver import JobRef, Output
from cigri.domain.explain import why_idle
from cigri.domain.forecast import Forecast
from cigri.domain.model import (
    Caller,
    Campaign,
    CampaignId,
    CampaignState,
    Counts,
    Event,
    EventId,
    Parameter,
    Task,
    TaskId,
    TaskState,
)
from cigri.engine.answers import CampaignPage, ClusterStatus
from cigri.engine.progress import Progress
from cigri.engine.runtime import Runtime
from cigri.errors import NotAllowed, NotFound
from cigri.store import campaigns, clusters, events, jobs, parameters, rows, task_pages
from cigri.store.database import Connection
from cigri.store.records import CHUNK


class Inspection:
    """Reads campaigns: their counts are for everybody, all else is for the owner."""

    def __init__(self, runtime: Runtime, progress: Progress) -> None:
        self._runtime = runtime
        self._database = runtime.database
        self._progress = progress

    async def _check_owner(self, db: Connection, caller: Caller, campaign: CampaignId) -> Row:
        row = await campaigns.row(db, campaign)
        if not caller.admin and caller.user != row["user"]:
            message = f"campaign {campaign} belongs to {row['user']}"
            raise NotAllowed(message)
        return row

    async def listing(
        self, states: Collection[CampaignState], limit: int, offset: int
    ) -> CampaignPage:
        """Return the campaigns in *states*, oldest first."""
        async with self._database.read() as db:
            items = await campaigns.page(db, states, limit, offset)
            counts = await campaigns.count_by_state(db)
        total = sum(count for state, count in counts.items() if state in states)
        hidden = sum(counts.values()) - total
        return CampaignPage(items=tuple(items), total=total, hidden=hidden)

    async def get(self, campaign: CampaignId) -> Campaign:
        """
        Return a campaign.

        Raises:
            NotFound: There is none.
        """
        async with self._database.read() as db:
            return await campaigns.get(db, campaign)

    async def counts(self, campaign: CampaignId) -> Counts:
        """
        Return the counters of a campaign alone, which cost a page of its tasks little.

        Raises:
            NotFound: There is none.
        """
        async with self._database.read() as db:
            return rows.counts(await campaigns.row(db, campaign))

    async def jdl(
        self, caller: Caller, campaign: CampaignId
    ) -> tuple[Mapping[str, object], AsyncIterator[list[Parameter]]]:
        """Return the expanded JDL of a campaign, and its parameters by 1,000."""
        async with self._database.read() as db:
            row = await self._check_owner(db, caller, campaign)
        return campaigns.description(row), self._parameters(row)

    async def _parameters(self, row: Row) -> AsyncIterator[list[Parameter]]:
        for first in range(0, row["total"], CHUNK):
            numbers = range(first, min(first + CHUNK, row["total"]))
            async with self._database.read() as db:
                given = await parameters.of_tasks(db, row["id"], row["has_chunks"], numbers)
            yield [given[number] for number in numbers]

    async def tasks(
        self,
        caller: Caller,
        campaign: CampaignId,
        first: int,
        limit: int,
        state: TaskState | None = None,
    ) -> list[Task]:
        """Return up to *limit* tasks from number *first* on, all or those in *state*."""
        async with self._database.read() as db:
            await self._check_owner(db, caller, campaign)
            return await task_pages.page(db, campaign, first=first, limit=limit, state=state)

    async def task(self, caller: Caller, task: TaskId) -> Task:
        """Return a task by its id."""
        async with self._database.read() as db:
            found = await task_pages.task(db, task)
            await self._check_owner(db, caller, found.campaign)
            return found

    async def output(
        self, caller: Caller, task: TaskId, stream: Output | str, limit: int
    ) -> bytes:
        """
        Return the last *limit* bytes that a task wrote, so far if it still runs.

        Raises:
            NotFound: It has not started, or its output is gone.
        """
        found = await self.task(caller, task)
        if found.job is None or found.state is TaskState.QUEUED:
            message = f"task {found.number} of campaign {found.campaign} has not started"
            raise NotFound(message)
        async with self._database.read() as db:
            job = await jobs.get(db, found.job)
        site = next((s for s in self._runtime.sites.values() if s.id == job.cluster_id), None)
        if site is None or job.remote_id is None:
            message = f"cluster {found.cluster} is not configured any more"
            raise NotFound(message)
        reference = JobRef(remote_id=job.remote_id, user=job.user)
        return await site.driver.output(reference, found.number, Output(stream), limit)

    async def events(
        self, caller: Caller, campaign: CampaignId, *, closed: bool = False
    ) -> list[Event]:
        """Return the open events of a campaign, and the *closed* ones if asked for."""
        async with self._database.read() as db:
            await self._check_owner(db, caller, campaign)
            return await events.of_campaign(db, campaign, closed=closed)

    async def event(self, caller: Caller, event: EventId) -> Event:
        """Return an event; those that concern no campaign are for everybody."""
        async with self._database.read() as db:
            found = await events.get(db, event)
            if found.campaign is not None:
                await self._check_owner(db, caller, found.campaign)
            return found

    @staticmethod
    def reason(campaign: Campaign) -> str | None:
        """Return why nothing of a campaign starts now, `None` when nothing is in the way."""
        return why_idle(campaign)

    def forecast(self, campaign: Campaign) -> Forecast:
        """Return how fast a campaign goes and when it may end."""
        return self._progress.forecast(campaign, self._runtime.now())

    async def clusters(self) -> tuple[ClusterStatus, ...]:
        """Return how the configured clusters are."""
        found = []
        for site in self._runtime.sites.values():
            async with self._database.read() as db:
                row = (await clusters.all_clusters(db))[site.name]
                busy = await clusters.busy(db, site.id)
            found.append(
                ClusterStatus(
                    id=site.id,
                    name=site.name,
                    driver=site.driver.name,
                    slots=await site.driver.slots(),
                    busy=busy,
                    hold=row.hold,
                )
            )
        return tuple(found)
