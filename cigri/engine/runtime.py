"""What the parts of the engine share."""

import asyncio
from collections.abc import Callable, Mapping

import attrs

from cigri.clusters.driver import ClusterDriver
from cigri.domain.model import ClusterName
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

    def ring(self) -> None:
        """Wake all loops: something changed that any cluster may have to act on."""
        for site in self.sites.values():
            site.submitter.ring()
            site.poller.ring()
