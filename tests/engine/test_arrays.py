"""Campaigns on a cluster where each task is a job of its own, and others have their say there."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cigri.clusters.simulated import Behaviour, SimulatedCluster
from cigri.clusters.simulated_host import SimulatedJob
from cigri.domain.attempt import Attempt
from cigri.domain.capacity import Capacity
from cigri.domain.model import CampaignId, JobKind
from cigri.store import audit, executions
from tests.engine.harness import ANN, Clock, Engine, engine_on

TASKS = 12
#: What befalls the first, second … job that is not over: killed for another's, killed and run
#: again by the cluster itself, deleted, lost.
mishaps = st.lists(
    st.tuples(st.sampled_from(["preempt", "replace", "delete", "lose"]), st.integers(0, 7)),
    max_size=3,
)


def description(**fields: object) -> bytes:
    return json.dumps(
        {"name": "arrays", "nb_jobs": TASKS, "exec_file": "x", "clusters": {"sim": fields}}
    ).encode()


def strike(cluster: SimulatedCluster, kind: str, which: int) -> None:
    live = cluster.live()
    if which >= len(live):
        return
    match kind:
        case "preempt":
            cluster.preempt(live[which])
        case "replace":
            cluster.preempt(live[which], again=True)
        case "delete":
            cluster.delete(live[which])
        case "lose":
            cluster.lose(live[which])


async def attempts(engine: Engine, campaign: CampaignId) -> list[Attempt]:
    async with engine.database.read() as db:
        return await executions.of_campaign(db, campaign)


def ran(cluster: SimulatedCluster) -> list[SimulatedJob]:
    """Return the jobs of tasks that began on the cluster, as its own accounting has them."""
    return [job for job in cluster.jobs.values() if job.started_at and job.kind is JobKind.TASKS]


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(mishaps, max_size=8))
async def test_whatever_befalls_jobs_the_accounts_are_those_of_the_cluster(
    turns: list[list[tuple[str, int]]],
) -> None:
    clock = Clock()
    behaviour = Behaviour(
        duration=lambda task, _attempt: 0.5 + task % 3,
        exit_status=lambda task, attempt: 66 if (task, attempt) == (7, 1) else 0,
    )
    capacity = Capacity(arrays=True, most_in_submission=5)
    cluster = SimulatedCluster(clock, behaviour=behaviour, capacity=capacity)
    with TemporaryDirectory() as directory:
        async with engine_on(Path(directory) / "c.db", {"sim": cluster}, clock) as engine:
            campaign = (await engine.api.submit(ANN, description())).campaign.id
            for struck in turns:
                await engine.turn()
                for kind, which in struck:
                    strike(cluster, kind, which)
            assert await engine.run(campaign) == "terminated"

            found = await engine.api.get(campaign)
            assert found.counts.succeeded == TASKS
            async with engine.database.read() as db:
                assert await audit.recount(db, campaign) == found.counts
            known = await attempts(engine, campaign)
    # Row by row: each remote job that began is an attempt, with the times of the cluster.
    began = {str(job.number): job.started_at for job in ran(cluster)}
    assert {each.remote_id: each.started_at for each in known} == began
    assert len(known) == len(began)
    for task in range(TASKS):
        own = [each for each in known if each.task == task]
        assert [each.number for each in own] == list(range(1, len(own) + 1))
        assert [each.ending for each in own].count(None) == 1


async def test_arrays_and_groups_are_as_the_campaign_asks(quick_path: Path) -> None:
    clock = Clock()
    capacity = Capacity(arrays=True, group_duration=60.0)
    cluster = SimulatedCluster(clock, capacity=capacity)
    async with engine_on(quick_path / "c.db", {"sim": cluster}, clock) as engine:
        for fields in ({}, {"temporal_grouping": True}):
            campaign = (await engine.api.submit(ANN, description(**fields))).campaign.id
            assert await engine.run(campaign) == "terminated"

    jobs = {number: [job for job in ran(cluster) if job.campaign == number] for number in (1, 2)}
    assert [len(job.journal) for job in jobs[1]] == [1] * TASKS
    assert sum(len(job.journal) for job in jobs[2]) == TASKS
    assert len(jobs[2]) < TASKS


@pytest.mark.parametrize("kind", ["preempt", "replace", "lose", "delete"])
async def test_a_task_that_is_struck_runs_again_at_once(quick_path: Path, kind: str) -> None:
    clock = Clock()
    cluster = SimulatedCluster(
        clock,
        slots=2,
        behaviour=Behaviour(duration=lambda _task, _attempt: 5.0),
        capacity=Capacity(arrays=True),
    )
    async with engine_on(quick_path / "c.db", {"sim": cluster}, clock) as engine:
        campaign = (await engine.api.submit(ANN, description())).campaign.id
        await engine.turn()
        strike(cluster, kind, 0)
        assert await engine.run(campaign) == "terminated"
        codes = [event.code for event in await engine.events(ANN, campaign, closed=True)]

    told = {"lose": ["JOB_LOST"], "delete": ["JOB_DELETED"]}
    assert codes == told.get(kind, [])
    order = [task for _, task, _ in cluster.executions]
    assert order.count(0) == 2
    assert len(order) == TASKS + 1
