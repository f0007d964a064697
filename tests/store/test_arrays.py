"""Jobs whose tasks are remote jobs of their own: what ends, moves and comes back meanwhile."""

import attrs
import pytest

from cigri.domain.capacity import Capacity
from cigri.domain.lifecycle import CampaignEvent, JobEvent
from cigri.domain.model import CampaignId, ClusterSettings, Counts, JobId, TaskState
from cigri.domain.verdict import Ending
from cigri.store import campaigns, jobs, revocation, tasks
from tests.store.forgeries import NOW
from tests.store.harness import ARRAYS, Store, end


async def array(store: Store, total: int, **how: object) -> CampaignId:
    """Return a campaign all of whose tasks are in one array; its remote jobs are 100, 101 …"""
    campaign = await store.submit(total)
    await store.claim(campaign, total, capacity=ARRAYS, **how)  # type: ignore[arg-type]
    return campaign


async def test_its_tasks_end_one_by_one_and_it_is_over_with_the_last(store: Store) -> None:
    campaign = await array(store, 4)

    await store.tell(campaign, end(2), end(0, 9), running={3: NOW})

    (job,) = await store.open_jobs(campaign)
    assert job.open == {1: 1, 3: 3}
    assert await store.counts(campaign) == Counts(succeeded=1, failed=1, running=1, queued=1)

    # Nobody says that it is over: its tasks do.
    await store.tell(campaign, end(1), end(3))

    assert await store.open_jobs(campaign) == []
    assert await store.counts(campaign) == Counts(succeeded=3, failed=1)


async def test_each_task_has_the_number_of_its_own_remote_job(store: Store) -> None:
    campaign = await store.submit(6)
    await store.claim(campaign, 2, capacity=ARRAYS)
    await store.tell(campaign, end(0), end(1, 66))
    # First what came back, then what was never tried: by position, not by number.
    assert await store.claim(campaign, 3, capacity=ARRAYS) == [1, 2, 3]
    await store.tell(campaign, end(2))

    found = [(await store.task(campaign, number)).remote_id for number in range(5)]

    assert found == ["100", "200", "201", "202", None]


@pytest.mark.parametrize("missing", [[0], [1, 3], [0, 1, 2, 3]])
async def test_tasks_without_a_remote_job_are_still_to_do(
    store: Store, missing: list[int]
) -> None:
    campaign = await array(store, 4, missing=missing)

    there = [number for number in range(4) if number not in missing]
    assert await store.counts(campaign) == Counts(queued=len(there), pending=len(missing))
    (job,) = await store.open_jobs(campaign)
    assert list(job.open) == there
    await store.tell(campaign, *map(end, there))
    assert await store.open_jobs(campaign) == []
    assert await store.claim(campaign, 9, capacity=ARRAYS) == missing


async def test_a_task_that_is_removed_runs_in_another_job_while_the_first_goes_on(
    store: Store,
) -> None:
    campaign = await array(store, 3)

    await store.tell(campaign, end(1, ending=Ending.REMOVED), running={0: NOW})
    assert await store.counts(campaign) == Counts(running=1, queued=1, pending=1)
    assert await store.attempts(campaign, 1) == []
    assert await store.claim(campaign, 3, capacity=ARRAYS) == [1]

    # What the first says of it again has no meaning any more.
    first, second = await store.open_jobs(campaign)
    assert (list(first.open.values()), list(second.open.values())) == ([0, 2], [1])
    task = await store.task(campaign, 1)
    assert (task.state, task.job, task.remote_id) == (TaskState.QUEUED, second.id, "200")


async def test_a_cancelled_task_that_is_removed_does_not_come_back(store: Store) -> None:
    campaign = await array(store, 3)
    async with store.database.write() as tx:
        await revocation.doom(tx, await campaigns.row(tx, campaign), 1)  # type: ignore[arg-type]

    await store.tell(campaign, end(1, ending=Ending.REMOVED))

    assert await store.counts(campaign) == Counts(queued=2, cancelled=1)


async def test_of_a_cancelled_campaign_what_is_removed_ends(store: Store) -> None:
    campaign = await array(store, 3)
    await store.cancel(campaign)

    await store.tell(campaign, *(end(n, ending=Ending.REMOVED) for n in range(3)))

    assert await store.counts(campaign) == Counts(cancelled=3)


async def test_a_task_whose_job_the_cluster_replaced_goes_on_under_the_new_number(
    store: Store,
) -> None:
    campaign = await array(store, 3)
    await store.tell(campaign, running={1: NOW})

    for _ in range(2):
        # Told twice, it counts once.
        await store.tell(campaign, running={1: NOW + 9}, moved={1: 777})

    (job,) = await store.open_jobs(campaign)
    assert job.remote_id == "100,777,102"
    assert await store.counts(campaign) == Counts(running=1, queued=2)
    task = await store.task(campaign, 1)
    assert (task.attempts, task.remote_id, task.started_at) == (2, "777", NOW + 9)
    async with store.database.read() as db:
        assert (await campaigns.get(db, campaign)).clusters[0].again == 1

    await store.tell(campaign, end(0), end(1, start=NOW + 9), end(2))

    first, second = await store.attempts(campaign, 1)
    assert (first.remote_id, first.number, first.ending) == ("101", 1, Ending.KILLED)
    assert (second.remote_id, second.number, second.ending) == ("777", 2, None)
    assert (first.started_at, second.started_at) == (NOW, NOW + 9)


