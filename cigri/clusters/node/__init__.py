"""What runs on the nodes of a cluster, laid there over HTTP, and what it leaves behind."""

from cigri.clusters.node.parcel import Parcel, pack
from cigri.clusters.node.places import (
    cancel_file,
    directory,
    journal_file,
    log_file,
    output_file,
    packed_file,
    stop_file,
    void_file,
)
from cigri.clusters.node.reports import (
    cut_output,
    ending_of,
    journal_lines,
    places_of,
    read_journal,
)
from cigri.clusters.node.script import PROGRAM

__all__ = [
    "PROGRAM",
    "Parcel",
    "cancel_file",
    "cut_output",
    "directory",
    "ending_of",
    "journal_file",
    "journal_lines",
    "log_file",
    "output_file",
    "pack",
    "packed_file",
    "places_of",
    "read_journal",
    "stop_file",
    "void_file",
]
