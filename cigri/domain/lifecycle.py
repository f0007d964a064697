"""The life cycles of campaigns and jobs, as tables.

Nothing else says which state follows which; the diagrams of `docs/lifecycle.md` are printed from
here.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from cigri.domain.model import CampaignState, JobState
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


_C, _CE = CampaignState, CampaignEvent
_J, _JE = JobState, JobEvent

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

#: Jobs that somebody has to look after.
OPEN_JOB_STATES = frozenset(state for state, events in JOB_TRANSITIONS.items() if events)

State = TypeVar("State", CampaignState, JobState)
Happening = TypeVar("Happening", CampaignEvent, JobEvent)


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
