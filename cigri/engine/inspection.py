"""What the API may read of the engine, for callers who are known."""

from collections.abc import Collection, Mapping, Sequence

from cigri.domain.event import Event
from cigri.domain.forecast import Forecast
from cigri.domain.idle import why_idle
from cigri.domain.model import (
    Caller,
    Campaign,
    CampaignId,
    CampaignState,
    Counts,
    EventId,
    TaskId,
)
from cigri.domain.selection import CampaignSelection
from cigri.domain.statistics import Statistics, statistics
from cigri.engine import gauges
from cigri.engine.answers import CampaignPage, ClusterStatus
from cigri.engine.aspect import Aspect
from cigri.store import campaigns, clusters, listings, rows
from cigri.store.listings import Part


class Inspection(Aspect):
    """Reads campaigns: their counts are for everybody, all else is for the owner."""

    async def listing(
        self,
        states: Collection[CampaignState],
        limit: int,
        offset: int,
        selection: CampaignSelection = CampaignSelection(),  # noqa: B008 - it is frozen
    ) -> CampaignPage:
        """Return the campaigns wanted that are in *states*, oldest first."""
        async with self._database.read() as db:
            items = await listings.campaign_page(db, states, limit, offset, selection)
            counts = await listings.count_by_state(db, selection)
        total = sum(count for state, count in counts.items() if state in states)
        hidden = sum(counts.values()) - total
        return CampaignPage(items=tuple(items), total=total, hidden=hidden)

    async def get(self, campaign: CampaignId) -> Campaign:
        """
        Return a campaign.

        Raises:
            NotFound: There is none.
        """
        async with self._database.read() as db:
            return await campaigns.get(db, campaign)

    async def counts(self, campaign: CampaignId) -> Counts:
        """
        Return the counters of a campaign alone, which cost a page of its tasks little.

        Raises:
            NotFound: There is none.
        """
        async with self._database.read() as db:
            return rows.counts(await campaigns.row(db, campaign))

    async def event_page(
        self, caller: Caller, campaign: CampaignId, *, closed: bool, limit: int, offset: int
    ) -> Part:
        """Return open events of a campaign and its clusters; or its own, the *closed* ones too."""
        async with self._database.read() as db:
            await self._check_owner(db, caller, campaign)
            return await listings.events_of_campaign(
                db, campaign, closed=closed, limit=limit, offset=offset
            )

    async def cluster_events(self, *, limit: int, offset: int) -> Part:
        """Return the open events of clusters, which are for everybody."""
        async with self._database.read() as db:
            return await listings.events_of_clusters(db, limit=limit, offset=offset)

    async def tasks_of_events(self, events: Sequence[Event]) -> Mapping[EventId, TaskId]:
        """Return the ids of the tasks that *events*, which the caller may see, tell of."""
        async with self._database.read() as db:
            return await listings.tasks_of_events(db, events)

    async def statistics(self, campaign: CampaignId) -> Statistics:
        """
        Return how quickly and how well a campaign goes.

        Raises:
            NotFound: There is none.
        """
        async with self._database.read() as db:
            found = await campaigns.get(db, campaign)
            attempts = await listings.attempts(db, campaign)
        return statistics(found.counts, attempts, self.forecast(found))

    async def event(self, caller: Caller, event: EventId) -> Event:
        """Return an event; those that concern no campaign are for everybody."""
        async with self._database.read() as db:
            return await self._event(db, caller, event)

    @staticmethod
    def reason(campaign: Campaign) -> str | None:
        """Return why nothing of a campaign starts now, `None` when nothing is in the way."""
        return why_idle(campaign)

    def forecast(self, campaign: Campaign) -> Forecast:
        """Return how fast a campaign goes and when it may end."""
        return self._progress.forecast(campaign, self._runtime.now())

    async def clusters(self) -> tuple[ClusterStatus, ...]:
        """Return how the configured clusters are."""
        found = []
        for site in self._runtime.sites.values():
            async with self._database.read() as db:
                row = (await clusters.all_clusters(db))[site.name]
                busy = await clusters.busy(db, site.id)
            known = await gauges.shown(self._runtime, site, held=row.hold is not None)
            used = known.usage
            found.append(
                ClusterStatus(
                    id=site.id,
                    name=site.name,
                    driver=site.driver.name,
                    slots=(known.slots or 0) + (0 if used is None else used.down),
                    busy=busy,
                    hold=row.hold,
                    stress=known.stress,
                    stress_limit=site.driver.stress_limit,
                    next_try=row.hold_until,
                    down=None if used is None else used.down,
                    used_by_others=None if used is None else max(0, used.busy - busy),
                )
            )
        return tuple(found)
