"""The engine dies before and after every effect on a real OAR, whose daemons come and go."""

import json
import secrets
import time
from collections import Counter
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from cigri.clusters import open_driver
from cigri.clusters.driver import ClusterDriver
from cigri.clusters.options import Oar2Options
from cigri.domain.model import Caller
from cigri.store import audit, clusters
from cigri.store.database import Connection, Database, open_database
from tests.engine.harness import Engine, engine_on
from tests.oar.serving import common_directory, program
from tests.testbed.oar2 import URL, Oar2

pytestmark = [pytest.mark.oar, pytest.mark.e2e, pytest.mark.slow]

TASKS = 32
ALICE = Caller(user="alice")
#: What reaches the cluster.
EFFECTS = frozenset({"submit", "find", "status", "forget"})
#: Where the process dies, life by life, and at the how-manieth such effect of its life.
DEATHS = [
    *(("before submit", 1), ("after submit", 1), ("before find", 1), ("after find", 1)),
    *(("before status", 1), ("after status", 1)),
    *(
        (where, nth)
        for nth in (1, 2)
        for where in ("before write", "before commit", "after write")
    ),
    *(("after submit", 1), ("before forget", 1), ("after forget", 1), ("after status", 3)),
    *((where, nth) for nth in (5,) for where in ("before write", "before commit", "after write")),
]
#: Which daemons are stopped after how many lives, during the next one, and then started.
OUTAGES = {2: ("server",), 7: ("api",), 13: ("server", "api")}
#: Seconds of a life without them.
OUTAGE = 6.0
#: Seconds for which a submission may be on its way here, where nobody is slow.
FENCE = 10.0
PATIENCE = 600.0


class Died(BaseException):
    """The process is gone: nothing catches this."""


class Fuse:
    """Burns at the n-th effect of a kind, or never."""

    def __init__(self, where: str = "", nth: int = 1) -> None:
        self._where = where
        self._left = nth

    def burn(self, where: str) -> None:
        if where == self._where:
            self._left -= 1
            if self._left == 0:
                raise Died


class Fused:
    """A driver that dies with its fuse, before and after each effect."""

    fence = FENCE

    def __init__(self, inner: ClusterDriver, fuse: Fuse) -> None:
        self._inner = inner
        self._fuse = fuse

    def __getattr__(self, name: str) -> object:
        found = getattr(self._inner, name)
        if name not in EFFECTS:
            return found

        async def effect(*arguments: object) -> object:
            self._fuse.burn(f"before {name}")
            answer = await found(*arguments)
            self._fuse.burn(f"after {name}")
            return answer

        return effect


class FusedDatabase:
    def __init__(self, inner: Database, fuse: Fuse) -> None:
        self._inner = inner
        self._fuse = fuse

    def __getattr__(self, name: str) -> object:
        return getattr(self._inner, name)

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Connection]:
        self._fuse.burn("before write")
        async with self._inner.write() as tx:
            yield tx
            self._fuse.burn("before commit")
        self._fuse.burn("after write")


class RealClock:
    """The time of the cluster, which is that of this host; it passes by itself."""

    def __call__(self) -> float:
        return time.time()

    def pass_(self, seconds: float) -> None:
        time.sleep(min(seconds, 0.2))


async def life(path: Path, jdl: bytes, fuse: Fuse, seconds: float) -> str:
    """Run the campaign until it ends, the process dies or its time is over; return which."""
    driver = open_driver("oar2", path.parent / "oar", Oar2Options(url=URL))
    deadline = time.monotonic() + seconds
    try:
        async with engine_on(
            path,
            {"oar": Fused(driver, fuse)},  # type: ignore[dict-item]
            RealClock(),  # type: ignore[arg-type]
            lambda database: FusedDatabase(database, fuse),  # type: ignore[arg-type,return-value]
        ) as engine:
            found = (await engine.api.listing(["in_treatment", "terminated"], 10, 0)).items  # type: ignore[list-item]
            campaign = found[0].id if found else (await engine.api.submit(ALICE, jdl)).campaign.id
            while time.monotonic() < deadline:
                if (await engine.api.get(campaign)).state == "terminated":
                    await check_counts(engine)
                    return "ended"
                await engine.turn()
    except Died:
        return "died"
    finally:
        await driver.close()
    return "late"


async def check_counts(engine: Engine) -> None:
    (campaign,) = (await engine.api.listing(["terminated"], 10, 0)).items  # type: ignore[list-item]
    assert campaign.counts.succeeded == campaign.counts.total == TASKS
    async with engine.database.read() as db:
        assert await audit.recount(db, campaign.id) == campaign.counts


async def test_no_task_is_lost_and_none_runs_twice(oar2: Oar2, tmp_path: Path) -> None:
    last = oar2.last_job()
    path = tmp_path / "cigri.db"
    died = []
    async with open_database(path) as database, database.write() as tx:
        # The cluster remembers the submissions of every installation.
        await clusters.install(tx, secrets.token_hex(4), 1)
    with common_directory() as common:
        marks = common / "marks"
        jdl = json.dumps(
            {
                "name": "crash",
                "nb_jobs": TASKS,
                "exec_file": str(program(common, f'echo "$1 $OAR_JOB_ID" >> {marks}; sleep 2')),
                "max_jobs": 8,
                "clusters": {"oar": {"walltime": "00:05:00", "type": "best-effort"}},
            }
        ).encode()
        for number, (where, nth) in enumerate(DEATHS, 1):
            if await life(path, jdl, Fuse(where, nth), PATIENCE) == "ended":
                break
            died.append(where)
            daemons = OUTAGES.get(number, ())
            for daemon in daemons:
                oar2.stop(daemon)
            if daemons:
                await life(path, jdl, Fuse(), OUTAGE)
                oar2.start(*daemons)
        assert await life(path, jdl, Fuse(), PATIENCE) == "ended"
        ran = [line.split() for line in marks.read_text().splitlines()]

    assert Counter(int(task) for task, _ in ran) == dict.fromkeys(range(TASKS), 1)
    check_jobs(oar2.jobs_since(last), {job for _, job in ran})
    assert {where for where, _ in DEATHS[:9]} <= set(died)


def check_jobs(rows: Sequence[Mapping[str, str]], ran: Collection[str]) -> None:
    """Check that OAR says the same: those that ran ended well, and no other ran anything."""
    jobs = {row["job_id"]: row for row in rows}
    assert {jobs[job]["exit_code"] for job in ran} == {"0"}
    names = {jobs[job]["job_name"] for job in ran}
    others = [row for job, row in jobs.items() if row["job_name"] in names and job not in ran]
    # They were renounced, or deleted before they had started.
    odd = [row for row in others if (row["state"], row["exit_code"]) not in _NOTHING]
    assert odd == []


#: How jobs look that ran no task.
_NOTHING = {("Terminated", str(45 << 8)), ("Error", "")}
