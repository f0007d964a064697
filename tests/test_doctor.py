"""`cigri doctor`: what is wrong with a database is told, and a copy of it is one."""

import os
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cigri import doctor
from cigri.clusters.simulated import SimulatedCluster
from cigri.errors import Conflict, UnusableDatabase
from tests.engine.harness import ANN, Clock, engine_on

JDL = b'{"name":"c","params":["a","b","c"],"exec_file":"x","clusters":{"sim":{}}}'


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Path]:
    """The database of an engine that has run a campaign and has another to run."""
    clock = Clock()
    path = tmp_path / "cigri.db"
    async with engine_on(path, {"sim": SimulatedCluster(clock)}, clock) as engine:
        done = (await engine.api.submit(ANN, JDL)).campaign.id
        await engine.run(done)
        await engine.api.submit(ANN, JDL)
        yield path


async def told(path: Path) -> dict[str, str | None]:
    return {finding.subject: finding.problem async for finding in doctor.check(path)}


async def test_a_database_in_order(database: Path) -> None:
    assert await told(database) == {"database": None, "campaign 1": None, "campaign 2": None}


async def test_wrong_counters_and_damaged_parameters_are_found(database: Path) -> None:
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE campaign SET succeeded = 2, failed = 1 WHERE id = 1")
        connection.execute("UPDATE parameter_chunk SET crc = crc + 1 WHERE campaign_id = 2")
    connection.close()

    found = await told(database)

    assert "recount" in (found["campaign 1"] or "")
    assert "checksum" in (found["campaign 2"] or "")


async def test_a_backup_is_made_beside_a_server_and_overwrites_nothing(
    database: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.db"

    await doctor.backup(database, copy)

    assert await told(copy) == await told(database)
    with pytest.raises(Conflict, match="exists"):
        await doctor.backup(database, copy)


async def test_no_database_is_made_where_there_is_none(tmp_path: Path) -> None:
    with pytest.raises(UnusableDatabase, match="--database"):
        await told(tmp_path / "cigri.db")

    assert os.listdir(tmp_path) == []  # noqa: PTH208 - no Path in a coroutine
