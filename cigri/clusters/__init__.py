"""Drivers: a module or a package, and one line in `DRIVERS`, for each kind of cluster."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import cast

import attrs

from cigri.clusters.driver import ClusterDriver
from cigri.clusters.local import LocalDriver
from cigri.clusters.mapped import MappedUsers
from cigri.clusters.oar import OarDriver
from cigri.clusters.options import ClusterOptions, LocalOptions, OarOptions


def _local(directory: Path, options: ClusterOptions) -> ClusterDriver:
    return LocalDriver(directory, cast("LocalOptions", options))


def _oar(directory: Path, options: ClusterOptions) -> ClusterDriver:
    # Which version it is, its options say.
    return OarDriver(directory, cast("OarOptions", options))


#: Opens a driver, given a directory of its own and its options.
DRIVERS: Mapping[str, Callable[[Path, ClusterOptions], ClusterDriver]] = {
    "local": _local,
    "oar2": _oar,
    "oar3": _oar,
}


def open_driver(kind: str, directory: Path, options: ClusterOptions) -> ClusterDriver:
    """Return the driver of a cluster, which sees users under the logins that they have there."""
    if not options.users_mapping:
        return DRIVERS[kind](directory, options)
    # Who may use it is told by the names in CiGri, which the driver does not see.
    driver = DRIVERS[kind](directory, attrs.evolve(options, users=None))
    return MappedUsers(driver, options.users_mapping, options.users)
