"""What becomes of tasks and counters, whatever a cluster or a forged journal reports."""

import math
from collections.abc import AsyncIterator, Iterable, Mapping
from pathlib import Path

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cigri.domain.lifecycle import JobEvent
from cigri.domain.model import (
    CampaignId,
    ClusterName,
    ClusterSettings,
    Counts,
    JobState,
    RemoteId,
    Task,
    TaskNumber,
    TaskState,
)
from cigri.domain.spec import CampaignSpec
from cigri.domain.verdict import Ending, TaskEnd
from cigri.store import (
    audit,
    campaigns,
    claims,
    clusters,
    jobs,
    listings,
    parameters,
    records,
    settlement,
    task_pages,
    tasks,
)
from cigri.store.database import Database, open_database
from cigri.store.jobs import OpenJob
from cigri.store.parameters import Encoding, Piece
from cigri.store.reports import Report, hear
from tests.store.forgeries import NOW, ends, instants, numbers

NAME = ClusterName("here")
SPEC = CampaignSpec(name="c", clusters={NAME: ClusterSettings(exec_file="x")}, jdl={})


@attrs.frozen
class Store:
    """A database with one cluster, and the ways in which the engine changes it."""

    database: Database
    cluster: int

    async def submit(self, total: int) -> CampaignId:
        async with self.database.write() as tx:
            campaign = await campaigns.create(
                tx,
                SPEC,
                user="ann",
                at=NOW,
                cluster_ids={NAME: self.cluster},
            )
            await parameters.insert(tx, campaign, 0, [Piece(total, Encoding.COUNT)])
            await campaigns.open_campaign(tx, campaign, total, NOW)
            return campaign

    async def claim(self, campaign: CampaignId, count: int) -> None:
        """Hand out tasks in a job of their own."""
        async with self.database.write() as tx:
            claim = await claims.claim(tx, campaign, self.cluster, count, NOW)
            if claim is not None:
                await jobs.accepted(tx, {job: RemoteId(f"r{job}") for job in claim.jobs})

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
    ) -> None:
        """Report on the only open job of a campaign."""
        (job,) = await self.open_jobs(campaign)
        await self.settle(hear(job, ended=ended, running=running or {}, read_to=1, over=over))

    async def cancel(self, campaign: CampaignId) -> None:
        async with self.database.write() as tx:
            await campaigns.cancel(tx, campaign, NOW)

    async def counts(self, campaign: CampaignId) -> Counts:
        """Return the counters, which are what a recount says."""
        async with self.database.read() as db:
            found = await campaigns.get(db, campaign)
            assert await audit.recount(db, campaign) == found.counts
            (here,) = found.clusters
        assert (here.queued, here.running) == (found.counts.queued, found.counts.running)
        return found.counts

    async def task(self, campaign: CampaignId, number: int) -> Task:
        async with self.database.read() as db:
            return (await task_pages.page(db, campaign, first=number, limit=1)).tasks[0]

    async def events(self, campaign: CampaignId) -> list[tuple[str, int]]:
        async with self.database.read() as db:
            part = await listings.events_of_campaign(
                db, campaign, closed=True, limit=100, offset=0
            )
        return [(event.code, event.count) for event in part.items]


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with open_database(tmp_path / "cigri.db") as database:
        async with database.write() as tx:
            await clusters.install(tx, "test", 1)
            await clusters.register(tx, [NAME])
            ids = await clusters.all_clusters(tx)
        yield Store(database, ids[NAME].id)


def end(
    task: int, status: int = 0, ending: Ending = Ending.EXITED, start: float = NOW, took: float = 2
) -> TaskEnd:
    return TaskEnd(TaskNumber(task), ending, status, start, start + took)


async def test_a_task_ends_as_its_job_tells(store: Store) -> None:
    campaign = await store.submit(3)
    await store.claim(campaign, 3)

    await store.tell(campaign, end(0), end(1, 9), running={2: NOW})

    assert await store.counts(campaign) == Counts(succeeded=1, failed=1, running=1)
    task = await store.task(campaign, 1)
    assert (task.state, task.exit_status, task.attempts) == (TaskState.FAILED, 9, 1)
    assert (task.started_at, task.ended_at) == (NOW, NOW + 2)


