"""A server of our own to measure, and plain HTTP to it over its socket."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from cigri.clusters.options import LocalOptions

#: Seconds that a server may take to answer its first request, and its workers to end.
_PATIENCE = 30.0
_CONFIG = """
[server]
database = "{directory}/cigri.db"
socket = "{directory}/cigri.sock"
port = 0
"""
_LOCAL = """[clusters.local]
slots = {slots}
allow_root = true
nice = {nice}
"""
#: How far tasks step back, unless a benchmark says otherwise: as by default.
_NICE = LocalOptions().nice


class Connection(http.client.HTTPConnection):
    """HTTP over a Unix socket, kept open between requests."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost")
        self._path = path

    def connect(self) -> None:
        """Connect to the socket."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(str(self._path))

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        **headers: str,
    ) -> Any:  # noqa: ANN401 # JSON
        """
        Return the body of the answer.

        Raises:
            RuntimeError: The server refused.
        """
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.request(method, path, body, named)
        response = self.getresponse()
        text = response.read()
        if response.status >= http.HTTPStatus.BAD_REQUEST:
            raise RuntimeError(
                f"{method} {path}: {response.status} {text.decode(errors='replace')}"
            )
        return json.loads(text)


class OwnServer:
    """A server of our own in a directory, which can be killed and started again."""

    def __init__(self, directory: Path, clusters: str) -> None:
        self.directory = directory
        self.socket = directory / "cigri.sock"
        self.database = directory / "cigri.db"
        self._config = directory / "bench.toml"
        self._config.write_text(_CONFIG.format(directory=directory) + clusters)
        self._process = self._start()

    @property
    def pid(self) -> int:
        """Return the process id of the server."""
        return self._process.pid

    def wait(self) -> None:
        """
        Return when the server answers.

        Raises:
            RuntimeError: It ended, or takes too long.
        """
        deadline = time.monotonic() + _PATIENCE
        while self._process.poll() is None and time.monotonic() < deadline:
            try:
                self.connect().ask("GET", "/")
            except OSError:
                time.sleep(0.005)
            else:
                return
        log = (self.directory / "serve.log").read_text(errors="replace")
        raise RuntimeError(f"the server does not answer; its log ends with:\n{log[-2000:]}")

    def connect(self) -> Connection:
        """Return a new connection."""
        return Connection(self.socket)

    def kill(self) -> None:
        """End the server as a power cut would."""
        self._process.kill()
        self._process.wait()

    def restart(self) -> None:
        """Start the server anew and return when it answers."""
        self._process = self._start()
        self.wait()

    def stop(self) -> None:
        """End the server and its workers, with what they run."""
        self._process.terminate()
        self._process.wait()
        deadline = time.monotonic() + _PATIENCE
        while (workers := self.workers()) and time.monotonic() < deadline:
            for pid in workers:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGTERM)
            time.sleep(0.01)

    def workers(self) -> list[int]:
        """Return the process ids of the workers of this server's directory."""
        named = f"{self.directory}/clusters/".encode()
        return [int(path.parent.name) for path in _command_lines() if named in _read(path)]

    def _start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "cigri", "serve", "--config", str(self._config)]
        with (self.directory / "serve.log").open("ab") as log:
            return subprocess.Popen(
                command,
                env={**os.environ, "XDG_STATE_HOME": str(self.directory)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )


@contextmanager
def own_server(directory: Path, *, slots: int, nice: int = _NICE) -> Iterator[OwnServer]:
    """Yield a server of this host that ends, with its workers, when the block does."""
    with server_of(directory, _LOCAL.format(slots=slots, nice=nice)) as server:
        yield server


@contextmanager
def server_of(directory: Path, clusters: str) -> Iterator[OwnServer]:
    """Yield a running server of *clusters*, as its configuration names them."""
    (directory / "cigri").mkdir(mode=0o700, parents=True)
    server = OwnServer(directory, clusters)
    try:
        server.wait()
        yield server
    finally:
        server.stop()


def _command_lines() -> Iterable[Path]:
    return Path("/proc").glob("[0-9]*/cmdline")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except (FileNotFoundError, ProcessLookupError):  # it has just ended
        return b""
