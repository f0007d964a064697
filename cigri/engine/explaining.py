"""Says why nothing more of a campaign starts, cluster by cluster."""

from cigri.domain.calendar import next_change
from cigri.domain.explain import Explanation, Moment, Place, explain
from cigri.domain.model import Caller, CampaignCluster, CampaignId
from cigri.domain.scheduling import POLICIES
from cigri.engine import gauges, unanswered
from cigri.engine.aspect import Aspect
from cigri.engine.runtime import Site
from cigri.store import campaigns, clusters, events, steps, tasks
from cigri.store.clusters import ClusterRow
from cigri.store.database import Connection


class Explaining(Aspect):
    """Asks the same questions as the submitter, and tells the answer instead of acting on it."""

    async def explain(self, caller: Caller, campaign: CampaignId) -> Explanation:
        """
        Return the one true reason why nothing more of a campaign starts, on each cluster.

        It costs the same whatever the number of its tasks.

        Raises:
            NotFound: There is no such campaign.
            NotAllowed: It is somebody else's.
        """
        runtime = self._runtime
        sites = {site.id: site for site in runtime.sites.values()}
        async with self._database.read() as db:
            await self._check_owner(db, caller, campaign)
            rows = {row.id: row for row in (await clusters.all_clusters(db)).values()}
        for each in sites.values():
            await gauges.shown(runtime, each, held=rows[each.id].hold is not None)
        async with self._database.read() as db:
            found = await campaigns.get(db, campaign)
            holding = await events.holding(db, campaign)
            places = []
            for item in found.clusters:
                site = sites.get(item.cluster_id)
                row = rows[item.cluster_id]
                if site is None:
                    places.append(Place(item=item, slots=None))
                else:
                    places.append(await self._place(db, found.id, item, site, row))
        now = runtime.now()
        moment = Moment(
            campaign=found,
            events=holding,
            night=runtime.night,
            until_change=next_change(runtime.calendar, now) - now,
            admin=caller.admin,
            contact=self._facts.contact,
        )
        return explain(moment, places)

    async def _place(
        self,
        db: Connection,
        campaign: CampaignId,
        item: CampaignCluster,
        site: Site,
        row: ClusterRow,
    ) -> Place:
        slots = site.known.slots or 0
        offers = await campaigns.offers(
            db, site.id, night=self._runtime.night, capacity=site.driver.capacity
        )
        free = max(1, slots - await steps.in_flight(db, site.id))
        own = {offer.user for offer in offers if offer.campaign == campaign}
        users = {offer.user for offer in offers if offer.demand}
        holding = None if row.hold is None else await events.holding_cluster(db, site.id)
        rest = None if row.hold_until is None else max(0.0, row.hold_until - self._runtime.now())
        return Place(
            item=item,
            slots=slots,
            busy=await clusters.busy(db, site.id),
            others=len(users - own),
            chosen=any(choice.campaign == campaign for choice in POLICIES["turns"](offers, free)),
            hold=row.hold,
            retry_in=rest,
            held_by=None if holding is None else holding.id,
            stress=site.known.stress if gauges.is_strained(site) else None,
            stress_limit=site.driver.stress_limit,
            elsewhere=await tasks.leaning_elsewhere(db, campaign, site.id, self._runtime.now()),
            in_doubt=await unanswered.in_doubt(db, site, self._runtime.now()),
        )
