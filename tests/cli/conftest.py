import json
import os
import signal
import tempfile
import threading
import time
from pathlib import Path

import attrs
import pytest

from cigri.cli.main import run
from tests.cli.played import Played
from tests.e2e.server import serving

#: What a task does that lasts; its parameter is not looked at.
SLEEP = "sh -c 'sleep 60'"

JDL = {"name": "visc", "exec_file": "echo", "clusters": {"local": {}}, "nb_jobs": 3}


@attrs.frozen
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


@pytest.fixture(scope="session")
def place():
    """A short directory for sockets, whose paths have at most a hundred bytes."""
    with tempfile.TemporaryDirectory(prefix="cigri-test-") as directory:
        yield Path(directory)


@pytest.fixture(scope="session")
def server(place):
    with serving(place / "server", "[clusters.local]\nslots = 2\nallow_root = true\n") as server:
        yield server


@pytest.fixture
def nowhere(place, monkeypatch, tmp_path):
    """An environment in which no server is reachable."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr("cigri.places.SYSTEM_SOCKET", tmp_path / "system.sock")
    monkeypatch.delenv("CIGRI_URL", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def here(nowhere, server, monkeypatch):
    """An environment in which the test's server is the one that is asked."""
    monkeypatch.setenv("CIGRI_URL", f"unix:{server.directory}/cigri.sock")
    return nowhere


@pytest.fixture
def cigri(capfd):
    """Call the command line in this process."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def call(*arguments):
        capfd.readouterr()
        code = run([str(argument) for argument in arguments])
        out, err = capfd.readouterr()
        return Ended(int(code), out, err)

    yield call
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.fixture
def describe(nowhere):
    """Write a campaign description, and return the name of its file."""

    def write(**fields):
        path = nowhere / f"{len(list(nowhere.iterdir()))}.json"
        path.write_text(json.dumps(JDL | fields))
        return path

    return write


@pytest.fixture
def played(nowhere, place, monkeypatch):
    """A server that plays, and a time zone in which the examples were written."""
    path = place / f"{nowhere.name}.sock"
    monkeypatch.setenv("CIGRI_URL", f"unix:{path}")
    monkeypatch.setenv("TZ", "Europe/Paris")
    time.tzset()
    with Played(path) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def submitted(here, cigri, describe):
    """Submit a campaign and return its number."""

    def submit(**fields):
        ended = cigri("sub", describe(**fields))
        assert ended.code == 0, ended.err
        return int(ended.out.removeprefix("CAMPAIGN_ID="))

    return submit


@pytest.fixture
def failing():
    """A campaign of three tasks, the second of which fails."""
    return {"exec_file": "sh -c", "nb_jobs": None, "params": ["'echo a'", "'echo b >&2; exit 3'"]}


def environment(url):
    return os.environ | {"CIGRI_URL": url}
