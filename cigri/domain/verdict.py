"""What the end of an attempt means for its task."""

from enum import StrEnum
from typing import NamedTuple

import attrs

from cigri.domain.model import TaskNumber
from cigri.domain.reactions import EventCode

#: A program's own request to run again before the tasks that wait, and after them.
AGAIN_FIRST_STATUS = 66
AGAIN_LAST_STATUS = 67


class Ending(StrEnum):
    """Who ended an attempt."""

    EXITED = "-"
    WALLTIME = "walltime"
    #: It failed, and is to be tried again by itself.
    RETRIED = "retried"
    #: Somebody killed the job: its cluster, or a cancelled campaign.
    KILLED = "killed"
    #: The command could not be started at all.
    NOT_STARTED = "not started"
    #: The words of the task itself cannot be made a command line.
    UNUSABLE = "unusable"
    #: It had started when its job vanished.
    LOST = "lost"
    #: It had started when somebody deleted its job on the cluster.
    DELETED = "deleted"
    #: Its job was deleted, withdrawn or never made: it did not start, and will not there.
    REMOVED = "removed"
    #: Its node failed, or could not be reached.
    NODE_FAILED = "node failed"
    #: The directory to run it in is missing or closed.
    NO_DIRECTORY = "no directory"


#: What an end that is `REMOVED` says when we have given up its submission ourselves.
RENOUNCED = "renounced"


class TaskEnd(NamedTuple):
    """How one attempt at one task ended, as the cluster tells it.

    A tuple and not an attrs class: there is one for each task that ever ends.
    """

    task: TaskNumber
    ending: Ending
    #: 0 to 255 as the program exited, minus the signal that ended it, `None` if it never did.
    exit_status: int | None
    started_at: float
    ended_at: float
    #: What the cluster says about it, for a person.
    message: str = ""


class Fate(StrEnum):
    """What becomes of a task whose attempt ended."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    #: Back in the bag, before the tasks that were never tried.
    AGAIN_FIRST = "again first"
    #: Back in the bag, after all others.
    AGAIN_LAST = "again last"


@attrs.frozen
class Verdict:
    """The fate of a task, and the event that tells its user why."""

    fate: Fate
    event: EventCode | None = None


_SUCCEEDED = Verdict(Fate.SUCCEEDED)
_EXITED_AGAIN = {
    AGAIN_FIRST_STATUS: Verdict(Fate.AGAIN_FIRST),
    AGAIN_LAST_STATUS: Verdict(Fate.AGAIN_LAST),
}
_EXITED_BADLY = Verdict(Fate.FAILED, EventCode.EXIT_ERROR)
_OTHERWISE_ENDED = {
    Ending.WALLTIME: Verdict(Fate.FAILED, EventCode.WALLTIME),
    Ending.RETRIED: Verdict(Fate.AGAIN_LAST),
    # Losing the cores costs the task nothing but time.
    Ending.KILLED: Verdict(Fate.AGAIN_FIRST),
    Ending.LOST: Verdict(Fate.AGAIN_FIRST, EventCode.JOB_LOST),
    Ending.DELETED: Verdict(Fate.AGAIN_FIRST, EventCode.JOB_DELETED),
    Ending.REMOVED: Verdict(Fate.AGAIN_FIRST, EventCode.JOB_DELETED),
    Ending.NODE_FAILED: Verdict(Fate.AGAIN_FIRST, EventCode.NODE_FAILED),
    Ending.NO_DIRECTORY: Verdict(Fate.AGAIN_FIRST, EventCode.WORKING_DIRECTORY_ERROR),
    Ending.UNUSABLE: Verdict(Fate.FAILED, EventCode.UNUSABLE_PARAMETER),
    # The next task would meet the same missing file: the hold spares them all.
    Ending.NOT_STARTED: Verdict(Fate.AGAIN_FIRST, EventCode.COMMAND_NOT_STARTED),
}


#: Events whose tasks have failed: those that a fix may resubmit.
FAILURES = frozenset(
    {_EXITED_BADLY.event}
    | {verdict.event for verdict in _OTHERWISE_ENDED.values() if verdict.fate is Fate.FAILED}
)


#: Ends of programs that ran: what made them end may pass by itself.
ENDED_BY_ITSELF = frozenset({Ending.EXITED, Ending.WALLTIME, Ending.RETRIED})


def with_retries(end: TaskEnd, *, failures: int, retries: int) -> TaskEnd:
    """
    Return *end* as one to be tried again when its task failed and has *retries* left.

    Args:
        end: How an attempt ended.
        failures: How often the task has failed before and was tried again.
        retries: How often its campaign allows that.
    """
    may_pass = end.ending in ENDED_BY_ITSELF and judge(end).fate is Fate.FAILED
    return end._replace(ending=Ending.RETRIED) if may_pass and failures < retries else end


def judge(end: TaskEnd) -> Verdict:
    """Return what *end* means for its task."""
    if end.ending is not Ending.EXITED:
        return _OTHERWISE_ENDED[end.ending]
    if end.exit_status == 0:
        return _SUCCEEDED
    return _EXITED_AGAIN.get(end.exit_status or 0, _EXITED_BADLY)
