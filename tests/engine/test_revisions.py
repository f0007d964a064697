"""Whatever a reader could see of a campaign counts its revision up, whoever changes it."""

import json
from collections.abc import Awaitable, Callable

import pytest

from cigri.clusters.simulated import Behaviour, SimulatedCluster
from cigri.domain.model import CampaignId
from cigri.domain.reactions import EventCode
from cigri.errors import SubmissionRejected
from cigri.store import campaigns, events
from cigri.store.events import Incident
from tests.engine.harness import ANN, Engine


def jdl(**fields: object) -> bytes:
    settings = {"prologue": ["true"], "epilogue": ["true"], "retries": 1}
    described = {"name": "c", "nb_jobs": 12, "exec_file": "x", "clusters": {"sim": settings}}
    return json.dumps({**described, **fields}).encode()


async def seen(engine: Engine, campaign: CampaignId) -> tuple[int, object]:
    """Return the revision of a campaign, and all that its owner can see of it."""
    found = await engine.api.get(campaign)
    async with engine.database.read() as db:
        attempts = await db.all(
            "SELECT id, state, remote_id, running, left FROM job WHERE campaign_id = ?",
            (campaign,),
        )
    shown = (
        # Of the campaign itself all but the revision.
        str(found).replace(f"revision={found.revision}", ""),
        await engine.tasks(ANN, campaign, 0, 100),
        await engine.events(ANN, campaign, closed=True),
        [tuple(row) for row in attempts],
    )
    return found.revision, shown


async def check(
    engine: Engine, campaign: CampaignId, step: Callable[[], Awaitable[object]]
) -> bool:
    """Take a step; return whether anything changed, which the revision has to tell."""
    before, shown = await seen(engine, campaign)
    await step()
    after, now = await seen(engine, campaign)
    assert after > before or now == shown
    return now != shown


@pytest.fixture
async def campaign(engine: Engine, cluster: SimulatedCluster) -> CampaignId:
    cluster.behaviour = Behaviour(exit_status=lambda task, attempt: {3: 5, 4: 66}.get(task, 0))
    return (await engine.api.submit(ANN, jdl())).campaign.id


async def test_no_change_of_a_whole_life_is_missed(engine: Engine, campaign: CampaignId) -> None:
    changes = 0
    for _ in range(40):
        changes += await check(engine, campaign, engine.turn)
    assert changes > 5


async def test_no_change_by_its_owner_is_missed(engine: Engine, campaign: CampaignId) -> None:
    api = engine.api
    asked: list[Callable[[], Awaitable[object]]] = [
        lambda: api.rename(ANN, campaign, "other"),
        lambda: api.pause(ANN, campaign),
        lambda: api.resume(ANN, campaign),
        lambda: api.add(ANN, campaign, b'["a"]'),
        engine.turn,
        lambda: api.fix(ANN, campaign, resubmit=True),
        lambda: api.cancel(ANN, campaign),
    ]
    changed = [await check(engine, campaign, step) for step in asked]

    assert changed == [True, True, True, True, True, changed[5], True]


async def test_no_hold_is_missed(
    engine: Engine, cluster: SimulatedCluster, campaign: CampaignId
) -> None:
    code = EventCode.SUBMISSION_REJECTED
    incident = Incident(
        code=code, message=str(SubmissionRejected()), campaign=campaign, cluster_id=1
    )

    async def record() -> None:
        async with engine.database.write() as tx:
            await events.record(tx, incident, engine.clock())

    async def release() -> None:
        async with engine.database.write() as tx:
            await campaigns.release(tx, campaign)

    for step in (record, record, release, record):
        assert await check(engine, campaign, step)
    (event,) = await engine.events(ANN, campaign)
    assert await check(
        engine, campaign, lambda: engine.api.fix_event(ANN, event.id, resubmit=False)
    )


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE campaign SET name = 'x'",
        "UPDATE campaign_cluster SET epilogue = 'failed'",
        "UPDATE campaign_cluster SET again = again + 1",
        "UPDATE job SET remote_id = 'elsewhere'",
        "UPDATE event SET count = count + 1",
        (
            "INSERT INTO event (class, code, is_open, message, campaign_id, opened_at, updated_at)"
            " VALUES ('job', 'EXIT_ERROR', 1, '', 1, 0, 0)"
        ),
    ],
)
async def test_a_statement_that_does_not_count_itself_is_counted(
    engine: Engine, campaign: CampaignId, statement: str
) -> None:
    await engine.run(campaign)
    before = (await engine.api.get(campaign)).revision
    async with engine.database.write() as tx:
        await tx.run(statement)

    assert (await engine.api.get(campaign)).revision > before
