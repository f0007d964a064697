import io

import pytest
from rich.console import Console

from cigri.cli import screens
from cigri.client import pictures
from cigri.words import clean

CAMPAIGN = {
    "id": 12,
    "name": "visc",
    "user": "ann",
    "state": "in_treatment",
    "submission_time": 0,
    "end_time": None,
    "total_jobs": 10,
    "finished_jobs": 4,
    "open_events": 1,
    "counts": {
        "pending": 3,
        "queued": 1,
        "running": 1,
        "terminated": 4,
        "failed": 1,
        "cancelled": 0,
    },
    "forecast": {"rate": 0.5, "eta": None},
    "reason": None,
    "clusters": {
        "1": {
            "cluster_name": "local",
            "active_jobs": 1,
            "queued_jobs": 1,
            "finished_jobs": 4,
            "failed_jobs": 1,
            "resubmitted_jobs": 0,
            "mean_duration": 1.5,
            "blacklisted": False,
            "blacklist_reason": None,
        }
    },
}


def shown(part, width=200):
    console = Console(file=io.StringIO(), width=width, highlight=False, markup=False)
    console.print(part)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def test_a_campaign_shows_its_bar_its_numbers_its_clusters_and_what_is_wrong():
    title, drawn, numbers, pace, head, local, events = shown(screens.campaign(CAMPAIGN))

    assert title == "Campaign 12  visc  ann  in_treatment"
    assert drawn.split() == ["█" * 18 + "▓" * 5 + "▒" * 4 + "!" * 4 + "·" * 13, "4/10", "40.0%"]
    assert numbers == "done 4  running 1  queued 1  failed 1  pending 3"
    assert pace.endswith("rate 30.0/min")
    assert head.split() == [
        "CLUSTER", "RUNNING", "QUEUED", "DONE", "FAILED", "AGAIN", "MEAN", "STATE"
    ]  # fmt: skip
    assert local.split() == ["local", "1", "1", "4", "1", "0", "1.5", "s", "ok"]
    assert events == "1 open event: cigri events 12"


def test_a_campaign_without_an_end_has_no_bar_and_no_share():
    _, told, numbers, *_ = shown(screens.campaign(CAMPAIGN | {"endless": True}))

    assert told == "4 done, no end until it is stopped"
    assert numbers == "done 4  running 1  queued 1  failed 1"


def test_a_held_cluster_says_why():
    cluster = CAMPAIGN["clusters"]["1"] | {"blacklisted": True, "blacklist_reason": "no such file"}
    held = CAMPAIGN | {"clusters": {"1": cluster, "2": CAMPAIGN["clusters"]["1"]}}

    assert shown(screens.campaign(held))[-3].endswith("held: no such file")


def test_what_holds_a_campaign_everywhere_is_told_once():
    cluster = CAMPAIGN["clusters"]["1"] | {"blacklisted": True, "blacklist_reason": "no such file"}
    reason = "held on local: no such file"
    lines = shown(screens.campaign(CAMPAIGN | {"clusters": {"1": cluster}, "reason": reason}))

    assert f"nothing runs: {reason}" in lines
    assert lines[-2].endswith("  held")


@pytest.mark.parametrize(
    ("state", "test_mode", "word"),
    [
        ("in_treatment", "off", "in_treatment"),
        ("in_treatment", "then-run", "testing"),
        ("in_treatment", "then-wait", "testing"),
        ("paused", "then-wait", "paused"),
        ("paused", "off", "paused"),
        ("cancelled", "then-wait", "cancelled"),
    ],
)
def test_a_test_has_its_own_words(state, test_mode, word):
    body = CAMPAIGN | {"state": state, "test_mode": test_mode}
    lines = shown(screens.campaign(body))

    assert lines[0].endswith(f"ann  {word}")


def test_tags_stand_behind_the_state():
    assert shown(screens.campaign(CAMPAIGN | {"tags": ["paper", "v2"]}))[0].endswith(
        "in_treatment  #paper #v2"
    )
    assert shown(screens.campaign(CAMPAIGN | {"tags": None}))[0].endswith("in_treatment")


