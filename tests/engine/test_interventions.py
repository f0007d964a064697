"""What persons do to single tasks, to clusters, and to campaigns that are over."""

import pytest

from cigri.clusters.simulated import Behaviour, SimulatedCluster
from cigri.domain.model import Caller, CampaignId, ClusterName, TaskId, TaskState
from cigri.errors import Conflict, InvalidRequest, NotAllowed, NotFound
from tests.engine.harness import ANN, Engine
from tests.engine.test_campaigns import MALLORY, counts, submit
from tests.engine.test_steps import codes, pair, two

__all__ = ["pair", "two"]

ADMIN = Caller(user="root", admin=True)
SIM = ClusterName("sim")


async def task_id(engine: Engine, campaign: CampaignId, number: int) -> TaskId:
    (task,) = await engine.tasks(ANN, campaign, number, 1)
    return task.id


# --- a task ------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [0, 5, 9])
async def test_a_task_in_the_bag_is_cancelled_and_all_others_run(
    engine: Engine, cluster: SimulatedCluster, number: int
) -> None:
    campaign = await submit(engine, 10)

    task = await engine.api.cancel_task(ANN, await task_id(engine, campaign, number))

    assert task.state is TaskState.CANCELLED
    assert await counts(engine, campaign) == {"pending": 9, "cancelled": 1}
    assert await engine.run(campaign) == "terminated"
    assert sorted(t for _, t, _ in cluster.executions) == [n for n in range(10) if n != number]
    assert await counts(engine, campaign) == {"succeeded": 9, "cancelled": 1}


@pytest.mark.parametrize("number", [0, 3, 5, 6, 9])
async def test_a_task_that_came_back_to_the_bag_is_cancelled(
    engine: Engine, cluster: SimulatedCluster, number: int
) -> None:
    cluster.behaviour = Behaviour(exit_status=lambda _t, attempt: int(attempt == 1))
    campaign = await submit(engine, 10)
    await engine.run(campaign)
    await engine.api.fix(ANN, campaign, resubmit=True)

    await engine.api.cancel_task(ANN, await task_id(engine, campaign, number))

    assert await engine.run(campaign) == "terminated"
    assert await counts(engine, campaign) == {"succeeded": 9, "cancelled": 1}
    again = sorted(t for _, t, attempt in cluster.executions if attempt == 2)
    assert again == [n for n in range(10) if n != number]


async def test_several_tasks_of_the_bag_are_cancelled(
    engine: Engine, cluster: SimulatedCluster
) -> None:
    campaign = await submit(engine, 10)
    for number in (3, 4, 0, 9, 6):
        await engine.api.cancel_task(ANN, await task_id(engine, campaign, number))

    assert await engine.run(campaign) == "terminated"
    assert sorted(t for _, t, _ in cluster.executions) == [1, 2, 5, 7, 8]


async def test_a_task_that_runs_is_killed_alone(engine: Engine, cluster: SimulatedCluster) -> None:
    cluster.behaviour = Behaviour(duration=lambda task, _a: 1e6 if task == 0 else 1.0)
    campaign = await submit(engine, 6)
    await engine.turn()

    await engine.api.cancel_task(ANN, await task_id(engine, campaign, 0))

    assert await engine.run(campaign) == "terminated"
    assert await counts(engine, campaign) == {"succeeded": 5, "cancelled": 1}
    assert sorted(cluster.executions) == [(1, n, 1) for n in range(6)]
    assert await codes(engine, campaign) == []


async def test_a_task_that_waits_in_a_job_never_starts(
    engine: Engine, cluster: SimulatedCluster
) -> None:
    cluster.behaviour = Behaviour(duration=lambda _t, _a: 3.0)
    campaign = await submit(engine, 6)
    await engine.turn()

    await engine.api.cancel_task(ANN, await task_id(engine, campaign, 4))
    assert (await counts(engine, campaign))["queued"] == 5

    assert await engine.run(campaign) == "terminated"
    assert await counts(engine, campaign) == {"succeeded": 5, "cancelled": 1}
    assert (1, 4, 1) not in cluster.executions


async def test_a_cancelled_task_whose_job_vanishes_does_not_run_again(
    engine: Engine, cluster: SimulatedCluster
) -> None:
    cluster.behaviour = Behaviour(duration=lambda _t, attempt: 1e6 if attempt == 1 else 1.0)
    campaign = await submit(engine, 6)
    await engine.turn()
    await engine.api.cancel_task(ANN, await task_id(engine, campaign, 4))
    for remote_id in cluster.live():
        cluster.lose(remote_id)

    cluster.behaviour = Behaviour()
    assert await engine.run(campaign) == "terminated"
    assert await counts(engine, campaign) == {"succeeded": 5, "cancelled": 1}


