"""The life cycles of campaigns, their steps and jobs, as tables.

Nothing else says which state follows which; the diagrams of `docs/lifecycle.md` are printed from
here.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from cigri.domain.model import CampaignState, JobState, StepState
from cigri.errors import IllegalTransition


class CampaignEvent(StrEnum):
    """What can happen to a campaign."""

    LOADED = "its parameters are all here"
    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"
    #: Nothing of it is pending or in flight.
    FINISHED = "nothing is left to run"
    #: Failed tasks went back to the bag, or new ones were added.
    REOPENED = "tasks came back"


class JobEvent(StrEnum):
    """What can happen to a job."""

    ACCEPTED = "the cluster has it"
    NOT_SENT = "the cluster never got it"
    REFUSED = "the cluster refuses it"
    UNANSWERED = "no answer came"
    STARTED = "its first task started"
    ENDED = "it ended by itself"
    KILLED = "it was killed"
    VANISHED = "nobody knows it any more"


class StepEvent(StrEnum):
    """What can happen to the prologue or the epilogue of a campaign on a cluster."""

    CLAIMED = "it is about to be sent"
    SUCCEEDED = "it ended with 0"
    FAILED = "it ended otherwise"
    #: It was never sent, or its job vanished or was killed by its cluster.
    UNDONE = "it did not come to its end"
    STOPPED = "it was killed with its campaign"
    #: Somebody fixed what it failed at, or tasks came back before which the epilogue had run.
    DUE_AGAIN = "it is wanted again"


_C, _CE = CampaignState, CampaignEvent
_J, _JE = JobState, JobEvent
_S, _SE = StepState, StepEvent

CAMPAIGN_TRANSITIONS: Mapping[CampaignState, Mapping[CampaignEvent, CampaignState]] = {
    _C.LOADING: {_CE.LOADED: _C.IN_TREATMENT},
    _C.IN_TREATMENT: {
        _CE.PAUSE: _C.PAUSED,
        _CE.CANCEL: _C.CANCELLED,
        _CE.FINISHED: _C.TERMINATED,
        _CE.REOPENED: _C.IN_TREATMENT,
    },
    _C.PAUSED: {
        _CE.RESUME: _C.IN_TREATMENT,
        _CE.CANCEL: _C.CANCELLED,
        # What ran when the pause came may have been the last of it.
        _CE.FINISHED: _C.TERMINATED,
        _CE.REOPENED: _C.PAUSED,
    },
    _C.TERMINATED: {_CE.CANCEL: _C.CANCELLED, _CE.REOPENED: _C.IN_TREATMENT},
    _C.CANCELLED: {},
}

JOB_TRANSITIONS: Mapping[JobState, Mapping[JobEvent, JobState]] = {
    _J.CLAIMED: {
        _JE.ACCEPTED: _J.SUBMITTED,
        _JE.NOT_SENT: _J.RETURNED,
        _JE.REFUSED: _J.RETURNED,
        _JE.UNANSWERED: _J.UNKNOWN,
    },
    _J.UNKNOWN: {_JE.ACCEPTED: _J.SUBMITTED, _JE.NOT_SENT: _J.RETURNED},
    _J.SUBMITTED: {
        _JE.STARTED: _J.RUNNING,
        # A short job may end between two looks at it.
        _JE.ENDED: _J.ENDED,
        _JE.KILLED: _J.KILLED,
        _JE.VANISHED: _J.LOST,
    },
    _J.RUNNING: {_JE.ENDED: _J.ENDED, _JE.KILLED: _J.KILLED, _JE.VANISHED: _J.LOST},
    _J.RETURNED: {},
    _J.ENDED: {},
    _J.KILLED: {},
    _J.LOST: {},
}

STEP_TRANSITIONS: Mapping[StepState, Mapping[StepEvent, StepState]] = {
    _S.NONE: {},
    _S.WAITING: {_SE.CLAIMED: _S.IN_FLIGHT},
    _S.IN_FLIGHT: {
        _SE.SUCCEEDED: _S.DONE,
        _SE.FAILED: _S.FAILED,
        _SE.UNDONE: _S.WAITING,
        _SE.STOPPED: _S.FAILED,
    },
    _S.DONE: {_SE.DUE_AGAIN: _S.WAITING},
    _S.FAILED: {_SE.DUE_AGAIN: _S.WAITING},
}

#: Jobs that somebody has to look after.
OPEN_JOB_STATES = frozenset(state for state, events in JOB_TRANSITIONS.items() if events)

State = TypeVar("State", CampaignState, JobState, StepState)
Happening = TypeVar("Happening", CampaignEvent, JobEvent, StepEvent)


def allows(
    table: Mapping[State, Mapping[Happening, State]], state: State, happening: Happening
) -> bool:
    """Return whether *happening* can befall something in *state*."""
    return happening in table[state]


def advance(
    table: Mapping[State, Mapping[Happening, State]], state: State, happening: Happening
) -> State:
    """
    Return the state that follows.

    Raises:
        IllegalTransition: The table does not know it: a bug of the caller.
    """
    try:
        return table[state][happening]
    except KeyError:
        message = f"{happening.name} cannot befall a {type(state).__name__} {state.name}"
        raise IllegalTransition(message) from None


def mermaid(table: Mapping[State, Mapping[Happening, State]]) -> str:
    """Return *table* as the text of a Mermaid state diagram."""
    lines = ["stateDiagram-v2"]
    for state, events in table.items():
        lines += [f"    {state} --> {after}: {event}" for event, after in events.items()]
        if not events:
            lines.append(f"    {state} --> [*]")
    return "\n".join(lines)


#: What its owner is told of a campaign whose state does not allow what they ask.
_REFUSALS: Mapping[CampaignEvent, Mapping[CampaignState, str]] = {
    _CE.PAUSE: {
        _C.PAUSED: "is paused already",
        _C.TERMINATED: "is terminated: there is nothing to pause",
        _C.CANCELLED: "is cancelled: there is nothing to pause",
    },
    _CE.RESUME: {
        _C.IN_TREATMENT: "is not paused: there is nothing to resume",
        _C.TERMINATED: "is terminated: add tasks, or fix it and resubmit what failed",
        _C.CANCELLED: "is cancelled for good: submit it again",
    },
    _CE.CANCEL: {_C.CANCELLED: "is cancelled already"},
    _CE.REOPENED: {_C.CANCELLED: "is cancelled for good: its tasks do not run again"},
}


def refusal(state: CampaignState, event: CampaignEvent) -> str:
    """
    Return what to tell of a campaign in *state* whose table does not know *event*.

    >>> refusal(CampaignState.PAUSED, CampaignEvent.PAUSE)
    'is paused already'
    """
    return _REFUSALS.get(event, {}).get(state, f"is {state}")
