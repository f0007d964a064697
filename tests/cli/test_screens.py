import io

import pytest
from rich.console import Console

from cigri.cli import screens
from cigri.cli.words import clean

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
EVENT = {
    "id": 3,
    "code": "EXIT_ERROR",
    "state": "open",
    "message": "exit status 3\nsegfault at \x1b[31m0x0",
    "count": 6,
    "campaign_id": 12,
    "cluster_name": "local",
    "task": 7,
    "exit_status": -11,
    "date_open": 0,
    "date_update": 0,
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


def test_a_held_cluster_says_why():
    cluster = CAMPAIGN["clusters"]["1"] | {"blacklisted": True, "blacklist_reason": "no such file"}
    held = CAMPAIGN | {"clusters": {"1": cluster}, "reason": "held on local"}

    text = "\n".join(shown(screens.campaign(held)))

    assert "held: no such file" in text
    assert "nothing runs: held on local" in text


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
    assert screens.line(CAMPAIGN | {"state": state}) == line


def test_an_event_shows_its_cause_and_where_to_read_more():
    head, *said, example = shown(screens.events({"items": [EVENT]}))

    assert head.startswith("event 3  open  EXIT_ERROR  exit SIGSEGV  ×6  on local")
    assert said == ["    exit status 3", "    segfault at \\x1b[31m0x0"]
    assert example == "    e.g. task 7: cigri logs 12 7"


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


@pytest.mark.parametrize(
    ("code", "state", "hint"),
    [
        ("EXIT_ERROR", "open", "e.g. task 7: cigri logs 12 7"),
        ("WALLTIME", "closed", "e.g. task 7: cigri logs 12 7"),
        ("COMMAND_NOT_STARTED", "open", "repair it, then: cigri fix 12"),
        ("SUBMISSION_REJECTED", "open", "repair it, then: cigri fix 12"),
        ("DAMAGED_PARAMETERS", "open", "repair it, then: cigri fix 12"),
        ("DAMAGED_PARAMETERS", "closed", None),
        ("UNUSABLE_PARAMETER", "open", "which tasks: cigri jobs 12 --state failed"),
    ],
)
def test_a_hint_leads_to_what_there_is(code, state, hint):
    event = EVENT | {"code": code, "state": state, "message": "x"}

    _, _, *hints = shown(screens.events({"items": [event]}))

    assert hints == ([f"    {hint}"] if hint else [])


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
