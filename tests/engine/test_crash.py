"""The process dies before and after every effect; afterwards every task has run exactly once."""

import contextlib
import itertools
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from cigri.clusters.driver import Batch, Capacity
from cigri.clusters.simulated import Behaviour, SimulatedCluster
from cigri.domain.model import CampaignState, JobId, RemoteId
from cigri.errors import SubmissionUnknown
from cigri.store import audit
from cigri.store.database import Connection, Database
from tests.engine.harness import ANN, Clock, Engine, engine_on

TASKS = 24
#: Asked of task 7 once: to run again.
AGAIN = 66


class Died(BaseException):
    """The process is gone: nothing catches this."""


class Fuse:
    """Burns at the n-th effect."""

    def __init__(self, last: int | None) -> None:
        self._last = last
        self.effects = 0

    def burn(self) -> None:
        self.effects += 1
        if self.effects == self._last:
            raise Died


_EFFECTS = frozenset({"submit", "find", "status", "withdraw", "kill", "renounce", "forget"})
#: How a cluster takes tasks: in groups, or each as a job of its own.
CAPACITIES = {"groups": Capacity(), "arrays": Capacity(arrays=True)}


class Fused:
    """A driver or a database that dies with its fuse, before and after each effect."""

    def __init__(self, inner: object, fuse: Fuse) -> None:
        self._inner = inner
        self._fuse = fuse

    def __getattr__(self, name: str) -> object:
        found = getattr(self._inner, name)
        if name not in _EFFECTS:
            return found

        async def effect(*arguments: object) -> object:
            self._fuse.burn()
            answer = await found(*arguments)
            self._fuse.burn()
            return answer

        return effect


class FusedDatabase(Fused):
    @asynccontextmanager
    async def write(self) -> AsyncIterator[Connection]:
        inner: Database = self._inner  # type: ignore[assignment]
        self._fuse.burn()
        async with inner.write() as tx:
            yield tx
            # Between the last statement and the commit.
            self._fuse.burn()
        self._fuse.burn()


JDL = json.dumps(
    {"name": "crash", "nb_jobs": TASKS, "exec_file": "x", "clusters": {"sim": {}}}
).encode()


async def lives(
    path: Path, cluster: SimulatedCluster, clock: Clock, last: int | None, jdl: bytes = JDL
) -> Fuse:
    """Run a campaign, submitted by the first life, until it ends or the fuse burns."""
    fuse = Fuse(last)
    driver = Fused(cluster, fuse)
    async with engine_on(path, {"sim": driver}, clock, lambda d: FusedDatabase(d, fuse)) as engine:  # type: ignore[dict-item,arg-type,return-value]
        page = await engine.api.listing(["in_treatment", "terminated"], 10, 0)  # type: ignore[list-item]
        if page.items:
            campaign = page.items[0].id
        else:
            campaign = (await engine.api.submit(ANN, jdl)).campaign.id
        await engine.run(campaign)
    return fuse


async def check(engine: Engine, cluster: SimulatedCluster) -> None:
    (campaign,) = (await engine.api.listing(["terminated"], 10, 0)).items  # type: ignore[list-item]
    assert campaign.counts.succeeded == TASKS
    expected = sorted([(1, task, 1) for task in range(TASKS)] + [(1, 7, 2)])
    assert sorted((1, task, attempt) for _, task, attempt in cluster.executions) == expected
    async with engine.database.read() as db:
        assert await audit.recount(db, campaign.id) == campaign.counts


def behaving() -> Behaviour:
    return Behaviour(
        exit_status=lambda task, attempt: AGAIN if (task, attempt) == (7, 1) else 0,
        duration=lambda task, _attempt: 0.1 + task % 2,
    )


@pytest.mark.parametrize("capacity", CAPACITIES.values(), ids=CAPACITIES)
async def test_every_task_runs_once_wherever_the_process_dies(
    quick_path: Path, capacity: Capacity
) -> None:
    clock = Clock()
    cluster = SimulatedCluster(clock, behaviour=behaving(), capacity=capacity)
    effects = (await lives(quick_path / "whole.db", cluster, clock, None)).effects
    assert effects > 60

    for last in range(1, effects + 1):
        clock = Clock()
        cluster = SimulatedCluster(clock, behaviour=behaving(), capacity=capacity)
        path = quick_path / f"{last}.db"
        with pytest.raises(Died):
            await lives(path, cluster, clock, last)
        clock.pass_(5)
        await lives(path, cluster, clock, None)
        async with engine_on(path, {"sim": cluster}, clock) as engine:
            await check(engine, cluster)


async def test_every_task_runs_once_when_the_process_dies_again_and_again(
    quick_path: Path,
) -> None:
    clock = Clock()
    cluster = SimulatedCluster(clock, behaviour=behaving())
    path = quick_path / "cigri.db"
    for last in itertools.chain([9, 12, 15, 22], itertools.repeat(31, 40)):
        try:
            await lives(path, cluster, clock, last)
        except Died:
            continue
        break
    async with engine_on(path, {"sim": cluster}, clock) as engine:
        await check(engine, cluster)


#: All that a campaign can do besides its tasks; a failure is tried again.
WHOLE = json.dumps(
    {
        "name": "whole",
        "nb_jobs": 5,
        "exec_file": "x",
        "prologue": ["begin"],
        "epilogue": ["end"],
        "test_mode": "then-run",
        "retries": 1,
        "clusters": {"sim": {}},
    }
).encode()


