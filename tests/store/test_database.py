"""Transactions: all or nothing, whoever is cancelled in the middle."""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cigri.errors import StorageFull
from cigri.store.database import Database, open_database


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[Database]:
    async with open_database(tmp_path / "cigri.db") as opened:
        yield opened


async def names(db: Database) -> list[str]:
    async with db.read() as reader:
        return [row["name"] for row in await reader.all("SELECT name FROM cluster ORDER BY id")]


async def put(db: Database, name: str) -> None:
    async with db.write() as tx:
        await tx.run("INSERT INTO cluster (name) VALUES (?)", (name,))


async def test_a_block_that_raises_leaves_nothing(db: Database) -> None:
    async def failing() -> None:
        async with db.write() as tx:
            await tx.run("INSERT INTO cluster (name) VALUES ('a')")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await failing()

    assert await names(db) == []


@pytest.mark.parametrize("turns", range(14))
async def test_a_write_cancelled_anywhere_leaves_the_writer_usable(
    db: Database, turns: int
) -> None:
    writing = asyncio.ensure_future(put(db, "cancelled"))
    for _ in range(turns):
        await asyncio.sleep(0)
    writing.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await writing

    await put(db, "next")

    assert "next" in await names(db)


async def test_two_writers_do_not_mix(db: Database) -> None:
    async def failing() -> None:
        async with db.write() as tx:
            await tx.run("INSERT INTO cluster (name) VALUES ('rolled back')")
            await asyncio.sleep(0)
            raise KeyError

    results = await asyncio.gather(failing(), put(db, "kept"), return_exceptions=True)

    assert isinstance(results[0], KeyError)
    assert await names(db) == ["kept"]


async def test_a_reader_sees_one_moment_and_cannot_write(db: Database) -> None:
    await put(db, "before")
    async with db.read() as reader:
        first = await reader.all("SELECT name FROM cluster")
        await put(db, "meanwhile")
        assert await reader.all("SELECT name FROM cluster") == first
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            await reader.run("INSERT INTO cluster (name) VALUES ('x')")


async def test_a_full_disk_is_told_as_such_and_changes_nothing(db: Database) -> None:
    async with db.write() as tx:
        (row,) = await tx.all("PRAGMA page_count")
        await tx.run(f"PRAGMA max_page_count = {row[0] + 1}")

    with pytest.raises(StorageFull):
        async with db.write() as tx:
            await tx.run_many(
                "INSERT INTO cluster (name) VALUES (?)", [(f"{n:>4000}",) for n in range(50)]
            )

    assert await names(db) == []
    await put(db, "small")
