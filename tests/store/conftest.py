"""A store with one cluster."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cigri.store import clusters
from cigri.store.database import open_database
from tests.store.harness import NAME, Store


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with open_database(tmp_path / "cigri.db") as database:
        async with database.write() as tx:
            await clusters.install(tx, "test", 1)
            await clusters.register(tx, [NAME])
            ids = await clusters.all_clusters(tx)
        yield Store(database, ids[NAME].id)
