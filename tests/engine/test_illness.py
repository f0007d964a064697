"""A cluster that is ill: left alone, told, tried again and taken back; nothing is lost."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cigri.clusters.simulated import Behaviour, SimulatedCluster
from cigri.domain.event import Event
from cigri.domain.model import Caller, ClusterName
from cigri.domain.reactions import FAULTS, LONGEST_RETRY
from cigri.engine.gauges import CLOCK_OFF
from cigri.errors import ClusterUnreachable, Fault
from tests.engine.faulty import Faulty
from tests.engine.harness import ANN, Clock, Engine, engine_on
from tests.engine.test_campaigns import counts, submit

ROOT = Caller(user="root", admin=True)


@pytest.fixture
def wire(cluster: SimulatedCluster) -> Faulty:
    return Faulty(cluster)


@pytest.fixture
async def ill(tmp_path: Path, wire: Faulty, clock: Clock) -> AsyncIterator[Engine]:
    """An engine whose only cluster fails as `wire` is told."""
    async with engine_on(tmp_path / "ill.db", {"sim": wire}, clock) as running:  # type: ignore[dict-item]
        yield running


async def of_clusters(engine: Engine) -> list[Event]:
    part = await engine.api.cluster_events(limit=100, offset=0)
    return list(part.items)


async def codes(engine: Engine) -> list[str]:
    return [event.code for event in await of_clusters(engine)]


@pytest.mark.parametrize("fault", list(Fault))
async def test_each_fault_has_its_event_which_closes_when_the_cluster_works_again(
    ill: Engine, wire: Faulty, fault: Fault
) -> None:
    campaign = await submit(ill, 6)
    wire.break_all(ClusterUnreachable("no luck", fault=fault))
    await ill.turn(1.5)

    (event,) = await of_clusters(ill)
    assert (event.code, event.cluster) == (FAULTS[fault], "sim")
    assert event.message.endswith(": no luck")
    (status,) = await ill.api.clusters()
    assert status.hold is not None
    assert status.hold.reason == event.message

    wire.broken = {}
    assert await ill.run(campaign) == "terminated"
    assert await counts(ill, campaign) == {"succeeded": 6}
    assert await codes(ill) == []
    (status,) = await ill.api.clusters()
    assert status.hold is None


async def test_a_fault_that_changes_is_told_as_what_it_is_now(ill: Engine, wire: Faulty) -> None:
    await submit(ill, 6)
    seen = []
    for fault in (Fault.REFUSED, Fault.TIMEOUT, Fault.TIMEOUT):
        wire.break_all(ClusterUnreachable("no luck", fault=fault))
        await ill.turn(20)
        seen.append(await codes(ill))

    assert seen == [["CONNECTION_REFUSED"], ["TIMEOUT"], ["TIMEOUT"]]


async def test_a_cluster_that_hangs_costs_one_time_out_a_try_and_ever_fewer(
    ill: Engine, wire: Faulty, cluster: SimulatedCluster
) -> None:
    cluster.behaviour = Behaviour(duration=lambda _t, _a: 1e6)
    for _ in range(5):
        await submit(ill, 40)
    await ill.turn()
    wire.break_all(ClusterUnreachable("too slow", fault=Fault.TIMEOUT))
    wire.asked.clear()

    asked = []
    for _ in range(3600):
        await ill.turn(1)
        asked.append(len(wire.asked))

    # Both loops find out for themselves; after that whichever tries first does so for both.
    assert asked[0] == 2
    assert asked[-1] <= 15, "delays double until a quarter of an hour"
    assert asked[-1] - asked[-1 - int(LONGEST_RETRY)] <= 1


async def test_a_cluster_that_answers_questions_and_refuses_work_is_left_alone_ever_longer(
    ill: Engine, wire: Faulty
) -> None:
    campaign = await submit(ill, 200)
    await ill.turn()
    wire.broken = {"submit": ClusterUnreachable("not for you", fault=Fault.DENIED)}
    wire.asked.clear()

    for _ in range(300):
        await ill.turn(1)

    assert wire.asked.count("submit") <= 10
    # What runs there is looked after all the same.
    assert (await ill.api.get(campaign)).counts.in_flight == 0
    assert await codes(ill) == ["PERMISSION_DENIED"]


async def test_a_fix_tries_at_once(ill: Engine, wire: Faulty) -> None:
    campaign = await submit(ill, 4)
    wire.break_all(ClusterUnreachable("down", fault=Fault.REFUSED))
    for _ in range(200):
        await ill.turn(1)
    wire.broken = {}
    await ill.turn(0)
    assert (await ill.api.get(campaign)).counts.pending == 4, "it is left alone for minutes"

    (event,) = await of_clusters(ill)
    await ill.api.fix_event(ROOT, event.id, resubmit=False)
    await ill.turn(0)

    assert (await ill.api.get(campaign)).counts.in_flight == 4


async def test_the_fix_of_a_fault_does_not_let_go_on_what_an_administrator_stopped(
    ill: Engine, wire: Faulty
) -> None:
    campaign = await submit(ill, 4)
    wire.break_all(ClusterUnreachable("down"))
    await ill.turn()
    await ill.api.create_event(
        ROOT, "CLUSTER_MANUALLY_DISABLED", message="new disks", cluster=ClusterName("sim")
    )
    fault = next(e for e in await of_clusters(ill) if e.code == "CLUSTER_UNREACHABLE")
    wire.broken = {}

    await ill.api.fix_event(ROOT, fault.id, resubmit=False)
    await ill.turn(10)
    await ill.turn()

    assert (await ill.api.get(campaign)).counts.pending == 4
    (status,) = await ill.api.clusters()
    assert status.hold is not None
    assert status.hold.reason == "new disks"


async def test_other_clusters_do_not_notice(
    tmp_path: Path, wire: Faulty, clock: Clock, cluster: SimulatedCluster
) -> None:
    well = SimulatedCluster(clock)
    drivers = {"ill": wire, "well": well}
    wire.break_all(ClusterUnreachable("down", fault=Fault.TIMEOUT))
    async with engine_on(tmp_path / "two.db", drivers, clock) as engine:  # type: ignore[arg-type]
        campaign = await submit(engine, 20, clusters={"ill": {}, "well": {}})

        assert await engine.run(campaign) == "terminated"
        assert len(well.executions) == 20
        assert cluster.executions == []


async def test_who_looks_does_not_wait_for_a_cluster_that_is_down(
    ill: Engine, wire: Faulty
) -> None:
    campaign = await submit(ill, 4)
    wire.break_all(ClusterUnreachable("down"))

    (status,) = await ill.api.clusters()
    assert (status.slots, status.hold) == (0, None)
    await ill.turn()
    wire.asked.clear()
    await ill.api.clusters()
    (told,) = (await ill.api.explain(ANN, campaign)).clusters

    assert told.code == "cluster_held"
    assert wire.asked == []


# --- stress ------------------------------------------------------------------------------------


async def test_nothing_is_submitted_to_a_cluster_under_stress(ill: Engine, wire: Faulty) -> None:
    wire.stress_limit, wire.load = 0.8, 0.93
    campaign = await submit(ill, 4)
    await ill.turn(5)

    assert (await ill.api.get(campaign)).counts.pending == 4
    (event,) = await of_clusters(ill)
    assert event.code == "UNDER_STRESS"
    assert event.message == ("the cluster is under stress: 0.93, from 0.8 on nothing is submitted")
    (told,) = (await ill.api.explain(ANN, campaign)).clusters
    assert told.code == "stress"
    assert told.reason == "the cluster is under stress: 0.93, from 0.8 on nothing is sent"

    wire.load = 0.2
    assert await ill.run(campaign) == "terminated"
    assert await codes(ill) == []


async def test_what_runs_on_a_cluster_under_stress_is_looked_after(
    ill: Engine, wire: Faulty
) -> None:
    wire.stress_limit, wire.load = 0.8, 0.1
    campaign = await submit(ill, 4)
    await ill.turn(30)
    wire.load = 3.0

    assert await ill.run(campaign) == "terminated"
    assert await codes(ill) == ["UNDER_STRESS"]


async def test_stress_that_lasts_is_one_event(ill: Engine, wire: Faulty) -> None:
    wire.stress_limit, wire.load = 0.8, 3.0
    await submit(ill, 4)
    for _ in range(120):
        await ill.turn(1)

    (event,) = await of_clusters(ill)
    assert (event.code, event.count) == ("UNDER_STRESS", 1)


async def test_the_event_of_stress_that_lasts_opens_again(ill: Engine, wire: Faulty) -> None:
    wire.stress_limit, wire.load = 0.8, 3.0
    await ill.turn()
    (event,) = await of_clusters(ill)

    await ill.api.fix_event(ROOT, event.id, resubmit=False)
    assert await codes(ill) == []
    await ill.turn()

    assert await codes(ill) == ["UNDER_STRESS"]


async def test_stress_that_ended_while_nobody_watched_is_told_no_longer(
    tmp_path: Path, wire: Faulty, clock: Clock
) -> None:
    wire.stress_limit, wire.load = 0.8, 3.0
    path = tmp_path / "again.db"
    async with engine_on(path, {"sim": wire}, clock) as engine:  # type: ignore[dict-item]
        await engine.turn()
        assert await codes(engine) == ["UNDER_STRESS"]
    wire.load = 0.0
    async with engine_on(path, {"sim": wire}, clock) as engine:  # type: ignore[dict-item]
        await engine.turn()
        assert await codes(engine) == []


# --- clocks ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("skew", "told"),
    [
        (None, None),
        (CLOCK_OFF - 1, None),
        (90.0, "it is 90 s ahead"),
        (-3600.0, "it is 3600 s behind"),
    ],
)
async def test_a_clock_that_is_off_is_told_until_it_is_right(
    ill: Engine, wire: Faulty, skew: float | None, told: str | None
) -> None:
    wire.clock_skew = skew
    campaign = await submit(ill, 4)
    await ill.turn()

    messages = [event.message for event in await of_clusters(ill)]
    meaning = "the clock of the cluster differs from this server's"
    assert messages == ([] if told is None else [f"{meaning}: {told}"])

    wire.clock_skew = 0.5
    assert await ill.run(campaign) == "terminated"
    assert await codes(ill) == []


async def test_an_output_that_a_cluster_does_not_tell_names_the_cluster(
    ill: Engine, wire: Faulty, cluster: SimulatedCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def gone(*_: object) -> None:
        raise ClusterUnreachable("no luck", fault=Fault.REFUSED)

    campaign = await submit(ill, 1)
    await ill.run(campaign)
    (task,) = await ill.tasks(ANN, campaign, 0, 1)
    monkeypatch.setattr(cluster, "outputs", gone)

    with pytest.raises(ClusterUnreachable, match="sim: no luck") as caught:
        await ill.api.output(ANN, task.id, "out", 10)

    assert caught.value.fault is Fault.REFUSED
