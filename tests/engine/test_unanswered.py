"""Submissions whose answer was lost: looked for, given up after the fence, killed when late."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cigri.clusters.simulated import Behaviour, SimulatedCluster
from cigri.domain.model import Caller, CampaignId
from cigri.domain.scheduling import POLICIES
from cigri.engine.submitter import submit_once
from cigri.engine.unanswered import LOOKS, PAUSES
from cigri.errors import ClusterUnreachable, SubmissionRejected
from tests.engine.faulty import Faulty
from tests.engine.harness import ANN, Clock, Engine, engine_on
from tests.engine.test_campaigns import counts, jdl, submit
from tests.engine.test_illness import codes, of_clusters

FENCE = 120.0


@pytest.fixture
def wire(cluster: SimulatedCluster) -> Faulty:
    return Faulty(cluster, fence=FENCE)


@pytest.fixture
async def far(tmp_path: Path, wire: Faulty, clock: Clock) -> AsyncIterator[Engine]:
    """An engine whose only cluster has a fence."""
    async with engine_on(tmp_path / "far.db", {"sim": wire}, clock) as running:  # type: ignore[dict-item]
        yield running


async def in_flight(engine: Engine, campaign: CampaignId) -> int:
    return (await engine.api.get(campaign)).counts.in_flight


def ran(cluster: SimulatedCluster) -> list[int]:
    return sorted(task for _, task, _ in cluster.executions)


async def test_what_did_arrive_is_taken_up_at_the_next_look(
    far: Engine, wire: Faulty, cluster: SimulatedCluster
) -> None:
    wire.fates = ["there"]
    campaign = await submit(far, 4)
    await far.turn()

    assert await far.run(campaign, turns=10) == "terminated"
    assert ran(cluster) == [0, 1, 2, 3]
    assert wire.renounced == []


async def test_what_is_not_there_comes_back_after_the_fence_and_is_renounced(
    far: Engine, wire: Faulty, cluster: SimulatedCluster
) -> None:
    wire.fates = ["lost"]
    campaign = await submit(far, 4)
    await far.turn()
    for _ in range(int(FENCE) - 2):
        await far.turn()
    assert await in_flight(far, campaign) == 4
    assert wire.renounced == []
    (event,) = await of_clusters(far)
    assert event.code == "POST_TIMEOUT"

    assert await far.run(campaign, turns=10) == "terminated"
    assert len(wire.renounced) == 1
    assert ran(cluster) == [0, 1, 2, 3]
    assert await codes(far) == []


async def test_what_appears_between_renouncing_and_the_last_look_is_taken_up(
    far: Engine, wire: Faulty, cluster: SimulatedCluster
) -> None:
    wire.fates = ["late"]
    campaign = await submit(far, 4)
    await far.turn(FENCE)
    renounce = wire.renounce

    async def slow(tag: str, user: str) -> None:
        await renounce(tag, user)
        await wire.arrive()

    wire.renounce = slow  # type: ignore[method-assign]

    assert await far.run(campaign, turns=10) == "terminated"
    assert ran(cluster) == [0, 1, 2, 3]


async def test_a_crash_after_renouncing_repeats_it(
    tmp_path: Path, wire: Faulty, clock: Clock, cluster: SimulatedCluster
) -> None:
    wire.fates = ["lost"]
    path = tmp_path / "crash.db"
    async with engine_on(path, {"sim": wire}, clock) as engine:  # type: ignore[dict-item]
        campaign = await submit(engine, 4)
        await engine.turn(FENCE)
        find = wire.find

        async def dying(*_: object) -> object:
            if wire.renounced:
                raise ClusterUnreachable("gone")
            return await find(*_)  # type: ignore[arg-type]

        wire.find = dying  # type: ignore[assignment,method-assign]
        await engine.turn(10)
        wire.find = find  # type: ignore[method-assign]
    async with engine_on(path, {"sim": wire}, clock) as engine:  # type: ignore[dict-item]
        assert await engine.run(campaign, turns=10) == "terminated"
    assert len(wire.renounced) == 2
    assert ran(cluster) == [0, 1, 2, 3]


async def test_one_in_doubt_does_not_keep_others_back_for_long(
    far: Engine, wire: Faulty, cluster: SimulatedCluster
) -> None:
    wire.fates = ["lost"]
    lost = await submit(far, 4)
    await far.turn()
    other = await submit(far, 4)

    assert await far.run(other, turns=10) == "terminated"
    assert await in_flight(far, lost) == 4
    assert ran(cluster) == [0, 1, 2, 3]


async def test_a_cluster_that_answers_no_submission_is_sent_ever_fewer(
    far: Engine, wire: Faulty
) -> None:
    wire.fates = ["lost"] * 100
    campaigns = [await submit(far, 1) for _ in range(20)]
    sent = []
    for second in range(int(FENCE)):
        before = wire.asked.count("submit")
        await far.turn(1)
        sent += [second] * (wire.asked.count("submit") - before)

    assert sent == [0, 2, 12, 42]
    assert len(sent) == len(PAUSES)
    assert wire.asked.count("find") <= len(sent) * (LOOKS + 1)
    # Four are in doubt, and the others are told why they wait.
    (told,) = (await far.api.explain(ANN, campaigns[-1])).clusters
    assert (told.code, told.reason) == (
        "unanswered",
        "4 submissions there were not answered: before more is sent, they are looked for",
    )


async def test_the_first_lost_answer_ends_the_cycle(far: Engine, wire: Faulty) -> None:
    wire.fates = ["lost"] * 9
    for _ in range(9):
        await submit(far, 1)
    (site,) = far.runtime.sites.values()

    await submit_once(far.runtime, site, POLICIES["turns"])

    assert wire.asked.count("submit") == 1


# --- late duplicates ---------------------------------------------------------------------------


async def test_what_appears_after_it_was_given_up_is_killed_and_told(
    far: Engine, wire: Faulty, cluster: SimulatedCluster, clock: Clock
) -> None:
    cluster.behaviour = Behaviour(duration=lambda _t, _a: 1e5)
    wire.fates = ["late"]
    campaign = await submit(far, 2)
    await far.turn(FENCE)
    await far.turn(10)
    assert len(cluster.live()) == 1, "it was given up, and its tasks were sent again"
    await wire.arrive()
    assert len(cluster.live()) == 2
    clock.pass_(400)
    await far.turn()

    assert len(wire.killed) == 1
    assert len(cluster.live()) == 1
    found = await far.events(ANN, campaign, closed=True)
    (event,) = [event for event in found if event.code == "LATE_DUPLICATE"]
    assert not event.open
    assert wire.killed[0] in event.message

    clock.pass_(400)
    await far.turn()
    assert len(wire.killed) == 1, "once is enough"


async def test_it_is_looked_for_in_growing_intervals_and_for_a_day(
    far: Engine, wire: Faulty, cluster: SimulatedCluster, clock: Clock
) -> None:
    cluster.behaviour = Behaviour(duration=lambda _t, _a: 1e6)
    wire.fates = ["lost"]
    await submit(far, 2)
    await far.turn(FENCE)
    await far.turn()
    wire.asked.clear()

    for _ in range(2 * 24 * 12):
        clock.pass_(300)
        await far.turn(0)

    assert 8 <= wire.asked.count("find") <= 10
    assert wire.killed == []


async def test_a_restart_looks_for_it_again(
    tmp_path: Path, wire: Faulty, clock: Clock, cluster: SimulatedCluster
) -> None:
    cluster.behaviour = Behaviour(duration=lambda _t, _a: 1e5)
    wire.fates = ["late"]
    path = tmp_path / "late.db"
    async with engine_on(path, {"sim": wire}, clock) as engine:  # type: ignore[dict-item]
        campaign = await submit(engine, 2)
        await engine.turn(FENCE)
        await engine.turn(10)
        await wire.arrive()
    async with engine_on(path, {"sim": wire}, clock) as engine:  # type: ignore[dict-item]
        await engine.turn()
        assert await counts(engine, campaign) in ({"running": 1, "queued": 1}, {"running": 2})
    assert len(wire.killed) == 1


async def test_a_user_who_is_not_let_in_any_more_keeps_nobody_back(
    far: Engine, wire: Faulty, cluster: SimulatedCluster
) -> None:
    wire.fates = ["there"]
    campaign = await submit(far, 4)
    await far.turn(0)
    find = wire.find

    async def refusing(*_: object) -> object:
        wire.asked.append("find")
        raise SubmissionRejected("the token of ann has expired")

    wire.find = refusing  # type: ignore[assignment,method-assign]
    for _ in range(200):
        await far.turn(1)
    bob = Caller(user="bob")
    other = (await far.api.submit(bob, jdl(3))).campaign.id
    assert await far.run(other, turns=10) == "terminated"
    assert await in_flight(far, campaign) == 4
    (event,) = await far.events(ANN, campaign)
    assert (event.code, event.count) == ("SUBMISSION_REJECTED", 1)
    assert event.message.endswith("the token of ann has expired")
    assert wire.asked.count("find") <= 200 / FENCE * LOOKS + 3

    wire.find = find  # type: ignore[method-assign]
    await far.api.fix(ANN, campaign, resubmit=False)
    assert await far.run(campaign, turns=30) == "terminated"
    assert sorted(cluster.executions) == sorted(set(cluster.executions))
