"""Several campaigns at once."""

import json

import pytest

from tests.cli.conftest import SLEEP

pytestmark = pytest.mark.e2e


def test_a_range_names_the_campaigns_that_there_are(submitted, cigri):
    first, second = submitted(), submitted()

    ended = cigri("wait", f"{first}-{second + 5}")

    assert ended.code == 0
    assert [line.split(":")[0] for line in ended.out.splitlines()] == [
        f"campaign {first}",
        f"campaign {second}",
    ]


def test_a_campaign_that_is_named_twice_is_shown_once(submitted, cigri):
    number = submitted()

    ended = cigri("stat", f"{number},{number}-{number}", "last")

    assert ended.out.count(f"Campaign {number} ") == 1


def test_all_are_the_unfinished_ones_of_who_asks(submitted, cigri, server):
    cigri("del", "all", "--yes")
    done, going, paused = submitted(), submitted(exec_file=SLEEP), submitted(exec_file=SLEEP)
    cigri("wait", done)
    server.client.pause(paused)

    ended = cigri("pause", "all")

    assert ended.out == f"campaign {going} paused; what runs goes on\n"
    assert ended.err.startswith(f"error: campaign {paused} is paused")
    assert cigri("del", "all").out == f"campaign {going} cancelled\ncampaign {paused} cancelled\n"


def test_all_may_be_none(here, cigri, server):
    cigri("del", "all", "--yes")

    ended = cigri("wait", "all")

    assert (ended.code, ended.out) == (0, "")
    assert ended.err.startswith("no unfinished campaign of ")


def test_many_unfinished_tasks_are_not_thrown_away_unasked(submitted, cigri):
    numbers = [submitted(exec_file=SLEEP, nb_jobs=60) for _ in range(2)]
    named = ",".join(map(str, numbers))

    refused = cigri("del", named)

    assert refused.code == 2
    assert "throws away 120 unfinished tasks: say --yes" in refused.err
    assert cigri("stat", numbers[0], "-o", "json").out.count("in_treatment") == 1
    assert cigri("del", named, "--yes").code == 0


@pytest.mark.parametrize("answer", ["y\n", "\n"])
def test_on_a_terminal_it_asks(submitted, cigri, monkeypatch, answer):
    number = submitted(exec_file=SLEEP, nb_jobs=101)
    monkeypatch.setattr("cigri.cli.session.Session.interactive", True)
    monkeypatch.setattr("sys.stdin.readline", lambda: answer, raising=False)

    ended = cigri("del", number)

    assert f"cancel {number} with 101 unfinished tasks? [y/N]" in ended.err
    state = json.loads(cigri("stat", number, "-o", "json").out)["state"]
    assert (ended.code, state) == ((0, "cancelled") if answer == "y\n" else (1, "in_treatment"))
    cigri("del", number, "-y")


def test_watching_several_in_a_pipe_prints_their_changes(submitted, cigri):
    first, second = submitted(), submitted()
    cigri("wait", first, second)

    ended = cigri("stat", "--watch", first, second)

    assert ended.out == (
        f"campaign {first}: terminated, 3/3 done\ncampaign {second}: terminated, 3/3 done\n"
    )


def test_several_are_shown_with_a_blank_line_between_them(submitted, cigri):
    first, second = submitted(), submitted()

    assert f"\n\nCampaign {second} " in cigri("stat", first, second).out


def test_the_list_is_chosen_by_tag_and_by_user(submitted, cigri):
    number = submitted(tags=["paper", "v2"])
    submitted()

    tagged = cigri("stat", "--all", "--tag", "paper")
    nobody = cigri("stat", "--all", "--user", "nobody-at-all")
    both = json.loads(cigri("stat", "--all", "--tag", "v2", "-o", "json").out)

    assert [line.split()[0] for line in tagged.out.splitlines()[1:]] == [str(number)]
    assert nobody.out == "no campaign\n"
    assert [one["id"] for one in both["items"]] == [number]
