"""Workers that do not live: told, and tried again."""

import asyncio
import fcntl
import os
from pathlib import Path

import pytest

from cigri.clusters.driver import Batch, JobRef
from cigri.clusters.identity import own_login
from cigri.clusters.local import LocalDriver
from cigri.clusters.options import LocalOptions
from cigri.domain.model import JobId
from cigri.errors import ClusterUnreachable
from tests.clusters.sites import UNKNOWN_GROUP, Site
from tests.clusters.test_contract import batch


@pytest.fixture
def driver(tmp_path: Path) -> LocalDriver:
    return LocalDriver(tmp_path / "local", LocalOptions(slots=1, allow_root=True))


def three_tasks(driver: LocalDriver) -> Batch:
    async def wait() -> None:
        await asyncio.sleep(0)

    site = Site(driver=driver, unknown=UNKNOWN_GROUP, wait=wait, endless="sleep 1000")
    return batch(site, "true", jobs=1)


async def until_refused(driver: LocalDriver, job: JobRef) -> str:
    """Look at a job until the cluster cannot be used; return why."""
    for _ in range(500):
        try:
            await driver.status([job])
        except ClusterUnreachable as error:
            return str(error)
        await asyncio.sleep(0.01)
    raise AssertionError


async def test_a_worker_that_ends_at_once_is_told(driver: LocalDriver, tmp_path: Path) -> None:
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho no module named json >&2\nexit 3\n")
    broken.chmod(0o755)
    worker = driver._worker(own_login())
    object.__setattr__(worker, "_python", lambda: str(broken))

    given = await driver.submit(three_tasks(driver))
    job = JobRef(remote_id=given[JobId(10)], user=own_login())
    reason = await until_refused(driver, job)

    assert "its worker ends at once with status 3: no module named json" in reason
    assert reason.endswith("worker.log")
    # Also the next time, until it is repaired; then the tasks run that wait there.
    assert "ends at once" in await until_refused(driver, job)
    del worker._python
    for _ in range(500):
        report = (await driver.status([job]))[job.remote_id]
        if len(report.ended) == 3:
            break
        await asyncio.sleep(0.01)
    assert [end.exit_status for end in report.ended] == [0, 0, 0]
    process = worker._process
    assert process is not None
    process.terminate()
    process.wait(20)


async def test_a_worker_of_another_version_is_left_alone_with_what_it_runs(
    driver: LocalDriver, tmp_path: Path
) -> None:
    """It may have days to go, and knows no scripts: what is new runs beside it."""
    directory = tmp_path / "local" / own_login()
    directory.mkdir(parents=True)
    with (directory / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write(f"{os.getpid()} 1\n")
        lock.flush()
        given = await driver.submit(three_tasks(driver))
        job = JobRef(remote_id=given[JobId(10)], user=own_login())

        assert not list(directory.glob("groups/*/tasks")), "which it would take"
        for _ in range(500):
            report = (await driver.status([job]))[job.remote_id]
            if len(report.ended) == 3:
                break
            await asyncio.sleep(0.01)

    assert [end.exit_status for end in report.ended] == [0, 0, 0]
    process = driver._worker(own_login())._process
    assert process is not None
    process.terminate()
    process.wait(20)
