import pytest

from cigri.cli import causes
from cigri.domain.reactions import REACTIONS, Scope
from tests.cli.test_screens import shown

EVENT = {
    "id": 311,
    "code": "EXIT_ERROR",
    "state": "open",
    "message": "a task ended with an error: exit status 3 (task 7)\nsome words\nunlucky seed 17",
    "count": 1,
    "campaign_id": 12,
    "cluster_name": "local",
    "task": 7,
    "exit_status": 3,
    "cause": None,
    "date_open": 0,
    "date_update": 0,
}


def screen(*events):
    return shown(causes.screen(events))


def test_a_cause_is_one_line_with_an_example_and_its_repair():
    head, *commands = screen(EVENT | {"count": 5000})

    assert head == (
        "event 311  open  ×5000  EXIT_ERROR  exit 3  on local  1970-01-01  unlucky seed 17"
    )
    assert commands == [
        "    cigri logs 12 7              what task 7 wrote",
        "    cigri fix 12 311 --resubmit  run all 5000 again",
    ]


def test_five_thousand_equal_failures_are_one_line_whatever_numbers_they_name():
    events = [
        EVENT | {"id": n, "task": n, "message": f"x\nunlucky seed {n} at 0x{n:x}"}
        for n in range(5000)
    ]

    (found,) = causes.causes(events)

    assert found.count == 5000
    assert screen(*events)[0].startswith("event 0  open  ×5000")
    # Too many to be named one by one.
    assert "cigri fix 12 --resubmit" in screen(*events)[2]


def test_the_cause_that_the_server_knows_counts_more_than_the_words():
    known = EVENT | {"cause": "no space left on N"}
    others = [known | {"message": "x\nno space left on sda1"}, known | {"message": "x\nsdb"}]

    assert len(causes.causes([known, *others])) == 1
    assert len(causes.causes([known, known | {"cause": "out of memory"}])) == 2


def test_a_few_events_of_one_cause_are_repaired_by_their_numbers():
    assert "cigri fix 12 311 312 --resubmit" in screen(EVENT, EVENT | {"id": 312})[2]


@pytest.mark.parametrize(
    "other",
    [
        {"message": "x\nout of memory"},
        {"exit_status": 4},
        {"exit_status": None},
        {"cluster_name": "dahu"},
        {"code": "WALLTIME"},
        {"state": "closed"},
        {"campaign_id": 13},
    ],
)
def test_what_differs_is_another_cause(other):
    assert len(causes.causes([EVENT, EVENT | other])) == 2


@pytest.mark.parametrize(
    ("code", "commands"),
    [
        ("EXIT_ERROR", ["cigri logs 12 7", "cigri fix 12 311 --resubmit"]),
        ("WALLTIME", ["cigri logs 12 7", "cigri fix 12 311 --resubmit"]),
        ("UNUSABLE_PARAMETER", ["cigri jobs 12 --state failed", "cigri fix 12 311 --resubmit"]),
        ("COMMAND_NOT_STARTED", ["cigri fix 12 311"]),
        ("DAMAGED_PARAMETERS", ["cigri fix 12 311"]),
        ("WHAT_COMES_LATER", ["cigri logs 12 7", "cigri fix 12 311"]),
    ],
)
def test_what_is_offered_for_a_task_leads_to_what_there_is(code, commands):
    _, *offered = screen(EVENT | {"code": code})

    assert [line.split("  ")[2] for line in offered] == commands


@pytest.mark.parametrize(
    ("code", "command"),
    [
        ("PROLOG_EXIT_ERROR", "cigri fix 12 311"),
        ("EPILOG_EXIT_ERROR", "cigri fix 12 311 --resubmit"),
        ("TEST_ENDED", "cigri go 12"),
        ("TOO_MANY_FAILURES", "cigri resume 12"),
        ("SUBMISSION_REJECTED", "cigri fix 12 311"),
    ],
)
def test_what_befell_the_campaign_is_repaired_by_its_own_command(code, command):
    event = EVENT | {"code": code, "task": None, "exit_status": None, "message": "why\nmore"}

    head, more, repair = screen(event)

    assert head.endswith("  why")
    assert more == "    more"
    assert repair.split("  ")[2] == command


HOLDING = [code for code, reaction in REACTIONS.items() if reaction.holds is Scope.CAMPAIGN]


@pytest.mark.parametrize("code", HOLDING)
def test_what_holds_a_campaign_is_offered_to_be_lifted_not_closed(code):
    repair = screen(EVENT | {"code": code})[-1]

    assert repair.startswith("    cigri fix 12 311  ")
    assert "once" in repair
    assert "is repaired" in repair


def test_a_task_that_never_ran_has_written_nothing():
    assert len(screen(EVENT | {"code": "WORKING_DIRECTORY_ERROR"})) == 2


def test_a_closed_event_needs_no_repair():
    head, *commands = screen(EVENT | {"state": "closed"})

    assert "  closed  " in head
    assert commands == ["    cigri logs 12 7  what task 7 wrote"]


ON_CLUSTER = {"campaign_id": None, "task": None, "exit_status": None, "message": "it is down"}


def test_what_befell_a_cluster_is_repaired_by_nobody_here():
    event = EVENT | ON_CLUSTER | {"code": "UNDER_STRESS"}

    assert screen(event) == ["event 311  open  UNDER_STRESS  on local  1970-01-01  it is down"]


ILL = [code for code, reaction in REACTIONS.items() if reaction.holds is Scope.CLUSTER]


@pytest.mark.parametrize("code", ILL)
def test_an_ill_cluster_comes_back_by_itself_or_sooner_by_its_administrator(code):
    _, *offered = screen(EVENT | ON_CLUSTER | {"code": code})

    assert [line.split("  ")[2] for line in offered] == [
        "cigri doctor --probe",
        "cigri fix --event 311",
    ]
    assert len(screen(EVENT | ON_CLUSTER | {"code": code, "state": "closed"})) == 1


def test_a_cluster_that_was_disabled_is_used_again_on_demand():
    event = {
        "campaign_id": None,
        "task": None,
        "message": "x",
        "code": "CLUSTER_MANUALLY_DISABLED",
    }

    assert screen(EVENT | event)[1] == "    cigri fix --event 311  use it again"
    assert len(screen(EVENT | event | {"state": "closed"})) == 1


def test_nothing_went_wrong():
    assert screen() == ["no event"]


def test_last_words_cannot_write_on_the_terminal():
    assert "\\x1b[2J" in screen(EVENT | {"message": "x\n\x1b[2J"})[0]
