"""Drivers: one file and one line in `DRIVERS` for each kind of cluster."""

from collections.abc import Callable, Mapping
from pathlib import Path

import attrs

from cigri.clusters.driver import ClusterDriver
from cigri.clusters.local import LocalDriver
from cigri.clusters.mapped import MappedUsers
from cigri.clusters.options import LocalOptions

#: Opens a driver, given a directory of its own and its options.
DRIVERS: Mapping[str, Callable[[Path, LocalOptions], ClusterDriver]] = {"local": LocalDriver}


def open_driver(kind: str, directory: Path, options: LocalOptions) -> ClusterDriver:
    """Return the driver of a cluster, which sees users under the logins that they have there."""
    if not options.users_mapping:
        return DRIVERS[kind](directory, options)
    # Who may use it is told by the names in CiGri, which the driver does not see.
    driver = DRIVERS[kind](directory, attrs.evolve(options, users=None))
    return MappedUsers(driver, options.users_mapping, options.users)
