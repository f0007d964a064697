"""What becomes of campaigns and their tasks, on a cluster that works and on one that does not."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from cigri.clusters.simulated import Behaviour, SimulatedCluster
from cigri.domain.model import Caller, CampaignId, TaskState
from cigri.domain.scheduling import POLICIES
from cigri.engine.submitter import submit_once
from cigri.errors import (
    ClusterUnreachable,
    Conflict,
    InvalidJdl,
    NotAllowed,
    SubmissionRejected,
    SubmissionUnknown,
)
from cigri.store import audit
from tests.engine.harness import ANN, Engine

MALLORY = Caller(user="mallory")


def jdl(tasks: int = 10, **fields: object) -> bytes:
    return json.dumps(
        {"name": "c", "nb_jobs": tasks, "exec_file": "x", "clusters": {"sim": {}}, **fields}
    ).encode()


async def submit(engine: Engine, tasks: int = 10, **fields: object) -> CampaignId:
    return (await engine.api.submit(ANN, jdl(tasks, **fields))).campaign.id


async def counts(engine: Engine, campaign: CampaignId) -> dict[str, int]:
    found = (await engine.api.get(campaign)).counts
    async with engine.database.read() as db:
        assert await audit.recount(db, campaign) == found
    values = {state: getattr(found, state) for state in TaskState}
    return {state: count for state, count in values.items() if count}


async def test_a_campaign_runs_to_its_end(engine: Engine) -> None:
    campaign = await submit(engine, 25)

    assert await engine.run(campaign) == "terminated"
    assert await counts(engine, campaign) == {"succeeded": 25}
    task = (await engine.tasks(ANN, campaign, 24, 1))[0]
    assert (task.parameter, task.attempts, task.exit_status, task.cluster) == ("24", 1, 0, "sim")
    assert task.started_at is not None
    assert task.ended_at == task.started_at + 1


async def test_a_campaign_without_tasks_is_over_at_once(engine: Engine) -> None:
    campaign = await submit(engine, 0)

    assert (await engine.api.get(campaign)).state == "terminated"


async def test_parameters_arrive_in_their_order_whatever_they_are(engine: Engine) -> None:
    given = ["a b", "a b", "", "x\ny", ["exact", "words '"], "été"]
    campaign = await submit(engine, nb_jobs=None, params=given)

    tasks = await engine.tasks(ANN, campaign, 0, 100)

    assert [t.parameter for t in tasks] == [tuple(g) if isinstance(g, list) else g for g in given]
    assert [task.number for task in tasks] == list(range(6))


async def test_a_stream_of_lines_is_a_campaign(engine: Engine) -> None:
    async def blocks() -> AsyncIterator[bytes]:
        text = "".join(f"line {n}\n" for n in range(2500)).encode()
        for start in range(0, len(text), 777):
            yield text[start : start + 777]

    described = jdl(nb_jobs=None)
    campaign = (await engine.api.submit(ANN, described, blocks())).campaign

    assert campaign.counts.total == 2500
    (task,) = await engine.tasks(ANN, campaign.id, 2499, 5)
    assert task.parameter == "line 2499"
    assert (await engine.api.task(ANN, task.id)) == task


async def test_an_upload_that_breaks_leaves_nothing(engine: Engine) -> None:
    async def blocks() -> AsyncIterator[bytes]:
        yield b"line\n" * 100_000
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await engine.api.submit(ANN, jdl(nb_jobs=None), blocks())

    async with engine.database.read() as db:
        for table in ("campaign", "campaign_cluster", "parameter_chunk"):
            assert not await db.all(f"SELECT 1 FROM {table}")  # noqa: S608 - our own words


async def test_a_bad_parameter_in_the_middle_leaves_nothing(engine: Engine) -> None:
    with pytest.raises(InvalidJdl, match="/params/1500"):
        await submit(engine, nb_jobs=None, params=["ok"] * 1500 + [None])

    assert (await engine.api.listing(list(TaskState), 10, 0)).items == ()  # type: ignore[arg-type]


@pytest.fixture
def failing(cluster: SimulatedCluster) -> SimulatedCluster:
    """Task 3 fails at its first attempt, 4 asks to run again, 5 asks so for the end."""
    bad = {(3, 1): 9, (4, 1): 66, (5, 1): 67}
    cluster.behaviour = Behaviour(exit_status=lambda task, attempt: bad.get((task, attempt), 0))
    return cluster


async def test_a_failure_is_an_event_and_fix_runs_it_again(
    engine: Engine, failing: SimulatedCluster
) -> None:
    campaign = await submit(engine, 10)

    assert await engine.run(campaign) == "terminated"
    assert await counts(engine, campaign) == {"succeeded": 9, "failed": 1}
    (event,) = await engine.events(ANN, campaign)
    assert (event.code, event.task, event.exit_status, event.count) == ("EXIT_ERROR", 3, 9, 1)
    assert event.message.splitlines() == [
        "a task ended with an error: exit status 9 (task 3)",
        "err of task 3",
    ]
    assert (await engine.api.get(campaign)).open_events == 1

    fixed = await engine.api.fix(ANN, campaign, resubmit=True)

    assert (fixed.closed, fixed.resubmitted) == (1, 1)
    assert (await engine.api.get(campaign)).state == "in_treatment"
    assert await engine.run(campaign) == "terminated"
    assert await counts(engine, campaign) == {"succeeded": 10}
    assert (await engine.tasks(ANN, campaign, 3, 1))[0].attempts == 2
    assert (await engine.api.get(campaign)).open_events == 0


async def test_66_and_67_run_again_first_and_last(
    engine: Engine, failing: SimulatedCluster
) -> None:
    campaign = await submit(engine, 40)
    await engine.run(campaign)

    order = [task for _, task, attempt in failing.executions if attempt == 2]
    places = {task: i for i, (_, task, a) in enumerate(failing.executions) if a == 2}
    assert order == [4, 5]
    assert places[5] == 41
    assert places[4] < 41
    assert await counts(engine, campaign) == {"succeeded": 39, "failed": 1}


async def test_equal_failures_are_one_event(engine: Engine, cluster: SimulatedCluster) -> None:
    cluster.behaviour = Behaviour(exit_status=lambda task, _attempt: task % 3)
    campaign = await submit(engine, 300)
    await engine.run(campaign)

    events = await engine.events(ANN, campaign)
    assert {event.exit_status: event.count for event in events} == {1: 100, 2: 100}

    fixed = await engine.api.fix_event(ANN, events[0].id, resubmit=True)
    assert (fixed.closed, fixed.resubmitted) == (1, 100)


async def test_pause_stops_starting_and_resume_goes_on(
    engine: Engine, cluster: SimulatedCluster
) -> None:
    campaign = await submit(engine, 50)
    await engine.turn()

    await engine.api.pause(ANN, campaign)
    for _ in range(5):
        await engine.turn()

    found = await counts(engine, campaign)
    assert "queued" not in found
    assert "running" not in found
    await engine.api.resume(ANN, campaign)
    assert await engine.run(campaign) == "terminated"
    assert len(cluster.executions) == 50


async def test_cancel_kills_what_runs_and_settles_the_rest(
    engine: Engine, cluster: SimulatedCluster
) -> None:
    cluster.behaviour = Behaviour(duration=lambda _task, _attempt: 1e6)
    campaign = await submit(engine, 50)
    await engine.turn()

    await engine.api.cancel(ANN, campaign)
    for _ in range(3):
        await engine.turn()

    assert await counts(engine, campaign) == {"cancelled": 50}
    assert cluster.live() == []
    states = {task.state for task in await engine.tasks(ANN, campaign, 0, 50)}
    assert states == {TaskState.CANCELLED}
    with pytest.raises(Conflict):
        await engine.api.cancel(ANN, campaign)


async def test_a_lost_job_costs_its_tasks_nothing(
    engine: Engine, cluster: SimulatedCluster
) -> None:
    campaign = await submit(engine, 8)
    await engine.turn(0.5)
    for remote_id in cluster.live():
        cluster.lose(remote_id)

    assert await engine.run(campaign) == "terminated"
    assert await counts(engine, campaign) == {"succeeded": 8}
    events = await engine.events(ANN, campaign, closed=True)
    assert {event.code for event in events} == {"JOB_LOST"}
    assert not any(event.open for event in events)


async def test_max_jobs_bounds_the_tasks_in_flight(engine: Engine) -> None:
    campaign = await submit(engine, 30, max_jobs=3)
    for _ in range(5):
        await engine.turn()
        assert (await engine.api.get(campaign)).counts.in_flight <= 3
    assert await engine.run(campaign) == "terminated"


class Broken:
    """A driver whose submissions end as told; everything else works."""

    def __init__(
        self, inner: SimulatedCluster, failures: list[Exception], *, arrives: bool
    ) -> None:
        self._inner = inner
        self._failures = failures
        self._arrives = arrives

    def __getattr__(self, name: str) -> object:
        return getattr(self._inner, name)

    async def submit(self, batch: object) -> object:
        if not self._failures:
            return await self._inner.submit(batch)  # type: ignore[arg-type]
        if self._arrives:
            await self._inner.submit(batch)  # type: ignore[arg-type]
        raise self._failures.pop()


def break_submissions(engine: Engine, failure: Exception, *, arrives: bool = False) -> None:
    (site,) = engine.runtime.sites.values()
    object.__setattr__(site, "driver", Broken(site.driver, [failure], arrives=arrives))  # type: ignore[arg-type]


@pytest.mark.parametrize("arrives", [True, False])
async def test_a_lost_answer_runs_nothing_twice(
    engine: Engine, cluster: SimulatedCluster, *, arrives: bool
) -> None:
    break_submissions(engine, SubmissionUnknown("no answer"), arrives=arrives)
    campaign = await submit(engine, 20)

    assert await engine.run(campaign) == "terminated"
    assert sorted(task for _, task, _ in cluster.executions) == list(range(20))


async def test_a_lost_answer_is_looked_for_at_once(engine: Engine) -> None:
    break_submissions(engine, SubmissionUnknown("no answer"))
    await submit(engine, 4)
    (site,) = engine.runtime.sites.values()
    site.submitter.still()

    await submit_once(engine.runtime, site, POLICIES["turns"])

    async with asyncio.timeout(5):
        await site.submitter.wait(3600)


async def test_an_unreachable_cluster_is_left_alone_and_taken_back(engine: Engine) -> None:
    break_submissions(engine, ClusterUnreachable("connection refused"))
    campaign = await submit(engine, 4)
    await engine.turn()

    found = await engine.api.get(campaign)
    assert found.counts.pending == 4
    assert "connection refused" in (engine.api.reason(found) or "")

    assert await engine.run(campaign) == "terminated"
    (status,) = await engine.api.clusters()
    assert status.hold is None


async def test_a_refused_submission_holds_the_campaign_until_it_is_fixed(engine: Engine) -> None:
    break_submissions(engine, SubmissionRejected("no such queue"))
    campaign = await submit(engine, 4)
    for _ in range(3):
        await engine.turn()

    found = await engine.api.get(campaign)
    assert found.state == "in_treatment"
    assert engine.api.reason(found) == "held on sim: no such queue"
    (event,) = await engine.events(ANN, campaign)
    assert event.code == "SUBMISSION_REJECTED"

    await engine.api.fix(ANN, campaign, resubmit=False)
    assert await engine.run(campaign) == "terminated"


async def test_only_the_owner_looks_inside_and_changes(engine: Engine) -> None:
    campaign = await submit(engine, 4)
    (task,) = await engine.tasks(ANN, campaign, 0, 1)
    for call in (
        engine.tasks(MALLORY, campaign, 0, 1),
        engine.api.task(MALLORY, task.id),
        engine.api.jdl(MALLORY, campaign),
        engine.events(MALLORY, campaign),
        engine.api.fix(MALLORY, campaign, resubmit=True),
        engine.api.pause(MALLORY, campaign),
        engine.api.cancel(MALLORY, campaign),
        engine.api.rename(MALLORY, campaign, "mine"),
        engine.api.output(MALLORY, task.id, "out", 10),
    ):
        with pytest.raises(NotAllowed):
            await call
    admin = Caller(user="root", admin=True)
    assert (await engine.api.rename(admin, campaign, "new")).name == "new"


@pytest.mark.parametrize("state", list(TaskState))
async def test_tasks_are_found_by_their_state(
    engine: Engine, failing: SimulatedCluster, state: TaskState
) -> None:
    campaign = await submit(engine, 2100)
    for _ in range(3):
        await engine.turn(0.7)

    everything = await engine.tasks(ANN, campaign, 0, 3000)
    chosen = await engine.tasks(ANN, campaign, 5, 2000, state)

    assert (
        chosen == [task for task in everything if task.number >= 5 and task.state is state][:2000]
    )


async def test_two_users_share_a_cluster(engine: Engine, cluster: SimulatedCluster) -> None:
    big = await submit(engine, 500)
    bob = Caller(user="bob")
    small = (await engine.api.submit(bob, jdl(6))).campaign.id
    await engine.turn()
    await engine.turn()

    started = {campaign for campaign, _, _ in cluster.executions}
    assert started == {int(big), int(small)}


async def test_who_paused_resumed_and_cancelled_is_told_in_closed_events(engine: Engine) -> None:
    campaign = await submit(engine)
    await engine.api.pause(ANN, campaign)
    await engine.api.resume(ANN, campaign)
    await engine.api.cancel(ANN, campaign)

    found = await engine.events(ANN, campaign, closed=True)

    assert [event.code for event in found] == ["PAUSED", "RESUMED", "USER_FRAG"]
    assert not any(event.open for event in found)
    assert found[0].message == "the campaign was paused by ann"
