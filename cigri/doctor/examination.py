"""Examines an installation, with or without a server that runs, and changes nothing."""

from collections.abc import AsyncIterator
from pathlib import Path

from cigri.doctor import clusters, configuration, database, host
from cigri.doctor.finding import Finding
from cigri.places import Places


async def examine(
    file: Path | None, places: Places, *, named: Path | None = None
) -> AsyncIterator[Finding]:
    """
    Examine what the configuration *file* describes, or the default one; *named* is a database.

    With mistakes in the configuration, the rest is examined as far as it is known without.
    """
    config, found = configuration.check(file, places)
    for finding in found:
        yield finding
    path = named or (config.server.database if config else places.database)
    async for finding in database.check(path):
        yield finding
    if config is None:
        return
    async for finding in clusters.check(config, path):
        yield finding
    async for finding in host.check(config, places, path):
        yield finding
