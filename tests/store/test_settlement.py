"""What becomes of tasks and counters, whatever a cluster or a forged journal reports."""

import math
from collections.abc import Iterable, Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cigri.domain.capacity import Capacity
from cigri.domain.lifecycle import JobEvent
from cigri.domain.model import (
    CampaignId,
    Counts,
    JobState,
    TaskNumber,
    TaskState,
)
from cigri.domain.verdict import Ending, TaskEnd
from cigri.store import campaigns, executions, records, task_pages, tasks
from cigri.store.jobs import OpenJob
from cigri.store.reports import Report, hear
from tests.store.forgeries import NOW, ends, instants, numbers
from tests.store.harness import ARRAYS, GROUPS, Store, end


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


Look = tuple[list[TaskEnd], dict[int, float], JobEvent | None, bool, dict[int, int]]
#: What a look at a job may bring: its ends, what runs, how it is over, whether it has begun, and
#: the remote jobs that replaced others.
looks = st.tuples(
    st.lists(ends, max_size=6),
    st.dictionaries(numbers, instants, max_size=4),
    st.sampled_from([None, None, None, JobEvent.ENDED, JobEvent.KILLED, JobEvent.VANISHED]),
    st.booleans(),
    st.dictionaries(numbers, st.sampled_from([0, -1, 5, 99, 101, 200, 2**63]), max_size=3),
)
#: Positions of an array for which the cluster has no job.
gaps = st.lists(st.integers(0, 2), max_size=2)
#: A look at all open jobs, then how many tasks to hand out.
cycles = st.lists(
    st.tuples(st.lists(looks, min_size=3, max_size=3), st.integers(0, 5), gaps), max_size=5
)
#: Its tasks, what happens to them, and when the campaign is cancelled.
stories = st.tuples(st.integers(1, 10), cycles, st.none() | st.integers(0, 4))


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(stories)
@pytest.mark.parametrize("capacity", [GROUPS, ARRAYS], ids=["groups", "arrays"])
async def test_whatever_is_forged_the_counters_are_what_a_recount_says(
    store: Store,
    capacity: Capacity,
    story: tuple[int, list[tuple[list[Look], int, list[int]]], int | None],
) -> None:
    total, cycles, cancelled_in = story

    async def claim(count: int, missing: Sequence[int] = ()) -> None:
        await store.claim(campaign, count, capacity=capacity, missing=missing)
        assert (await store.counts(campaign)).total == total

    campaign = await store.submit(total)
    await claim(3)
    await claim(2)
    for turn, (told, count, missing) in enumerate(cycles):
        if turn == cancelled_in:
            await cancel_unless_over(store, campaign)
        await store.settle(*forged(await store.open_jobs(campaign), told))
        assert (await store.counts(campaign)).total == total
        await claim(count, missing)

    for job in await store.open_jobs(campaign):
        await store.settle(hear(job, ended=[], running={}, read_to=9, over=JobEvent.ENDED))

    left = await store.counts(campaign)
    assert left.in_flight == 0
    assert left.total == total
    async with store.database.read() as db:
        attempts = await executions.of_campaign(db, campaign)
        page = await task_pages.page(db, campaign, first=0, limit=total)
    for task in page.tasks:
        own = [each for each in attempts if each.task == task.number]
        # What never started has the number of the one before.
        assert {each.number for each in own} - {0} == set(range(1, task.attempts + 1))


def forged(open_jobs: Iterable[OpenJob], told: Iterable[Look]) -> list[Report]:
    return [
        hear(
            job,
            ended=ended,
            running=running,
            read_to=job.read_to + 1,
            over=over,
            begun=begun or job.state is JobState.RUNNING,
            moved={TaskNumber(task): number for task, number in moved.items()},
        )
        for job, (ended, running, over, begun, moved) in zip(open_jobs, told, strict=False)
    ]


async def cancel_unless_over(store: Store, campaign: CampaignId) -> None:
    async with store.database.read() as db:
        state = (await campaigns.get(db, campaign)).state
    if state != "cancelled":
        await store.cancel(campaign)
