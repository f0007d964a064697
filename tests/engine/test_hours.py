"""Types of campaigns by day and by night."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cigri.clusters.simulated import Behaviour, SimulatedCluster
from cigri.domain.calendar import Calendar, parse_night
from cigri.domain.model import Caller, CampaignType
from cigri.domain.scheduling import POLICIES
from cigri.engine.submitter import EVERY, submit_once
from tests.engine.harness import Clock, Engine, engine_on
from tests.engine.test_campaigns import jdl

ADMIN = Caller(user="root", admin=True)
HOUR = 3600.0
#: 1970-01-02 12:00 in UTC: day.
NOON = 36 * HOUR
NIGHT = Calendar(nights=(parse_night("19:00-07:00"),))


@pytest.fixture
def clock() -> Clock:
    return Clock(NOON)


@pytest.fixture
async def engine(tmp_path: Path, cluster: SimulatedCluster, clock: Clock) -> AsyncIterator[Engine]:
    async with engine_on(tmp_path / "db", {"sim": cluster}, clock, calendar=NIGHT) as running:
        yield running


async def submitted(engine: Engine, type_: str, tasks: int = 1, **fields: object) -> int:
    found = await engine.api.submit(ADMIN, jdl(tasks, type=type_, **fields))
    return int(found.campaign.id)


@pytest.mark.parametrize(
    ("type_", "by_day", "by_night"),
    [
        ("best-effort", [CampaignType.BEST_EFFORT], [CampaignType.BEST_EFFORT]),
        ("normal", [CampaignType.NORMAL], [CampaignType.NORMAL]),
        ("semi-best-effort", [CampaignType.BEST_EFFORT], [CampaignType.NORMAL]),
        ("nightly", [], [CampaignType.NORMAL]),
    ],
)
async def test_what_runs_by_day_and_by_night(
    engine: Engine,
    cluster: SimulatedCluster,
    clock: Clock,
    *,
    type_: str,
    by_day: list[CampaignType],
    by_night: list[CampaignType],
) -> None:
    await submitted(engine, type_)
    await engine.turn()
    assert cluster.types == by_day

    cluster.types.clear()
    clock.now = NOON + 8 * HOUR
    for _ in range(3):
        await engine.turn()
    await submitted(engine, type_)
    await engine.turn()
    assert cluster.types[-1:] == by_night


async def test_what_began_by_night_goes_on_by_day_and_nothing_more_begins(
    engine: Engine, cluster: SimulatedCluster, clock: Clock
) -> None:
    cluster.behaviour = Behaviour(duration=lambda _t, _a: 5 * HOUR)
    clock.now = NOON + 16 * HOUR
    campaign = await submitted(engine, "nightly", 4)
    await engine.turn(4 * HOUR)
    for _ in range(3):
        await engine.turn(HOUR)

    found = (await engine.api.get(campaign)).counts  # type: ignore[arg-type]
    assert len(cluster.executions) == 1
    assert (found.succeeded, found.pending, found.in_flight) == (1, 3, 0)


async def test_the_prologue_of_a_nightly_campaign_waits_for_the_night(
    engine: Engine, cluster: SimulatedCluster, clock: Clock
) -> None:
    await submitted(engine, "nightly", prologue=["x"])
    await engine.turn()
    assert cluster.scripts == []

    clock.now = NOON + 8 * HOUR
    await engine.turn()
    assert len(cluster.scripts) == 1


async def test_an_epilogue_waits_for_no_night(
    engine: Engine, cluster: SimulatedCluster, clock: Clock
) -> None:
    clock.now = NOON + 18 * HOUR
    campaign = await submitted(engine, "nightly", epilogue=["x"])
    await engine.turn()
    clock.pass_(6 * HOUR)

    await engine.turn()
    await engine.turn()
    await engine.turn()

    assert (await engine.api.get(campaign)).state == "terminated"  # type: ignore[arg-type]
    assert len(cluster.scripts) == 1


@pytest.mark.parametrize(
    ("before", "pause"), [(HOUR, EVERY), (EVERY, EVERY), (12.5, 12.5), (0.25, 0.25)]
)
async def test_the_submitter_wakes_when_the_night_begins(
    engine: Engine, clock: Clock, before: float, pause: float
) -> None:
    clock.now = NOON + 7 * HOUR - before
    (site,) = engine.runtime.sites.values()

    assert await submit_once(engine.runtime, site, POLICIES["turns"]) == pause
