"""Clusters on which the contract of drivers is tried, each with a user who may run tasks there."""

import asyncio
import os
import secrets
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import attrs

from cigri.bench.fake.model import FakeOptions
from cigri.bench.fake_oar2 import FakeOar
from cigri.bench.fake_oar2 import serving as playing_oar2
from cigri.clusters.driver import ClusterDriver
from cigri.clusters.identity import own_login
from cigri.clusters.local import LocalDriver
from cigri.clusters.oar import OarDriver
from cigri.clusters.options import LocalOptions, Oar2Options, Oar3Options, OarOptions
from cigri.clusters.simulated import SimulatedCluster
from cigri.domain.capacity import Capacity
from cigri.domain.model import RemoteId, Shape
from tests.fakes.oar3 import playing as playing_oar3
from tests.fakes.oar3 import token
from tests.testbed import oar2 as testbed


@attrs.frozen(kw_only=True)
class Site:
    """A driver, how to let time pass, and what to run there."""

    driver: ClusterDriver
    #: A remote job that the cluster has never heard of.
    unknown: RemoteId
    #: Lets a little time pass.
    wait: Callable[[], Awaitable[None]]
    #: Lets the driver believe that minutes have.
    wait_long: Callable[[], None] = lambda: None
    #: A command that ends at once, and one that does not end.
    quick: str = "/bin/echo"
    endless: str
    #: Returns how often the endless one has begun, if that is another thing than being told so.
    begun: Callable[[], int] = lambda: 1000
    user: str = attrs.field(factory=own_login)
    #: What one task asks for; two at a time are all that fits.
    resources: str = "1"
    cores: int = 1
    #: No submission before has had this name.
    tag: str = attrs.field(factory=lambda: f"cgtest-1-{secrets.randbelow(10**9):09}")
    #: Whether each task is a remote job.
    shape: Shape = Shape.GROUP
    #: Whether a job can be told to start no more of its tasks while the others go on.
    steerable: bool = True


#: As the drivers name groups that have names, and remote jobs that have numbers.
UNKNOWN_GROUP = RemoteId("cgtest-1-000000077.0")
UNKNOWN_NUMBER = RemoteId("999999")


def marking(directory: Path) -> tuple[str, Callable[[], int]]:
    """Return a command that does not end and leaves a mark, and what counts these."""
    directory.mkdir(exist_ok=True)
    directory.chmod(0o1777)
    command = f"/bin/sh -c ': >\"$0/$$\"; exec sleep 1000' {directory}"
    return command, lambda: len(list(directory.iterdir()))


@asynccontextmanager
async def local(tmp_path: Path, shape: Shape) -> AsyncIterator[Site]:
    async def wait() -> None:
        await asyncio.sleep(0.02)

    driver = LocalDriver(tmp_path / "local", LocalOptions(slots=2, allow_root=True))
    endless, begun = marking(tmp_path / "begun")
    yield Site(driver=driver, wait=wait, unknown=UNKNOWN_GROUP, endless=endless, begun=begun)
    for worker in driver._workers.values():
        process = worker._process
        if process is not None:
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGTERM)
            process.wait(20)


@asynccontextmanager
async def simulated(tmp_path: Path, shape: Shape) -> AsyncIterator[Site]:
    now = [1000.0]

    async def wait() -> None:
        now[0] += 1.0

    arrays = Capacity(arrays=shape is Shape.ARRAY)
    driver = SimulatedCluster(lambda: now[0], slots=2, capacity=arrays)
    unknown = UNKNOWN_GROUP if shape is Shape.GROUP else UNKNOWN_NUMBER
    yield Site(
        driver=driver, unknown=unknown, wait=wait, quick="1", endless="1000000", shape=shape
    )


@asynccontextmanager
async def oar2(tmp_path: Path, shape: Shape) -> AsyncIterator[Site]:
    """A played one; its jobs run."""
    fake = FakeOar(FakeOptions(cores=2, cores_per_node=2, homes=tmp_path))
    async with playing_oar2(fake) as url, _driving(Oar2Options(url=url), tmp_path) as site:
        yield attrs.evolve(site, shape=shape)


@asynccontextmanager
async def oar3(tmp_path: Path, shape: Shape) -> AsyncIterator[Site]:
    """A played one; its jobs run."""
    async with (
        playing_oar3(tmp_path / "homes", cores=2) as server,
        _driving(Oar3Options(url=server.url), tmp_path) as site,
    ):
        # It takes no files after the submission: no group can be told anything.
        yield attrs.evolve(site, shape=shape, steerable=shape is Shape.ARRAY)


@asynccontextmanager
async def real_oar2(tmp_path: Path, shape: Shape) -> AsyncIterator[Site]:
    async def wait() -> None:
        await asyncio.sleep(0.2)

    async with _driving(Oar2Options(url=testbed.URL), tmp_path) as site:
        whole_node = testbed.CORES // 2
        yield attrs.evolve(
            site,
            shape=shape,
            wait=wait,
            resources=f"/nodes=1/core={whole_node}",
            cores=whole_node,
        )


@asynccontextmanager
async def _driving(options: OarOptions, tmp_path: Path) -> AsyncIterator[Site]:
    skipped = [0.0]

    async def wait() -> None:
        await asyncio.sleep(0.02)

    def wait_long() -> None:
        skipped[0] += 100.0

    driver = OarDriver(tmp_path / "oar", options, now=lambda: time.monotonic() + skipped[0])
    if driver.credentials is not None:
        driver.credentials.put("alice", token("alice"))
    with tempfile.TemporaryDirectory(prefix="cigri-contract.") as directory:
        endless, begun = marking(Path(directory))
        try:
            yield Site(
                driver=driver,
                wait=wait,
                wait_long=wait_long,
                endless=endless,
                begun=begun,
                user="alice",
                unknown=UNKNOWN_NUMBER,
            )
        finally:
            await driver.close()
