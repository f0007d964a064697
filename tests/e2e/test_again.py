"""Real servers that die while they answer, and that stop while somebody listens."""

import contextlib
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.e2e.server import Server

pytestmark = pytest.mark.e2e

TASKS = 100_000
HEAD = {"name": "again", "exec_file": "true", "clusters": {"local": {"max_jobs": 1}}}
LINES = b"\n".join([json.dumps(HEAD).encode(), *(b"%d" % number for number in range(TASKS)), b""])


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """Return a server that runs."""
    running = Server(tmp_path / "private")
    running.start()
    yield running
    with contextlib.suppress(AssertionError):
        running.stop()


def post(server: Server, key: str) -> httpx.Response:
    headers = {"Content-Type": "application/vnd.cigri.lines", "Idempotency-Key": key}
    transport = httpx.HTTPTransport(uds=str(server.directory / "cigri.sock"), verify=False)
    with httpx.Client(transport=transport, base_url="http://localhost", timeout=60) as client:
        return client.post("/campaigns", content=LINES, headers=headers)


@pytest.mark.slow
# httpcore leaves the socket to the garbage collector where nobody listens any more.
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
def test_whenever_it_is_killed_a_campaign_that_is_sent_again_is_there_once(
    server: Server,
) -> None:
    moments = (0.0, 0.02, 0.04, 0.06, 0.08, 0.1, 0.15, 0.2)
    never = threading.Event()
    for count, moment in enumerate(moments, 1):
        key = f"key-{moment}"
        first = threading.Thread(target=_in_vain, args=(server, key))
        first.start()
        never.wait(moment)
        server.kill()
        first.join()
        server.start()

        answer = post(server, key)

        assert answer.status_code == 201, answer.text
        assert answer.json()["total_jobs"] == TASKS
        found = server.get("/campaigns?state=all")
        assert found["total"] == count, f"killed after {moment} s"


def _in_vain(server: Server, key: str) -> None:
    with contextlib.suppress(httpx.TransportError):
        post(server, key)


def test_it_stops_at_once_although_somebody_listens(server: Server) -> None:
    campaign = server.submit({**HEAD, "nb_jobs": 1, "exec_file": "sh -c 'sleep 60'"})
    with contextlib.ExitStack() as stack:
        for path in (
            "/stream",
            f"/campaigns/{campaign}/stream",
            f"/campaigns/{campaign}?wait=state",
        ):
            listener = stack.enter_context(socket.socket(socket.AF_UNIX))
            listener.connect(str(server.directory / "cigri.sock"))
            listener.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        # Whoever asks later is answered later: by then the others are listened to.
        server.get("/campaigns")

        assert server.stop() < 2.0
