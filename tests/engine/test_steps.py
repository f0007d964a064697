"""Prologues and epilogues: once per campaign and cluster, whatever happens between them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cigri.clusters.simulated import Behaviour, SimulatedCluster
from cigri.domain.model import CampaignId, CampaignType, StepState
from cigri.errors import ClusterUnreachable, Conflict, SubmissionRejected, SubmissionUnknown
from tests.engine.harness import ANN, Clock, Engine, engine_on
from tests.engine.test_campaigns import break_submissions, counts, submit

PROLOGUE, EPILOGUE = "prologue", "epilogue"
BOTH = {PROLOGUE: ["mkdir {HOME}/x"], EPILOGUE: ["rm -r ~/x"]}
TWO = {"clusters": {"one": {}, "two": {}}}


@pytest.fixture
def pair(clock: Clock) -> dict[str, SimulatedCluster]:
    return {"one": SimulatedCluster(clock), "two": SimulatedCluster(clock)}


@pytest.fixture
async def two(
    tmp_path: Path, pair: dict[str, SimulatedCluster], clock: Clock
) -> AsyncIterator[Engine]:
    async with engine_on(tmp_path / "two.db", dict(pair), clock) as running:
        yield running


def ran(cluster: SimulatedCluster) -> list[str]:
    return [kind for _, kind in cluster.scripts]


async def steps(engine: Engine, campaign: CampaignId) -> list[tuple[StepState, StepState]]:
    found = await engine.api.get(campaign)
    return [(item.prologue, item.epilogue) for item in found.clusters]


async def codes(engine: Engine, campaign: CampaignId) -> list[str]:
    return [event.code for event in await engine.events(ANN, campaign)]


async def test_the_prologue_comes_first_and_the_epilogue_last(
    engine: Engine, cluster: SimulatedCluster
) -> None:
    campaign = await submit(engine, 20, **BOTH)
    await engine.turn(0.5)

    assert cluster.executions == []
    assert ran(cluster) == [PROLOGUE]

    assert await engine.run(campaign) == "terminated"
    assert ran(cluster) == [PROLOGUE, EPILOGUE]
    assert await steps(engine, campaign) == [(StepState.DONE, StepState.DONE)]
    assert await counts(engine, campaign) == {"succeeded": 20}
    assert len(await engine.tasks(ANN, campaign, 0, 100)) == 20


async def test_a_step_is_normal_and_its_tasks_are_best_effort(
    engine: Engine, cluster: SimulatedCluster
) -> None:
    await engine.run(await submit(engine, 2, **BOTH))

    assert cluster.types == [CampaignType.NORMAL, CampaignType.BEST_EFFORT, CampaignType.NORMAL]


async def test_the_campaign_is_not_over_before_its_epilogue_is(
    engine: Engine, cluster: SimulatedCluster
) -> None:
    cluster.behaviour = Behaviour(script_duration=50.0)
    campaign = await submit(engine, 1, epilogue=["sync"])
    for _ in range(10):
        await engine.turn()

    assert (await engine.api.get(campaign)).state == "in_treatment"
    assert await steps(engine, campaign) == [(StepState.NONE, StepState.IN_FLIGHT)]
    assert await engine.run(campaign) == "terminated"


async def test_the_epilogue_runs_though_tasks_failed(
    engine: Engine, cluster: SimulatedCluster
) -> None:
    cluster.behaviour = Behaviour(exit_status=lambda _task, _attempt: 3)
    campaign = await submit(engine, 4, epilogue=["sync"])

    assert await engine.run(campaign) == "terminated"
    assert ran(cluster) == [EPILOGUE]
    assert await counts(engine, campaign) == {"failed": 4}


async def test_a_failing_prologue_holds_the_campaign_on_its_cluster_alone(
    two: Engine, pair: dict[str, SimulatedCluster]
) -> None:
    pair["one"].behaviour = Behaviour(
        script_status=lambda _c, kind, time: 7 if kind == PROLOGUE and not time else 0,
        says=lambda _task: "mkdir: no space\n",
    )
    campaign = await submit(two, 30, **TWO, prologue=["mkdir x"])
    for _ in range(4):
        await two.turn()

    (event,) = await two.events(ANN, campaign)
    assert (event.code, event.cluster, event.exit_status) == ("PROLOG_EXIT_ERROR", "one", 7)
    assert event.message.splitlines() == ["the prologue failed: exit status 7", "mkdir: no space"]
    assert pair["one"].executions == []
    assert pair["two"].executions

    await two.api.fix(ANN, campaign, resubmit=False)
    assert await two.run(campaign) == "terminated"
    assert ran(pair["one"]) == [PROLOGUE, PROLOGUE]
    assert pair["one"].executions


@pytest.mark.parametrize("cancelled", [True, False])
async def test_nothing_holds_a_campaign_that_is_over(
    two: Engine, pair: dict[str, SimulatedCluster], *, cancelled: bool
) -> None:
    pair["one"].behaviour = Behaviour(script_status=lambda _c, kind, _t: int(kind == PROLOGUE))
    campaign = await submit(two, 30, **TWO, **BOTH)
    for _ in range(3):
        await two.turn()
    assert [bool(it.hold) for it in (await two.api.get(campaign)).clusters] == [True, False]

    if cancelled:
        await two.api.cancel(ANN, campaign)
    assert await two.run(campaign) == ("cancelled" if cancelled else "terminated")

    assert not any(it.hold for it in (await two.api.get(campaign)).clusters)
    assert await codes(two, campaign) == ["PROLOG_EXIT_ERROR"]


async def test_fixing_the_event_of_a_prologue_runs_it_again(
    engine: Engine, cluster: SimulatedCluster
) -> None:
    cluster.behaviour = Behaviour(script_status=lambda _c, _k, time: 0 if time else 1)
    campaign = await submit(engine, 3, prologue=["x"])
    for _ in range(4):
        await engine.turn()
    (event,) = await engine.events(ANN, campaign)

    await engine.api.fix_event(ANN, event.id, resubmit=False)

    assert await engine.run(campaign) == "terminated"
    assert ran(cluster) == [PROLOGUE, PROLOGUE]


async def test_a_cluster_where_nothing_ran_needs_no_epilogue(
    two: Engine, pair: dict[str, SimulatedCluster]
) -> None:
    (site,) = [site for name, site in two.runtime.sites.items() if name == "two"]
    object.__setattr__(site, "driver", _Unreachable(pair["two"]))
    campaign = await submit(two, 5, **TWO, epilogue=["x"])

    assert await two.run(campaign) == "terminated"
    assert ran(pair["one"]) == [EPILOGUE]
    assert ran(pair["two"]) == []
    assert (await steps(two, campaign))[1] == (StepState.NONE, StepState.WAITING)


class _Unreachable:
    def __init__(self, inner: SimulatedCluster) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> object:
        return getattr(self._inner, name)

    async def slots(self) -> int:
        raise ClusterUnreachable("connection refused")


async def test_after_a_cancel_the_epilogue_runs(engine: Engine, cluster: SimulatedCluster) -> None:
    cluster.behaviour = Behaviour(duration=lambda _task, _attempt: 1e6)
    campaign = await submit(engine, 20, **BOTH)
    for _ in range(4):
        await engine.turn()
    assert cluster.executions

    await engine.api.cancel(ANN, campaign)
    for _ in range(6):
        await engine.turn()

    assert ran(cluster) == [PROLOGUE, EPILOGUE]
    assert await steps(engine, campaign) == [(StepState.DONE, StepState.DONE)]
    assert await counts(engine, campaign) == {"cancelled": 20}
    assert cluster.live() == []


async def test_a_prologue_that_runs_is_killed_with_its_campaign(
    engine: Engine, cluster: SimulatedCluster
) -> None:
    cluster.behaviour = Behaviour(script_duration=50.0)
    campaign = await submit(engine, 20, **BOTH)
    await engine.turn()

    await engine.api.cancel(ANN, campaign)
    for _ in range(3):
        await engine.turn()
    assert await steps(engine, campaign) == [(StepState.FAILED, StepState.IN_FLIGHT)]
    for _ in range(60):
        await engine.turn()

    assert ran(cluster) == [PROLOGUE, EPILOGUE]
    assert await codes(engine, campaign) == []
    assert cluster.executions == []


async def test_a_campaign_cancelled_before_anything_ran_has_no_epilogue(
    engine: Engine, cluster: SimulatedCluster
) -> None:
    campaign = await submit(engine, 20, **BOTH)
    await engine.api.cancel(ANN, campaign)
    for _ in range(4):
        await engine.turn()

    assert ran(cluster) == []


async def test_a_failing_epilogue_ends_the_campaign_and_can_run_again(
    engine: Engine, cluster: SimulatedCluster
) -> None:
    cluster.behaviour = Behaviour(script_status=lambda _c, _k, time: 0 if time else 1)
    campaign = await submit(engine, 3, epilogue=["x"])

    assert await engine.run(campaign) == "terminated"
    assert await codes(engine, campaign) == ["EPILOG_EXIT_ERROR"]
    assert await steps(engine, campaign) == [(StepState.NONE, StepState.FAILED)]

    await engine.api.fix(ANN, campaign, resubmit=True)
    assert (await engine.api.get(campaign)).state == "in_treatment"
    assert await engine.run(campaign) == "terminated"
    assert await steps(engine, campaign) == [(StepState.NONE, StepState.DONE)]
    assert len(cluster.executions) == 3


async def test_the_epilogue_of_a_cancelled_campaign_can_run_again(
    engine: Engine, cluster: SimulatedCluster
) -> None:
    cluster.behaviour = Behaviour(
        duration=lambda _t, _a: 1e6, script_status=lambda _c, _k, time: 0 if time else 1
    )
    campaign = await submit(engine, 3, epilogue=["x"])
    await engine.turn()
    await engine.api.cancel(ANN, campaign)
    for _ in range(5):
        await engine.turn()
    (event,) = await engine.events(ANN, campaign)

    await engine.api.fix_event(ANN, event.id, resubmit=True)
    for _ in range(4):
        await engine.turn()

    assert ran(cluster) == [EPILOGUE, EPILOGUE]
    assert (await engine.api.get(campaign)).state == "cancelled"


async def test_after_a_resubmission_the_epilogue_runs_again_and_the_prologue_does_not(
    engine: Engine, cluster: SimulatedCluster
) -> None:
    cluster.behaviour = Behaviour(exit_status=lambda _task, attempt: int(attempt == 1))
    campaign = await submit(engine, 3, **BOTH)
    await engine.run(campaign)

    await engine.api.fix(ANN, campaign, resubmit=True)

    assert await engine.run(campaign) == "terminated"
    assert ran(cluster) == [PROLOGUE, EPILOGUE, EPILOGUE]


async def test_tasks_that_come_back_while_the_epilogue_runs_have_another_one(
    engine: Engine, cluster: SimulatedCluster
) -> None:
    cluster.behaviour = Behaviour(
        exit_status=lambda _task, attempt: int(attempt == 1), script_duration=5.0
    )
    campaign = await submit(engine, 2, epilogue=["x"])
    while ran(cluster) != [EPILOGUE]:
        await engine.turn()

    await engine.api.fix(ANN, campaign, resubmit=True)
    await engine.turn()
    assert len(cluster.executions) == 2, "nothing starts while the epilogue runs"

    assert await engine.run(campaign) == "terminated"
    assert ran(cluster) == [EPILOGUE, EPILOGUE]
    assert await counts(engine, campaign) == {"succeeded": 2}


async def test_a_paused_campaign_waits_with_its_steps(
    engine: Engine, cluster: SimulatedCluster
) -> None:
    campaign = await submit(engine, 2, **BOTH)
    await engine.api.pause(ANN, campaign)
    await engine.turn()
    assert ran(cluster) == []

    await engine.api.resume(ANN, campaign)
    while len(cluster.executions) < 2:
        await engine.turn(0.5)
    await engine.api.pause(ANN, campaign)
    for _ in range(5):
        await engine.turn()

    assert ran(cluster) == [PROLOGUE]
    assert (await engine.api.get(campaign)).state == "paused"
    await engine.api.resume(ANN, campaign)
    assert await engine.run(campaign) == "terminated"
    assert ran(cluster) == [PROLOGUE, EPILOGUE]


@pytest.mark.parametrize("kind", [PROLOGUE, EPILOGUE])
async def test_a_step_that_vanishes_runs_again(
    engine: Engine, cluster: SimulatedCluster, kind: str
) -> None:
    campaign = await submit(engine, 1, **{kind: ["x"]})
    while ran(cluster) != [kind]:
        await engine.turn(0.5)
    for remote_id in cluster.live():
        cluster.lose(remote_id)

    assert await engine.run(campaign) == "terminated"
    assert ran(cluster) == [kind, kind]
    assert await codes(engine, campaign) == []


@pytest.mark.parametrize("arrives", [True, False])
@pytest.mark.parametrize("kind", [PROLOGUE, EPILOGUE])
async def test_a_step_whose_submission_was_not_answered_runs_once(
    engine: Engine, cluster: SimulatedCluster, kind: str, *, arrives: bool
) -> None:
    campaign = await submit(engine, 1, **{kind: ["x"]})
    if kind == EPILOGUE:
        await engine.turn()
    break_submissions(engine, SubmissionUnknown("no answer"), arrives=arrives)

    assert await engine.run(campaign) == "terminated"
    assert ran(cluster) == [kind]


async def test_an_unreachable_cluster_gets_its_prologue_later(
    engine: Engine, cluster: SimulatedCluster
) -> None:
    break_submissions(engine, ClusterUnreachable("refused"))
    campaign = await submit(engine, 1, prologue=["x"])

    assert await engine.run(campaign) == "terminated"
    assert ran(cluster) == [PROLOGUE]


async def test_a_refused_prologue_holds_its_campaign(
    engine: Engine, cluster: SimulatedCluster
) -> None:
    break_submissions(engine, SubmissionRejected("no such queue"))
    campaign = await submit(engine, 1, prologue=["x"])
    for _ in range(3):
        await engine.turn()
    assert await codes(engine, campaign) == ["SUBMISSION_REJECTED"]

    await engine.api.fix(ANN, campaign, resubmit=False)

    assert await engine.run(campaign) == "terminated"
    assert ran(cluster) == [PROLOGUE]


async def test_a_refused_epilogue_ends_the_campaign_with_an_event(engine: Engine) -> None:
    campaign = await submit(engine, 1, epilogue=["x"])
    await engine.turn()
    break_submissions(engine, SubmissionRejected("no such queue"))

    assert await engine.run(campaign) == "terminated"
    assert await codes(engine, campaign) == ["EPILOG_EXIT_ERROR"]


async def test_a_campaign_without_tasks_has_no_steps(
    engine: Engine, cluster: SimulatedCluster
) -> None:
    campaign = await submit(engine, 0, **BOTH)
    await engine.turn()

    assert (await engine.api.get(campaign)).state == "terminated"
    assert ran(cluster) == []


async def test_a_step_takes_a_slot(clock: Clock, tmp_path: Path) -> None:
    cluster = SimulatedCluster(clock, slots=2, behaviour=Behaviour(script_duration=50.0))
    async with engine_on(tmp_path / "db", {"sim": cluster}, clock) as engine:
        for _ in range(4):
            await submit(engine, 5, prologue=["x"])
        for _ in range(3):
            await engine.turn()

    assert ran(cluster) == [PROLOGUE, PROLOGUE]


async def test_steps_of_others_are_left_alone(engine: Engine, cluster: SimulatedCluster) -> None:
    cluster.behaviour = Behaviour(script_status=lambda campaign, _k, _t: int(campaign == 1))
    held = await submit(engine, 5, prologue=["x"])
    free = await submit(engine, 5, prologue=["x"])

    assert await engine.run(free) == "terminated"
    assert (await engine.api.get(held)).state == "in_treatment"
    assert {campaign for campaign, _, _ in cluster.executions} == {int(free)}


async def test_nothing_of_a_campaign_is_purged_while_its_epilogue_is_due(
    engine: Engine, cluster: SimulatedCluster
) -> None:
    cluster.behaviour = Behaviour(duration=lambda _t, _a: 1e6, script_duration=20.0)
    campaign = await submit(engine, 3, epilogue=["x"])
    await engine.turn()
    await engine.api.cancel(ANN, campaign)

    for _ in range(4):
        with pytest.raises(Conflict, match="still runs"):
            await engine.api.purge(ANN, campaign)
        await engine.turn()


async def test_what_ran_elsewhere_while_an_epilogue_ran_has_another_one_after_it(
    two: Engine, pair: dict[str, SimulatedCluster]
) -> None:
    pair["one"].behaviour = Behaviour(script_duration=30.0)
    campaign = await submit(two, 30, **TWO, epilogue=["x"])
    while ran(pair["one"]) != [EPILOGUE]:
        await two.turn(0.5)

    await two.api.add(ANN, campaign, b'["e"]')
    while (await counts(two, campaign)).get("succeeded") != 31:
        await two.turn(0.5)
    assert (await steps(two, campaign))[0] == (StepState.NONE, StepState.IN_FLIGHT)

    assert await two.run(campaign) == "terminated"
    assert ran(pair["one"]) == [EPILOGUE, EPILOGUE]


async def test_a_fix_after_a_cancel_takes_no_epilogue_away(
    engine: Engine, cluster: SimulatedCluster
) -> None:
    cluster.behaviour = Behaviour(script_status=lambda _c, kind, _time: int(kind == PROLOGUE))
    campaign = await submit(engine, 3, **BOTH)
    for _ in range(4):
        await engine.turn()
    (event,) = await engine.events(ANN, campaign)

    await engine.api.cancel(ANN, campaign)
    await engine.api.fix_event(ANN, event.id, resubmit=False)
    await engine.api.fix(ANN, campaign, resubmit=False)
    for _ in range(6):
        await engine.turn()

    assert ran(cluster) == [PROLOGUE, EPILOGUE]
    assert await steps(engine, campaign) == [(StepState.FAILED, StepState.DONE)]
