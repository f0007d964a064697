"""The tables of states: what can follow, and that nothing else can."""

import pytest

from cigri.domain.lifecycle import (
    CAMPAIGN_TRANSITIONS,
    JOB_TRANSITIONS,
    OPEN_JOB_STATES,
    STEP_TRANSITIONS,
    CampaignEvent,
    JobEvent,
    StepEvent,
    advance,
    allows,
    mermaid,
    refusal,
)
from cigri.domain.model import CampaignState, JobState, StepState
from cigri.errors import IllegalTransition

C, J = CampaignState, JobState

#: Each table, the events that it is about, where a life begins, and where it can end for good.
LIVES = [
    pytest.param(CAMPAIGN_TRANSITIONS, CampaignEvent, C.LOADING, {C.CANCELLED}, id="campaign"),
    pytest.param(
        JOB_TRANSITIONS,
        JobEvent,
        J.CLAIMED,
        {J.RETURNED, J.ENDED, J.KILLED, J.LOST},
        id="job",
    ),
]
lives = pytest.mark.parametrize(("table", "events", "first", "final"), LIVES)


def reached(table, start):
    """Return the states that events lead to from *start*."""
    found, todo = set(), [start]
    while todo:
        state = todo.pop()
        if state not in found:
            found.add(state)
            todo += table[state].values()
    return found


@lives
def test_no_event_leaves_a_final_state(table, events, first, final):
    assert {state for state in table if not table[state]} == final
    for state in final:
        for event in events:
            with pytest.raises(IllegalTransition):
                advance(table, state, event)


@lives
def test_every_state_is_in_the_table_and_can_be_reached(table, events, first, final):
    assert set(table) == set(type(first))
    assert reached(table, first) == set(table)


@lives
def test_nothing_comes_back_to_its_beginning(table, events, first, final):
    assert not any(first in after.values() for after in table.values())


@lives
def test_every_life_can_come_to_its_end(table, events, first, final):
    assert all(reached(table, state) & final for state in table)


@lives
def test_every_event_can_happen(table, events, first, final):
    assert {event for possible in table.values() for event in possible} == set(events)


@lives
def test_what_the_table_lists_happens_and_all_else_is_a_bug(table, events, first, final):
    for state in table:
        for event in events:
            listed = event in table[state]
            assert allows(table, state, event) is listed
            if listed:
                assert advance(table, state, event) is table[state][event]
            else:
                with pytest.raises(IllegalTransition, match=f"{event.name} .* {state.name}"):
                    advance(table, state, event)


@pytest.mark.parametrize(
    ("state", "events", "after"),
    [
        (J.CLAIMED, [JobEvent.ACCEPTED, JobEvent.STARTED, JobEvent.ENDED], J.ENDED),
        # A short job is over before anybody looks.
        (J.CLAIMED, [JobEvent.ACCEPTED, JobEvent.ENDED], J.ENDED),
        # The answer was lost; the cluster is asked, and has it or has not.
        (J.CLAIMED, [JobEvent.UNANSWERED, JobEvent.ACCEPTED], J.SUBMITTED),
        (J.CLAIMED, [JobEvent.UNANSWERED, JobEvent.NOT_SENT], J.RETURNED),
        # The process died before it sent anything.
        (J.CLAIMED, [JobEvent.NOT_SENT], J.RETURNED),
        (C.IN_TREATMENT, [CampaignEvent.PAUSE, CampaignEvent.FINISHED], C.TERMINATED),
        (C.PAUSED, [CampaignEvent.REOPENED], C.PAUSED),
        (C.TERMINATED, [CampaignEvent.REOPENED], C.IN_TREATMENT),
        (C.TERMINATED, [CampaignEvent.CANCEL], C.CANCELLED),
    ],
)
def test_stories(state, events, after):
    table = JOB_TRANSITIONS if isinstance(state, JobState) else CAMPAIGN_TRANSITIONS

    for event in events:
        state = advance(table, state, event)

    assert state is after


S, SE = StepState, StepEvent


@pytest.mark.parametrize("state", S)
def test_a_step_does_what_its_table_lists_and_all_else_is_a_bug(state):
    for event in SE:
        if event in STEP_TRANSITIONS[state]:
            assert advance(STEP_TRANSITIONS, state, event) is STEP_TRANSITIONS[state][event]
        else:
            with pytest.raises(IllegalTransition):
                advance(STEP_TRANSITIONS, state, event)


def test_a_step_that_waits_can_come_anywhere_but_vanish():
    assert reached(STEP_TRANSITIONS, S.WAITING) == set(S) - {S.NONE}
    assert {e for possible in STEP_TRANSITIONS.values() for e in possible} == set(SE)


@pytest.mark.parametrize("state", [C.IN_TREATMENT, C.PAUSED, C.TERMINATED, C.CANCELLED])
@pytest.mark.parametrize(
    "event",
    [CampaignEvent.PAUSE, CampaignEvent.RESUME, CampaignEvent.CANCEL, CampaignEvent.REOPENED],
)
def test_what_an_owner_may_not_ask_has_a_text_of_its_own(state, event):
    if not allows(CAMPAIGN_TRANSITIONS, state, event):
        assert refusal(state, event) != f"is {state}"


def test_the_open_jobs_are_those_that_hold_tasks():
    assert {J.CLAIMED, J.UNKNOWN, J.SUBMITTED, J.RUNNING} == OPEN_JOB_STATES


def test_a_diagram_shows_each_transition_and_each_end():
    table = {
        C.PAUSED: {CampaignEvent.RESUME: C.IN_TREATMENT, CampaignEvent.CANCEL: C.CANCELLED},
        C.CANCELLED: {},
    }

    assert mermaid(table).splitlines() == [
        "stateDiagram-v2",
        "    paused --> in_treatment: resume",
        "    paused --> cancelled: cancel",
        "    cancelled --> [*]",
    ]