@pytest.mark.parametrize(
    ("state", "steps", "told"),
    [
        ("in_treatment", {"prologue": "none", "epilogue": "none"}, "ok"),
        ("in_treatment", {"prologue": "waiting", "epilogue": "waiting"}, "prologue waits"),
        ("in_treatment", {"prologue": "in_flight", "epilogue": "waiting"}, "prologue runs"),
        ("in_treatment", {"prologue": "done", "epilogue": "waiting"}, "prologue done"),
        ("in_treatment", {"prologue": "failed"}, "prologue failed"),
        ("in_treatment", {"epilogue": "in_flight"}, "epilogue runs"),
        ("terminated", {"prologue": "waiting", "epilogue": "failed"}, "epilogue failed"),
        ("cancelled", {"prologue": "done", "epilogue": "done"}, "prologue done, epilogue done"),
    ],
)
def test_a_cluster_tells_how_far_its_scripts_are(state, steps, told):
    cluster = CAMPAIGN["clusters"]["1"] | steps
    lines = shown(screens.campaign(CAMPAIGN | {"state": state, "clusters": {"1": cluster}}))

    assert lines[-2].split("  ")[-1] == told


def test_a_cluster_tells_once_that_its_prologue_failed():
    held = {"blacklisted": True, "blacklist_reason": "the prologue failed: exit status 1"}
    cluster = CAMPAIGN["clusters"]["1"] | held | {"prologue": "failed"}
    lines = shown(screens.campaign(CAMPAIGN | {"reason": None, "clusters": {"1": cluster}}))

    assert lines[-2].split("  ")[-1] == "held: the prologue failed: exit status 1"


@pytest.mark.parametrize(
    ("state", "line"),
    [
        (
            "in_treatment",
            "campaign 12: 4/10 done, 1 running, 1 queued, 1 failed, rate 30.0/min",
        ),
        ("paused", "campaign 12: paused, 4/10 done, 1 running, 1 queued, 1 failed"),
    ],
)
def test_a_campaign_on_one_line(state, line):
    assert pictures.line(CAMPAIGN | {"state": state}) == line


def test_a_campaign_without_an_end_tells_so_on_one_line():
    going = pictures.line(CAMPAIGN | {"endless": True})
    stopped = pictures.line(CAMPAIGN | {"endless": True, "end_time": 9, "state": "cancelled"})

    assert going == "campaign 12: 4 done, no end, 1 running, 1 queued, 1 failed, rate 30.0/min"
    assert stopped.startswith("campaign 12: cancelled, 4/10 done")


def test_names_cannot_write_on_the_terminal_nor_pose_as_markup():
    named = CAMPAIGN | {"name": "[red]\x1b]0;x\x07"}

    assert shown(screens.campaign(named))[0].startswith("Campaign 12  [red]\\x1b]0;x\\x07  ann")
    assert clean("a\nb") == "a\\nb"


def test_the_last_page_of_tasks_offers_no_more():
    job = {
        "task": 7,
        "parameters": ["a b", "c"],
        "state": "failed",
        "exit_status": 3,
        "cluster": "local",
        "attempts": 1,
        "start_time": None,
        "duration": 0.5,
    }
    following = {"rel": "next", "href": "/"}

    last = shown(screens.jobs({"items": [job], "links": []}))
    other = shown(screens.jobs({"items": [job], "links": [following]}))

    assert last[1].endswith("1  'a b' 'c'")
    assert other[2:] == ["more: --first 8"]


def test_a_task_whose_program_never_ran_has_no_exit_status():
    job = {
        "task": 7,
        "parameters": 'a "b',
        "state": "failed",
        "exit_status": None,
        "cluster": "local",
        "attempts": 1,
        "start_time": None,
        "duration": None,
    }

    assert shown(screens.jobs({"items": [job], "links": []}))[1].split() == [
        "7", "failed", "local", "1", "a", '"b'
    ]  # fmt: skip


def test_where_there_is_little_room_the_last_column_folds_and_no_number_is_cut():
    job = {
        "task": 1_234_567,
        "parameters": "--temperature 2.269 --size 128 --seed 12 --out results/run-12.csv",
        "state": "terminated",
        "exit_status": 0,
        "cluster": "a-cluster",
        "attempts": 1,
        "start_time": None,
        "duration": 0.5,
    }

    lines = shown(screens.jobs({"items": [job], "links": []}), 80)

    assert lines[1].startswith("1234567  terminated     0  a-cluster")
    assert "…" not in "".join(lines)
    folded = " ".join(line[lines[0].index("PARAMETER") :] for line in lines[1:])
    assert folded.replace(" ", "") == job["parameters"].replace(" ", "")
