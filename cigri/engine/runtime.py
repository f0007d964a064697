"""What the parts of the engine share."""

import asyncio
from collections.abc import Callable, Mapping

import attrs

from cigri.clusters.driver import ClusterDriver
from cigri.domain.calendar import Calendar, is_night, next_change
from cigri.domain.model import ClusterName
from cigri.engine.metrics import Metrics
from cigri.engine.turns import Turns
from cigri.store.database import Database


class Bell:
    """Wakes one loop; what rings while the loop works is not lost."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def ring(self) -> None:
        """Wake the loop now, or let its next pause end at once."""
        self._event.set()

    def still(self) -> None:
        """Forget earlier rings: what follows sees what they were about."""
        self._event.clear()

    async def wait(self, seconds: float) -> None:
        """Return when the bell rings, or after *seconds*."""
        try:
            async with asyncio.timeout(seconds):
                await self._event.wait()
        except TimeoutError:
            pass


@attrs.frozen(kw_only=True)
class Site:
    """One cluster as the engine sees it: its driver, its id, and the bells of its two loops."""

    name: ClusterName
    id: int
    driver: ClusterDriver
    submitter: Bell = attrs.field(factory=Bell)
    poller: Bell = attrs.field(factory=Bell)


@attrs.frozen(kw_only=True)
class Runtime:
    """The store, the clusters, and where time comes from."""

    database: Database
    sites: Mapping[ClusterName, Site]
    #: UTC seconds since the epoch.
    now: Callable[[], float]
    #: What is day and what is night.
    calendar: Calendar = attrs.field(factory=Calendar)
    metrics: Metrics = attrs.field(factory=Metrics)
    #: Whether the loops do their turns.
    turns: Turns = attrs.field(
        default=attrs.Factory(lambda self: Turns(self.metrics.turned), takes_self=True)
    )

    @property
    def night(self) -> bool:
        """Return whether it is night."""
        return is_night(self.calendar, self.now())

    def site(self, cluster_id: int) -> Site | None:
        """Return a cluster by its id, `None` if it is not configured any more."""
        return next((site for site in self.sites.values() if site.id == cluster_id), None)

    def until_change(self, most: float) -> float:
        """Return the seconds until day and night change, at most *most*."""
        now = self.now()
        if is_night(self.calendar, now) is is_night(self.calendar, now + most):
            return most
        return min(most, next_change(self.calendar, now) - now)

    def ring(self) -> None:
        """Wake all loops: something changed that any cluster may have to act on."""
        for site in self.sites.values():
            site.submitter.ring()
            site.poller.ring()
