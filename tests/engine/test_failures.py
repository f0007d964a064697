"""Failures: told by their cause, tried again, and too many of them."""

import re

import pytest

from cigri.clusters.simulated import Behaviour, SimulatedCluster
from cigri.domain.model import CampaignId, Counts, TaskNumber
from cigri.domain.reactions import EventCode
from cigri.domain.verdict import Ending, TaskEnd
from cigri.engine.incidents import LOOKS, describe
from cigri.errors import ClusterUnreachable, Fault
from tests.engine.harness import ANN, Engine
from tests.engine.test_campaigns import counts, submit
from tests.engine.test_steps import TWO, codes, pair, two

__all__ = ["pair", "two"]


def failing(cluster: SimulatedCluster, says: str = "err of task {}\n", status: int = 1) -> None:
    cluster.behaviour = Behaviour(
        duration=lambda _t, _a: 0.001,
        exit_status=lambda _t, _a: status,
        says=says.format,
    )


def test_of_what_never_ran_no_exit_status_is_told() -> None:
    end = TaskEnd(TaskNumber(7), Ending.NO_DIRECTORY, None, 0.0, 0.0)

    told = describe(EventCode.WORKING_DIRECTORY_ERROR, end, "CiGri: /x: no such directory")

    first, last = told.splitlines()
    assert first.endswith("or closed to its user (task 7)")
    assert last == "CiGri: /x: no such directory"


# --- by cause ----------------------------------------------------------------------------------


async def told(engine: Engine, campaign: CampaignId) -> dict[str | None, int]:
    return {event.cause: event.count for event in await engine.events(ANN, campaign)}


async def test_equal_failures_are_one_event_however_many(
    engine: Engine, cluster: SimulatedCluster
) -> None:
    failing(cluster, "run {}: no space left\n")
    campaign = await submit(engine, 5000)
    await engine.run(campaign)

    assert await told(engine, campaign) == {"run N: no space left": 5000}


async def test_failures_with_different_last_words_are_different_events(
    engine: Engine, cluster: SimulatedCluster
) -> None:
    words = ["no space", "no memory", "no luck"]
    failing(cluster)
    cluster.behaviour = Behaviour(
        exit_status=lambda _t, _a: 1, says=lambda task: f"started\n{words[task % 3]}\n"
    )
    campaign = await submit(engine, 30)
    await engine.run(campaign)

    assert await told(engine, campaign) == dict.fromkeys(words, 10)
    (event, *_) = await engine.events(ANN, campaign)
    fixed = await engine.api.fix_event(ANN, event.id, resubmit=True)
    # Those of its exit status, whatever they said.
    assert (fixed.closed, fixed.resubmitted) == (1, 30)


