"""More tasks, fewer events, the end of a test: what changes a campaign that is there."""

import json
import subprocess
import sys

import pytest

pytestmark = pytest.mark.e2e


def parameters(server, number):
    return [job["parameters"] for job in server.client.jobs(number)]


def test_lines_become_tasks_of_a_campaign_that_has_ended(submitted, cigri, server, here):
    number = submitted(nb_jobs=None, params=["a"])
    cigri("wait", number)
    (here / "more.txt").write_bytes(b"b 1\r\n\r\nc 2")

    ended = cigri("add", number, "--params", "more.txt")

    assert (ended.code, ended.out) == (0, f"campaign {number} has 3 tasks now\n")
    assert cigri("wait", number).out == f"campaign {number}: terminated, 3/3 done\n"
    assert parameters(server, number) == ["a", "b 1", "c 2"]


def test_an_array_may_have_exact_words(submitted, cigri, server, here):
    number = submitted(nb_jobs=None, params=["a"])
    (here / "more.json").write_text('["b 1", ["c  d", ""]]')

    assert cigri("add", number, "--json", "more.json").code == 0
    assert parameters(server, number) == ["a", "b 1", ["c  d", ""]]


@pytest.mark.parametrize(("option", "text"), [("--params", "b\nc\n"), ("--json", '["b", "c"]')])
def test_more_tasks_come_from_standard_input(submitted, server, option, text):
    number = submitted(nb_jobs=None, params=["a"])

    ended = subprocess.run(
        [sys.executable, "-m", "cigri", "add", str(number), option, "-"],
        input=text,
        text=True,
        capture_output=True,
        check=True,
    )

    assert ended.stdout == f"campaign {number} has 3 tasks now\n"
    assert parameters(server, number) == ["a", "b", "c"]


def test_a_mistake_adds_nothing_at_all(submitted, cigri, server, here):
    number = submitted(nb_jobs=None, params=["a"])
    (here / "more.json").write_text('["b", 3.5, null]')

    ended = cigri("add", number, "--json", "more.json")

    assert ended.code == 1
    assert "\nwhere: more.json\n" in ended.err
    assert parameters(server, number) == ["a"]


def test_one_event_is_fixed_alone(submitted, cigri, server):
    number = submitted(
        exec_file="sh -c", nb_jobs=None, params=["'exit 3'", "'exit 4'", "'exit 4'"]
    )
    cigri("wait", number)
    event = next(one for one in server.client.events(number) if one["exit_status"] == 4)["id"]

    ended = cigri("fix", number, event, "--resubmit")

    assert ended.out == f"event {event}: 1 event closed, 2 tasks will run again\n"
    assert cigri("wait", number).code == 10
    assert [job["attempts"] for job in server.client.jobs(number)] == [1, 2, 2]


def test_an_event_of_another_campaign_is_left_alone(submitted, cigri, server):
    failed = submitted(exec_file="false")
    other = submitted()
    cigri("wait", failed, other)
    (event,) = server.client.events(failed)

    ended = cigri("fix", other, event["id"])

    assert ended.code == 3
    assert f"campaign {other} has no event {event['id']}" in ended.err
    assert server.client.events(failed) == [event]


def test_a_test_waits_for_go(here, cigri, describe):
    number = int(cigri("sub", describe(), "--test").out.removeprefix("CAMPAIGN_ID="))
    text = f"campaign {number} waits: "
    while text not in (waited := cigri("wait", number, "--timeout", "1")).err:
        assert waited.code == 124

    assert f"cigri go {number}" in waited.err
    assert f"cigri go {number}" in cigri("stat", number).out
    assert f"cigri go {number}" in cigri("events", number).out
    assert cigri("go", number).out == f"campaign {number} goes on\n"
    assert cigri("wait", number).out == f"campaign {number}: terminated, 3/3 done\n"


def test_a_grid_is_the_product_of_its_axes(here, cigri, describe):
    ended = cigri("sub", describe(), "--grid", "T=1..2", "m=a,b", "--dry-run")

    assert ended.code == 0, ended.err
    assert ended.out.splitlines() == [
        "visc: 4 tasks on local",
        "  #0  echo 1 a",
        "  #1  echo 1 b",
        "  #3  echo 2 b",
        "nothing submitted",
    ]


def test_the_first_task_is_tried_here_and_now(here, cigri, describe, server):
    before = server.client.campaigns(state="all")["total"]

    good = cigri("sub", describe(exec_file="sh -c 'echo $V $0'", env={"V": "5"}), "--try")
    bad = cigri("sub", describe(exec_file="sh -c 'exit 3'"), "--try")
    gone = cigri("sub", describe(exec_file="/no/such/program"), "--try")

    assert (good.code, good.out) == (0, "5 0\n")
    assert bad.code == 10
    assert bad.err.splitlines()[-1].startswith("exit 3 after ")
    assert gone.code == 1
    assert "cannot be started: /no/such/program" in gone.err
    assert server.client.campaigns(state="all")["total"] == before


def test_tags_are_kept(here, cigri, describe):
    ended = cigri("sub", describe(tags=["a"]), "--tag", "b", "--tag", "c", "-o", "json")

    assert json.loads(ended.out)["tags"] == ["a", "b", "c"]
