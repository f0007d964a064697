"""`serve`: starts the daemon, which the rest of the command line only talks to."""

import os
import sys
from pathlib import Path

import asyncclick

from cigri import places
from cigri.cli.group import with_examples

HELP = with_examples(
    """Run the server: with no option at all, one for yourself and this host's cores.

It listens on a Unix socket and on http://127.0.0.1:8666. Ctrl-C ends it; what runs goes on and
is found again at the next start.""",
    "cigri serve",
    "cigri serve --config cigri.toml",
)

FILE = asyncclick.Path(dir_okay=False, path_type=Path)
#: Made absolute as it is read.
DIRECTORY = asyncclick.Path(file_okay=False, resolve_path=True, path_type=Path)


@asyncclick.command("serve", help=HELP)
@asyncclick.option("--config", type=FILE, metavar="FILE", help="Read the settings in this file.")
@asyncclick.option("--database", type=FILE, metavar="FILE", help="Keep everything in this file.")
@asyncclick.option(
    "--private",
    type=DIRECTORY,
    metavar="DIR",
    help="Keep everything in DIR, open no port, and end with standard input.",
)
@asyncclick.option(
    "--adopt", is_flag=True, help="Serve a copied or restored database whose original is gone."
)
async def serve(
    config: Path | None, database: Path | None, private: Path | None, *, adopt: bool
) -> int:
    """Run the server and return its exit code."""
    from cigri import daemon

    if private is not None and database is not None:
        raise asyncclick.UsageError("--private says where the database is")
    found = places.places(os.environ, os.geteuid())
    if private is not None:
        found = places.private_places(private)
    service = daemon.prepare(config, found, database=database, private=private is not None)
    if private is None and sys.stderr.isatty():
        server = service.config.server
        _greet(server.socket, f"http://{server.host}:{server.port}" if server.port else None)
    await daemon.serve(service, adopt=adopt)
    return 0


def _greet(socket: Path, url: str | None) -> None:
    """Tell a newcomer what starts here, and how it ends."""
    also = f" and {url}" if url else ""
    asyncclick.echo(f"Starting on unix:{socket}{also}", err=True)
    asyncclick.echo("Stop with Ctrl-C: what runs goes on, and is found again.", err=True)


DOCTOR = with_examples(
    """Check the database: the file, the checksums of the parameters, and all counters.

A server may be using it meanwhile. With --backup, only write a copy of it.""",
    "cigri doctor",
    "cigri doctor --backup /safe/cigri-monday.db",
)


@asyncclick.command("doctor", help=DOCTOR)
@asyncclick.option("--config", type=FILE, metavar="FILE", help="Read the settings in this file.")
@asyncclick.option("--database", type=FILE, metavar="FILE", help="Examine this file.")
@asyncclick.option("--backup", type=FILE, metavar="FILE", help="Write a copy to this new file.")
async def doctor(config: Path | None, database: Path | None, backup: Path | None) -> int:
    """Examine or copy a database and return the exit code."""
    from cigri import doctor as examiner
    from cigri.config import load

    found = places.places(os.environ, os.geteuid())
    path = database or load(config, found).server.database
    if backup is not None:
        await examiner.backup(path, backup)
        asyncclick.echo(f"wrote {backup}; to serve it: cigri serve --database {backup} --adopt")
        return 0
    healthy = True
    async for finding in examiner.check(path):
        asyncclick.echo(f"{finding.subject:<16}{finding.problem or 'ok'}")
        healthy &= finding.problem is None
    return 0 if healthy else 1
