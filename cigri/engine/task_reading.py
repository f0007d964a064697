"""What the API may read of the tasks of a campaign, on behalf of its owner."""

from collections.abc import AsyncIterator, Mapping
from sqlite3 import Row

from cigri.clusters.driver import Output
from cigri.domain.model import Caller, CampaignId, Parameter, Task, TaskId, TaskState
from cigri.domain.selection import Selection
from cigri.engine.aspect import Aspect
from cigri.engine.incidents import reference
from cigri.errors import ClusterUnreachable, NotFound
from cigri.store import campaigns, jobs, parameters, task_pages, task_tables
from cigri.store.records import CHUNK
from cigri.store.task_pages import Page
from cigri.store.task_tables import Table


class TaskReading(Aspect):
    """Reads tasks, which are for the owner of their campaign and for administrators."""

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
                given = await parameters.of_tasks(db, row["id"], numbers)
            yield [given[number] for number in numbers]

    async def select(
        self,
        caller: Caller,
        campaign: CampaignId,
        selection: Selection,
        first: int,
        limit: int,
    ) -> Page:
        """
        Return up to *limit* of the tasks wanted, from number *first* on.

        It looks at so many tasks and no more: a page may be short, or empty, and yet not the last.
        """
        async with self._database.read() as db:
            await self._check_owner(db, caller, campaign)
            return await task_pages.page(
                db, campaign, first=first, limit=limit, selection=selection
            )

    async def export(
        self, caller: Caller, campaign: CampaignId, selection: Selection
    ) -> AsyncIterator[Table]:
        """
        Return the tasks wanted, in order, to be read as tables of up to a thousand.

        Raises:
            NotFound, NotAllowed: Before anything is read.
        """
        async with self._database.read() as db:
            await self._check_owner(db, caller, campaign)
        return task_tables.export(self._database, campaign, selection)

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
            ClusterUnreachable: Its cluster does not tell.
        """
        found = await self.task(caller, task)
        if found.job is None or found.state is TaskState.QUEUED:
            message = f"task {found.number} of campaign {found.campaign} has not started"
            raise NotFound(message)
        async with self._database.read() as db:
            job = await jobs.get(db, found.job)
        site = self._runtime.site(job.cluster_id)
        if site is None or job.remote_id is None:
            message = f"cluster {found.cluster} is not configured any more"
            raise NotFound(message)
        number = found.number
        try:
            told = await site.driver.outputs(reference(job), [number], Output(stream), limit)
        except ClusterUnreachable as error:
            raise ClusterUnreachable(f"{found.cluster}: {error}", fault=error.fault) from error
        if number not in told:
            message = f"the output of task {number} is gone, or was never there"
            raise NotFound(message)
        return told[number]
