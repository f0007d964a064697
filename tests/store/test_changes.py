"""Whatever writes, its transaction says what it changed."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cigri.store.changes import CLUSTERS, Written
from cigri.store.database import Database, open_database

CAMPAIGN = """INSERT INTO campaign (id, name, user, state, submitted_at, jdl, total, pending)
VALUES (:id, 'c', 'ann', :state, 0, '{}', 0, 0)"""
EVENT = """INSERT INTO event (class, code, is_open, message, campaign_id, opened_at, updated_at)
VALUES ('campaign', 'X', 1, '', :campaign, 0, 0)"""


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[Database]:
    """Return a database with two campaigns and a cluster, one of the campaigns loading."""
    async with open_database(tmp_path / "cigri.db") as opened:
        async with opened.write() as tx:
            await tx.run("INSERT INTO cluster (id, name) VALUES (1, 'local')")
            await tx.run(CAMPAIGN, {"id": 1, "state": "paused"})
            await tx.run(CAMPAIGN, {"id": 2, "state": "loading"})
            await tx.run(
                "INSERT INTO campaign_cluster (campaign_id, cluster_id, settings)"
                " VALUES (1, 1, '{}')"
            )
        yield opened


@pytest.mark.parametrize(
    ("statement", "changes"),
    [
        ("UPDATE campaign SET name = 'd' WHERE id = 1", {1: False}),
        ("UPDATE campaign SET state = 'in_treatment' WHERE id = 1", {1: True}),
        ("UPDATE campaign SET state = 'in_treatment' WHERE id = 2", {2: True}),
        ("UPDATE campaign SET total = 0 WHERE id = 2", {}),
        ("UPDATE campaign_cluster SET again = 1", {1: False}),
        ("DELETE FROM campaign WHERE id = 1", {1: True}),
        ("DELETE FROM campaign WHERE id = 2", {}),
        ("UPDATE cluster SET failures = 1", {}),
        ("UPDATE cluster SET hold_reason = 'down'", {CLUSTERS: False}),
        (EVENT.replace(":campaign", "1"), {1: False}),
        (EVENT.replace(":campaign", "NULL"), {CLUSTERS: False}),
        ("SELECT 1", {}),
    ],
)
async def test_every_change_is_told(
    db: Database, statement: str, changes: dict[int, bool]
) -> None:
    told: list[Written] = []
    db.observe(told.append)

    async with db.write() as tx:
        await tx.run(statement)

    (written,) = told
    assert (written.changes, written.done) == (changes, True)
    assert written.seconds > 0


async def test_two_changes_of_one_campaign_are_one(db: Database) -> None:
    told: list[Written] = []
    db.observe(told.append)

    async with db.write() as tx:
        await tx.run("UPDATE campaign SET state = 'in_treatment' WHERE id = 1")
        await tx.run("UPDATE campaign SET name = 'd' WHERE id = 1")

    assert told[0].changes == {1: True}


async def test_what_is_rolled_back_is_not_done_and_never_told_again(db: Database) -> None:
    told: list[Written] = []
    db.observe(told.append)

    with pytest.raises(ZeroDivisionError):  # noqa: PT012 - the block is the point
        async with db.write() as tx:
            await tx.run("UPDATE campaign SET name = 'd' WHERE id = 1")
            1 / 0  # noqa: B018
    async with db.write() as tx:
        await tx.run("SELECT 1")

    assert [(each.done, each.changes) for each in told] == [(False, {1: False}), (True, {})]


async def test_the_file_knows_nothing_of_it(db: Database) -> None:
    async with db.read() as reading:
        rows = await reading.all("SELECT sql FROM main.sqlite_schema WHERE sql LIKE '%noted(%'")

    assert rows == []