@pytest.mark.parametrize("over", [JobEvent.ENDED, JobEvent.KILLED, JobEvent.VANISHED])
async def test_what_a_job_leaves_goes_back_to_the_bag(store: Store, over: JobEvent) -> None:
    campaign = await store.submit(4)
    await store.claim(campaign, 4)

    await store.tell(campaign, end(0), running={2: NOW}, over=over)

    assert await store.counts(campaign) == Counts(succeeded=1, pending=3)
    assert await store.open_jobs(campaign) == []
    # What ran has cost it an attempt; that is all that it lost.
    assert [(await store.task(campaign, n)).attempts for n in range(4)] == [1, 0, 1, 0]


@pytest.mark.parametrize(("running", "told"), [({1: NOW}, 1), ({}, 3)])
async def test_a_job_that_vanished_is_told(
    store: Store, running: dict[int, float], told: int
) -> None:
    campaign = await store.submit(3)
    await store.claim(campaign, 3)

    await store.tell(campaign, running=running, over=JobEvent.VANISHED)

    # What ran, or all of it where nothing had begun: else nobody would learn of it.
    assert await store.events(campaign) == [("JOB_LOST", told)]


async def test_an_end_that_is_told_twice_in_one_report_counts_once(store: Store) -> None:
    campaign = await store.submit(2)
    await store.claim(campaign, 2)

    await store.tell(campaign, end(0), end(0, 9), end(0, 66))

    assert await store.counts(campaign) == Counts(succeeded=1, queued=1)
    assert (await store.task(campaign, 0)).attempts == 1


async def test_an_end_that_is_told_again_later_counts_once(store: Store) -> None:
    campaign = await store.submit(2)
    await store.claim(campaign, 2)

    await store.tell(campaign, end(0))
    await store.tell(campaign, end(0, 9))
    await store.tell(campaign, end(0, 66))

    assert await store.counts(campaign) == Counts(succeeded=1, queued=1)
    assert (await store.task(campaign, 0)).exit_status == 0


async def test_an_end_that_an_older_job_tells_again_does_not_count(store: Store) -> None:
    campaign = await store.submit(2)
    await store.claim(campaign, 2)
    (older,) = await store.open_jobs(campaign)
    await store.tell(campaign, end(0, 66))
    await store.claim(campaign, 1)
    (_, newer) = await store.open_jobs(campaign)
    await store.settle(hear(newer, ended=[end(0)], running={}, read_to=1, over=JobEvent.ENDED))

    (older,) = await store.open_jobs(campaign)
    await store.settle(hear(older, ended=[end(0, 9)], running={0: NOW}, read_to=2))

    assert await store.counts(campaign) == Counts(succeeded=1, queued=1)


@pytest.mark.parametrize("told", [[end(0)], []])
async def test_a_task_that_has_ended_in_a_job_does_not_start_in_it_again(
    store: Store, told: list[TaskEnd]
) -> None:
    campaign = await store.submit(1)
    await store.claim(campaign, 1)
    if not told:
        await store.tell(campaign, end(0))

    await store.tell(campaign, *told, running={0: NOW})

    assert await store.counts(campaign) == Counts(succeeded=1)
    assert (await store.open_jobs(campaign))[0].running == {}


@pytest.mark.parametrize("foreign", [-1, 2, 7, 1_500, 10**30])
async def test_a_job_can_only_speak_of_its_own_tasks(store: Store, foreign: int) -> None:
    campaign = await store.submit(8)
    await store.claim(campaign, 2)

    await store.tell(campaign, end(foreign), end(0), running={foreign: NOW, 1: NOW})

    assert await store.counts(campaign) == Counts(succeeded=1, running=1, pending=6)
    assert (await store.open_jobs(campaign))[0].running == {1: NOW}