async def test_the_last_task_cancelled_ends_its_campaign(engine: Engine) -> None:
    campaign = await submit(engine, 1)

    await engine.api.cancel_task(ANN, await task_id(engine, campaign, 0))

    assert (await engine.api.get(campaign)).state == "terminated"


async def test_a_task_that_has_ended_stays_so(engine: Engine) -> None:
    campaign = await submit(engine, 1)
    await engine.run(campaign)

    with pytest.raises(Conflict, match="has ended already"):
        await engine.api.cancel_task(ANN, await task_id(engine, campaign, 0))


async def test_tasks_of_others_and_of_nobody_are_not_cancelled(engine: Engine) -> None:
    campaign = await submit(engine, 1)
    with pytest.raises(NotAllowed):
        await engine.api.cancel_task(MALLORY, await task_id(engine, campaign, 0))
    with pytest.raises(NotFound):
        await engine.api.cancel_task(ANN, TaskId(999))


# --- a cluster ---------------------------------------------------------------------------------


async def test_a_stopped_cluster_rests_until_it_is_let_go(
    engine: Engine, cluster: SimulatedCluster
) -> None:
    cluster.behaviour = Behaviour(duration=lambda _t, _a: 3.0)
    campaign = await submit(engine, 20)
    await engine.turn()
    event = await engine.api.create_event(
        ADMIN, "CLUSTER_MANUALLY_DISABLED", message="maintenance", cluster=SIM
    )
    before = cluster.calls.count("submit")
    for _ in range(40):
        await engine.turn()

    assert cluster.calls.count("submit") == before
    assert (await engine.api.get(campaign)).counts.in_flight == 0, "what runs goes on"
    (status,) = await engine.api.clusters()
    assert status.hold is not None
    assert status.hold.reason == "maintenance"

    with pytest.raises(NotAllowed):
        await engine.api.fix_event(ANN, event.id, resubmit=False)
    await engine.api.fix_event(ADMIN, event.id, resubmit=False)
    assert await engine.run(campaign) == "terminated"


async def test_an_event_by_hand_holds_one_campaign_on_one_cluster(
    two: Engine, pair: dict[str, SimulatedCluster]
) -> None:
    campaign = await submit(two, 10, clusters={"one": {}, "two": {}})
    await two.api.create_event(
        ADMIN, "MANUAL_EVENT", campaign=campaign, cluster=ClusterName("one"), message="no"
    )

    assert await two.run(campaign) == "terminated"
    assert pair["one"].executions == []
    assert len(pair["two"].executions) == 10
    assert await codes(two, campaign) == ["MANUAL_EVENT"]


async def test_an_event_by_hand_may_name_a_task(engine: Engine) -> None:
    campaign = await submit(engine, 10)
    task = await task_id(engine, campaign, 7)

    event = await engine.api.create_event(ADMIN, "MANUAL_EVENT", task=task)

    assert (event.campaign, event.task) == (campaign, 7)


@pytest.mark.parametrize(
    ("code", "named", "pointer"),
    [
        ("EXIT_ERROR", {"cluster": SIM}, "/code"),
        ("NONSENSE", {}, "/code"),
        ("CLUSTER_MANUALLY_DISABLED", {}, "/cluster_id"),
        ("CLUSTER_MANUALLY_DISABLED", {"cluster": SIM, "campaign": 1}, "/campaign_id"),
        ("CLUSTER_MANUALLY_DISABLED", {"cluster": "moon"}, "/cluster"),
        ("MANUAL_EVENT", {"cluster": SIM}, "/campaign_id"),
    ],
)
async def test_events_that_hold_nothing_are_refused(
    engine: Engine, code: str, named: dict[str, object], pointer: str
) -> None:
    await submit(engine, 1)
    with pytest.raises(InvalidRequest) as refused:
        await engine.api.create_event(ADMIN, code, **named)  # type: ignore[arg-type]

    assert [problem.pointer for problem in refused.value.problems] == [pointer]


async def test_only_administrators_create_events(engine: Engine) -> None:
    with pytest.raises(NotAllowed):
        await engine.api.create_event(ANN, "CLUSTER_MANUALLY_DISABLED", cluster=SIM)


# --- a campaign --------------------------------------------------------------------------------


