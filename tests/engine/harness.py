"""An engine on a simulated cluster, driven step by step: no loops, no clock but ours."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import attrs

from cigri.clusters.driver import ClusterDriver
from cigri.domain.calendar import Calendar
from cigri.domain.event import Event
from cigri.domain.facts import ClusterFacts, Facts
from cigri.domain.model import Caller, CampaignId, ClusterName, Task, TaskState
from cigri.domain.scheduling import POLICIES
from cigri.domain.selection import Selection
from cigri.engine.campaigns import Campaigns
from cigri.engine.poller import Poller
from cigri.engine.progress import Progress
from cigri.engine.runtime import Runtime, Site
from cigri.engine.submitter import submit_once
from cigri.store import campaigns, clusters
from cigri.store.database import Database, open_database

ANN = Caller(user="ann")


class Clock:
    """Time that moves when told."""

    def __init__(self, now: float = 1_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def pass_(self, seconds: float) -> None:
        self.now += seconds


@attrs.frozen(kw_only=True)
class Engine:
    """The parts of a running engine, to be driven by hand."""

    api: Campaigns
    runtime: Runtime
    clock: Clock
    pollers: dict[ClusterName, Poller]

    @property
    def database(self) -> Database:
        return self.runtime.database

    async def events(
        self, caller: Caller, campaign: CampaignId, *, closed: bool = False
    ) -> list[Event]:
        """Return the open events of a campaign alone, and the *closed* ones if asked for."""
        part = await self.api.event_page(caller, campaign, closed=closed, limit=1000, offset=0)
        return [event for event in part.items if event.campaign == campaign]

    async def tasks(
        self,
        caller: Caller,
        campaign: CampaignId,
        first: int,
        limit: int,
        state: TaskState | None = None,
    ) -> list[Task]:
        """Return *limit* tasks from number *first* on, all or those in *state*, however far."""
        selection = Selection(states=frozenset() if state is None else frozenset({state}))
        found: list[Task] = []
        following: int | None = first
        while following is not None and len(found) < limit:
            wanted = limit - len(found)
            page = await self.api.select(caller, campaign, selection, following, wanted)
            found += page.tasks
            following = page.following
        return found

    async def turn(self, seconds: float = 1.0) -> None:
        """Let every loop do one cycle, then let time pass."""
        for name, site in self.runtime.sites.items():
            await submit_once(self.runtime, site, POLICIES["turns"])
            await self.pollers[name].poll_once()
        self.clock.pass_(seconds)

    async def run(self, campaign: CampaignId, turns: int = 500) -> str:
        """Turn until a campaign has come to its end; return its state."""
        for _ in range(turns):
            state = (await self.api.get(campaign)).state
            if state in ("terminated", "cancelled"):
                return state
            await self.turn()
        return (await self.api.get(campaign)).state


@asynccontextmanager
async def engine_on(
    path: Path,
    drivers: dict[str, ClusterDriver],
    clock: Clock,
    open_: Callable[[Database], Database] = lambda database: database,
    calendar: Calendar | None = None,
    *,
    honours: frozenset[str] = frozenset(),
) -> AsyncIterator[Engine]:
    """Start an engine on a database, as the daemon does, without its loops."""
    async with open_database(path) as opened:
        database = open_(opened)
        async with opened.write() as tx:
            if await clusters.installation(tx) is None:
                await clusters.install(tx, "test", 1)
            await clusters.register(tx, [ClusterName(name) for name in drivers])
            await campaigns.delete_loading(tx)
            ids = {name: row.id for name, row in (await clusters.all_clusters(tx)).items()}
        sites = {
            ClusterName(name): Site(name=ClusterName(name), id=ids[ClusterName(name)], driver=d)
            for name, d in drivers.items()
        }
        runtime = Runtime(
            database=database, sites=sites, now=clock, calendar=calendar or Calendar()
        )
        progress = Progress()
        facts = Facts(clusters={name: ClusterFacts(slots=8, honours=honours) for name in sites})
        yield Engine(
            api=Campaigns(runtime, progress, facts),
            runtime=runtime,
            clock=clock,
            pollers={name: Poller(runtime, site, progress) for name, site in sites.items()},
        )
