"""What is stored of attempts that settled nothing."""

import pytest

from cigri.domain.model import CampaignId
from cigri.domain.verdict import Ending
from cigri.store import attempts, executions
from cigri.store.attempts import ENDINGS, Past
from cigri.store.records import DamagedRecords
from tests.store.forgeries import NOW
from tests.store.harness import Store, end


def test_every_ending_has_a_code_and_keeps_it() -> None:
    assert set(ENDINGS) == {None, *Ending}
    # A database holds their places.
    words = [None if ending is None else ending.name for ending in ENDINGS]
    assert words[:7] == [
        None,
        "EXITED",
        "WALLTIME",
        "RETRIED",
        "KILLED",
        "NOT_STARTED",
        "UNUSABLE",
    ]
    assert words[7:] == ["LOST", "DELETED", "REMOVED", "NODE_FAILED", "NO_DIRECTORY"]


async def test_attempts_of_a_chunk_come_back_in_the_order_in_which_they_ended(
    store: Store,
) -> None:
    campaign = await store.submit(1)
    first = [Past(p, 1, 4, -9, 1, 7, 2**40, 1_700_000_000_123, 2**33) for p in (999, 0, 5)]
    second = [Past(5, 65_535, 0, -32_768, 65_535, 2**62, 0, 0, 0)]
    async with store.database.write() as tx:
        await attempts.remember(tx, campaign, {3: first, 4: []})
        await attempts.remember(tx, campaign, {3: second})
    async with store.database.read() as db:
        assert await attempts.of_chunk(db, campaign, 3) == first + second
        assert await attempts.of_chunk(db, campaign, 4) == []


@pytest.mark.parametrize("damage", [b"", b"no zlib", b"x\x9c\x03\x00\x00\x00\x00\x02"])
async def test_damage_is_said(store: Store, damage: bytes) -> None:
    campaign = await store.submit(1)
    await store.claim(campaign, 1)
    await store.tell(campaign, end(0, 66))
    async with store.database.write() as tx:
        await tx.run("UPDATE past_attempt SET data = :data", {"data": damage})

    async with store.database.read() as db:
        with pytest.raises(DamagedRecords, match="restore a backup"):
            await executions.of_campaign(db, campaign)


async def test_an_attempt_costs_few_bytes(store: Store) -> None:
    campaign = await store.submit(1_000)
    await store.claim(campaign, 1_000)
    await store.tell(campaign, *(end(n, 66, start=NOW + n) for n in range(1_000)))

    async with store.database.read() as db:
        (row,) = await db.all("SELECT length(data) AS size FROM past_attempt")

    assert row["size"] < 12_000


async def test_they_go_with_their_campaign(store: Store) -> None:
    campaign = await store.submit(1)
    await store.claim(campaign, 1)
    await store.tell(campaign, end(0, 66))
    async with store.database.write() as tx:
        await tx.run("DELETE FROM job")
        await tx.run("DELETE FROM campaign WHERE id = :id", {"id": campaign})
        assert await attempts.of_chunk(tx, CampaignId(campaign), 0) == []
