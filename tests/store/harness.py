"""A database with one campaign or several, changed as the engine changes it."""

from collections.abc import Mapping, Sequence

import attrs

from cigri.domain.attempt import Attempt
from cigri.domain.capacity import Capacity
from cigri.domain.lifecycle import JobEvent
from cigri.domain.model import (
    CampaignId,
    ClusterName,
    ClusterSettings,
    Counts,
    RemoteId,
    Shape,
    Task,
    TaskId,
    TaskNumber,
)
from cigri.domain.remote_ids import join_ids
from cigri.domain.spec import CampaignSpec
from cigri.domain.verdict import Ending, TaskEnd
from cigri.store import (
    audit,
    campaigns,
    claims,
    clusters,
    executions,
    jobs,
    listings,
    parameters,
    settlement,
    task_pages,
)
from cigri.store.database import Database
from cigri.store.jobs import OpenJob
from cigri.store.parameters import Encoding, Piece
from cigri.store.reports import Report, hear
from tests.store.forgeries import NOW

SETTINGS = ClusterSettings(exec_file="x")
NAME = ClusterName("here")
OTHER = ClusterName("there")
GROUPS = Capacity()
ARRAYS = Capacity(arrays=True)


@attrs.frozen
class Store:
    """A database with one cluster, and the ways in which the engine changes it."""

    database: Database
    cluster: int

    async def submit(self, total: int, settings: ClusterSettings = SETTINGS) -> CampaignId:
        return await self._submit(total, {NAME: settings}, {NAME: self.cluster})

    async def submit_to_two(self, total: int, settings: ClusterSettings = SETTINGS) -> CampaignId:
        """Submit a campaign to this cluster and to the next one."""
        async with self.database.write() as tx:
            await clusters.register(tx, [NAME, OTHER])
            ids = {name: row.id for name, row in (await clusters.all_clusters(tx)).items()}
        return await self._submit(total, {NAME: settings, OTHER: settings}, ids)

    async def _submit(
        self,
        total: int,
        settings: Mapping[ClusterName, ClusterSettings],
        ids: Mapping[ClusterName, int],
    ) -> CampaignId:
        spec = CampaignSpec(name="c", clusters=settings, jdl={})
        async with self.database.write() as tx:
            campaign = await campaigns.create(tx, spec, user="ann", at=NOW, cluster_ids=ids)
            await parameters.insert(tx, campaign, 0, [Piece(total, Encoding.COUNT)])
            await campaigns.open_campaign(tx, campaign, total, NOW)
            return campaign

    async def claim(
        self,
        campaign: CampaignId,
        count: int,
        *,
        capacity: Capacity = GROUPS,
        missing: Sequence[int] = (),
        at: float = NOW,
        slots: int = 1,
    ) -> list[int]:
        """
        Hand out tasks in a job of their own and return them.

        The remote jobs of an array are numbered from 100 times its number on, but for those
        *missing* at some positions.
        """
        async with self.database.write() as tx:
            claim = await claims.claim(
                tx, campaign, self.cluster, count, at, capacity=capacity, slots=slots
            )
            if claim is None:
                return []
            names = {job: RemoteId(f"r{job}") for job in claim.jobs}
            if claim.shape is Shape.ARRAY:
                names = {
                    job: join_ids(
                        [
                            None if place in missing else 100 * job + place
                            for place in range(sum(item.size for item in portion))
                        ]
                    )
                    for job, portion in claim.jobs.items()
                }
            await jobs.accepted(tx, names)
            return [n for job in claim.jobs.values() for item in job for n in item.numbers()]

    async def open_jobs(self, campaign: CampaignId) -> list[OpenJob]:
        async with self.database.read() as db:
            return await jobs.open_of_campaign(db, campaign)

    async def settle(self, *reports: Report) -> None:
        async with self.database.write() as tx:
            await settlement.settle(tx, self.cluster, reports, NOW)

    async def tell(
        self,
        campaign: CampaignId,
        *ended: TaskEnd,
        running: Mapping[int, float] | None = None,
        over: JobEvent | None = None,
        moved: Mapping[int, int] | None = None,
    ) -> None:
        """Report on the only open job of a campaign."""
        (job,) = await self.open_jobs(campaign)
        given = {TaskNumber(task): number for task, number in (moved or {}).items()}
        report = hear(job, ended=ended, running=running or {}, read_to=1, over=over, moved=given)
        await self.settle(report)

    async def cancel(self, campaign: CampaignId) -> None:
        async with self.database.write() as tx:
            await campaigns.cancel(tx, campaign, NOW)

    async def counts(self, campaign: CampaignId) -> Counts:
        """Return the counters, which are what a recount says."""
        async with self.database.read() as db:
            found = await campaigns.get(db, campaign)
            assert await audit.recount(db, campaign) == found.counts
            (here,) = found.clusters
            held = await jobs.open_of_campaign(db, campaign)
        for job in held:
            assert job.left == len(job.open)
            assert job.running.keys() <= set(job.open.values())
        assert (here.queued, here.running) == (found.counts.queued, found.counts.running)
        return found.counts

    async def task(self, campaign: CampaignId, number: int) -> Task:
        async with self.database.read() as db:
            return (await task_pages.page(db, campaign, first=number, limit=1)).tasks[0]

    async def task_alone(self, task: TaskId) -> Task:
        async with self.database.read() as db:
            return await task_pages.task(db, task)

    @staticmethod
    def heard(job: OpenJob, *ended: TaskEnd) -> Report:
        return hear(job, ended=ended, running={}, read_to=1)

    async def attempts(self, campaign: CampaignId, number: int) -> list[Attempt]:
        """Return the attempts at a task that have ended, which those of all tasks say, too."""
        async with self.database.read() as db:
            found = await executions.of_task(db, campaign, TaskNumber(number))
            every = await executions.of_campaign(db, campaign)
        assert found == [attempt for attempt in every if attempt.task == number]
        return found

    async def events(self, campaign: CampaignId) -> list[tuple[str, int]]:
        async with self.database.read() as db:
            part = await listings.events_of_campaign(
                db, campaign, closed=True, limit=100, offset=0
            )
        return [(event.code, event.count) for event in part.items]


def end(
    task: int, status: int = 0, ending: Ending = Ending.EXITED, start: float = NOW, took: float = 2
) -> TaskEnd:
    return TaskEnd(TaskNumber(task), ending, status, start, start + took)