async def test_a_purged_campaign_leaves_nothing_and_its_ids_are_not_given_again(
    engine: Engine, cluster: SimulatedCluster
) -> None:
    cluster.behaviour = Behaviour(exit_status=lambda task, _a: int(task == 3))
    campaign = await submit(engine, 10, retries=1, epilogue=["x"])
    last = await task_id(engine, campaign, 9)
    await engine.run(campaign)

    await engine.api.purge(ANN, campaign)

    with pytest.raises(NotFound):
        await engine.api.get(campaign)
    async with engine.database.read() as db:
        for table in (
            *("campaign", "campaign_cluster", "submission", "job", "event", "task_chunk"),
            *("again", "retried", "span", "parameter_chunk"),
        ):
            assert not await db.all(f"SELECT 1 FROM {table}"), table  # noqa: S608 - our words
    other = await submit(engine, 1)
    assert other > campaign
    assert await task_id(engine, other, 0) > last


async def test_what_is_not_over_is_not_purged(engine: Engine) -> None:
    campaign = await submit(engine, 10)
    with pytest.raises(Conflict, match="cancel it first"):
        await engine.api.purge(ANN, campaign)
    with pytest.raises(NotAllowed):
        await engine.api.purge(MALLORY, campaign)


@pytest.mark.parametrize(
    ("before", "call", "text"),
    [
        ("pause", "pause", "is paused already"),
        ("cancel", "pause", "is cancelled: there is nothing to pause"),
        ("cancel", "resume", "is cancelled for good: submit it again"),
        ("cancel", "cancel", "is cancelled already"),
        ("", "resume", "is not paused: there is nothing to resume"),
    ],
)
async def test_what_a_state_does_not_allow_is_refused_with_a_reason(
    engine: Engine, before: str, call: str, text: str
) -> None:
    campaign = await submit(engine, 10)
    if before:
        await getattr(engine.api, before)(ANN, campaign)

    with pytest.raises(Conflict, match=f"^campaign {campaign} {text}$"):
        await getattr(engine.api, call)(ANN, campaign)


# --- damage ------------------------------------------------------------------------------------


async def test_damaged_results_hold_their_campaign_alone(
    engine: Engine, cluster: SimulatedCluster
) -> None:
    cluster.behaviour = Behaviour(duration=lambda task, _a: 1.0 + task % 3)
    damaged = await submit(engine, 40)
    for _ in range(3):
        await engine.turn()
    async with engine.database.write() as tx:
        await tx.run("UPDATE task_chunk SET data = x'00'")
    sound = await submit(engine, 10)

    assert await engine.run(sound) == "terminated"
    assert await codes(engine, damaged) == ["DAMAGED_RECORDS"]


async def test_results_that_were_repaired_are_read_again_after_a_fix(
    engine: Engine, cluster: SimulatedCluster
) -> None:
    cluster.behaviour = Behaviour(duration=lambda task, _a: 1.0 + task % 3)
    campaign = await submit(engine, 40)
    for _ in range(3):
        await engine.turn()
    async with engine.database.write() as tx:
        (row,) = await tx.all("SELECT data FROM task_chunk")
        await tx.run("UPDATE task_chunk SET data = x'00'")
    for _ in range(5):
        await engine.turn()

    await engine.api.fix(ANN, campaign, resubmit=False)
    for _ in range(5):
        await engine.turn()
    assert await codes(engine, campaign) == ["DAMAGED_RECORDS"], "it is told again"

    async with engine.database.write() as tx:
        await tx.run("UPDATE task_chunk SET data = :data", {"data": row["data"]})
    await engine.api.fix(ANN, campaign, resubmit=False)
    assert await engine.run(campaign) == "terminated"
    assert await counts(engine, campaign) == {"succeeded": 40}


@pytest.mark.parametrize("whole", [True, False])
async def test_what_was_killed_with_its_task_counts_as_nothing_that_runs_again(
    engine: Engine, cluster: SimulatedCluster, *, whole: bool
) -> None:
    cluster.behaviour = Behaviour(duration=lambda _t, _a: 1e6)
    campaign = await submit(engine, 1, epilogue=["x"])
    await engine.turn()
    await engine.turn()

    if whole:
        await engine.api.cancel(ANN, campaign)
    else:
        await engine.api.cancel_task(ANN, await task_id(engine, campaign, 0))
    for _ in range(6):
        await engine.turn()

    (there,) = (await engine.api.get(campaign)).clusters
    found = await engine.api.statistics(campaign)
    assert there.again == 0
    assert not found.failed_share
    assert not found.again_share
    # Something ran there all the same.
    assert cluster.scripts == [(campaign, "epilogue")]
