import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from cigri.clusters.simulated import SimulatedCluster
from tests.engine.harness import Clock, Engine, engine_on


@pytest.fixture
def quick_path(tmp_path: Path) -> Iterator[Path]:
    """A directory in memory, where there is one: for processes that die and not for disks."""
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=memory) as found:
        yield Path(found)


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