async def test_foreign_tasks_cost_nothing(store: Store) -> None:
    campaign = await store.submit(1)
    await store.claim(campaign, 1)
    (job,) = await store.open_jobs(campaign)

    # One in each thousand: their records would fill the memory.
    ended = [end(number) for number in range(1_000, 10**8, 1_000)]
    report = hear(job, ended=ended, running=dict.fromkeys(range(1, 10**5), NOW), read_to=1)

    assert (report.ended, report.running) == ([], {})


@pytest.mark.parametrize(
    ("told", "stored"),
    [(-(2**40), -64), (-65, -64), (-64, -64), (-9, -9), (255, 255), (256, 255), (10**30, 255)],
)
async def test_an_exit_status_is_stored_as_near_as_can_be(
    store: Store, told: int, stored: int
) -> None:
    campaign = await store.submit(1)
    await store.claim(campaign, 1)

    await store.tell(campaign, end(0, told))

    assert (await store.task(campaign, 0)).exit_status == stored
    assert await store.counts(campaign) == Counts(failed=1)


@pytest.mark.parametrize("start", [-1e300, -1.0, 0.0, NOW, 1e300, math.inf, -math.inf, math.nan])
@pytest.mark.parametrize("stop", [-1e300, NOW, 1e300, math.inf, math.nan])
async def test_times_are_stored_as_near_as_can_be(store: Store, start: float, stop: float) -> None:
    campaign = await store.submit(2)
    await store.claim(campaign, 2)

    told = TaskEnd(TaskNumber(0), Ending.EXITED, 0, start, stop)
    await store.tell(campaign, told, running={1: start})

    ended, running = await store.task(campaign, 0), await store.task(campaign, 1)
    assert ended.started_at is not None
    assert ended.ended_at is not None
    assert running.started_at is not None
    assert 0 <= ended.started_at <= ended.ended_at <= 2 * records.LAST_INSTANT
    assert 0 <= running.started_at <= records.LAST_INSTANT
    assert await store.counts(campaign) == Counts(succeeded=1, running=1)


async def test_attempts_beyond_what_can_be_counted_are_not_counted(store: Store) -> None:
    campaign = await store.submit(1)
    await store.claim(campaign, 1)
    await store.tell(campaign, end(0, 66), over=JobEvent.ENDED)
    async with store.database.write() as tx:
        known = await tasks.read_records(tx, campaign, [0])
        known[0].attempts[0] = records.MOST_ATTEMPTS - 1
        await tasks.write_records(tx, campaign, known)

    for _ in range(3):
        await store.claim(campaign, 1)
        await store.tell(campaign, end(0, 66), over=JobEvent.ENDED)

    assert (await store.task(campaign, 0)).attempts == records.MOST_ATTEMPTS


async def test_what_a_cluster_says_about_an_end_is_cut(store: Store) -> None:
    campaign = await store.submit(1)
    await store.claim(campaign, 1)
    (job,) = await store.open_jobs(campaign)

    told = end(0, ending=Ending.NOT_STARTED)._replace(message="no " * 10**6)
    report = hear(job, ended=[told], running={}, read_to=1)

    assert len(report.ended[0].message) <= 500


async def test_an_ordinary_end_is_believed_as_it_is(store: Store) -> None:
    campaign = await store.submit(300)
    await store.claim(campaign, 300)
    (job,) = await store.open_jobs(campaign)
    told = [end(number, number - 30, took=number) for number in range(280)]

    assert hear(job, ended=told, running={290: NOW}, read_to=1) == Report(
        job=job, ended=told, running={290: NOW}, read_to=1
    )


@pytest.mark.parametrize(
    ("told", "running", "read_to", "news"),
    [
        ([], {}, 0, False),
        # Nothing but what is not its own.
        ([end(9)], {9: NOW}, 0, False),
        ([], {}, 1, True),
        ([end(0)], {}, 0, True),
        ([], {0: NOW}, 0, True),
    ],
)
async def test_what_is_news(
    store: Store, told: list[TaskEnd], running: dict[int, float], read_to: int, *, news: bool
) -> None:
    campaign = await store.submit(10)
    await store.claim(campaign, 2)
    (job,) = await store.open_jobs(campaign)

    assert hear(job, ended=told, running=running, read_to=read_to).is_news is news


