"""A real server process, to be asked, killed and started again."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from cigri.client import Client
from cigri.clusters import worker
from cigri.errors import ServerUnreachable

#: Seconds after which a test gives up on something that should have happened.
PATIENCE = 90.0


def until(
    condition: Callable[[], Any], what: str, patience: float = PATIENCE, pause: float = 0.02
) -> Any:
    """Return the first true value of *condition*, asked every *pause* seconds."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(pause)
    raise AssertionError(f"waited {patience} s in vain: {what}")


class Server:
    """`cigri serve --private`, on a directory that outlives it."""

    def __init__(self, directory: Path, config: str = "") -> None:
        self.directory = directory
        directory.mkdir(exist_ok=True)
        self._config = directory / "cigri.toml"
        self._config.write_text(config)
        self._process: subprocess.Popen[bytes] | None = None
        self._client: Client | None = None

    def start(self) -> float:
        """Start it; return the seconds until it answered."""
        begin = time.monotonic()
        with (self.directory / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "cigri", "serve", *self._options()],
                stdin=subprocess.PIPE,
                stderr=log,
            )
        until(self._answers, f"the server answers: {self.log()[-2000:]}")
        return time.monotonic() - begin

    def _options(self) -> list[str]:
        return ["--private", str(self.directory), "--config", str(self._config)]

    def _answers(self) -> bool:
        try:
            self._client = Client(f"unix:{self.directory / 'cigri.sock'}")
        except ServerUnreachable:
            assert self._process is not None
            assert self._process.poll() is None, self.log()[-3000:]
            return False
        return True

    @property
    def client(self) -> Client:
        assert self._client is not None
        return self._client

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        """Kill it in the middle of whatever it does."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        self._close()

    def stop(self) -> float:
        """Ask it to end; return the seconds that it took."""
        assert self._process is not None
        begin = time.monotonic()
        self._process.terminate()
        self._process.wait(10)
        self._close()
        return time.monotonic() - begin

    def _close(self) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.close()
        if self._client is not None:
            self._client.close()
            self._client = None

    def log(self) -> str:
        """Return what it has logged."""
        path = self.directory / "server.log"
        return path.read_text() if path.exists() else ""

    def submit(self, jdl: dict[str, Any]) -> int:
        """Submit a campaign; return its id."""
        return int(self.client.submit(jdl)["id"])

    def get(self, path: str) -> Any:
        """Return what the API says at *path*."""
        return self.client.get(path).json()

    def wait(self, campaign: int) -> Any:
        """Return the campaign once it is terminated."""
        return until(
            lambda: next(
                (c for c in [self.get(f"/campaigns/{campaign}")] if c["state"] == "terminated"),
                None,
            ),
            f"campaign {campaign} ends",
        )

    def tasks(self, campaign: int) -> list[Any]:
        """Return all tasks of a campaign."""
        return list(self.client.jobs(campaign))

    def worker(self) -> int:
        """Return the pid of the worker that lives, 0 without one."""
        for lock in self.directory.glob(f"clusters/*/*/{worker.LOCK}"):
            pid = int((lock.read_text().split() or ["0"])[0])
            if pid and Path(f"/proc/{pid}").exists():
                return pid
        return 0


@contextlib.contextmanager
def serving(directory: Path, config: str = "") -> Iterator[Server]:
    """Run a server during a block; leave no process behind."""
    server = Server(directory, config)
    server.start()
    try:
        yield server
    finally:
        server.kill()
        with contextlib.suppress(ProcessLookupError):
            pid = server.worker()
            if pid:
                os.kill(pid, signal.SIGTERM)
