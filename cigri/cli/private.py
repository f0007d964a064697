"""A server for one command: started when no other answers, and gone with it."""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from cigri import places
from cigri.cli.session import Session
from cigri.client import Client
from cigri.errors import CigriError, ServerUnreachable

#: Seconds that it may take to start; a first start on a cold disk reads all its modules.
START = 30.0
#: Seconds that it may take to end.
STOP = 10.0


@contextlib.contextmanager
def reachable(
    session: Session, keep: Path | None, *, private: bool, config: Path | None = None
) -> Iterator[Path | None]:
    """
    Have the session's client speak with a server, for as long as the block runs.

    One that is started has the clusters of *config*.

    It is the one that answers, unless none does or a *private* one is wanted: that one keeps its
    things in *keep*, or in a new temporary directory, which is what comes back.
    """
    if not private and _answers(session):
        yield None
        return
    directory = keep or Path(tempfile.mkdtemp(prefix="cigri-"))
    try:
        with _server(directory, config) as client:
            session.client = client
            yield directory
    except ServerUnreachable:
        raise  # its log is in the directory
    except CigriError:
        if keep is None:  # refused: nothing has run there
            shutil.rmtree(directory, ignore_errors=True)
        raise


def _answers(session: Session) -> bool:
    """Tell whether a server can be had; one that was named must be there."""
    try:
        session.client.get("/")
    except ServerUnreachable:
        if session.named:
            raise
        return False
    return True


@contextlib.contextmanager
def _server(directory: Path, config: Path | None) -> Iterator[Client]:
    """Run a server until the block ends; it ends by itself when this process is gone."""
    directory = directory.resolve()
    socket = places.private_places(directory).socket
    if len(os.fsencode(socket)) > places.LONGEST_SOCKET:
        raise CigriError(
            f"no socket can have a path as long as {socket}: choose another directory"
        )
    directory.mkdir(parents=True, exist_ok=True)
    log = directory / "server.log"
    options = ["--private", str(directory)]
    options += [] if config is None else ["--config", str(config)]
    with log.open("ab") as output:
        server = subprocess.Popen(
            [sys.executable, "-m", "cigri", "serve", *options],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            start_new_session=True,  # Ctrl-C is for the client: it says what becomes of the rest
        )
    try:
        with _wait_for(server, socket, log) as client:
            yield client
    finally:
        _stop(server)


def _wait_for(server: subprocess.Popen[bytes], socket: Path, log: Path) -> Client:
    url = str(places.Address(socket=socket))
    end = time.monotonic() + START
    pause = 0.02
    while True:
        with contextlib.suppress(ServerUnreachable):
            return Client(url)
        if server.poll() is not None or time.monotonic() > end:
            raise ServerUnreachable(f"the private server did not start: {_reason(log)}")
        time.sleep(pause)


def _reason(log: Path) -> str:
    """Return the last error that the server told, or where else to look."""
    lines = log.read_text("utf-8", "replace").splitlines()
    told = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
    return told[-1] if told else f"see {log}"


def _stop(server: subprocess.Popen[bytes]) -> None:
    assert server.stdin is not None  # noqa: S101 - for the type checker
    server.stdin.close()
    try:
        server.wait(STOP)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