async def test_a_start_that_is_no_number_is_news_once(store: Store) -> None:
    campaign = await store.submit(1)
    await store.claim(campaign, 1)
    await store.tell(campaign, running={0: math.nan})
    (job,) = await store.open_jobs(campaign)

    assert not hear(job, ended=[], running={0: math.nan}, read_to=1).is_news


@pytest.mark.parametrize("over", [None, JobEvent.KILLED, JobEvent.VANISHED])
async def test_of_a_cancelled_campaign_nothing_comes_back(
    store: Store, over: JobEvent | None
) -> None:
    campaign = await store.submit(6)
    await store.claim(campaign, 4)
    await store.cancel(campaign)

    await store.tell(campaign, end(0), end(1, 66), running={2: NOW}, over=over)

    left = Counts(succeeded=1, cancelled=3, queued=1, running=1)
    assert await store.counts(campaign) == (
        left if over is None else Counts(succeeded=1, cancelled=5)
    )
    assert await store.events(campaign) == []


async def test_the_last_end_terminates_a_campaign_and_a_task_that_comes_back_does_not(
    store: Store,
) -> None:
    campaign = await store.submit(2)
    await store.claim(campaign, 2)
    states = []
    for report in ([end(0, 67)], [end(1)]):
        await store.tell(campaign, *report)
        async with store.database.read() as db:
            states.append((await campaigns.get(db, campaign)).state)
    (job,) = await store.open_jobs(campaign)
    await store.settle(hear(job, ended=[], running={}, read_to=9, over=JobEvent.ENDED))
    await store.claim(campaign, 1)
    await store.tell(campaign, end(0), over=JobEvent.ENDED)

    async with store.database.read() as db:
        states.append((await campaigns.get(db, campaign)).state)
    assert states == ["in_treatment", "in_treatment", "terminated"]


#: What a look at a job may bring: its ends, what runs, how it is over, whether it has begun.
looks = st.tuples(
    st.lists(ends, max_size=6),
    st.dictionaries(numbers, instants, max_size=4),
    st.sampled_from([None, None, None, JobEvent.ENDED, JobEvent.KILLED, JobEvent.VANISHED]),
    st.booleans(),
)
#: A look at all open jobs, then how many tasks to hand out.
cycles = st.lists(
    st.tuples(st.lists(looks, min_size=3, max_size=3), st.integers(0, 5)), max_size=5
)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.integers(1, 10), cycles, st.none() | st.integers(0, 4))
async def test_whatever_is_forged_the_counters_are_what_a_recount_says(
    store: Store,
    total: int,
    cycles: list[tuple[list[tuple[list[TaskEnd], dict[int, float], JobEvent | None, bool]], int]],
    cancelled_in: int | None,
) -> None:
    campaign = await store.submit(total)
    await store.claim(campaign, 3)
    await store.claim(campaign, 2)
    for turn, (told, count) in enumerate(cycles):
        if turn == cancelled_in:
            await cancel_unless_over(store, campaign)
        await store.settle(*forged(await store.open_jobs(campaign), told))
        assert (await store.counts(campaign)).total == total
        await store.claim(campaign, count)
        assert (await store.counts(campaign)).total == total

    for job in await store.open_jobs(campaign):
        await store.settle(hear(job, ended=[], running={}, read_to=9, over=JobEvent.ENDED))

    left = await store.counts(campaign)
    assert left.in_flight == 0
    assert left.total == total


def forged(
    open_jobs: Iterable[OpenJob],
    told: Iterable[tuple[list[TaskEnd], dict[int, float], JobEvent | None, bool]],
) -> list[Report]:
    return [
        hear(
            job,
            ended=ended,
            running=running,
            read_to=job.read_to + 1,
            over=over,
            begun=begun or job.state is JobState.RUNNING,
        )
        for job, (ended, running, over, begun) in zip(open_jobs, told, strict=False)
    ]


async def cancel_unless_over(store: Store, campaign: CampaignId) -> None:
    async with store.database.read() as db:
        state = (await campaigns.get(db, campaign)).state
    if state != "cancelled":
        await store.cancel(campaign)
