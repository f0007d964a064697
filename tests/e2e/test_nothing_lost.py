"""Servers and workers are killed in the middle of a campaign; every task runs, and runs once."""

import os
import random
import signal
import sqlite3
import time
from collections import Counter
from pathlib import Path

import pytest

from cigri.domain.model import CampaignId
from cigri.errors import StorageFull
from cigri.store import audit
from cigri.store.database import open_database
from tests.e2e.server import Server, serving, until

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

TASKS = 2_000
KILLS = 20
CONFIG = "[clusters.local]\nslots = 8\n"


def described(tmp_path: Path) -> tuple[dict[str, object], Path]:
    """Return a campaign whose tasks append their number and attempt to one file, and the file."""
    marks = tmp_path / "marks"
    script = tmp_path / "mark.sh"
    script.write_text(f'#!/bin/sh\necho "$1 $CIGRI_ATTEMPT" >> {marks}\nsleep 0.01\n')
    script.chmod(0o755)
    jdl = {"name": "marks", "nb_jobs": TASKS, "exec_file": str(script), "clusters": {"local": {}}}
    return jdl, marks


def ran(marks: Path) -> Counter[int]:
    return Counter(int(line.split()[0]) for line in marks.read_text().splitlines())


async def check_counters(server: Server, campaign: int) -> None:
    """Compare the counters with a recount, in the file that the last server left."""
    server.stop()
    async with open_database(server.directory / "cigri.db") as database, database.read() as db:
        row = (await db.all("SELECT * FROM campaign"))[0]
        counts = await audit.recount(db, CampaignId(campaign))
    assert counts.succeeded == TASKS == row["succeeded"]
    assert counts.total == TASKS


async def test_killing_the_server_loses_and_repeats_nothing(tmp_path: Path) -> None:
    jdl, marks = described(tmp_path)
    chance = random.Random(7)
    with serving(tmp_path / "srv", CONFIG) as server:
        campaign = server.submit(jdl)
        for kill in range(KILLS):
            wanted = min(TASKS - 1, (kill + 1) * TASKS // (KILLS + 2) + chance.randrange(40))
            until(lambda: marks.exists() and len(marks.read_bytes()) > 6 * wanted, "tasks run")  # noqa: B023
            server.kill()
            server.start()
        server.wait(campaign)

        assert ran(marks) == dict.fromkeys(range(TASKS), 1)
        tasks = server.tasks(campaign)
        assert {task["state"] for task in tasks} == {"terminated"}
        assert {task["attempts"] for task in tasks} == {1}
        await check_counters(server, campaign)


async def test_killing_the_worker_costs_only_what_ran(tmp_path: Path) -> None:
    jdl, marks = described(tmp_path)
    with serving(tmp_path / "srv", CONFIG) as server:
        campaign = server.submit(jdl)
        killed: set[int] = set()
        for kill in range(8):
            wanted = (kill + 1) * TASKS // 10
            until(lambda: marks.exists() and len(marks.read_bytes()) > 6 * wanted, "tasks run")  # noqa: B023
            pid = until(lambda: {server.worker()} - killed - {0}, "a worker lives").pop()
            os.kill(pid, signal.SIGKILL)
            killed.add(pid)
        server.wait(campaign)

        attempts = {task["task"]: task["attempts"] for task in server.tasks(campaign)}
        times = ran(marks)
        assert set(times) == set(range(TASKS))
        # Whoever ran twice had been running when a worker died, and says so.
        assert all(attempts[task] >= count for task, count in times.items())
        assert sum(times.values()) - TASKS <= 8 * len(killed)
        await check_counters(server, campaign)


def test_a_server_killed_with_a_million_tasks_is_back_at_once(tmp_path: Path) -> None:
    with serving(tmp_path / "srv", CONFIG) as server:
        campaign = server.submit(
            {"name": "m", "nb_jobs": 1_000_000, "exec_file": "true", "clusters": {"local": {}}}
        )
        until(lambda: server.get(f"/campaigns/{campaign}")["finished_jobs"] > 500, "tasks run")
        server.kill()
        server.start()
        answered = time.monotonic()

        found = server.get(f"/campaigns/{campaign}")

        assert time.monotonic() - answered < 30
        assert found["total_jobs"] == 1_000_000
        server.client.cancel(campaign)


def test_sigterm_ends_the_server_and_leaves_the_tasks_running(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    with serving(tmp_path / "srv", CONFIG) as server:
        jdl = {
            "name": "long",
            "params": [["-c", f"until [ -e {mark}.go ]; do sleep 0.05; done; echo x >> {mark}"]],
            "exec_file": "/bin/sh",
            "clusters": {"local": {}},
        }
        campaign = server.submit(jdl)
        until(lambda: server.get(f"/campaigns/{campaign}")["counts"]["running"], "it runs")

        assert server.stop() < 10
        assert not mark.exists()
        Path(f"{mark}.go").touch()
        until(mark.exists, "the task goes on without a server")
        server.start()
        server.wait(campaign)

        assert mark.read_text() == "x\n"


def test_a_full_disk_loses_nothing(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small file system")
    small = tmp_path / "small"
    small.mkdir()
    if os.system(f"mount -t tmpfs -o size=6m tmpfs {small}"):  # noqa: S605
        pytest.skip("this container cannot mount a small file system")
    try:
        _fill_and_free(small, tmp_path / "marks")
    finally:
        os.system(f"umount -l {small}")  # noqa: S605


def _fill_and_free(small: Path, marks: Path) -> None:
    script = marks.with_suffix(".sh")
    script.write_text(f'#!/bin/sh\necho "$1" >> {marks}\n')
    script.chmod(0o755)
    with serving(small / "srv", CONFIG) as server:
        campaign = server.submit(
            {"name": "f", "nb_jobs": 6000, "exec_file": str(script), "clusters": {"local": {}}}
        )
        until(lambda: marks.exists() and len(marks.read_bytes()) > 2000, "tasks run")
        ballast = small / "ballast"
        with pytest.raises(OSError, match="No space"):
            _write_for_ever(ballast)
        until(lambda: _refused(server), "a submission is refused for want of space")
        ballast.unlink()
        server.wait(campaign)

        assert ran(marks) == dict.fromkeys(range(6000), 1)
    with sqlite3.connect(small / "srv" / "cigri.db") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def _write_for_ever(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(65536))


def _refused(server: Server) -> bool:
    """Return whether a large campaign is refused because the disk is full."""
    jdl = {"name": "x", "params": [f"p{n:>90}" for n in range(5000)], "exec_file": "true"}
    try:
        server.client.submit({**jdl, "clusters": {"local": {}}})
    except StorageFull:
        return True
    return False
