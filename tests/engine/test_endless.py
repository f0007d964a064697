"""Campaigns that run the same command again and again, until a total or until they are stopped."""

import json

import attrs
import pytest

from cigri.clusters.simulated import SimulatedCluster
from cigri.domain.model import CampaignId
from cigri.store import audit, growth
from tests.engine.harness import ANN, Engine


def jdl(**fields: object) -> bytes:
    described = {"name": "c", "exec_file": "x", "clusters": {"sim": {}}}
    return json.dumps({**described, "jobs_type": "desktop_computing", **fields}).encode()


async def submit(engine: Engine, **fields: object) -> CampaignId:
    return (await engine.api.submit(ANN, jdl(**fields))).campaign.id


async def test_it_goes_on_until_it_is_stopped(
    engine: Engine, cluster: SimulatedCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(growth, "STOCK", 12)
    monkeypatch.setattr(growth, "LOW", 6)
    campaign = await submit(engine)

    for _ in range(25):
        await engine.turn()
        assert (await engine.api.get(campaign)).state == "in_treatment"
    in_flight = (await engine.api.get(campaign)).counts.in_flight
    await engine.api.cancel(ANN, campaign)
    await engine.turn()
    await engine.turn()

    found = await engine.api.get(campaign)
    assert found.counts.succeeded > 3 * growth.STOCK
    # What only stood by is gone; what a job held was asked for.
    assert found.counts.cancelled <= in_flight
    assert found.counts.total == found.counts.settled
    numbers = sorted(task for _, task, _ in cluster.executions)
    assert numbers == list(range(len(numbers)))
    async with engine.database.read() as db:
        assert await audit.recount(db, campaign) == found.counts


async def test_its_tasks_have_no_parameter_but_ids(engine: Engine) -> None:
    campaign = await submit(engine)
    tasks = await engine.tasks(ANN, campaign, 0, 3)

    assert [task.parameter for task in tasks] == ["", "", ""]
    assert [await engine.api.task(ANN, task.id) for task in tasks] == tasks


async def test_a_total_ends_it(engine: Engine, cluster: SimulatedCluster) -> None:
    campaign = await submit(engine, nb_jobs=5)

    assert await engine.run(campaign) == "terminated"
    assert (await engine.api.get(campaign)).counts.succeeded == len(cluster.executions) == 5


async def test_a_preview_says_that_there_is_no_end(engine: Engine) -> None:
    endless = await engine.api.preview(ANN, jdl())
    bounded = await engine.api.preview(ANN, jdl(nb_jobs=3))

    assert (endless.tasks, endless.samples) == (0, ((0, ("x",)),))
    assert (bounded.tasks, bounded.samples[-1]) == (3, (2, ("x",)))


async def test_a_sweep_is_refused_before_it_is_expanded(engine: Engine) -> None:
    engine.api._facts = attrs.evolve(engine.api._facts, max_tasks=1000)
    axes = {"a": "1..100000", "b": "1..10000"}
    described = json.loads(jdl(jobs_type="normal", param_grid=axes))

    with pytest.raises(Exception, match=r"1000000000 .*1000"):
        await engine.api.submit(ANN, json.dumps(described).encode())
