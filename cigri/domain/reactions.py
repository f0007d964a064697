"""What each kind of event does besides telling a person: one table."""

from collections.abc import Mapping
from enum import StrEnum

import attrs

from cigri.domain.event import EventClass
from cigri.errors import Fault


class EventCode(StrEnum):
    """What happened; the words of CiGri v3 where it had one."""

    EXIT_ERROR = "EXIT_ERROR"
    WALLTIME = "WALLTIME"
    JOB_LOST = "JOB_LOST"
    UNUSABLE_PARAMETER = "UNUSABLE_PARAMETER"
    JOB_DELETED = "JOB_DELETED"
    NODE_FAILED = "NODE_FAILED"
    COMMAND_NOT_STARTED = "COMMAND_NOT_STARTED"
    WORKING_DIRECTORY_ERROR = "WORKING_DIRECTORY_ERROR"
    SUBMISSION_REJECTED = "SUBMISSION_REJECTED"
    CLUSTER_UNREACHABLE = "CLUSTER_UNREACHABLE"
    CONNECTION_REFUSED = "CONNECTION_REFUSED"
    TIMEOUT = "TIMEOUT"
    SSL_ERROR = "SSL_ERROR"
    PERMISSION_DENIED = "PERMISSION_DENIED"
    CLUSTER_API_SERVER_ERROR = "CLUSTER_API_SERVER_ERROR"
    CLUSTER_API_BAD_ANSWER = "CLUSTER_API_BAD_ANSWER"
    POST_TIMEOUT = "POST_TIMEOUT"
    UNDER_STRESS = "UNDER_STRESS"
    CLOCK_SKEW = "CLOCK_SKEW"
    REMOTE_WAITING_FRAG = "REMOTE_WAITING_FRAG"
    LATE_DUPLICATE = "LATE_DUPLICATE"
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
    #: New submissions to the cluster, for everybody, as long as its cause lasts.
    SUBMISSIONS = "submissions to the cluster"
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
    EventCode.JOB_DELETED: Reaction(
        event_class=EventClass.JOB,
        needs_fixing=False,
        meaning="somebody deleted a job on the cluster; its tasks run again",
    ),
    EventCode.NODE_FAILED: Reaction(
        event_class=EventClass.JOB,
        needs_fixing=False,
        meaning="a node failed; the tasks of its jobs run again",
    ),
    EventCode.WORKING_DIRECTORY_ERROR: Reaction(
        event_class=EventClass.CAMPAIGN,
        holds=Scope.CAMPAIGN,
        meaning="the exec_directory is missing on the cluster, or closed to its user",
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
    EventCode.CONNECTION_REFUSED: Reaction(
        event_class=EventClass.CLUSTER,
        holds=Scope.CLUSTER,
        meaning="nobody answers at the address of the cluster",
    ),
    EventCode.TIMEOUT: Reaction(
        event_class=EventClass.CLUSTER,
        holds=Scope.CLUSTER,
        meaning="the cluster does not answer in time",
    ),
    EventCode.SSL_ERROR: Reaction(
        event_class=EventClass.CLUSTER,
        holds=Scope.CLUSTER,
        meaning="no encrypted connection to the cluster: a certificate is wrong",
    ),
    EventCode.PERMISSION_DENIED: Reaction(
        event_class=EventClass.CLUSTER,
        holds=Scope.CLUSTER,
        meaning="the cluster does not let this server in",
    ),
    EventCode.CLUSTER_API_SERVER_ERROR: Reaction(
        event_class=EventClass.CLUSTER,
        holds=Scope.CLUSTER,
        meaning="the cluster answers that it has failed itself",
    ),
    EventCode.CLUSTER_API_BAD_ANSWER: Reaction(
        event_class=EventClass.CLUSTER,
        holds=Scope.CLUSTER,
        meaning="the cluster answers what nobody understands",
    ),
    EventCode.POST_TIMEOUT: Reaction(
        event_class=EventClass.CLUSTER,
        meaning="a submission got no clear answer; its jobs are looked for by their name",
    ),
    EventCode.UNDER_STRESS: Reaction(
        event_class=EventClass.CLUSTER,
        holds=Scope.SUBMISSIONS,
        meaning="the cluster is under stress",
    ),
    EventCode.CLOCK_SKEW: Reaction(
        event_class=EventClass.CLUSTER,
        meaning="the clock of the cluster differs from this server's",
    ),
    EventCode.REMOTE_WAITING_FRAG: Reaction(
        event_class=EventClass.JOB,
        needs_fixing=False,
        meaning="a job waited too long on the cluster; its tasks may run elsewhere",
    ),
    EventCode.LATE_DUPLICATE: Reaction(
        event_class=EventClass.JOB,
        needs_fixing=False,
        meaning="a job appeared after its submission was given up; it was killed",
    ),
}

#: How a fault of a cluster is told.
FAULTS: Mapping[Fault, EventCode] = {
    Fault.UNREACHABLE: EventCode.CLUSTER_UNREACHABLE,
    Fault.REFUSED: EventCode.CONNECTION_REFUSED,
    Fault.TIMEOUT: EventCode.TIMEOUT,
    Fault.TLS: EventCode.SSL_ERROR,
    Fault.DENIED: EventCode.PERMISSION_DENIED,
    Fault.SERVER_ERROR: EventCode.CLUSTER_API_SERVER_ERROR,
    Fault.GARBLED: EventCode.CLUSTER_API_BAD_ANSWER,
}

#: Events that tell how a cluster is, which is used none the less: they close by themselves.
CONDITIONS = frozenset({EventCode.POST_TIMEOUT, EventCode.UNDER_STRESS, EventCode.CLOCK_SKEW})

#: What somebody may do about an event, and what does it by itself.
_LIFTED: Mapping[Scope, str] = {
    Scope.CAMPAIGN: "`cigri fix`",
    Scope.EVERYWHERE: "`cigri resume` or a fix; after a test `cigri go`",
    Scope.CLUSTER: "by itself, tried with growing delays; a fix tries at once",
    Scope.SUBMISSIONS: "by itself",
    Scope.CLUSTER_TILL_FIXED: "a fix by an administrator",
}


def table() -> str:
    """Return all events as a table in Markdown."""
    lines = ["| event | what happened | holds | lifted or closed |", "|---|---|---|---|"]
    for code, reaction in REACTIONS.items():
        lifted = _LIFTED.get(reaction.holds, "`cigri fix`")
        if reaction.holds is Scope.NOTHING and code in CONDITIONS:
            lifted = "by itself"
        if not reaction.needs_fixing:
            lifted = "closed from the start"
        lines.append(f"| `{code}` | {reaction.meaning} | {reaction.holds} | {lifted} |")
    return "\n".join(lines)


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
