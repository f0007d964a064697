"""`doctor`: examines an installation, and copies its database."""

import contextlib
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncclick

from cigri import places
from cigri.cli.failures import Exit, writing
from cigri.cli.group import with_examples
from cigri.cli.serving import FILE, own_configuration
from cigri.doctor.finding import Finding, Level
from cigri.errors import CigriError
from cigri.words import clean

HELP = with_examples(
    """Check the configuration, the database, the clusters, the clock and the server's places.

Each line says ok, warn or FAIL, and how to repair what is wrong. Nothing is changed, and a
server may run meanwhile. With --backup, only write a copy of the database.""",
    "cigri doctor",
    "cigri doctor --probe",
    "cigri doctor --backup /safe/cigri-monday.db",
)
#: Columns of the word before a finding.
_WIDTH = 15


@asyncclick.command("doctor", help=HELP)
@asyncclick.option("--config", type=FILE, metavar="FILE", help="Read the settings in this file.")
@asyncclick.option("--database", type=FILE, metavar="FILE", help="Examine this file.")
@asyncclick.option("--backup", type=FILE, metavar="FILE", help="Write a copy to this new file.")
@asyncclick.option(
    "--probe",
    is_flag=True,
    help="Run a real task on each cluster, too, and time each step: through the server, or "
    "through one of its own if none answers.",
)
@asyncclick.option(
    "-o",
    "--output",
    type=asyncclick.Choice(("table", "json")),
    default="table",
    help="How to print.",
)
async def doctor(
    *, config: Path | None, database: Path | None, backup: Path | None, probe: bool, output: str
) -> int:
    """Examine or copy an installation and return the exit code."""
    from cigri.doctor.examination import examine

    file = config or own_configuration()
    found = places.places(os.environ, os.geteuid())
    if backup is not None:
        return await _copy(file, found, database, backup)
    told: list[Finding] = []
    healthy = True
    async for finding in examine(file, found, named=database):
        _tell(finding, told, output)
        healthy &= finding.level is not Level.FAIL
    if probe:
        for finding in _probed(asyncclick.get_current_context().find_root().obj, file):
            _tell(finding, told, output)
            healthy &= finding.level is not Level.FAIL
    if output == "json":
        with writing():
            sys.stdout.write(f"{json.dumps([_as_json(one) for one in told], indent=2)}\n")
    return Exit.DONE if healthy else Exit.REFUSED


async def _copy(file: Path | None, found: places.Places, database: Path | None, to: Path) -> int:
    from cigri.config import load
    from cigri.doctor.database import backup

    await backup(database or load(file, found).server.database, to)
    _say(f"wrote {to}; to serve it: cigri serve --database {to} --adopt")
    return Exit.DONE


def _probed(url: str | None, file: Path | None) -> Iterator[Finding]:
    from cigri.cli.private import reachable
    from cigri.cli.probing import probe
    from cigri.cli.session import Session

    session = Session(command="cigri doctor", url=url, output="table", color="auto")
    with (
        contextlib.closing(session),
        tempfile.TemporaryDirectory(prefix="cigri-", ignore_cleanup_errors=True) as directory,
        reachable(session, Path(directory), private=False, config=file),
    ):
        yield from probe(session.client, urls=_urls(file))


def _urls(file: Path | None) -> dict[str, str]:
    """Return the addresses of clusters that the configuration tells, if it can be read."""
    from cigri.config import load

    try:
        clusters = load(file, places.places(os.environ, os.geteuid())).clusters
    except CigriError:
        return {}  # that has been told
    return {name: getattr(one.options, "url", "") for name, one in clusters.items()}


def _tell(finding: Finding, told: list[Finding], output: str) -> None:
    told.append(finding)
    if output == "json":
        return
    # A name that is too long for its column must not touch what follows.
    subject = f"{finding.subject:<{_WIDTH - 1}} "
    _say(clean(f"{subject}{finding.level:<5} {finding.text}"))
    if finding.repair is not None:
        _say(clean(f"{'':<{_WIDTH}}{'':<5} try: {finding.repair}"))


def _as_json(finding: Finding) -> dict[str, str | None]:
    level = str(finding.level).lower()
    return {
        "subject": finding.subject,
        "level": level,
        "text": finding.text,
        "repair": finding.repair,
    }


def _say(line: str) -> None:
    with writing():
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
