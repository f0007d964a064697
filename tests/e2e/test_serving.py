"""Starting and stopping real servers: one to a database, and none at another's cost."""

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cigri.client import Client
from cigri.errors import ServerUnreachable
from tests.e2e.server import until

pytestmark = pytest.mark.e2e


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def config(directory: Path, **server: object) -> Path:
    """Write a configuration for a server that keeps everything in *directory*."""
    settings = {"database": "cigri.db", "socket": "cigri.sock", "port": 0, **server}
    lines = [f"{key} = {value!r}".replace("'", '"') for key, value in settings.items()]
    path = directory / f"{len(list(directory.iterdir()))}.toml"
    path.write_text("\n".join(["[server]", *lines]))
    return path


def start(path: Path, directory: Path, umask: int = 0o022) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "cigri", "serve", "--config", str(path)],
        env={**os.environ, "XDG_STATE_HOME": str(directory / "state")},
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        umask=umask,
    )


@contextmanager
def running(path: Path, directory: Path, umask: int = 0o022) -> Iterator[Path]:
    """Run a server; give its socket."""
    server = start(path, directory, umask)
    try:
        until(lambda: answers(directory / "cigri.sock"), "the server answers")
        yield directory / "cigri.sock"
    finally:
        server.terminate()
        server.communicate(timeout=10)


def answers(path: Path) -> bool:
    try:
        with Client(f"unix:{path}"):
            return True
    except ServerUnreachable:
        return False


def refused(path: Path, directory: Path) -> str:
    """Return what a server says that does not start."""
    server = start(path, directory)
    _, said = server.communicate(timeout=30)
    assert server.returncode == 1
    return said


def test_a_second_name_of_a_database_is_no_second_database(tmp_path: Path) -> None:
    with running(config(tmp_path), tmp_path):
        (tmp_path / "alias.db").symlink_to("cigri.db")
        path = config(tmp_path, database="alias.db", socket="other.sock")

        assert "serves" in refused(path, tmp_path)


def test_a_server_that_cannot_listen_leaves_the_others_token(tmp_path: Path) -> None:
    port = free_port()
    token = tmp_path / "state" / "cigri" / "token"
    with running(config(tmp_path, port=port), tmp_path):
        until(token.exists, "the token is written")
        before = token.read_text()
        assert token.stat().st_mode & 0o777 == 0o600
        path = config(tmp_path, database="other.db", socket="other.sock", port=port)

        assert f"port {port}" in refused(path, tmp_path)
        assert token.read_text() == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root serves several users")
def test_a_server_for_all_serves_them_whatever_umask_it_was_started_with() -> None:
    # Not pytest's directory, which is for root alone; nor its Python, perhaps.
    with tempfile.TemporaryDirectory(prefix="cigri-all.") as name:
        directory = Path(name)
        directory.chmod(0o711)
        path = config(directory, database="made/cigri.db", socket="made-too/cigri.sock")
        server = start(path, directory, umask=0o077)
        try:
            where = directory / "made-too" / "cigri.sock"
            until(lambda: answers(where), "the server answers")
            assert ask_as("daemon", where) == "terminated 0022"
        finally:
            server.terminate()
            server.communicate(timeout=10)


#: Submits a task that tells its umask and waits for it; needs no package.
SCRIPT = """
import http.client, json, socket, sys, time
def ask(method, path, body=None):
    connection = http.client.HTTPConnection("localhost")
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(sys.argv[1])
    connection.request(method, path, body)
    return json.loads(connection.getresponse().read())
jdl = {"name": "u", "params": [["-c", "umask"]], "exec_file": "/bin/sh", "exec_directory": "/tmp",
       "clusters": {"local": {}}}
made = ask("POST", "/campaigns", json.dumps(jdl))
for _ in range(200):
    found = ask("GET", f"/campaigns/{made['id']}")
    if found["state"] == "terminated":
        break
    time.sleep(0.1)
(task,) = ask("GET", f"/campaigns/{made['id']}/jobs")["items"]
output = ask("GET", f"/jobs/{task['id']}/stdout").get("output", found["reason"])
print(found["state"], output.strip())
"""


def ask_as(user: str, where: Path) -> str:
    done = subprocess.run(
        ["/usr/bin/python3", "-c", SCRIPT, str(where)],
        user=user,
        group=user,
        extra_groups=[],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.stdout.strip() or done.stderr