def behaving_badly() -> Behaviour:
    return Behaviour(
        exit_status=lambda task, attempt: int((task, attempt) == (3, 1)),
        duration=lambda task, _attempt: 0.1 + task % 2,
        script_duration=0.5,
    )


async def check_whole(engine: Engine, cluster: SimulatedCluster) -> None:
    (campaign,) = (await engine.api.listing(["terminated"], 10, 0)).items  # type: ignore[list-item]
    assert campaign.counts.succeeded == 5
    assert [kind for _, kind in cluster.scripts] == ["prologue", "epilogue"]
    expected = sorted([(task, 1) for task in range(5)] + [(3, 2)])
    assert sorted((task, attempt) for _, task, attempt in cluster.executions) == expected
    assert cluster.executions[0][1] == 0, "the test came first"
    async with engine.database.read() as db:
        assert await audit.recount(db, campaign.id) == campaign.counts
        assert await db.all("SELECT failures FROM retried WHERE failures > 1") == []


@pytest.mark.parametrize("capacity", CAPACITIES.values(), ids=CAPACITIES)
async def test_every_step_and_task_runs_once_wherever_the_process_dies(
    quick_path: Path, capacity: Capacity
) -> None:
    clock = Clock()
    cluster = SimulatedCluster(clock, behaviour=behaving_badly(), capacity=capacity)
    effects = (await lives(quick_path / "whole.db", cluster, clock, None, WHOLE)).effects
    assert effects > 60

    for last in range(1, effects + 1):
        clock = Clock()
        cluster = SimulatedCluster(clock, behaviour=behaving_badly(), capacity=capacity)
        path = quick_path / f"{last}.db"
        with pytest.raises(Died):
            await lives(path, cluster, clock, last, WHOLE)
        clock.pass_(5)
        await lives(path, cluster, clock, None, WHOLE)
        async with engine_on(path, {"sim": cluster}, clock) as engine:
            await check_whole(engine, cluster)


async def cancelled_life(
    path: Path, cluster: SimulatedCluster, clock: Clock, last: int | None
) -> Fuse:
    """Cancel a campaign in its third turn, unless that was done, and let it come to rest."""
    fuse = Fuse(last)
    driver = Fused(cluster, fuse)
    async with engine_on(path, {"sim": driver}, clock, lambda d: FusedDatabase(d, fuse)) as engine:  # type: ignore[dict-item,arg-type,return-value]
        page = await engine.api.listing(list(CampaignState), 10, 0)
        if page.items:
            campaign = page.items[0].id
        else:
            campaign = (await engine.api.submit(ANN, WHOLE)).campaign.id
        for turn in range(12):
            cancelled = (await engine.api.get(campaign)).state is CampaignState.CANCELLED
            if turn == 4 and not cancelled:
                await engine.api.cancel(ANN, campaign)
            await engine.turn()
    return fuse


async def test_a_cancelled_campaign_puts_its_things_away_wherever_the_process_dies(
    quick_path: Path,
) -> None:
    def endless() -> Behaviour:
        return Behaviour(duration=lambda _task, _attempt: 1e6, script_duration=1.5)

    clock = Clock()
    cluster = SimulatedCluster(clock, behaviour=endless())
    effects = (await cancelled_life(quick_path / "whole.db", cluster, clock, None)).effects

    for last in range(1, effects + 1):
        clock = Clock()
        cluster = SimulatedCluster(clock, behaviour=endless())
        path = quick_path / f"{last}.db"
        with pytest.raises(Died):
            await cancelled_life(path, cluster, clock, last)
        await cancelled_life(path, cluster, clock, None)
        assert [kind for _, kind in cluster.scripts] == ["prologue", "epilogue"], last
        assert cluster.live() == []
        assert len(cluster.executions) == 1


class Distant(SimulatedCluster):
    """A cluster that loses an answer now and then, with a fence."""

    fence = 120.0

    def __init__(self, clock: Clock, capacity: Capacity) -> None:
        super().__init__(clock, behaviour=behaving(), capacity=capacity)
        self._sent = 0

    async def submit(self, batch: Batch) -> Mapping[JobId, RemoteId]:
        self._sent += 1
        match self._sent:
            case 1:
                raise SubmissionUnknown("never arrived")
            case 3:
                await super().submit(batch)
                raise SubmissionUnknown("arrived, and the answer did not")
            case _:
                return await super().submit(batch)


@pytest.mark.parametrize("capacity", CAPACITIES.values(), ids=CAPACITIES)
async def test_every_task_runs_once_when_answers_are_lost_and_the_process_dies(
    quick_path: Path, capacity: Capacity
) -> None:
    clock = Clock()
    cluster = Distant(clock, capacity)
    effects = (await lives(quick_path / "whole.db", cluster, clock, None)).effects
    assert effects > 60

    for last in range(1, effects + 1, 5):
        clock = Clock()
        cluster = Distant(clock, capacity)
        path = quick_path / f"{last}.db"
        # A life that went otherwise than the whole one may have ended before.
        with contextlib.suppress(Died):
            await lives(path, cluster, clock, last)
        clock.pass_(5)
        await lives(path, cluster, clock, None)
        async with engine_on(path, {"sim": cluster}, clock) as engine:
            await check(engine, cluster)
