from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cigri.clusters.simulated import SimulatedCluster
from tests.engine.harness import Clock, Engine, engine_on


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def cluster(clock: Clock) -> SimulatedCluster:
    return SimulatedCluster(clock)


@pytest.fixture
async def engine(tmp_path: Path, cluster: SimulatedCluster, clock: Clock) -> AsyncIterator[Engine]:
    async with engine_on(tmp_path / "cigri.db", {"sim": cluster}, clock) as running:
        yield running
