"""What a service tells systemd, over real datagram sockets."""

import asyncio
import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from cigri.cli import unit
from cigri.engine import supervisor
from cigri.engine.bell import Bell
from cigri.engine.supervisor import Loop, Pulse
from cigri.systemd import Notifier
from tests.e2e.server import until


@pytest.fixture(params=["path", "abstract"])
def manager(request, tmp_path):
    """The socket of a service manager, and how its address is written."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.settimeout(30)
        if request.param == "path":
            listening.bind(str(tmp_path / "notify"))
            yield listening, str(tmp_path / "notify")
        else:
            listening.bind(f"\0cigri-test-{os.getpid()}")
            yield listening, f"@cigri-test-{os.getpid()}"


def heard(listening):
    return listening.recv(4096).decode().splitlines()


async def test_a_service_says_that_it_is_ready_and_that_it_ends(manager):
    listening, address = manager
    stop = asyncio.Event()
    stop.set()

    await Notifier.of({"NOTIFY_SOCKET": address}, 1).accompany(lambda: True, stop)

    assert heard(listening) == ["READY=1"]
    assert heard(listening) == ["STOPPING=1"]


async def test_the_watchdog_hears_of_a_service_that_turns(manager):
    listening, address = manager
    environ = {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "3000", "WATCHDOG_PID": "7"}
    stop = asyncio.Event()
    left = iter([True, True])

    def turns():
        turning = next(left, False)
        if not turning:
            stop.set()
        return turning

    await Notifier.of(environ, 7).accompany(turns, stop)

    words = [heard(listening) for _ in range(4)]
    assert words == [["READY=1"], ["WATCHDOG=1"], ["WATCHDOG=1"], ["STOPPING=1"]]


@pytest.mark.parametrize(
    ("environ", "address", "period"),
    [
        ({}, None, None),
        ({"NOTIFY_SOCKET": ""}, None, None),
        ({"NOTIFY_SOCKET": "relative"}, None, None),
        ({"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "60000000"}, b"/x", 60.0),
        ({"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "6", "WATCHDOG_PID": "8"}, b"/x", None),
        ({"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "soon"}, b"/x", None),
        ({"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "0"}, b"/x", None),
        ({"NOTIFY_SOCKET": "@x@y"}, b"\0x@y", None),
    ],
)
def test_what_systemd_sets_is_read_and_not_handed_on(environ, address, period):
    given = environ | {"HOME": "/root"}

    notifier = Notifier.of(given, 7)

    assert (notifier.address, notifier.period) == (address, period)
    assert given == {"HOME": "/root"}


def test_a_manager_that_is_gone_is_no_error():
    Notifier(address=b"/no/such/socket").tell("READY=1")


async def test_loops_turn_unless_one_is_at_a_cycle_without_end(monkeypatch):
    pulse, stop = Pulse(), asyncio.Event()
    at_it, go_on = asyncio.Event(), asyncio.Event()

    async def cycle():
        at_it.set()
        await go_on.wait()
        return 60.0

    async with asyncio.TaskGroup() as group:
        loop = Loop(name="poller", cycle=cycle, bell=Bell())
        group.create_task(supervisor.run([loop], stop, pulse))
        await at_it.wait()
        assert pulse.turns()
        monkeypatch.setattr(supervisor, "STUCK", 0.0)
        assert not pulse.turns()
        go_on.set()
        stop.set()
    assert pulse.turns()


@pytest.mark.e2e
def test_a_server_is_ready_when_it_listens_and_its_workers_cannot_speak_for_it(tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.settimeout(60)
        listening.bind(str(tmp_path / "notify"))
        server = subprocess.Popen(
            [sys.executable, "-m", "cigri", "serve", "--private", str(tmp_path / "s")],
            stdin=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=os.environ
            | {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "300000"},
        )
        try:
            assert heard(listening) == ["READY=1"]
            assert (tmp_path / "s/cigri.sock").is_socket()
            assert heard(listening) == ["WATCHDOG=1"]
            server.terminate()
            until(lambda: heard(listening) == ["STOPPING=1"], "the server says that it ends")
            assert server.wait(30) == 0
        finally:
            server.kill()
            server.wait()
            server.stdin.close()


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd here")
@pytest.mark.parametrize("user", [None, "nobody"])
def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path, user):
    path = tmp_path / "cigri.service"
    path.write_text(unit.text(sys.executable, Path("/etc/cigri/cigri.toml"), user))

    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", path],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"SYSTEMD_LOG_LEVEL": "warning"},
    )

    complaints = [line for line in done.stderr.splitlines() if "cigri.service" in line]
    assert complaints == []


@pytest.mark.parametrize("user", [None, "nobody"])
def test_the_unit_lets_tasks_live_when_the_server_ends_or_one_of_them_takes_all_memory(user):
    text = unit.text("/usr/bin/cigri", Path("/etc/cigri/cigri.toml"), user)

    assert {"Type=notify", "WatchdogSec=60", "KillMode=process", "OOMPolicy=continue"} <= set(
        text.splitlines()
    )


def test_a_server_for_all_users_may_become_each_of_them():
    text = unit.text("/usr/bin/cigri", Path("/etc/cigri/cigri.toml"), None)
    (bounds,) = re.findall(r"^CapabilityBoundingSet=(.*)$", text, re.MULTILINE)

    assert {"CAP_SETUID", "CAP_SETGID", "CAP_CHOWN", "CAP_KILL", "CAP_SYS_NICE"} <= set(
        bounds.split()
    )
    assert "NoNewPrivileges=yes" not in text.splitlines()
