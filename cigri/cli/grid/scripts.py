"""The programs that are installed, each of which imports its own command alone."""

import importlib
import sys


def _run(name: str) -> None:
    from cigri.cli.main import run

    module = importlib.import_module(f"cigri.cli.grid.{name}")
    sys.exit(run(command=vars(module)[name]))


def gridsub() -> None:
    """Submit campaigns, or add tasks to one."""
    _run("gridsub")


def gridstat() -> None:
    """Show campaigns and tasks."""
    _run("gridstat")


def gridevents() -> None:
    """Show events, or close them."""
    _run("gridevents")


def griddel() -> None:
    """Cancel campaigns, or pause and resume them."""
    _run("griddel")


def gridclusters() -> None:
    """Show the clusters."""
    _run("gridclusters")


def gridnotify() -> None:
    """Subscribe to notifications."""
    _run("gridnotify")


def gridtoken() -> None:
    """Register tokens for clusters."""
    _run("gridtoken")
