"""What the parts of the engine share."""

from collections.abc import Callable, Mapping

import attrs

from cigri.clusters.driver import ClusterDriver, Usage
from cigri.domain.calendar import Calendar, is_night, next_change
from cigri.domain.model import ClusterName
from cigri.domain.reactions import EventCode
from cigri.engine.bell import Bell
from cigri.engine.metrics import Metrics
from cigri.engine.turns import Turns
from cigri.store.database import Database


@attrs.define(kw_only=True)
class Known:
    """What was seen of a cluster lately: in memory alone, a restart looks again."""

    #: Whether it had no job of ours at the last look.
    idle: bool = True
    slots: int | None = None
    stress: float | None = None
    #: For those who look alone, and when that was asked for.
    usage: Usage | None = None
    used_at: float = -float("inf")
    #: The loops whose last turn failed.
    failing: set[str] = attrs.field(factory=set)
    #: Conditions of the cluster that are told by an open event, `None` before anybody has looked.
    conditions: frozenset[EventCode] | None = None
    #: Submissions without an answer, and when each was last looked for.
    in_doubt: dict[str, float] = attrs.field(factory=dict)
    #: Those of users whom the cluster does not let in any more, which somebody was told.
    refused: set[str] = attrs.field(factory=set)
    #: When submissions that were given up have been looked for.
    swept_at: float = -float("inf")


@attrs.frozen(kw_only=True)
class Site:
    """One cluster as the engine sees it: its driver, its id, and the bells of its two loops."""

    name: ClusterName
    id: int
    driver: ClusterDriver
    submitter: Bell = attrs.field(factory=Bell)
    poller: Bell = attrs.field(factory=Bell)
    known: Known = attrs.field(factory=Known)


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