async def test_the_end_of_a_task_that_moved_tells_of_the_job_before(store: Store) -> None:
    campaign = await array(store, 1)

    killed = end(0, ending=Ending.KILLED, start=NOW - 50, took=20)
    await store.tell(campaign, killed, moved={0: 500})

    assert await store.counts(campaign) == Counts(queued=1)
    (attempt,) = await store.attempts(campaign, 0)
    assert (attempt.started_at, attempt.ended_at) == (NOW - 50, NOW - 30)
    assert attempt.remote_id == "100"


@pytest.mark.parametrize(
    "moved", [{7: 500}, {-1: 500}, {0: 100}, {0: 0}, {0: -5}, {0: 2**63}, {1: 500}]
)
async def test_what_cannot_have_moved_did_not(store: Store, moved: dict[int, int]) -> None:
    campaign = await array(store, 2)
    await store.tell(campaign, end(1))

    await store.tell(campaign, moved=moved)

    (job,) = await store.open_jobs(campaign)
    assert job.remote_id == "100-101"
    assert await store.counts(campaign) == Counts(succeeded=1, queued=1)


async def test_tasks_of_a_group_do_not_move(store: Store) -> None:
    campaign = await store.submit(2)
    await store.claim(campaign, 2)

    await store.tell(campaign, moved={0: 500})

    assert (await store.open_jobs(campaign))[0].remote_id == "r1"


async def test_an_array_that_vanished_gives_back_what_had_not_ended(store: Store) -> None:
    campaign = await array(store, 4)
    await store.tell(campaign, end(3), running={0: NOW})

    await store.tell(campaign, running={0: NOW}, over=JobEvent.VANISHED)

    assert await store.counts(campaign) == Counts(succeeded=1, pending=3)
    assert [(await store.task(campaign, n)).attempts for n in range(4)] == [1, 0, 0, 1]


async def test_every_attempt_at_a_task_is_known(store: Store) -> None:
    campaign = await store.submit(1)
    story = [
        end(0, 66, start=NOW),
        end(0, -9, Ending.KILLED, start=NOW + 10),
        end(0, 1, start=NOW + 20),
    ]
    for told in story:
        await store.claim(campaign, 1, capacity=ARRAYS)
        await store.tell(campaign, told)
    async with store.database.write() as tx:
        assert await tasks.resubmit_failed(tx, campaign) == 1
        await campaigns.happen(tx, campaign, CampaignEvent.REOPENED, NOW)
    await store.claim(campaign, 1, capacity=ARRAYS)
    await store.tell(campaign, end(0, start=NOW + 30))

    found = await store.attempts(campaign, 0)

    assert [(each.number, each.ending, each.exit_status, each.remote_id) for each in found] == [
        (1, Ending.EXITED, 66, "100"),
        (2, Ending.KILLED, -9, "200"),
        (3, None, 1, "300"),
        (4, None, 0, "400"),
    ]
    assert [each.started_at for each in found] == [NOW, NOW + 10, NOW + 20, NOW + 30]
    task = await store.task(campaign, 0)
    assert (task.attempts, task.earlier) == (4, ())


async def test_a_task_tells_of_its_earlier_attempts_when_it_is_asked_alone(store: Store) -> None:
    campaign = await store.submit(1)
    for status in (66, 67):
        await store.claim(campaign, 1, capacity=ARRAYS)
        await store.tell(campaign, end(0, status, start=NOW + status))
    listed = await store.task(campaign, 0)

    alone = await store.task_alone(listed.id)

    assert attrs.evolve(alone, earlier=(), ending=None) == listed
    assert [each.exit_status for each in alone.earlier] == [66]
    assert alone.ending is Ending.EXITED
    await store.claim(campaign, 1, capacity=ARRAYS)
    again = await store.task_alone(listed.id)
    assert [each.exit_status for each in again.earlier] == [67, 66]
    assert again.ending is None


@pytest.mark.parametrize("elsewhere", [False, True])
async def test_what_was_withdrawn_for_waiting_too_long_goes_elsewhere_first(
    store: Store, *, elsewhere: bool
) -> None:
    campaign = await store.submit_to_two(2)
    await store.claim(campaign, 2, capacity=ARRAYS)
    async with store.database.write() as tx:
        await jobs.withdrawn(tx, [JobId(1)], NOW, elsewhere=elsewhere)
    (job,) = await store.open_jobs(campaign)
    assert (job.withdrawn_at, job.elsewhere) == (NOW, elsewhere)
    await store.tell(campaign, *(end(n, ending=Ending.REMOVED) for n in range(2)))

    soon = await store.claim(campaign, 2, at=NOW + tasks.PATIENCE)
    late = await store.claim(campaign, 2, at=NOW + tasks.PATIENCE + 1)

    assert (soon, late) == (([], [0, 1]) if elsewhere else ([0, 1], []))


