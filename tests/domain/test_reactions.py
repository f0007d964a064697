"""What events do besides being told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cigri.domain.event import EventClass
from cigri.domain.reactions import (
    CONDITIONS,
    FIRST_RETRY,
    LONGEST_RETRY,
    REACTIONS,
    EventCode,
    Scope,
    retry_delay,
)

failures = st.integers(1, 10**9)


def test_every_event_has_a_reaction_and_no_other_has():
    assert set(REACTIONS) == set(EventCode)


@pytest.mark.parametrize("code", EventCode)
def test_what_an_event_means_is_the_beginning_of_a_sentence(code):
    meaning = REACTIONS[code].meaning

    assert meaning[0].islower()
    assert meaning[-1].isalpha()
    assert meaning.isascii()


@pytest.mark.parametrize("code", EventCode)
def test_what_an_event_holds_is_what_it_is_about(code):
    holds = {
        # A prologue is a job, and all tasks wait for it.
        EventClass.JOB: {Scope.NOTHING, Scope.CAMPAIGN},
        # What its owner asked for holds nothing.
        EventClass.CAMPAIGN: {Scope.NOTHING, Scope.CAMPAIGN, Scope.EVERYWHERE},
        EventClass.CLUSTER: {Scope.CLUSTER, Scope.CLUSTER_TILL_FIXED},
    }
    if code in CONDITIONS:
        # The cluster is used none the less.
        holds[EventClass.CLUSTER] = {Scope.NOTHING, Scope.SUBMISSIONS}

    assert REACTIONS[code].holds in holds[REACTIONS[code].event_class]


@pytest.mark.parametrize("code", EventCode)
def test_who_holds_something_stays_open_until_it_is_mended(code):
    assert REACTIONS[code].needs_fixing or REACTIONS[code].holds is Scope.NOTHING


def test_equal_meanings_would_be_equal_events():
    assert len({reaction.meaning for reaction in REACTIONS.values()}) == len(REACTIONS)


def test_the_first_delays_double():
    assert [retry_delay(n) for n in range(1, 6)] == [FIRST_RETRY * 2**n for n in range(5)]


@given(failures)
def test_a_delay_is_never_below_the_first_nor_above_the_longest(number):
    assert FIRST_RETRY <= retry_delay(number) <= LONGEST_RETRY


@given(failures, failures)
def test_more_failures_never_shorten_the_delay(one, other):
    few, many = sorted([one, other])

    assert retry_delay(few) <= retry_delay(many)


def test_a_cluster_that_is_down_for_long_is_asked_four_times_an_hour():
    assert retry_delay(30) == LONGEST_RETRY == 3600 / 4
