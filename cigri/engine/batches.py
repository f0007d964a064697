"""What is sent to a cluster for what was claimed."""

from cigri.clusters.driver import Batch, TaskOrder
from cigri.domain import bag, portions
from cigri.domain.model import ClusterSettings, JobKind, Shape, TaskNumber
from cigri.domain.steps import script_of
from cigri.engine.runtime import Runtime, Site
from cigri.store import claims
from cigri.store.claims import Claim


async def batch_of(runtime: Runtime, site: Site, claim: Claim, settings: ClusterSettings) -> Batch:
    """
    Return what is to be sent to *site* for *claim*, with *settings* as they are now.

    Raises:
        DamagedParameters: Parameters of its tasks cannot be read.
        DamagedRecords: What became of its tasks cannot be read.
    """
    async with runtime.database.read() as db:
        known = await claims.contents(db, claim)
    orders = {
        job: [
            TaskOrder(
                TaskNumber(number),
                known.attempts.get(number, 0) + 1,
                known.ids[number],
                known.parameters[number],
            )
            for item in portion
            for number in item.numbers()
        ]
        for job, portion in claim.jobs.items()
    }
    return Batch(
        tag=claim.tag,
        user=claim.user,
        campaign=claim.campaign,
        campaign_name=claim.campaign_name,
        settings=settings,
        jobs=orders,
        kind=claim.kind,
        script=None if claim.kind is JobKind.TASKS else script_of(claim.settings, claim.kind),
        shape=claim.shape,
        walltime=_walltime(site, claim, settings),
    )


def _walltime(site: Site, claim: Claim, settings: ClusterSettings) -> float:
    if claim.shape is Shape.ARRAY or claim.kind is not JobKind.TASKS:
        return settings.walltime
    capacity = site.driver.capacity
    return portions.walltime(
        -(-max(map(bag.size, claim.jobs.values())) // capacity.abreast(settings)),
        own=settings.walltime,
        mean_duration=claim.mean_duration,
        group_duration=capacity.group_duration,
    )
