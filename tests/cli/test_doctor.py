"""The command `doctor`: what it prints, how it ends, and its probe."""

import json

import pytest

from cigri.cli import probing
from cigri.doctor.finding import Level

pytestmark = pytest.mark.e2e


@pytest.fixture
def own(nowhere, monkeypatch):
    """A directory for the configuration, in which nothing is yet."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(nowhere / "config"))
    return nowhere / "config/cigri"


def test_a_new_user_is_in_order(own, cigri):
    ended = cigri("doctor")

    assert ended.code == 0, ended.out
    assert {line.split()[0] for line in ended.out.splitlines()} >= {
        *("configuration", "disk", "database", "local", "clock", "server"),
    }
    assert "FAIL" not in ended.out


def test_a_failure_is_told_with_its_repair_and_an_exit_code(own, cigri):
    own.mkdir(parents=True)
    (own / "cigri.toml").write_text("[server]\nprot = 1\n")

    ended = cigri("doctor")

    assert ended.code == 1
    head, repair, *_ = ended.out.splitlines()
    assert head.startswith("configuration  FAIL  server.prot: unknown key")
    assert repair.split() == ["try:", "correct", *repair.split()[2:]]


def test_json_has_every_finding(own, cigri):
    found = json.loads(cigri("doctor", "-o", "json").out)

    assert all(set(one) == {"subject", "level", "text", "repair"} for one in found)
    assert {one["level"] for one in found} <= {"ok", "warn", "fail"}


def test_a_copy_is_made_and_said_how_to_serve(own, server, cigri, tmp_path):
    copy = tmp_path / "copy.db"

    ended = cigri("doctor", "--database", server.directory / "cigri.db", "--backup", copy)

    assert ended.code == 0
    assert ended.out == f"wrote {copy}; to serve it: cigri serve --database {copy} --adopt\n"
    assert copy.stat().st_size > 0
    again = cigri("doctor", "--database", server.directory / "cigri.db", "--backup", copy)
    assert again.code == 1
    assert f"{copy} exists" in again.err


def test_a_database_is_examined_while_a_server_uses_it(here, own, server, cigri):
    ended = cigri("doctor", "--database", server.directory / "cigri.db")

    assert "counters" in ended.out
    assert f"process {server.pid} serves this database" in ended.out


def test_a_probe_runs_a_task_on_each_cluster_of_the_server(here, own, server, cigri):
    ended = cigri("doctor", "--probe")

    (line,) = [line for line in ended.out.splitlines() if line.startswith("probe local")]
    assert line.split()[2] == "ok"
    assert "accepted after" in line
    assert server.client.campaigns(state="all", limit=1000)["items"][-1]["name"] == probing.NAME


def test_a_probe_without_a_server_brings_its_own(own, cigri):
    own.mkdir(parents=True)
    (own / "cigri.toml").write_text("[clusters.big]\nslots = 1\n")

    ended = cigri("doctor", "--probe", "-o", "json")

    (found,) = [one for one in json.loads(ended.out) if one["subject"] == "probe big"]
    assert found["level"] == "ok", found


def test_a_probe_that_does_not_end_is_told_and_taken_back(here, server):
    (found,) = probing.probe(server.client, patience=0.0)

    assert found.level is Level.FAIL
    assert "did not end within 0 s" in found.text
    last = server.client.campaigns(state="all", limit=1000)["items"][-1]
    assert (last["name"], last["state"]) == (probing.NAME, "cancelled")
