"""What the configuration may say about a cluster, one class for each driver."""

import os
from collections.abc import Mapping
from typing import Annotated

import attrs

from cigri.strict import Between, login


def usable_cores() -> int:
    """Return how many cores this process may use: not more than its container or cpuset grants."""
    return len(os.sched_getaffinity(0))


@attrs.frozen(kw_only=True)
class LocalOptions:
    """How this host runs tasks."""

    #: Cores that tasks may occupy at a time.
    slots: Annotated[int, Between(1, 65_536)] = attrs.field(factory=usable_cores)
    #: Who may run campaigns of type `normal` here; everybody may run best-effort ones.
    normal_users: tuple[Annotated[str, login], ...] = ()
    #: Whether tasks of root run, as root.
    allow_root: bool = False
    #: By how much tasks step back behind the host's other processes.
    nice: Annotated[int, Between(0, 19)] = 10
    #: Who may use this cluster, or `None` for everybody.
    users: tuple[Annotated[str, login], ...] | None = None


#: The options of each driver, by the name that the configuration calls it.
OPTIONS: Mapping[str, type[LocalOptions]] = {"local": LocalOptions}
