"""Why jobs of OAR ended, by what two of its versions have recorded of them."""

import pytest

from cigri.clusters.oar.api import OarEvent, OarJob
from cigri.clusters.oar.ends import end_of, is_premature, wants_events
from cigri.domain.verdict import Ending


def job(state: str = "Error", *, code: int | None = None, start: float = 100.0) -> OarJob:
    return OarJob(id=48, state=state, exit_code=code, start_time=start, stop_time=start and 110.0)


def told(*pairs: tuple[str, str] | str) -> list[OarEvent]:
    each = [(pair, "") if isinstance(pair, str) else pair for pair in pairs]
    return [OarEvent(job_id=48, type=kind, description=said) for kind, said in each]


ALICE = ("FRAG_JOB_REQUEST", "User alice requested to frag the job 48")
ROOT = ("FRAG_JOB_REQUEST", "User root requested to frag the job 48")
OAR = ("FRAG_JOB_REQUEST", "User oar requested to frag the job 48")
LEON = ("SEND_KILL_JOB", "[Leon] Send the kill signal to oarexec on node1 for job 48")
OVER = ("SWITCH_INTO_ERROR_STATE", "[bipbip 48] Ask to change the job state")
NOISE = ("SCHEDULER_PRIORITY_UPDATED_STOP", "Scheduler priority for job 48 updated")
PREEMPTED = ("BESTEFFORT_KILL", "[MetaSched] kill the besteffort job 48")
LATE = ("WALLTIME", "[sarko] Job [48] from 100 with 8; current time=113 (Elapsed)")
SSH = ("EXIT_VALUE_OAREXEC", "[bipbip 48] exit value = 255; the node node1 is Suspected")


@pytest.mark.parametrize(
    ("events", "start", "ending", "said"),
    [
        ([ROOT, LATE, LEON, OVER], 100.0, Ending.WALLTIME, ""),
        ([NOISE, PREEMPTED, ROOT, LEON, OVER, NOISE], 100.0, Ending.KILLED, ""),
        ([PREEMPTED, PREEMPTED, OAR, LEON, OVER], 100.0, Ending.KILLED, ""),
        ([ALICE, LEON, OVER], 100.0, Ending.DELETED, "User alice requested"),
        ([ALICE], 0.0, Ending.REMOVED, "User alice requested"),
        (["WORKING_DIRECTORY", OVER], 100.0, Ending.NO_DIRECTORY, "home"),
        (["WORKING_DIRECTOR", OVER], 100.0, Ending.NO_DIRECTORY, "home"),
        (["OUTPUT_FILES", OVER], 100.0, Ending.NOT_STARTED, ".cigri"),
        ([SSH], 100.0, Ending.NODE_FAILED, "node1 is Suspected"),
        (["LAUNCHING_OAREXEC_TIMEOUT"], 100.0, Ending.NODE_FAILED, "LAUNCHING_OAREXEC_TIMEOUT"),
        (["EXTERMINATE_JOB", ALICE], 100.0, Ending.NODE_FAILED, "EXTERMINATE_JOB"),
        ([], 0.0, Ending.REMOVED, "not start"),
        ([OVER], 100.0, Ending.NODE_FAILED, "why"),
    ],
)
def test_only_its_events_tell_why_a_job_is_in_error(
    events: list[object], start: float, ending: Ending, said: str
) -> None:
    assert wants_events(job(start=start))

    end = end_of(job(start=start), told(*events))

    assert (end.ending, end.exit_status, end.moved) == (ending, None, None)
    assert said in end.message
    assert bool(end.message) == bool(said)


@pytest.mark.parametrize(
    ("code", "ending", "status"),
    [
        (0, Ending.EXITED, 0),
        (256, Ending.EXITED, 1),
        (65280, Ending.EXITED, 255),
        (66 << 8, Ending.EXITED, 66),
        (32512, Ending.EXITED, 127),
        (9, Ending.EXITED, -9),
        (11 | 128, Ending.EXITED, -11),  # with a core
        (12, Ending.EXITED, -12),  # not ready for the signal of its checkpoint
        (45, Ending.REMOVED, None),
        (46, Ending.NOT_STARTED, None),
        (47, Ending.NO_DIRECTORY, None),
    ],
)
def test_a_wait_status_needs_no_events(code: int, ending: Ending, status: int | None) -> None:
    ended = job("Terminated", code=code)
    assert not wants_events(ended)

    end = end_of(ended, [])

    assert (end.ending, end.exit_status) == (ending, status)


RESUBMITTED = {
    "2.5, besteffort": "[bipbip 66] the job 66 is a besteffort and idempotent job so we resubmit"
    " it (new id = 68)",
    "2.5, node": "[NodeChangeState] Resubmiting job 66 => 68) (due to event"
    " PING_CHECKER_NODE_SUSPECTED & job is neither a reservation nor an interactive job)",
    "2.5, exit 99": "Resubmiting job 66 => 68 (type idempotent & exit code = 99 & duration > 60s)",
    "3": "[bipbip 66] the job 66 is a besteffort and idempotent job so we resubmit it"
    " (new id = ((0, ''), 68))",
    "3, node": "Resubmiting job 66 => ((0, ''), 68) (due to event LAUNCHING_OAREXEC_TIMEOUT"
    " & job is neither a reservation nor an interactive job)",
}


@pytest.mark.parametrize("words", RESUBMITTED.values(), ids=RESUBMITTED)
def test_the_job_that_oar_made_instead_is_followed(words: str) -> None:
    end = end_of(job(), told(PREEMPTED, ROOT, LEON, OVER, ("RESUBMIT_JOB_AUTOMATICALLY", words)))

    assert (end.ending, end.moved) == (Ending.KILLED, 68)


def test_a_program_that_asks_oar_for_another_try_is_asked_about() -> None:
    asks = job("Terminated", code=99 << 8)
    assert wants_events(asks)

    again = told(("RESUBMIT_JOB_AUTOMATICALLY", RESUBMITTED["2.5, exit 99"]))
    assert end_of(asks, again).moved == 68
    assert end_of(asks, again).ending is Ending.KILLED
    # Without the type, or after less than a minute, OAR does not listen.
    assert end_of(asks, []) == (Ending.EXITED, 99, "", None)


def test_oar_is_given_time_to_submit_again_what_its_node_failed() -> None:
    """It calls the job in error first: whoever is as quick to try again runs the task twice."""
    assert is_premature(job(), told("PING_CHECKER_NODE_SUSPECTED"))
    assert is_premature(job(), told("LAUNCHING_OAREXEC_TIMEOUT", NOISE))
    assert not is_premature(
        job(), told("LAUNCHING_OAREXEC_TIMEOUT", ("RESUBMIT_JOB_AUTOMATICALLY", "66 => 68)"))
    )
    assert not is_premature(job(), told(SSH))
    assert not is_premature(job(), told(ALICE, LEON, OVER))


def test_what_oar_says_is_cut_to_what_is_kept() -> None:
    end = end_of(job(), told(("EXIT_VALUE_OAREXEC", "x" * 5000)))

    assert len(end.message) == 500


def test_an_end_without_a_code_is_asked_about() -> None:
    unknown = job("Terminated")
    assert wants_events(unknown)
    assert end_of(unknown, told("EPILOGUE_ERROR")).ending is Ending.NODE_FAILED
