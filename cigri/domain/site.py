"""What the rules have to know of the installation that a campaign is described to."""

from collections.abc import Mapping

import attrs

from cigri.domain.model import ClusterName


@attrs.frozen(kw_only=True)
class ClusterFacts:
    """What is known of one cluster when a campaign is described."""

    #: Cores that one task may occupy at most; `None` if nobody knows.
    slots: int | None = None
    #: Who may run tasks there that no other job can kill, beside the administrators.
    normal_users: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class Site:
    """The clusters, the defaults and the limits of an installation."""

    clusters: Mapping[ClusterName, ClusterFacts]
    #: Seconds.
    default_walltime: float = 3600.0
    default_resources: str = "1"
    #: Tasks in one campaign.
    max_tasks: int = 10_000_000
