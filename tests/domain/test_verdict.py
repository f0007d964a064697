"""What every way to end means for a task, and which event tells it."""

import pytest

from cigri.domain.model import TaskNumber
from cigri.domain.reactions import EventCode
from cigri.domain.verdict import FAILURES, Ending, Fate, TaskEnd, Verdict, judge, with_retries

#: As a program exits, and as a signal ends it.
STATUSES = [0, 1, 66, 67, 255, -9, -66]

#: What the program chose itself.
EXITED = {
    0: Verdict(Fate.SUCCEEDED),
    1: Verdict(Fate.FAILED, EventCode.EXIT_ERROR),
    66: Verdict(Fate.AGAIN_FIRST),
    67: Verdict(Fate.AGAIN_LAST),
    255: Verdict(Fate.FAILED, EventCode.EXIT_ERROR),
    -9: Verdict(Fate.FAILED, EventCode.EXIT_ERROR),
    # A signal is no request to run again, whatever its number.
    -66: Verdict(Fate.FAILED, EventCode.EXIT_ERROR),
}

#: What somebody else did: whatever status comes with it says nothing of the program.
OTHERWISE = {
    Ending.WALLTIME: Verdict(Fate.FAILED, EventCode.WALLTIME),
    Ending.RETRIED: Verdict(Fate.AGAIN_LAST),
    Ending.KILLED: Verdict(Fate.AGAIN_FIRST),
    Ending.LOST: Verdict(Fate.AGAIN_FIRST, EventCode.JOB_LOST),
    Ending.UNUSABLE: Verdict(Fate.FAILED, EventCode.UNUSABLE_PARAMETER),
    Ending.NOT_STARTED: Verdict(Fate.AGAIN_FIRST, EventCode.COMMAND_NOT_STARTED),
    Ending.DELETED: Verdict(Fate.AGAIN_FIRST, EventCode.JOB_DELETED),
    Ending.REMOVED: Verdict(Fate.AGAIN_FIRST, EventCode.JOB_DELETED),
    Ending.NODE_FAILED: Verdict(Fate.AGAIN_FIRST, EventCode.NODE_FAILED),
    Ending.NO_DIRECTORY: Verdict(Fate.AGAIN_FIRST, EventCode.WORKING_DIRECTORY_ERROR),
}


def ended(ending, status):
    return TaskEnd(TaskNumber(7), ending, status, 100.0, 103.5)


@pytest.mark.parametrize("status", STATUSES)
def test_a_program_decides_by_its_exit_status(status):
    assert judge(ended(Ending.EXITED, status)) == EXITED[status]


@pytest.mark.parametrize("status", [*STATUSES, None])
@pytest.mark.parametrize("ending", OTHERWISE)
def test_the_status_of_a_program_that_others_ended_does_not_count(ending, status):
    assert judge(ended(ending, status)) == OTHERWISE[ending]


def test_an_exit_that_nobody_has_seen_is_an_error():
    assert judge(ended(Ending.EXITED, None)) == EXITED[1]


def test_the_tables_name_every_ending():
    assert {Ending.EXITED, *OTHERWISE} == set(Ending)


def test_only_66_and_67_ask_to_run_again():
    asking = [n for n in range(-64, 256) if judge(ended(Ending.EXITED, n)).fate not in SETTLED]

    assert asking == [66, 67]


def test_a_kill_is_not_a_failure():
    verdict = judge(ended(Ending.KILLED, -9))

    assert verdict.fate is Fate.AGAIN_FIRST
    assert verdict.event is None


def test_the_events_that_a_fix_may_resubmit_are_those_of_failed_tasks():
    verdicts = [judge(ended(ending, status)) for ending in Ending for status in STATUSES]

    assert {v.event for v in verdicts if v.fate is Fate.FAILED} == FAILURES
    assert not any(v.event in FAILURES for v in verdicts if v.fate is not Fate.FAILED)


SETTLED = {Fate.SUCCEEDED, Fate.FAILED}


@pytest.mark.parametrize(
    ("ending", "status", "failures", "retries", "again"),
    [
        (Ending.EXITED, 1, 0, 0, False),
        (Ending.EXITED, 1, 0, 1, True),
        (Ending.EXITED, 1, 1, 1, False),
        (Ending.EXITED, -11, 2, 3, True),
        (Ending.WALLTIME, -15, 0, 1, True),
        # What is no failure uses up no retry.
        (Ending.EXITED, 0, 0, 5, False),
        (Ending.EXITED, 66, 0, 5, False),
        (Ending.EXITED, 67, 0, 5, False),
        (Ending.KILLED, -9, 0, 5, False),
        (Ending.LOST, None, 0, 5, False),
        # What would fail in the same way again.
        (Ending.UNUSABLE, None, 0, 5, False),
        (Ending.NOT_STARTED, None, 0, 5, False),
    ],
)
def test_a_failure_with_retries_left_is_tried_again(ending, status, failures, retries, again):
    end = ended(ending, status)

    told = with_retries(end, failures=failures, retries=retries)

    assert (told.ending is Ending.RETRIED) is again
    assert told._replace(ending=ending) == end
