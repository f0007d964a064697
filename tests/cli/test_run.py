"""Commands that bring a server, and what Ctrl-C does to them."""

import json
import re
import signal
import subprocess
import sys

import pytest

from cigri.cli import private
from cigri.client import Client
from tests.cli.conftest import JDL, SLEEP, environment
from tests.e2e.server import serving, until

pytestmark = pytest.mark.e2e


@pytest.fixture
def keep(place, request):
    """A directory for the things of a private server."""
    return place / f"k{abs(hash(request.node.name)) % 10**6}"


def test_run_brings_a_server_when_there_is_none_and_takes_it_away(nowhere, cigri, describe, keep):
    ended = cigri("run", describe(), "--keep", keep)

    assert ended.code == 0, ended.err
    assert ended.out.splitlines()[-1] == "campaign 1: terminated, 3/3 done"
    assert f"kept: {keep}" in ended.err
    assert not (keep / "cigri.sock").exists()


def test_run_uses_the_server_that_answers(here, cigri, describe, server):
    before = server.client.campaigns(state="all")["total"]

    assert cigri("run", describe()).code == 0
    assert server.client.campaigns(state="all")["total"] == before + 1


def test_run_ends_as_wait_does_and_shows_why_tasks_failed(nowhere, cigri, describe, keep, failing):
    ended = cigri("run", describe(**failing), "--keep", keep)

    assert ended.code == 10
    assert "exit 3" in ended.out
    assert "on local" in ended.out


def test_run_names_what_keeps_a_campaign_from_running(nowhere, cigri, describe, keep):
    ended = cigri("run", describe(exec_file="/no/such/program"), "--keep", keep)

    assert ended.code == 10
    assert "campaign 1 cannot go on: " in ended.err
    assert "/no/such/program" in ended.err


def test_run_prints_the_campaign_as_json_once(nowhere, cigri, describe, keep):
    ended = cigri("run", describe(), "--keep", keep, "-o", "json")

    assert json.loads(ended.out)["state"] == "terminated"
    assert "campaign 1: terminated" in ended.err


def test_a_refused_campaign_leaves_no_directory_behind(nowhere, cigri, describe, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(nowhere))

    ended = cigri("run", describe(nb_jobs=-1))

    assert ended.code == 1
    assert list(nowhere.glob("cigri-*")) == []


def test_a_socket_whose_path_would_be_too_long_is_refused_at_once(nowhere, cigri, describe):
    ended = cigri("run", describe(), "--keep", nowhere / ("x" * 120))

    assert ended.code == 1
    assert "choose another directory" in ended.err


def test_a_server_that_does_not_start_says_why(nowhere, cigri, describe, keep):
    keep.mkdir()
    (keep / "cigri.db").write_text("this is no database, whatever its name says" * 100)

    ended = cigri("run", describe(), "--keep", keep)

    assert ended.code == 5
    assert ended.err.startswith("error: the private server did not start: ")


def interrupted(arguments, url, when):
    """Start a command, send it Ctrl-C when its output matches *when*, and return how it ended."""
    command = subprocess.Popen(
        [sys.executable, "-m", "cigri", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment(url),
        text=True,
    )
    said = ""
    while not re.search(when, said):
        line = command.stdout.readline()
        assert line, said
        said += line
    command.send_signal(signal.SIGINT)
    rest, _ = command.communicate(timeout=30)
    return command.returncode, said + rest


def test_waiting_outlives_its_server(nowhere, place):
    with serving(place / "mortal", "[clusters.local]\nslots = 2\nallow_root = true\n") as server:
        number = server.submit(JDL | {"nb_jobs": 500})
        server.client.pause(number)
        waiting = subprocess.Popen(
            [sys.executable, "-m", "cigri", "wait", str(number)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(f"unix:{server.directory}/cigri.sock"),
            text=True,
        )
        assert waiting.stderr.readline() == f"campaign {number} waits: it is paused\n"

        server.kill()
        server.start()
        server.client.resume(number)

        said, wrong = waiting.communicate(timeout=60)
    assert (waiting.returncode, wrong) == (0, "")
    assert said == f"campaign {number}: terminated, 500/500 done\n"


def test_ctrl_c_leaves_the_campaign_on_its_server_running_and_says_so(submitted, server, describe):
    number = submitted(exec_file=SLEEP)
    url = f"unix:{server.directory}/cigri.sock"

    code, said = interrupted(["stat", number, "--watch"], url, "running")

    assert code == 130
    assert f"campaign {number} goes on; see it again with: cigri stat {number} --watch" in said
    assert server.client.campaign(number)["state"] == "in_treatment"
    server.client.cancel(number)


def test_ctrl_c_ends_a_private_server_and_its_campaign(nowhere, describe, keep):
    path = describe(exec_file=SLEEP)

    code, said = interrupted(["run", path, "--private", "--keep", keep], "", "running")

    assert code == 130
    assert "campaign 1 cancelled" in said
    assert f"kept: {keep}" in said
    assert not (keep / "cigri.sock").exists()


def test_a_private_server_is_gone_with_the_command_that_started_it(nowhere, describe, keep):
    command = subprocess.Popen(
        [sys.executable, "-m", "cigri", "run", describe(exec_file=SLEEP), "--keep", keep],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    socket = keep / "cigri.sock"
    until(socket.exists, "the server starts")
    with Client(f"unix:{socket}") as client:
        until(lambda: client.campaigns()["items"], "the campaign is there")
        client.cancel(1)

        command.kill()
        command.wait()

    until(lambda: not socket.exists(), "the server ends", private.STOP)


def test_the_demonstration_fails_repairs_and_draws(nowhere, cigri, place):
    """Also when the server that answers does not take it: then it brings one of its own."""
    directory = place / "demo"

    with serving(place / "strict", "[clusters.local]\nusers = ['nobody']\n"):
        address = f"unix:{place}/strict/cigri.sock"
        ended = cigri("demo", "--directory", directory, "--sweeps", "5", "--url", address)

    assert ended.code == 0, ended.err + ended.out
    assert f"{address} does not take it: " in ended.err
    assert "unlucky seed" in ended.out
    assert (
        "$ cigri fix 1 --resubmit\ncampaign 1: 1 event closed, 6 tasks will run again\n"
        in ended.out
    )
    for name in ("ising.csv", "ising.svg"):
        assert f"{directory}/{name}" in ended.out
        assert (directory / name).stat().st_size > 1000
    assert len((directory / "ising.csv").read_text().splitlines()) == 157
