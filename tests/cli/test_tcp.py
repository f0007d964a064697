"""A server of the usual kind: found at its usual places, over TCP with its token."""

import os
import pty
import signal
import socket
import subprocess
import sys

import pytest

from tests.e2e.server import until

pytestmark = pytest.mark.e2e


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def port(place, nowhere, monkeypatch):
    """The port of a server that was started without any option but its port."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(place))
    port = free_port()
    (nowhere / "cigri.toml").write_text(f"[server]\nport = {port}\n")
    with (nowhere / "log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "cigri", "serve", "--config", "cigri.toml"], stderr=log
        )
    token = nowhere / "state/cigri/token"
    until(token.exists, "the server listens")
    assert token.stat().st_mode & 0o777 == 0o600
    yield port
    server.send_signal(signal.SIGINT)
    assert server.wait(10) == 0


def test_a_server_is_found_at_its_socket_and_over_tcp_with_its_token(port, cigri, monkeypatch):
    assert cigri("stat").code == 0
    assert cigri("stat", "--url", f"http://127.0.0.1:{port}").code == 0
    assert cigri("stat", "--url", f"localhost:{port}").code == 0


def test_without_the_token_nobody_is_let_in_over_tcp(port, cigri, monkeypatch, nowhere):
    (nowhere / "wrong").write_text("cig_guessed")
    monkeypatch.setenv("CIGRI_TOKEN_FILE", str(nowhere / "wrong"))

    ended = cigri("stat", "--url", f"http://127.0.0.1:{port}")

    assert ended.code == 4
    attempt = ended.err.splitlines()[-1]
    assert attempt.startswith("try:   start the server again if another one has written ")
    assert f"{nowhere}/wrong" in attempt
    assert "CIGRI_TOKEN_FILE" in attempt


def test_a_port_in_use_is_told_with_the_way_to_another(port, cigri, nowhere, place):
    (nowhere / "other.toml").write_text(
        f"[server]\nport = {port}\nsocket = '{place}/o.sock'\ndatabase = '{nowhere}/o.db'\n"
    )

    ended = subprocess.run(
        [sys.executable, "-m", "cigri", "serve", "--config", "other.toml"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 1
    assert f"error: cannot listen on 127.0.0.1 port {port}: " in ended.stderr
    assert ended.stderr.splitlines()[-1].startswith(
        "try:   stop the other server, or name another"
    )


def test_a_newcomer_sees_where_the_server_is_and_how_to_stop_it(place, nowhere, monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(place))
    port = free_port()
    (nowhere / "cigri.toml").write_text(f"[server]\nport = {port}\n")
    screen, terminal = pty.openpty()
    server = subprocess.Popen(
        [sys.executable, "-m", "cigri", "serve", "--config", "cigri.toml"], stderr=terminal
    )
    os.close(terminal)

    with open(screen, encoding="utf-8") as shown:  # noqa: PTH123 - a descriptor
        first, second, started = (shown.readline() for _ in range(3))
        server.send_signal(signal.SIGINT)
        assert server.wait(10) == 0

    assert first.split() == [
        "Starting", "on", f"unix:{place}/cigri.sock", "and", f"http://127.0.0.1:{port}"
    ]  # fmt: skip
    assert second.startswith("Stop with Ctrl-C")
    assert "server.started" in started


def test_a_second_server_on_the_same_database_is_refused(port, cigri):
    ended = cigri("serve", "--config", "cigri.toml")

    assert ended.code == 1
    assert ended.err.startswith("error: ")
    assert "Traceback" not in ended.err
