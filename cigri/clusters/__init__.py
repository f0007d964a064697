"""Drivers: one file and one line in `DRIVERS` for each kind of cluster."""

from collections.abc import Callable, Mapping
from pathlib import Path

from cigri.clusters.driver import ClusterDriver
from cigri.clusters.local import LocalDriver
from cigri.clusters.options import LocalOptions

#: Opens a driver, given a directory of its own and its options.
DRIVERS: Mapping[str, Callable[[Path, LocalOptions], ClusterDriver]] = {"local": LocalDriver}