async def test_the_other_cluster_takes_what_has_waited_too_long(store: Store) -> None:
    campaign = await store.submit_to_two(2)
    await store.claim(campaign, 2, capacity=ARRAYS)
    async with store.database.write() as tx:
        await jobs.withdrawn(tx, [JobId(1)], NOW, elsewhere=True)
    await store.tell(campaign, *(end(n, ending=Ending.REMOVED) for n in range(2)))

    there = attrs.evolve(store, cluster=store.cluster + 1)

    assert await there.claim(campaign, 2, at=NOW) == [0, 1]


@pytest.mark.parametrize(
    ("told", "stays"),
    [
        (end(0, 66), True),
        (end(0, ending=Ending.KILLED), True),
        # It never ran, so it has left nothing; and what goes last is in no hurry.
        (end(0, ending=Ending.NO_DIRECTORY), False),
        (end(0, 67), False),
    ],
)
@pytest.mark.parametrize("kind", ["signal", None])
async def test_a_task_that_left_a_checkpoint_runs_where_that_lies(
    store: Store, told: object, *, stays: bool, kind: str | None
) -> None:
    settings = ClusterSettings(exec_file="x", checkpointing_type=kind)
    campaign = await store.submit_to_two(1, settings)
    await store.claim(campaign, 1, capacity=ARRAYS)
    async with store.database.read() as db:
        (job,) = await jobs.open_on_cluster(db, store.cluster)
    await store.settle(store.heard(job, told))  # type: ignore[arg-type]

    there = attrs.evolve(store, cluster=store.cluster + 1)

    expected = [] if stays and kind else [0]
    assert await there.claim(campaign, 1, at=NOW) == expected
    assert await store.claim(campaign, 1, at=NOW) == ([0] if not expected else [])


async def test_nobody_waits_for_another_cluster_where_there_is_none(store: Store) -> None:
    campaign = await array(store, 1)
    async with store.database.write() as tx:
        await jobs.withdrawn(tx, [JobId(1)], NOW, elsewhere=True)
    await store.tell(campaign, end(0, ending=Ending.REMOVED))

    assert await store.claim(campaign, 1, at=NOW) == [0]


@pytest.mark.parametrize(
    ("capacity", "grouping", "slots", "sizes"),
    [
        (Capacity(), False, 4, [2000, 500]),
        # One remote job for each task, as many as one submission takes.
        (Capacity(arrays=True, most_in_submission=1000), False, 4, [1000]),
        (Capacity(arrays=True, most_in_submission=5000), False, 4, [2500]),
        # Equal shares for the slots …
        (Capacity(arrays=True, group_duration=1e9), True, 4, [625] * 4),
        # … of no more than a group may have, and of no more groups than a submission may.
        (Capacity(arrays=True, group_duration=1e9, most_in_group=500), True, 4, [500] * 5),
        (
            Capacity(arrays=True, group_duration=1e9, most_in_submission=2, most_in_group=500),
            True,
            4,
            [500] * 2,
        ),
        (Capacity(arrays=True, group_duration=1e9, most_in_submission=2), True, 4, [1250] * 2),
        # Their numbers, each with a blank, have at most 21 bytes.
        (
            Capacity(arrays=True, group_duration=1e9, most_parameter_bytes=21),
            True,
            250,
            [10, 7, 3],
        ),
        (
            Capacity(
                arrays=True, group_duration=1e9, most_parameter_bytes=21, most_in_submission=300
            ),
            True,
            250,
            [10, 7, 3],
        ),
    ],
)
async def test_tasks_are_handed_out_in_the_shape_that_their_cluster_takes(
    store: Store, capacity: Capacity, *, grouping: bool, slots: int, sizes: list[int]
) -> None:
    settings = ClusterSettings(exec_file="x", temporal_grouping=grouping)
    campaign = await store.submit(2500, settings)

    await store.claim(campaign, 2500, capacity=capacity, slots=slots)

    found = [job.positions.size for job in await store.open_jobs(campaign)]
    assert found[: len(sizes)] == sizes
    assert len(found) == len(sizes) or capacity.most_parameter_bytes
    assert len(found) <= capacity.most_in_submission
    await store.counts(campaign)
    places = [job.place for job in await store.open_jobs(campaign)]
    assert places == list(range(len(places)))


async def test_groups_last_no_longer_than_they_may(store: Store) -> None:
    campaign = await store.submit(102, ClusterSettings(exec_file="x", temporal_grouping=True))
    capacity = Capacity(arrays=True, group_duration=20.0)
    await store.claim(campaign, 2, capacity=capacity)
    # Two seconds each.
    await store.tell(campaign, end(0), end(1), over=JobEvent.ENDED)

    await store.claim(campaign, 100, capacity=capacity, slots=4)

    sizes = [job.positions.size for job in await store.open_jobs(campaign)]
    assert sum(sizes) == 100
    assert (max(sizes), min(sizes)) == (9, 8)  # with what a start costs
