"""What the rules have to know of the installation that a campaign is described to."""

from collections.abc import Mapping
from enum import StrEnum

import attrs

from cigri.domain.model import ClusterName


class Dialect(StrEnum):
    """How a cluster is asked for resources."""

    #: As a number of cores.
    HOST = "host"
    #: As OAR's `oarsub -l` takes them.
    OAR = "oar"


@attrs.frozen(kw_only=True)
class ClusterFacts:
    """What is known of one cluster when a campaign is described."""

    #: Cores that one task may occupy at most; `None` if nobody knows.
    slots: int | None = None
    #: Who may run tasks there that no other job can kill, beside the administrators.
    normal_users: tuple[str, ...] = ()
    #: Fields of the JDL that only some kinds of cluster honour, and this one does.
    honours: frozenset[str] = frozenset()
    dialect: Dialect = Dialect.HOST
    #: Cores of one node, where whole nodes can be asked for and somebody knows.
    cores_per_node: int | None = None


@attrs.frozen(kw_only=True)
class Rule:
    """
    What some campaigns may not be, as the configuration says.

    It concerns the clusters of a campaign that meet its conditions, and refuses those over one of
    its limits; without limits it refuses them all.
    """

    name: str
    #: Whom it concerns, everybody if empty, and whom not.
    users: tuple[str, ...] = ()
    except_users: tuple[str, ...] = ()
    #: Types of campaign and clusters that it concerns, all if empty.
    types: tuple[str, ...] = ()
    clusters: tuple[str, ...] = ()
    #: Seconds that one task may ask for.
    max_walltime: float | None = None
    #: Tasks of one campaign.
    max_tasks: int | None = None
    #: Campaigns of one user that are not over, this one included.
    max_campaigns: int | None = None
    #: Said instead of what the rule makes of its limits.
    message: str = ""
    #: Whom to ask; empty for the contact of the installation.
    ask: str = ""


@attrs.frozen(kw_only=True)
class Facts:
    """The clusters, the defaults and the limits of an installation."""

    clusters: Mapping[ClusterName, ClusterFacts]
    #: Seconds.
    default_walltime: float = 3600.0
    default_resources: str = "1"
    #: Tasks in one campaign.
    max_tasks: int = 10_000_000
    #: Bytes of a file of parameters that the server reads.
    max_file: int = 1024 * 1024 * 1024
    #: Who may run what, beside the `normal_users` of each cluster.
    rules: tuple[Rule, ...] = ()
    #: Whom to ask for what a rule refuses.
    contact: str = "an administrator"
