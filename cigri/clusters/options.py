"""What the configuration may say about a cluster, one class for each driver."""

import math
import os
from collections.abc import Mapping
from typing import Annotated

import attrs

from cigri.strict import Between, login


def usable_cores() -> int:
    """Return how many cores this process may use: not more than its container or cpuset grants."""
    return len(os.sched_getaffinity(0))


def positive(value: float) -> float:
    """Return *value* when it is over 0, or raise ValueError."""
    if not 0 < value < math.inf:
        raise ValueError(f"not over 0: {value:g}")
    return value


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
    #: From what load of the host for each of its cores on it is called under stress, or `None`.
    stress_limit: Annotated[float, positive] | None = None
    #: Who may use this cluster, or `None` for everybody.
    users: tuple[Annotated[str, login], ...] | None = None
    #: As whom the tasks of a user run here, if not under the same login.
    users_mapping: Mapping[Annotated[str, login], Annotated[str, login]] = attrs.field(
        factory=dict
    )

    def __attrs_post_init__(self) -> None:
        """Refuse that tasks run as root without a word about it."""
        for user, mapped in self.users_mapping.items():
            if mapped == "root" and not self.allow_root:
                raise ValueError(
                    f"users_mapping lets tasks of {user} run as root: name another login,"
                    " or set allow_root = true"
                )


#: The options of each driver, by the name that the configuration calls it.
OPTIONS: Mapping[str, type[LocalOptions]] = {"local": LocalOptions}
