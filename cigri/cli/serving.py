"""`serve`: starts the daemon, which the rest of the command line only talks to."""

import os
import sys
from pathlib import Path

import asyncclick

from cigri import places
from cigri.cli.group import with_examples

HELP = with_examples(
    """Run the server: with no option at all, one for yourself and this host's cores.

Its settings are those of --config, else of the file that `cigri init` writes, if there is one.

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
    else:
        config = config or own_configuration()
    service = daemon.prepare(config, found, database=database, private=private is not None)
    if private is None and sys.stderr.isatty():
        server = service.config.server
        _greet(server.socket, server.url)
    await daemon.serve(service, adopt=adopt)
    return 0


def own_configuration() -> Path | None:
    """Return the file that a server of this user reads, if `cigri init` or somebody wrote one."""
    path = places.configuration(os.environ, os.geteuid())
    return path if path.is_file() else None


def _greet(socket: Path, url: str | None) -> None:
    """Tell a newcomer what starts here, and how it ends."""
    also = f" and {url}" if url else ""
    asyncclick.echo(f"Starting on unix:{socket}{also}", err=True)
    asyncclick.echo("Stop with Ctrl-C: what runs goes on, and is found again.", err=True)
