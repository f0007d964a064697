"""What a cluster is asked to take back, and that nobody is told of what we asked for."""

from collections.abc import AsyncIterator, Collection
from pathlib import Path

import pytest

from cigri.clusters.driver import Capacity, JobRef
from cigri.clusters.simulated import Behaviour, SimulatedCluster
from cigri.domain.model import Caller, CampaignId
from cigri.domain.scheduling import POLICIES
from cigri.engine.submitter import submit_once
from cigri.engine.withdrawing import ASK_AGAIN
from cigri.errors import ClusterUnreachable, SubmissionRejected
from tests.engine.faulty import Faulty
from tests.engine.harness import ANN, Clock, Engine, engine_on
from tests.engine.test_campaigns import counts, jdl, submit

WAIT = 900.0
ARRAYS = Capacity(arrays=True, longest_wait=WAIT)
TWO = {"clusters": {"busy": {}, "idle": {}}}


@pytest.fixture
def full(clock: Clock) -> SimulatedCluster:
    """A cluster whose only slot somebody else keeps."""
    return SimulatedCluster(clock, slots=1, capacity=ARRAYS)


@pytest.fixture
def wire(full: SimulatedCluster) -> Faulty:
    return Faulty(full)


@pytest.fixture
def idle(clock: Clock) -> SimulatedCluster:
    return SimulatedCluster(clock, slots=2, capacity=ARRAYS)


@pytest.fixture
async def two(
    tmp_path: Path, wire: Faulty, idle: SimulatedCluster, clock: Clock
) -> AsyncIterator[Engine]:
    drivers = {"busy": wire, "idle": idle}
    async with engine_on(tmp_path / "two.db", drivers, clock) as running:  # type: ignore[arg-type]
        yield running


async def occupy(engine: Engine, cluster: SimulatedCluster) -> None:
    """Let somebody else keep the slot of a cluster."""
    cluster.behaviour = Behaviour(duration=lambda _t, _a: 1e6)
    await engine.api.submit(Caller(user="owner"), jdl(1, clusters={"busy": {}}))
    await engine.turn()


async def told(engine: Engine, campaign: CampaignId) -> list[tuple[str, int, bool]]:
    found = await engine.events(ANN, campaign, closed=True)
    return [(event.code, event.count, event.open) for event in found]


# --- jobs that wait too long -------------------------------------------------------------------


async def test_a_job_that_waits_too_long_goes_to_another_cluster(
    two: Engine, full: SimulatedCluster, idle: SimulatedCluster, clock: Clock
) -> None:
    await occupy(two, full)
    idle.behaviour = Behaviour(duration=lambda _t, _a: WAIT + 30)
    campaign = await submit(two, 3, **TWO)
    await two.turn()
    assert len(full.live()) == 2

    clock.pass_(WAIT - 10)
    await two.turn()
    assert await told(two, campaign) == []
    clock.pass_(10)
    await two.turn()
    await two.turn()

    assert await told(two, campaign) == [("REMOTE_WAITING_FRAG", 1, False)]
    assert len(full.live()) == 1, "the owner's"
    assert await counts(two, campaign) == {"pending": 1, "running": 2}
    for _ in range(40):
        await two.turn()
    assert len(idle.executions) == 3
    assert [ran for ran in full.executions if ran[0] == campaign] == []


async def test_nothing_waits_too_long_where_it_can_go_nowhere_else(
    two: Engine, full: SimulatedCluster, clock: Clock
) -> None:
    await occupy(two, full)
    campaign = await submit(two, 2, clusters={"busy": {}})
    await two.turn()
    clock.pass_(10 * WAIT)
    await two.turn()
    await two.turn()

    assert await told(two, campaign) == []
    assert len(full.live()) == 3


async def test_a_job_of_which_something_runs_does_not_wait_too_long(
    two: Engine, wire: Faulty, full: SimulatedCluster, clock: Clock
) -> None:
    full.behaviour = Behaviour(duration=lambda _t, _a: WAIT - 1)
    campaign = await submit(two, 4, **TWO)
    for _ in range(8):
        await two.turn(WAIT / 4)

    assert "withdraw" not in wire.asked
    assert await told(two, campaign) == []


async def test_a_withdrawal_that_the_cluster_did_not_hear_is_repeated(
    two: Engine, wire: Faulty, full: SimulatedCluster, idle: SimulatedCluster, clock: Clock
) -> None:
    await occupy(two, full)
    idle.behaviour = Behaviour(duration=lambda _t, _a: 1e5)
    campaign = await submit(two, 3, **TWO)
    await two.turn()
    clock.pass_(WAIT)
    wire.broken = {"withdraw": ClusterUnreachable("down")}
    await two.turn()
    wire.broken = {}
    for _ in range(4):
        await two.turn(2)

    assert await told(two, campaign) == [("REMOTE_WAITING_FRAG", 1, False)]
    assert len(full.live()) == 1


# --- what we asked for is no surprise ----------------------------------------------------------


async def test_what_somebody_deletes_on_the_cluster_is_told_and_runs_again(
    two: Engine, full: SimulatedCluster
) -> None:
    campaign = await submit(two, 2, clusters={"busy": {}})
    await two.turn(0.5)
    for number in full.live():
        full.delete(number)
    await two.turn()

    assert await told(two, campaign) == [("JOB_DELETED", 2, False)]
    assert await two.run(campaign, turns=60) == "terminated"


