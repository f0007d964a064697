"""Clusters on the wire."""

from typing import Any

import attrs

from cigri.api.wire.links import Link, link
from cigri.engine.answers import ClusterStatus

#: What CiGri 3 called a driver, where that was another word.
_BATCHES = {"oar2": "oar2_5"}


@attrs.frozen(kw_only=True, slots=False)
class Cluster:
    """A cluster and how busy it is."""

    id: int
    name: str
    driver: str
    slots: int
    busy: int
    enabled: bool
    blacklisted: bool
    blacklist_reason: str | None
    #: When it is tried again by itself, in seconds since 1970.
    next_try: float | None
    under_stress: bool
    #: The stress, a slash, and from where on it is too much, `-` for nowhere; `null`: not known.
    stress_factor: str | None
    #: Slots that do not work, and that other jobs than ours occupy; `null`: not known.
    down: int | None
    used_by_others: int | None
    links: tuple[Link, ...]


@attrs.frozen(kw_only=True, slots=False)
class ClusterDetails(Cluster):
    """A cluster, with what CiGri 3 told of one."""

    #: CiGri 3's word for the driver.
    batch: str
    ssh_host: str | None
    resource_unit: str
    power: int
    properties: str


def cluster(value: ClusterStatus, base: str = "") -> Cluster:
    """Return a cluster as lists show it."""
    return Cluster(**_common(value, base))


def cluster_details(value: ClusterStatus, base: str = "") -> ClusterDetails:
    """Return all about a cluster."""
    return ClusterDetails(
        **_common(value, base),
        batch=_BATCHES.get(value.driver, value.driver),
        ssh_host=None,
        resource_unit="core",
        power=value.slots,
        properties="",
    )


def _common(value: ClusterStatus, base: str) -> dict[str, Any]:
    return {
        "id": value.id,
        "name": value.name,
        "driver": value.driver,
        "slots": value.slots,
        "busy": value.busy,
        "enabled": True,
        "blacklisted": value.hold is not None,
        "blacklist_reason": None if value.hold is None else value.hold.reason,
        "next_try": value.next_try,
        **_stress(value),
        "down": value.down,
        "used_by_others": value.used_by_others,
        "links": (
            link("self", f"{base}/clusters/{value.id}"),
            link("parent", f"{base}/clusters"),
        ),
    }


def _stress(value: ClusterStatus) -> dict[str, Any]:
    if value.stress is None:
        return {"under_stress": False, "stress_factor": None}
    limit = value.stress_limit
    return {
        "under_stress": limit is not None and value.stress >= limit,
        "stress_factor": f"{value.stress:.2f}/{'-' if limit is None else f'{limit:g}'}",
    }
