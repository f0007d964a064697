"""A server for several users, to be asked as each of them."""

import contextlib
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from cigri.client import Client
from tests.e2e.server import Server

_HEADER = "X-Cigri-User"
_CONFIG = f"""[server]
database = "cigri.db"
socket = "cigri.sock"
port = 0
admins = ["admin"]
[auth.proxy]
header = "{_HEADER}"
peers = ["unix:root"]
"""


class SharedServer(Server):
    """`cigri serve` of root, which believes us when we say who asks."""

    def __init__(self, directory: Path, clusters: str) -> None:
        super().__init__(directory, f"{_CONFIG}{clusters}")
        self._clients: dict[str, Client] = {}

    def _options(self) -> list[str]:
        return ["--config", str(self.directory / "cigri.toml")]

    @property
    def client(self) -> Client:
        """Return a client that may do everything."""
        return self.of("admin")

    def of(self, user: str) -> Client:
        """Return a client of *user*'s."""
        if user not in self._clients:
            transport = httpx.HTTPTransport(uds=str(self.directory / "cigri.sock"))
            http = httpx.Client(
                transport=transport,
                base_url="http://localhost",
                headers={_HEADER: user},
                timeout=60,
            )
            self._clients[user] = Client(http=http)
        return self._clients[user]

    def submit_as(self, user: str, jdl: dict[str, Any]) -> int:
        """Submit a campaign of *user*'s; return its id."""
        return int(self.of(user).submit(jdl)["id"])

    def _close(self) -> None:
        while self._clients:
            self._clients.popitem()[1].close()
        super()._close()


@contextlib.contextmanager
def shared(directory: Path, clusters: str) -> Iterator[SharedServer]:
    """Run such a server during a block."""
    server = SharedServer(directory, clusters)
    server.start()
    try:
        yield server
    finally:
        server.kill()


@contextlib.contextmanager
def common_directory() -> Iterator[Path]:
    """Give a directory that every user of this host may write to."""
    with tempfile.TemporaryDirectory(prefix="cigri-oar.") as name:
        directory = Path(name)
        directory.chmod(0o777 | stat.S_ISVTX)
        yield directory


def program(directory: Path, text: str) -> Path:
    """Write a program that everybody can run."""
    path = directory / f"program{len(os.listdir(directory))}.sh"  # noqa: PTH208
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path