async def test_a_file_that_hangs_costs_one_time_out_in_a_cycle(
    engine: Engine, cluster: SimulatedCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever lays one there, or a cluster that hangs, would hold up the ends of everybody."""
    cluster.behaviour = Behaviour(exit_status=lambda task, _a: 1 + task % 50)
    asked: list[object] = []

    async def hangs(*_: object) -> object:
        asked.append(None)
        message = "no answer"
        raise ClusterUnreachable(message, fault=Fault.TIMEOUT)

    monkeypatch.setattr(cluster, "outputs", hangs)
    campaign = await submit(engine, 500)
    most = 0
    while (await engine.api.get(campaign)).state != "terminated":
        asked.clear()
        await engine.turn()
        most = max(most, len(asked))

    assert most == 1
    assert len(await engine.events(ANN, campaign)) > 1


async def test_no_more_than_some_are_looked_at_in_one_cycle_and_all_are_counted(
    engine: Engine, cluster: SimulatedCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing(cluster, "x{}\n")
    looked: list[int] = []
    outputs = cluster.outputs

    async def counted(job: object, tasks: list[int], *rest: object) -> object:
        looked.append(len(tasks))
        return await outputs(job, tasks, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(cluster, "outputs", counted)
    campaign = await submit(engine, 3000)
    while (await engine.api.get(campaign)).state != "terminated":
        looked.clear()
        await engine.turn()
        assert sum(looked) <= LOOKS
    assert await told(engine, campaign) == {"xN": 3000}


async def test_causes_are_bounded_whatever_programs_say(
    engine: Engine, cluster: SimulatedCluster
) -> None:
    letters = "abcdefghijklmnopqrstuvwxyz"
    failing(cluster)
    cluster.behaviour = Behaviour(
        exit_status=lambda _t, _a: 1,
        says=lambda task: letters[task % 26] + letters[task // 26 % 26] + "!\n",
    )
    campaign = await submit(engine, 500)
    await engine.run(campaign)

    found = await told(engine, campaign)
    assert len(found) <= 30
    assert sum(found.values()) == 500


async def test_hostile_words_are_made_plain(engine: Engine, cluster: SimulatedCluster) -> None:
    failing(cluster, "\x1b]0;title\x07\x1b[31mred\x1b[0m \u202etxet\x00\x08" + "y" * 9000)
    campaign = await submit(engine, 2)
    await engine.run(campaign)

    (event,) = await engine.events(ANN, campaign)
    assert len(event.message) < 1000
    assert event.message.isprintable() or event.message.count("\n") == 1
    assert event.cause is not None
    assert len(event.cause) <= 200


async def test_a_task_that_says_nothing_has_no_cause(
    engine: Engine, cluster: SimulatedCluster
) -> None:
    failing(cluster, "\n  \n")
    campaign = await submit(engine, 10)
    await engine.run(campaign)

    assert await told(engine, campaign) == {None: 10}


# --- tried again -------------------------------------------------------------------------------


async def test_a_task_is_tried_again_as_often_as_its_campaign_says(
    engine: Engine, cluster: SimulatedCluster
) -> None:
    cluster.behaviour = Behaviour(
        exit_status=lambda task, attempt: int(
            attempt <= (2 if task == 3 else 9 if task == 5 else 0)
        )
    )
    campaign = await submit(engine, 10, retries=2)
    await engine.run(campaign)

    assert await counts(engine, campaign) == {"succeeded": 9, "failed": 1}
    (event,) = await engine.events(ANN, campaign)
    assert (event.task, event.count) == (5, 1)
    attempts = {t.number: t.attempts for t in await engine.tasks(ANN, campaign, 0, 10)}
    assert attempts == {n: {3: 3, 5: 3}.get(n, 1) for n in range(10)}


async def test_what_is_tried_again_comes_after_all_others(
    engine: Engine, cluster: SimulatedCluster
) -> None:
    cluster.behaviour = Behaviour(exit_status=lambda task, attempt: int((task, attempt) == (0, 1)))
    campaign = await submit(engine, 40, retries=1)
    await engine.run(campaign)

    assert cluster.executions[-1] == (1, 0, 2)
    assert await codes(engine, campaign) == []


async def test_after_a_fix_tasks_have_all_their_retries_again(
    engine: Engine, cluster: SimulatedCluster
) -> None:
    cluster.behaviour = Behaviour(exit_status=lambda _task, attempt: int(attempt < 4))
    campaign = await submit(engine, 2, retries=1)
    await engine.run(campaign)
    assert await counts(engine, campaign) == {"failed": 2}

    await engine.api.fix(ANN, campaign, resubmit=True)

    assert await engine.run(campaign) == "terminated"
    assert await counts(engine, campaign) == {"succeeded": 2}


async def test_67_is_no_failure_that_uses_up_retries(
    engine: Engine, cluster: SimulatedCluster
) -> None:
    cluster.behaviour = Behaviour(
        exit_status=lambda _task, attempt: {1: 67, 2: 67, 3: 1}.get(attempt, 0)
    )
    campaign = await submit(engine, 1, retries=1)
    await engine.run(campaign)

    assert await counts(engine, campaign) == {"succeeded": 1}


# --- too many ----------------------------------------------------------------------------------


@pytest.mark.parametrize("most", [5, "5%"])
async def test_too_many_failures_pause_the_campaign(
    engine: Engine, cluster: SimulatedCluster, most: object
) -> None:
    failing(cluster)
    campaign = await submit(engine, 100, max_fails=most, max_jobs=2)
    for _ in range(20):
        await engine.turn()

    found = await engine.api.get(campaign)
    assert found.state == "paused"
    assert 6 <= found.counts.failed <= 8
    assert sorted(await codes(engine, campaign)) == ["EXIT_ERROR", "TOO_MANY_FAILURES"]


async def test_a_campaign_that_fails_throughout_does_not_hand_out_all_its_tasks(
    engine: Engine, cluster: SimulatedCluster
) -> None:
    slots = await cluster.slots()
    cluster.behaviour = Behaviour(duration=lambda _t, _a: 0.001, exit_status=lambda _t, _a: 1)
    campaign = await submit(engine, 500, max_fails=2 * slots + 5)
    for _ in range(20):
        await engine.turn()

    found = await engine.api.get(campaign)
    assert found.state == "paused"
    # What was handed out before anything was known of it, what may fail, and a round of slots.
    assert found.counts.failed <= 2 * slots + 5 + 1 + slots


async def till_it_rests(engine: Engine, campaign: CampaignId) -> Counts:
    for _ in range(60):
        await engine.turn()
    found = await engine.api.get(campaign)
    assert found.state == "paused"
    assert not found.counts.in_flight
    return found.counts


@pytest.mark.parametrize(
    ("tasks", "limit", "allowed"),
    [(3000, {"max_fails": 20}, 20), (300, {"max_fails": "50%", "retries": 1}, 150)],
)
async def test_on_two_clusters_no_more_than_a_round_of_slots_fails_beyond_the_limit(
    two: Engine,
    pair: dict[str, SimulatedCluster],
    tasks: int,
    limit: dict[str, object],
    allowed: int,
) -> None:
    for each in pair.values():
        failing(each)
    slots = sum([await each.slots() for each in pair.values()])
    campaign = await submit(two, tasks, **TWO, **limit)

    found = await till_it_rests(two, campaign)

    assert allowed < found.failed <= allowed + slots + 1


async def test_after_a_resubmission_no_more_than_a_round_of_slots_fails_beyond_the_limit(
    engine: Engine, cluster: SimulatedCluster
) -> None:
    slots = await cluster.slots()
    failing(cluster)
    campaign = await submit(engine, 3000, max_fails=20)
    for _ in range(4):
        assert 20 < (await till_it_rests(engine, campaign)).failed <= 20 + slots + 1
        await engine.api.fix(ANN, campaign, resubmit=True)


async def test_a_campaign_that_succeeds_keeps_its_whole_lookahead(
    engine: Engine, cluster: SimulatedCluster
) -> None:
    cluster.behaviour = Behaviour(
        duration=lambda _t, _a: 0.001, exit_status=lambda task, _a: int(task == 7)
    )
    seen = []
    for most in (None, 20):
        limit = {} if most is None else {"max_fails": most}
        campaign = await submit(engine, 20_000, **limit)
        turns = 0
        while (await engine.api.get(campaign)).state != "terminated":
            await engine.turn()
            turns += 1
        seen.append(turns)

    assert seen[1] <= seen[0] + 1


async def test_the_event_tells_how_many_had_failed_when_it_paused(
    engine: Engine, cluster: SimulatedCluster
) -> None:
    failing(cluster)
    campaign = await submit(engine, 100, max_fails=5, max_jobs=2)
    for _ in range(20):
        await engine.turn()

    (event,) = [it for it in await engine.events(ANN, campaign) if it.code == "TOO_MANY_FAILURES"]
    assert re.search(r": \d when it paused, at most 5 may$", event.message)


async def test_resuming_accepts_the_failures_so_far(
    engine: Engine, cluster: SimulatedCluster
) -> None:
    failing(cluster)
    campaign = await submit(engine, 100, max_fails=5, max_jobs=2)
    for _ in range(20):
        await engine.turn()
    before = (await engine.api.get(campaign)).counts.failed

    await engine.api.resume(ANN, campaign)
    assert "TOO_MANY_FAILURES" not in await codes(engine, campaign)
    for _ in range(20):
        await engine.turn()

    found = await engine.api.get(campaign)
    assert found.state == "paused"
    assert before + 6 <= found.counts.failed <= before + 8


@pytest.mark.parametrize("whole", [True, False])
async def test_a_fix_lets_it_go_on(
    engine: Engine, cluster: SimulatedCluster, *, whole: bool
) -> None:
    cluster.behaviour = Behaviour(
        duration=lambda _t, _a: 0.001, exit_status=lambda _task, attempt: int(attempt == 1)
    )
    campaign = await submit(engine, 12, max_fails=2, max_jobs=2)
    for _ in range(20):
        await engine.turn()
    assert (await engine.api.get(campaign)).state == "paused"

    if whole:
        await engine.api.fix(ANN, campaign, resubmit=True)
    else:
        for event in await engine.events(ANN, campaign):
            await engine.api.fix_event(ANN, event.id, resubmit=False)

    assert (await engine.api.get(campaign)).state == "in_treatment"
    assert await codes(engine, campaign) == []


async def test_as_many_failures_as_allowed_are_no_reason(
    engine: Engine, cluster: SimulatedCluster
) -> None:
    cluster.behaviour = Behaviour(exit_status=lambda task, _attempt: int(task < 3))
    campaign = await submit(engine, 20, max_fails=3)

    assert await engine.run(campaign) == "terminated"


async def test_a_campaign_with_nothing_left_to_start_does_not_pause(
    engine: Engine, cluster: SimulatedCluster
) -> None:
    failing(cluster)
    campaign = await submit(engine, 3, max_fails=0)

    assert await engine.run(campaign) == "terminated"
    assert await codes(engine, campaign) == ["EXIT_ERROR"]
