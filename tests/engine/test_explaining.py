"""Why nothing more starts, as the engine knows it."""

import time

import pytest

from cigri.clusters.simulated import Behaviour, SimulatedCluster
from cigri.domain.model import Caller, CampaignId, ClusterName
from cigri.errors import ClusterUnreachable, NotAllowed, SubmissionRejected
from tests.engine.harness import ANN, Engine
from tests.engine.test_campaigns import MALLORY, break_submissions, jdl, submit
from tests.engine.test_steps import TWO, pair, two

__all__ = ["pair", "two"]


async def why(engine: Engine, campaign: CampaignId) -> str:
    (told,) = (await engine.api.explain(ANN, campaign)).clusters
    return told.code


async def test_the_reasons_in_the_life_of_a_campaign(
    engine: Engine, cluster: SimulatedCluster
) -> None:
    cluster.behaviour = Behaviour(
        duration=lambda _t, _a: 30.0,
        script_status=lambda _c, kind, time: int(kind == "prologue" and not time),
    )
    campaign = await submit(engine, 30, prologue=["x"], epilogue=["y"])
    seen = [await why(engine, campaign)]
    await engine.turn(0.5)
    seen.append(await why(engine, campaign))
    await engine.turn()
    await engine.turn()
    seen.append(await why(engine, campaign))
    await engine.api.fix(ANN, campaign, resubmit=False)
    for _ in range(4):
        await engine.turn()
    seen.append(await why(engine, campaign))
    await engine.api.pause(ANN, campaign)
    seen.append(await why(engine, campaign))
    await engine.api.cancel(ANN, campaign)
    seen.append(await why(engine, campaign))

    assert seen == ["prologue", "prologue", "prologue_failed", "busy", "paused", "cancelled"]


async def test_a_share_of_others_is_told(engine: Engine, cluster: SimulatedCluster) -> None:
    cluster.behaviour = Behaviour(duration=lambda _t, _a: 1e6)
    campaign = await submit(engine, 30)
    await engine.api.submit(Caller(user="bob"), jdl(30))
    for _ in range(3):
        await engine.turn()

    (told,) = (await engine.api.explain(ANN, campaign)).clusters
    assert told.reason.endswith("shared with another user")


async def test_holds_are_told_with_their_event(engine: Engine) -> None:
    break_submissions(engine, SubmissionRejected("no such queue"))
    campaign = await submit(engine, 4)
    await engine.turn()
    (event,) = await engine.events(ANN, campaign)

    (told,) = (await engine.api.explain(ANN, campaign)).clusters

    assert told.reason == f"it is held there: no such queue (event {event.id})"
    assert told.remedy == f"cigri fix {campaign} {event.id}"


async def test_a_cluster_that_is_down_is_told_with_its_next_try(engine: Engine) -> None:
    break_submissions(engine, ClusterUnreachable("connection refused"))
    campaign = await submit(engine, 4)
    await engine.turn(0.0)

    (told,) = (await engine.api.explain(ANN, campaign)).clusters

    assert told.reason == "the cluster cannot be used: connection refused; the next try is in 1 s"


async def test_what_starts_now_is_told_so(engine: Engine) -> None:
    campaign = await submit(engine, 4)

    assert await why(engine, campaign) == "starting"


async def test_it_is_for_the_owner(engine: Engine) -> None:
    campaign = await submit(engine, 4)
    with pytest.raises(NotAllowed):
        await engine.api.explain(MALLORY, campaign)


async def test_it_costs_the_same_whatever_the_size(engine: Engine) -> None:
    campaign = await submit(engine, 1_000_000)
    await engine.turn()

    begin = time.perf_counter()
    for _ in range(20):
        await engine.api.explain(ANN, campaign)

    assert (time.perf_counter() - begin) / 20 < 0.05


async def test_a_cluster_stopped_by_hand_is_told_to_those_who_can_change_it(
    engine: Engine,
) -> None:
    root = Caller(user="root", admin=True)
    campaign = await submit(engine, 4)
    event = await engine.api.create_event(
        root, "CLUSTER_MANUALLY_DISABLED", message="new disks", cluster=ClusterName("sim")
    )

    (for_owner,) = (await engine.api.explain(ANN, campaign)).clusters
    (for_admin,) = (await engine.api.explain(root, campaign)).clusters

    assert for_owner.remedy is None
    assert for_owner.reason.endswith("ask an administrator to let it go on")
    assert for_admin.remedy == f"cigri fix --event {event.id}"


async def test_the_last_tasks_are_told_where_they_are(
    two: Engine, pair: dict[str, SimulatedCluster]
) -> None:
    for each in pair.values():
        each.behaviour = Behaviour(duration=lambda _t, _a: 1e6)
    campaign = await submit(two, 4, **TWO)
    await two.turn()

    told = {item.cluster: item.reason for item in (await two.api.explain(ANN, campaign)).clusters}

    assert told == {
        "one": "its last tasks run: none is left to start",
        "two": "its last tasks wait on one: 3 queued there",
    }
