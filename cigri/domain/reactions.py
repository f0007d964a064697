"""What each kind of event does besides telling a person: one table."""

from collections.abc import Mapping
from enum import StrEnum

import attrs

from cigri.domain.event import EventClass


class EventCode(StrEnum):
    """What happened; the words of CiGri v3 where it had one."""

    EXIT_ERROR = "EXIT_ERROR"
    WALLTIME = "WALLTIME"
    JOB_LOST = "JOB_LOST"
    UNUSABLE_PARAMETER = "UNUSABLE_PARAMETER"
    COMMAND_NOT_STARTED = "COMMAND_NOT_STARTED"
    SUBMISSION_REJECTED = "SUBMISSION_REJECTED"
    CLUSTER_UNREACHABLE = "CLUSTER_UNREACHABLE"
    DAMAGED_PARAMETERS = "DAMAGED_PARAMETERS"
    DAMAGED_RECORDS = "DAMAGED_RECORDS"
    PROLOG_EXIT_ERROR = "PROLOG_EXIT_ERROR"
    EPILOG_EXIT_ERROR = "EPILOG_EXIT_ERROR"
    TEST_ENDED = "TEST_ENDED"
    TOO_MANY_FAILURES = "TOO_MANY_FAILURES"
    PAUSED = "PAUSED"
    RESUMED = "RESUMED"
    USER_FRAG = "USER_FRAG"
    MANUAL_EVENT = "MANUAL_EVENT"
    CLUSTER_MANUALLY_DISABLED = "CLUSTER_MANUALLY_DISABLED"


class Scope(StrEnum):
    """What is held while an event is open."""

    NOTHING = "nothing"
    #: The campaign on the cluster where it happened.
    CAMPAIGN = "campaign on the cluster"
    #: The campaign everywhere: it has paused itself.
    EVERYWHERE = "campaign"
    #: The cluster, for everybody; probed with growing delays and released by itself.
    CLUSTER = "cluster"
    #: The cluster, for everybody, until an administrator fixes the event.
    CLUSTER_TILL_FIXED = "cluster until fixed"


@attrs.frozen(kw_only=True)
class Reaction:
    """What an event does."""

    event_class: EventClass
    #: Whether it stays open until somebody fixes it.
    needs_fixing: bool = True
    holds: Scope = Scope.NOTHING
    #: What a person reads first; the details follow in the event's message.
    meaning: str


REACTIONS: Mapping[EventCode, Reaction] = {
    EventCode.EXIT_ERROR: Reaction(
        event_class=EventClass.JOB, meaning="a task ended with an error"
    ),
    EventCode.WALLTIME: Reaction(
        event_class=EventClass.JOB, meaning="a task ran longer than its walltime and was killed"
    ),
    EventCode.UNUSABLE_PARAMETER: Reaction(
        event_class=EventClass.JOB, meaning="a parameter cannot be made a command line"
    ),
    EventCode.JOB_LOST: Reaction(
        event_class=EventClass.JOB,
        needs_fixing=False,
        meaning="a job vanished with its tasks, which run again",
    ),
    EventCode.COMMAND_NOT_STARTED: Reaction(
        event_class=EventClass.CAMPAIGN,
        holds=Scope.CAMPAIGN,
        meaning="the command cannot be started",
    ),
    EventCode.SUBMISSION_REJECTED: Reaction(
        event_class=EventClass.CAMPAIGN,
        holds=Scope.CAMPAIGN,
        meaning="the cluster refuses the jobs of the campaign",
    ),
    EventCode.DAMAGED_PARAMETERS: Reaction(
        event_class=EventClass.CAMPAIGN,
        holds=Scope.CAMPAIGN,
        meaning="stored parameters do not match their checksum",
    ),
    EventCode.DAMAGED_RECORDS: Reaction(
        event_class=EventClass.CAMPAIGN,
        holds=Scope.CAMPAIGN,
        meaning="what is stored of the tasks of the campaign is damaged",
    ),
    EventCode.PROLOG_EXIT_ERROR: Reaction(
        event_class=EventClass.JOB,
        holds=Scope.CAMPAIGN,
        meaning="the prologue failed",
    ),
    EventCode.EPILOG_EXIT_ERROR: Reaction(
        event_class=EventClass.JOB, meaning="the epilogue failed"
    ),
    EventCode.TEST_ENDED: Reaction(
        event_class=EventClass.CAMPAIGN,
        holds=Scope.EVERYWHERE,
        meaning="the test of the campaign has ended",
    ),
    EventCode.TOO_MANY_FAILURES: Reaction(
        event_class=EventClass.CAMPAIGN,
        holds=Scope.EVERYWHERE,
        meaning="more tasks failed than the campaign allows",
    ),
    EventCode.PAUSED: Reaction(
        event_class=EventClass.CAMPAIGN, needs_fixing=False, meaning="the campaign was paused"
    ),
    EventCode.RESUMED: Reaction(
        event_class=EventClass.CAMPAIGN, needs_fixing=False, meaning="the campaign was resumed"
    ),
    EventCode.USER_FRAG: Reaction(
        event_class=EventClass.CAMPAIGN, needs_fixing=False, meaning="the campaign was cancelled"
    ),
    EventCode.MANUAL_EVENT: Reaction(
        event_class=EventClass.CAMPAIGN,
        holds=Scope.CAMPAIGN,
        meaning="an administrator stopped the campaign",
    ),
    EventCode.CLUSTER_MANUALLY_DISABLED: Reaction(
        event_class=EventClass.CLUSTER,
        holds=Scope.CLUSTER_TILL_FIXED,
        meaning="an administrator stopped the cluster",
    ),
    EventCode.CLUSTER_UNREACHABLE: Reaction(
        event_class=EventClass.CLUSTER,
        holds=Scope.CLUSTER,
        meaning="the cluster cannot be used",
    ),
}

#: Events that an administrator may create by hand.
BY_HAND = frozenset({EventCode.MANUAL_EVENT, EventCode.CLUSTER_MANUALLY_DISABLED})

#: Seconds before the first new try of a cluster that failed, and at most.
FIRST_RETRY = 1.0
LONGEST_RETRY = 900.0


def retry_delay(failures: int) -> float:
    """
    Return the seconds to leave a cluster alone after *failures* in a row.

    Delays double, as a cluster that is down for maintenance should cost few requests.
    """
    return min(LONGEST_RETRY, FIRST_RETRY * 2.0 ** min(failures - 1, 20))
