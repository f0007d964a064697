"""Why a job of OAR has ended: by its exit code, and by what OAR noted where there is none."""

import re
from collections.abc import Collection, Sequence
from typing import NamedTuple

from cigri.clusters.node import ending_of
from cigri.clusters.oar.api import OarEvent, OarJob, OarState
from cigri.clusters.oar.reply import on_one_line
from cigri.domain.verdict import RENOUNCED, Ending

#: The exit status by which a job of type idempotent asks OAR to be submitted again.
_ASKS_AGAIN = 99

_RESUBMITTED = "RESUBMIT_JOB_AUTOMATICALLY"
#: The new number, in all the wordings of OAR 2.5 and 3: ``(new id = 68)``, ``66 => 68) (due to``,
#: ``(new id = ((0, ''), 68))``.
_NEW_ID = re.compile(r"(?:=>|new id =)\s*(?:\(\([^)]{0,20}\),\s*)?(\d{1,18})(?!\d)")

#: Characters of a description that are looked at.
_LONGEST = 1000

#: Ends of jobs whose node was at fault; OAR submits those of the first kind again, by itself, a
#: moment after they are in error.
_OAR_TRIES_AGAIN = frozenset(
    {
        "SERVER_PROLOGUE_TIMEOUT",
        "SERVER_PROLOGUE_EXIT_CODE_ERROR",
        "SERVER_PROLOGUE_ERROR",
        "PING_CHECKER_NODE_SUSPECTED",
        "CPUSET_ERROR",
        "PROLOGUE_ERROR",
        "CANNOT_WRITE_NODE_FILE",
        "CANNOT_WRITE_PID_FILE",
        "USER_SHELL",
        "CANNOT_CREATE_TMP_DIRECTORY",
        "LAUNCHING_OAREXEC_TIMEOUT",
    }
)
_NODE_FAILED = _OAR_TRIES_AGAIN | {
    "EXIT_VALUE_OAREXEC",
    "EXTERMINATE_JOB",
    "BAD_HASHTABLE_DUMP",
    "SSH_TRANSFER_TIMEOUT",
    "FORCE_TERMINATE_FINISHING_JOB",
    "SUSPEND_ERROR",
    "RESUME_ERROR",
    "EPILOGUE_ERROR",
}
#: What is told of jobs that OAR has ended, the stronger reason first: all are deleted as well.
_REASONS: Sequence[tuple[frozenset[str], Ending, str | None]] = (
    (frozenset({"WALLTIME"}), Ending.WALLTIME, ""),
    (frozenset({"BESTEFFORT_KILL"}), Ending.KILLED, ""),
    (
        # OAR 3 drops a letter.  It is the home: jobs of CiGri start there.
        frozenset({"WORKING_DIRECTORY", "WORKING_DIRECTOR"}),
        Ending.NO_DIRECTORY,
        "OAR found no home to start in",
    ),
    (frozenset({"OUTPUT_FILES"}), Ending.NOT_STARTED, "OAR cannot write to .cigri in the home"),
    (_NODE_FAILED, Ending.NODE_FAILED, None),
)
_DELETED = "FRAG_JOB_REQUEST"


class OarEnd(NamedTuple):
    """How a job ended."""

    ending: Ending
    #: As `TaskEnd` has it.
    exit_status: int | None = None
    #: What OAR says about it, for a person.
    message: str = ""
    #: The job that OAR has made in its stead.
    moved: int | None = None

    @property
    def broken(self) -> bool:
        """Return whether the worker of a group could not run, or fell over."""
        return self.ending is Ending.NOT_STARTED or (
            self.ending is Ending.EXITED and self.exit_status != 0
        )


def wants_events(job: OarJob) -> bool:
    """Return whether only its events tell how *job*, which is over, has ended."""
    if job.state == OarState.ERROR or job.exit_code is None:
        return True
    return job.exit_code >> 8 == _ASKS_AGAIN


def is_premature(job: OarJob, events: Collection[OarEvent]) -> bool:
    """Return whether OAR may yet submit *job* again, which it does after calling it in error."""
    types = {event.type for event in events}
    return bool(types & _OAR_TRIES_AGAIN) and _RESUBMITTED not in types


def end_of(job: OarJob, events: Sequence[OarEvent]) -> OarEnd:
    """Return how *job*, which is over, has ended; *events* are all that OAR noted about it."""
    moved = _moved(events)
    if job.state != OarState.ERROR and job.exit_code is not None:
        if moved is not None:
            return OarEnd(Ending.KILLED, moved=moved)
        ending, status = ending_of(job.exit_code)
        message = RENOUNCED if ending is Ending.REMOVED else ""
        return OarEnd(ending, status, message)
    ending, message = _reason(job, {event.type: event.description for event in events})
    return OarEnd(ending, None, on_one_line(message, 500), moved)


def _moved(events: Sequence[OarEvent]) -> int | None:
    for event in reversed(events):
        if event.type == _RESUBMITTED and (found := _NEW_ID.search(event.description[:_LONGEST])):
            return int(found[1])
    return None


def _reason(job: OarJob, told: dict[str, str]) -> tuple[Ending, str]:
    for types, ending, message in _REASONS:
        if found := sorted(types & told.keys()):
            return ending, message if message is not None else f"{found[0]}: {told[found[0]]}"
    if _DELETED in told:
        ending = Ending.DELETED if job.start_time else Ending.REMOVED
        return ending, told[_DELETED]
    if not job.start_time:
        return Ending.REMOVED, "OAR did not start it"
    return Ending.NODE_FAILED, "OAR does not say why it ended"
