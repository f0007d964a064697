"""Test mode: one task on each cluster first, in normal mode, and then a pause or all the rest."""

import pytest

from cigri.clusters.simulated import Behaviour, SimulatedCluster
from cigri.domain.model import CampaignId, CampaignType
from cigri.errors import ClusterUnreachable, Conflict
from tests.engine.harness import ANN, Engine
from tests.engine.test_campaigns import break_submissions, counts, submit
from tests.engine.test_steps import _Unreachable, codes, pair, two

__all__ = ["pair", "two"]

WAIT, RUN = {"test_mode": True}, {"test_mode": "then-run"}


async def turns(engine: Engine, count: int = 6) -> None:
    for _ in range(count):
        await engine.turn()


async def state(engine: Engine, campaign: CampaignId) -> str:
    return (await engine.api.get(campaign)).state


async def test_one_task_runs_in_normal_mode_and_the_campaign_waits_for_a_go(
    engine: Engine, cluster: SimulatedCluster
) -> None:
    campaign = await submit(engine, 20, **WAIT)
    await turns(engine)

    assert len(cluster.executions) == 1
    assert cluster.types == [CampaignType.NORMAL]
    assert await state(engine, campaign) == "paused"
    (event,) = await engine.events(ANN, campaign)
    assert event.code == "TEST_ENDED"
    assert "1 of its tasks succeeded, 0 failed" in event.message

    await engine.api.go(ANN, campaign)

    assert await codes(engine, campaign) == []
    assert await engine.run(campaign) == "terminated"
    assert sorted(task for _, task, _ in cluster.executions) == list(range(20))
    assert set(cluster.types[1:]) == {CampaignType.BEST_EFFORT}


async def test_each_cluster_in_the_test_gets_one_task_and_the_others_wait(
    two: Engine, pair: dict[str, SimulatedCluster]
) -> None:
    clusters = {"one": {"test_mode": True}, "two": {}}
    campaign = await submit(two, 20, clusters=clusters)
    await turns(two)

    assert len(pair["one"].executions) == 1
    assert pair["two"].executions == []
    await two.api.resume(ANN, campaign)
    assert await two.run(campaign) == "terminated"
    assert pair["two"].executions


async def test_a_test_that_succeeds_may_let_the_campaign_run_on(
    engine: Engine, cluster: SimulatedCluster
) -> None:
    campaign = await submit(engine, 20, **RUN)

    assert await engine.run(campaign) == "terminated"
    assert cluster.types[0] == CampaignType.NORMAL
    assert await codes(engine, campaign) == []
    assert await counts(engine, campaign) == {"succeeded": 20}


async def test_a_test_that_fails_never_lets_it_run_on(
    engine: Engine, cluster: SimulatedCluster
) -> None:
    cluster.behaviour = Behaviour(exit_status=lambda _task, attempt: int(attempt == 1))
    campaign = await submit(engine, 20, **RUN)
    await turns(engine)

    assert await state(engine, campaign) == "paused"
    assert sorted(await codes(engine, campaign)) == ["EXIT_ERROR", "TEST_ENDED"]

    # A repair is no go.
    await engine.api.fix(ANN, campaign, resubmit=True)
    assert await codes(engine, campaign) == ["TEST_ENDED"]
    assert await state(engine, campaign) == "paused"
    await engine.api.go(ANN, campaign)
    assert await engine.run(campaign) == "terminated"


async def test_fixing_the_event_of_the_test_is_a_go(engine: Engine) -> None:
    campaign = await submit(engine, 5, **WAIT)
    await turns(engine)
    (event,) = await engine.events(ANN, campaign)

    assert (await engine.api.fix_event(ANN, event.id, resubmit=False)).closed == 1

    assert await engine.run(campaign) == "terminated"


async def test_a_task_that_asks_to_run_again_is_still_the_test(
    engine: Engine, cluster: SimulatedCluster
) -> None:
    cluster.behaviour = Behaviour(exit_status=lambda _t, attempt: 66 if attempt < 3 else 0)
    campaign = await submit(engine, 5, **WAIT)
    await turns(engine, 10)

    assert cluster.executions == [(1, 0, 1), (1, 0, 2), (1, 0, 3)]
    assert await state(engine, campaign) == "paused"


async def test_a_held_cluster_does_not_delay_the_end_of_the_test(
    two: Engine, pair: dict[str, SimulatedCluster]
) -> None:
    (site,) = [site for name, site in two.runtime.sites.items() if name == "two"]
    object.__setattr__(site, "driver", _Unreachable(pair["two"]))
    campaign = await submit(two, 5, clusters={"one": {}, "two": {}}, **RUN)

    assert await two.run(campaign) == "terminated"
    assert len(pair["one"].executions) == 5


async def test_a_test_waits_for_its_prologue_but_not_for_one_that_failed(
    two: Engine, pair: dict[str, SimulatedCluster]
) -> None:
    pair["two"].behaviour = Behaviour(script_status=lambda _c, _k, _t: 1)
    clusters = {"one": {}, "two": {"prologue": ["false"]}}
    campaign = await submit(two, 5, clusters=clusters, **WAIT)
    await turns(two)

    assert await state(two, campaign) == "paused"
    assert sorted(await codes(two, campaign)) == ["PROLOG_EXIT_ERROR", "TEST_ENDED"]


async def test_a_test_goes_before_campaigns_that_came_first(
    engine: Engine, cluster: SimulatedCluster
) -> None:
    cluster.behaviour = Behaviour(duration=lambda _t, _a: 30.0)
    await submit(engine, 100)
    tested = await submit(engine, 5, **WAIT)
    await engine.turn()

    assert cluster.calls.count("submit") == 2
    assert next(iter(cluster.jobs.values())).campaign == tested


async def test_a_go_in_the_middle_of_a_test_ends_it(
    engine: Engine, cluster: SimulatedCluster
) -> None:
    cluster.behaviour = Behaviour(duration=lambda task, _a: 1e6 if task == 0 else 1.0)
    campaign = await submit(engine, 5, **WAIT)
    await turns(engine, 2)
    assert len(cluster.executions) == 1

    await engine.api.go(ANN, campaign)
    await turns(engine)

    assert len(cluster.executions) == 5


async def test_a_campaign_of_one_task_is_its_own_test(engine: Engine) -> None:
    campaign = await submit(engine, 1, **WAIT)

    assert await engine.run(campaign) == "terminated"
    assert await codes(engine, campaign) == []


async def test_a_campaign_that_waits_for_no_test_takes_no_go(engine: Engine) -> None:
    campaign = await submit(engine, 5)
    with pytest.raises(Conflict, match="is in_treatment and waits for no test"):
        await engine.api.go(ANN, campaign)

    await engine.api.pause(ANN, campaign)
    with pytest.raises(Conflict, match="resume it"):
        await engine.api.go(ANN, campaign)

    tested = await submit(engine, 5, **WAIT)
    await engine.api.cancel(ANN, tested)
    with pytest.raises(Conflict, match="is cancelled"):
        await engine.api.go(ANN, tested)


async def test_a_lost_submission_of_the_test_is_made_again(engine: Engine) -> None:
    break_submissions(engine, ClusterUnreachable("refused"))
    campaign = await submit(engine, 5, **RUN)

    assert await engine.run(campaign) == "terminated"
