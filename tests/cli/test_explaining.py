"""What there is to see of campaigns and clusters beyond their numbers."""

import json
import re

import pytest

from cigri.cli import explaining
from cigri.cli.tailing import Followed, fresh
from tests.cli.conftest import SLEEP
from tests.cli.test_screens import shown


def test_each_cluster_tells_its_reason_and_what_to_do():
    body = {
        "clusters": [
            {"cluster": "dahu", "code": "X", "reason": "it is full", "remedy": None},
            {"cluster": "lab", "code": "Y", "reason": "held: \x1b[2J", "remedy": "cigri fix 12"},
        ]
    }

    assert shown(explaining.screen(body)) == [
        "dahu  it is full",
        "lab   held: \\x1b[2J",
        "      try: cigri fix 12",
    ]


@pytest.mark.e2e
def test_explain_tells_one_reason_for_each_cluster(submitted, cigri, server):
    number = submitted(exec_file=SLEEP, nb_jobs=5)
    server.client.pause(number)

    ended = cigri("explain", number)
    body = cigri("explain", number, "-o", "json")

    assert ended.code == 0
    head, reason, *_ = ended.out.splitlines()
    assert head.startswith(f"campaign {number}: paused")
    assert reason.startswith("local  ")
    assert body.out.encode() == server.client.get(f"/campaigns/{number}/explain").content
    assert [one["cluster"] for one in json.loads(body.out)["clusters"]] == ["local"]
    cigri("del", number)


@pytest.mark.e2e
def test_clusters_show_bars_and_details(here, cigri, server):
    listed, one = cigri("clusters"), cigri("clusters", "local")

    assert listed.out.startswith("local  ")
    assert "used by CiGri" in listed.out.splitlines()[-1]
    # What loads this host may be the tests themselves.
    assert re.match(r"local  ok(, stress \d+\.\d\d)?\n", one.out)
    assert cigri("clusters", "-o", "json").out.encode() == server.client.get("/clusters").content


@pytest.mark.e2e
def test_events_without_a_campaign_are_those_of_the_clusters(here, cigri, server):
    assert cigri("events").out == "no event\n"
    assert cigri("events", "-o", "json").out.encode() == server.client.get("/events").content


@pytest.mark.e2e
def test_tasks_are_chosen_by_exit_status_cluster_and_text(submitted, cigri):
    number = submitted(
        exec_file="sh -c", nb_jobs=None, params=["'exit 3'", "'exit 4'", "'echo ok'"]
    )
    cigri("wait", number)

    def found(*options):
        ended = cigri("jobs", number, *options)
        assert ended.code == 0, ended.err
        return [line.split()[0] for line in ended.out.splitlines()[1:]]

    assert found("--exit", "4") == ["1"]
    assert found("--match", "exit") == ["0", "1"]
    assert found("--match", "%") == []
    assert found("--state", "failed", "--exit", "3", "--cluster", "local") == ["0"]


@pytest.mark.e2e
def test_an_output_is_followed_to_its_end(submitted, cigri):
    number = submitted(exec_file="sh -c 'echo a; sleep 0.7; echo b; echo c >&2'", nb_jobs=1)

    both = cigri("logs", number, 0, "-f")
    one = cigri("logs", number, 0, "--follow", "--stdout", "--tail", "1")

    assert both.out.replace("==> task 0: stdout <==\n", "").replace(
        "==> task 0: stderr <==\n", ""
    ) in {"a\nb\nc\n", "a\nc\nb\n"}
    assert one.out == "b\n"


@pytest.mark.parametrize(
    ("before", "now", "new"),
    [
        (b"", b"", b""),
        (b"", b"a\n", b"a\n"),
        (b"a\n", b"a\nb\n", b"b\n"),
        # Its beginning is no longer shown.
        (b"x" * 5000 + b"end\n", b"x" * 2000 + b"end\nmore\n", b"more\n"),
        # Another attempt has begun.
        (b"first\n", b"second\n", b"second\n"),
    ],
)
def test_what_is_new_of_an_output(before, now, new):
    assert fresh(before, now) == new


def test_at_first_the_last_lines_are_shown():
    followed = Followed(7, "stdout")

    assert followed.news(b"a\nb\nc\n", 2) == b"b\nc\n"
    assert followed.news(b"a\nb\nc\nd\n", 2) == b"d\n"
