"""Tasks that are added to a campaign: all of them or none, whoever adds and whatever dies."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import attrs
import pytest

from cigri.clusters.simulated import SimulatedCluster
from cigri.domain.model import Caller, Campaign, CampaignId
from cigri.errors import (
    CigriError,
    Conflict,
    InvalidRequest,
    NotAllowed,
    NotFound,
    TooLarge,
)
from cigri.store import audit
from cigri.store.database import Connection
from tests.engine.harness import ANN, Clock, Engine, engine_on

ADMIN = Caller(user="root", admin=True)


def jdl(**fields: object) -> bytes:
    described = {"name": "c", "exec_file": "x", "clusters": {"sim": {}}, **fields}
    return json.dumps(described).encode()


async def submit(engine: Engine, **fields: object) -> CampaignId:
    return (await engine.api.submit(ANN, jdl(**(fields or {"params": ["a", "b"]})))).campaign.id


async def blocks(*texts: bytes) -> AsyncIterator[bytes]:
    for text in texts:
        yield text
        await asyncio.sleep(0)


async def parameters(engine: Engine, campaign: CampaignId) -> list[object]:
    found = await engine.tasks(ANN, campaign, 0, 10_000)
    ids = [task.id for task in found]
    assert [(await engine.api.task(ANN, id_)).number for id_ in ids[:5]] == list(range(len(ids)))[
        :5
    ]
    async with engine.database.read() as db:
        assert await audit.gaps(db, campaign) == []
        assert await audit.recount(db, campaign) == (await engine.api.get(campaign)).counts
    return [task.parameter for task in found]


async def test_an_array_and_lines_are_added(engine: Engine) -> None:
    campaign = await submit(engine)
    other = await submit(engine)

    await engine.api.add(ANN, campaign, b'["c", ["exact", "words"]]')
    found = await engine.api.add(ANN, campaign, None, blocks(b"d\n\n", b"e f\ng"))
    await engine.api.add(ANN, other, b'["z"]')

    assert found.counts.pending == found.counts.total == 7
    assert await parameters(engine, campaign) == [
        *("a", "b", "c"),
        ("exact", "words"),
        *("d", "e f", "g"),
    ]
    assert await parameters(engine, other) == ["a", "b", "z"]


async def test_what_is_added_runs_once_and_a_terminated_campaign_goes_on(
    engine: Engine, cluster: SimulatedCluster
) -> None:
    campaign = await submit(engine)
    assert await engine.run(campaign) == "terminated"

    found = await engine.api.add(ADMIN, campaign, b'["c", "d"]')
    assert (found.state, found.ended_at) == ("in_treatment", None)
    assert await engine.run(campaign) == "terminated"

    assert sorted(cluster.executions) == [(campaign, number, 1) for number in range(4)]


async def test_a_paused_campaign_stays_paused(engine: Engine) -> None:
    campaign = await submit(engine)
    await engine.api.pause(ANN, campaign)

    assert (await engine.api.add(ANN, campaign, b'["c"]')).state == "paused"


async def test_nothing_added_changes_nothing(engine: Engine) -> None:
    campaign = await submit(engine)
    await engine.run(campaign)

    assert (await engine.api.add(ANN, campaign, b"[]")).state == "terminated"


async def test_a_sweep_can_be_extended(engine: Engine) -> None:
    campaign = await submit(engine, param_grid={"T": "1..3"})

    with pytest.raises(InvalidRequest, match="1 words"):
        await engine.api.add(ANN, campaign, b'["7", ""]')
    await engine.api.add(ANN, campaign, b'["7"]')

    assert await parameters(engine, campaign) == ["1", "2", "3", "7"]


@pytest.mark.parametrize(
    ("array", "pointer"),
    [
        (b'{"a": 1}', ""),
        (b"", ""),
        (b"[", ""),
        (b'["a", null]', "/1"),
        (b'["a", "\\u0000"]', "/1"),
        (json.dumps(["a"] * 20_000 + [[]] + [None]).encode(), "/20001"),
    ],
)
async def test_what_is_no_array_of_parameters_is_refused_whole(
    engine: Engine, array: bytes, pointer: str
) -> None:
    campaign = await submit(engine)

    with pytest.raises(InvalidRequest) as refusal:
        await engine.api.add(ANN, campaign, array)

    assert [problem.pointer for problem in refusal.value.problems] == [pointer]
    assert await parameters(engine, campaign) == ["a", "b"]
    async with engine.database.read() as db:
        assert len(await db.all("SELECT 1 FROM parameter_chunk")) == 1


async def test_who_may_add_to_what(engine: Engine) -> None:
    campaign, cancelled = await submit(engine), await submit(engine)
    desktop = await submit(engine, jobs_type="desktop_computing", nb_jobs=3)
    await engine.api.cancel(ANN, cancelled)
    refused: list[tuple[str, CampaignId, type[CigriError], str]] = [
        ("bob", campaign, NotAllowed, "belongs to ann"),
        ("ann", CampaignId(99), NotFound, "no campaign 99"),
        ("ann", cancelled, Conflict, "cancelled"),
        ("ann", desktop, Conflict, "desktop_computing"),
    ]
    for user, which, error, words in refused:
        with pytest.raises(error, match=words):
            await engine.api.add(Caller(user=user), which, b'["c"]')


async def test_a_campaign_does_not_grow_over_the_limit(engine: Engine) -> None:
    campaign = await submit(engine)
    engine.api._facts = attrs.evolve(engine.api._facts, max_tasks=5)

    with pytest.raises(TooLarge, match="has 2 tasks and may have at most 5"):
        await engine.api.add(ANN, campaign, b'["c", "d", "e", "f"]')
    await engine.api.add(ANN, campaign, b'["c", "d", "e"]')

    assert len(await parameters(engine, campaign)) == 5


async def test_additions_at_the_same_time_follow_each_other(engine: Engine) -> None:
    campaign = await submit(engine)
    texts = [b"".join(b"%d-%d\n" % (n, line) for line in range(1500)) for n in range(4)]

    async with asyncio.TaskGroup() as group:
        for text in texts:
            group.create_task(engine.api.add(ANN, campaign, None, blocks(text[:7], text[7:])))

    found = await parameters(engine, campaign)
    added = [found[at : at + 1500] for at in range(2, len(found), 1500)]
    assert sorted("".join(f"{line}\n" for line in part).encode() for part in added) == texts


async def test_a_campaign_that_is_cancelled_meanwhile_does_not_grow(engine: Engine) -> None:
    campaign = await submit(engine)

    async def cancelling() -> AsyncIterator[bytes]:
        yield b"c\n"
        await engine.api.cancel(ANN, campaign)
        yield b"d\n"

    with pytest.raises(Conflict, match="cancelled"):
        await engine.api.add(ANN, campaign, None, cancelling())

    assert (await engine.api.get(campaign)).counts.total == 2


async def test_a_receipt_that_fails_leaves_nothing(engine: Engine) -> None:
    campaign = await submit(engine)

    async def fail(tx: Connection, found: Campaign) -> None:
        assert found.counts.total == 3
        raise NotFound

    with pytest.raises(NotFound):
        await engine.api.add(ANN, campaign, b'["c"]', receipt=fail)

    assert await parameters(engine, campaign) == ["a", "b"]


class Died(BaseException):
    """The process is gone: nothing catches this, and nothing is tidied."""


async def test_a_crash_before_the_last_transaction_adds_nothing(tmp_path: Path) -> None:
    clock = Clock()

    async def dying() -> AsyncIterator[bytes]:
        yield b"line\n" * 40_000
        raise Died

    async with engine_on(tmp_path / "cigri.db", {"sim": SimulatedCluster(clock)}, clock) as engine:
        campaign = await submit(engine)

        async def gone(_: CampaignId) -> None:
            """Do what a process that is gone does."""

        engine.api._undo = gone  # type: ignore[method-assign]
        with pytest.raises(Died):
            await engine.api.add(ANN, campaign, None, dying())
        async with engine.database.read() as db:
            assert len(await db.all("SELECT 1 FROM parameter_chunk")) > 1
        assert await parameters(engine, campaign) == ["a", "b"]

    async with engine_on(tmp_path / "cigri.db", {"sim": SimulatedCluster(clock)}, clock) as engine:
        async with engine.database.read() as db:
            assert len(await db.all("SELECT 1 FROM parameter_chunk")) == 1
        await engine.api.add(ANN, campaign, b'["c"]')
        assert await parameters(engine, campaign) == ["a", "b", "c"]