@pytest.mark.parametrize("how", ["cancel", "pause", "cancel one"])
async def test_what_we_take_back_ourselves_is_not_told(
    two: Engine, full: SimulatedCluster, how: str
) -> None:
    full.behaviour = Behaviour(duration=lambda _t, _a: 1e5)
    campaign = await submit(two, 3, clusters={"busy": {}})
    await two.turn()
    match how:
        case "cancel":
            await two.api.cancel(ANN, campaign)
        case "pause":
            await two.api.pause(ANN, campaign)
        case _:
            for task in await two.tasks(ANN, campaign, 0, 10):
                await two.api.cancel_task(ANN, task.id)
    for _ in range(4):
        await two.turn()

    codes = {code for code, _, _ in await told(two, campaign)}
    assert codes <= {"USER_FRAG", "PAUSED"}
    expected = {
        "cancel": {"cancelled": 3},
        "pause": {"pending": 2, "running": 1},
        "cancel one": {"cancelled": 3},
    }
    assert await counts(two, campaign) == expected[how]


async def test_a_cluster_is_not_asked_for_the_same_all_the_time(
    two: Engine, wire: Faulty, full: SimulatedCluster
) -> None:
    full.behaviour = Behaviour(duration=lambda _t, _a: 1e5)
    campaign = await submit(two, 3, clusters={"busy": {}})
    await two.turn()
    inner = wire._inner

    async def deaf(_: object) -> None:
        """Hear and do nothing."""

    inner.withdraw = deaf  # type: ignore[method-assign]
    await two.api.pause(ANN, campaign)
    for _ in range(int(3 * ASK_AGAIN)):
        await two.turn()

    assert wire.asked.count("withdraw") == 3


# --- arrays of which a part was made -----------------------------------------------------------


async def test_an_array_that_was_half_made_is_taken_up_and_the_rest_runs_again(
    tmp_path: Path, clock: Clock
) -> None:
    cluster = SimulatedCluster(clock, slots=8, capacity=ARRAYS)
    wire = Faulty(cluster, fence=120.0)
    find = wire.find

    async def half(*given: object) -> object:
        found = await find(*given)  # type: ignore[arg-type]
        return {job: ids.replace("1-6", "1-2,-,4") for job, ids in found.items()}

    wire.find = half  # type: ignore[assignment,method-assign]
    wire.fates = ["there"]
    async with engine_on(tmp_path / "half.db", {"sim": wire}, clock) as engine:  # type: ignore[dict-item]
        campaign = await submit(engine, 6)
        await engine.turn()
        assert (await engine.api.get(campaign)).counts.in_flight == 6
        clock.pass_(120)

        assert await engine.run(campaign, turns=20) == "terminated"
        assert await counts(engine, campaign) == {"succeeded": 6}
        assert len(wire.renounced) == 1
        assert await told(engine, campaign) == []
        tasks = await engine.tasks(ANN, campaign, 0, 10)
    assert [task.remote_id for task in tasks] == ["1", "2", "7", "4", "8", "9"]


async def test_one_user_who_is_not_let_in_does_not_keep_the_jobs_of_others(
    two: Engine, wire: Faulty, full: SimulatedCluster
) -> None:
    full.behaviour = Behaviour(duration=lambda _t, _a: 1e5)
    for user in ("ann", "bob"):
        await two.api.submit(Caller(user=user), jdl(1, clusters={"busy": {}}))
    await two.turn()
    kill = wire.kill

    async def choosy(jobs: Collection[JobRef]) -> None:
        if any(job.user == "ann" for job in jobs):
            raise SubmissionRejected("the token of ann has expired")
        await kill(jobs)

    wire.kill = choosy  # type: ignore[method-assign]
    for user, campaign in (("ann", 1), ("bob", 2)):
        await two.api.cancel(Caller(user=user), CampaignId(campaign))
    await two.turn()

    assert len(full.live()) == 1
    assert [status.hold for status in await two.api.clusters()] == [None, None]


# --- checkpoints -------------------------------------------------------------------------------


async def test_a_task_that_progressed_goes_back_to_where_its_checkpoint_lies(
    tmp_path: Path, clock: Clock, full: SimulatedCluster, idle: SimulatedCluster
) -> None:
    full.behaviour = Behaviour(
        duration=lambda _t, _a: 3.0, exit_status=lambda _t, attempt: 66 if attempt == 1 else 0
    )
    drivers = {"busy": full, "idle": idle}
    honours = frozenset({"checkpointing_type"})
    async with engine_on(tmp_path / "two.db", drivers, clock, honours=honours) as engine:  # type: ignore[arg-type]
        campaign = await submit(engine, 1, checkpointing_type="signal", **TWO)
        await engine.turn(3)
        assert [task for _, task, _ in full.executions] == [0]
        # The other cluster is the first to look, and free.
        (busy, other) = engine.runtime.sites.values()
        await engine.pollers[busy.name].poll_once()
        await submit_once(engine.runtime, other, POLICIES["turns"])
        told = {it.cluster: it.code for it in (await engine.api.explain(ANN, campaign)).clusters}
        assert told["idle"] == "elsewhere"

        assert await engine.run(campaign, turns=20) == "terminated"
    assert [attempt for _, _, attempt in full.executions] == [1, 2]
    assert idle.executions == []
