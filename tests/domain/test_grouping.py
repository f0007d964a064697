"""How many tasks are handed out at once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cigri.domain import grouping

parallel = st.integers(1, 20_000)
duration = st.floats(0, 1e9)
ended = st.integers(1, 10**7)
count = st.integers(0, 10**5)


@given(parallel)
def test_before_anything_has_ended_each_place_gets_one_task_and_one_to_follow(places):
    assert grouping.target(parallel=places, mean_duration=None, ended=0) == 2 * places


@pytest.mark.parametrize(
    ("places", "seconds", "after", "wanted"),
    [
        # Long tasks: one waits, so that a place that falls free is not idle until the next look.
        (8, 3600.0, 1_000, 9),
        # A second each: half as many again as places, for the look-ahead of 1.5 s.
        (8, 1.0, 1_000, 8 + 12),
        # A millisecond each: thousands, as a look costs more than a task.
        (2, 0.001, 10_000, 2 + 1765),
        # Too quick to measure, but starting them costs something.
        (2, 0.0, 10_000, 2 + 4286),
        # Nobody knows yet whether the first were like the others.
        (2, 0.001, 3, 16 * 3),
        # No more than one look should read.
        (64, 0.001, 10**6, 8_000),
    ],
)
def test_the_target_follows_what_the_tasks_take(places, seconds, after, wanted):
    assert grouping.target(parallel=places, mean_duration=seconds, ended=after) == wanted


@given(parallel, duration, ended)
def test_the_target_fills_all_places_and_has_a_bound(places, seconds, after):
    wanted = grouping.target(parallel=places, mean_duration=seconds, ended=after)

    assert places < wanted <= max(grouping.MOST_IN_FLIGHT, 2 * places)


@given(parallel, duration, duration, ended)
def test_shorter_tasks_never_lower_the_target(places, one, other, after):
    short, long = sorted([one, other])

    targets = [
        grouping.target(parallel=places, mean_duration=seconds, ended=after)
        for seconds in (short, long)
    ]

    assert targets[0] >= targets[1]


@pytest.mark.parametrize(
    ("allowed", "ended", "succeeded", "most"),
    [
        # Nobody knows: all may fail.
        (20, 0, 0, 21),
        # All failed; that their tasks were resubmitted changes nothing of it.
        (20, 21, 0, 21),
        (0, 21, 0, 1),
        # More failed than may: one at a time, to see.
        (-5, 9, 0, 1),
        # Half of them.
        (20, 199, 100, 42),
        # Hardly any: as many as there is work for.
        (20, 100_000, 99_999, 1_050_011),
        # All is well.
        (0, 8_000, 8_000, 8_001),
        # After what an administrator mended, more succeeded than attempts are known of.
        (3, 5, 7, 32),
    ],
)
def test_what_is_at_risk_follows_the_attempts_that_failed(allowed, ended, succeeded, most):
    assert grouping.at_risk(allowed=allowed, ended=ended, succeeded=succeeded) == most


@given(count, count, st.booleans())
def test_a_refill_is_all_that_is_missing_or_nothing(wanted, in_flight, idle):
    given_ = grouping.refill(wanted=wanted, in_flight=in_flight, nearly_idle=idle)

    assert given_ in {0, max(0, wanted - in_flight)}


@given(count, count)
def test_no_place_falls_idle_for_want_of_a_refill(wanted, in_flight):
    missing = grouping.refill(wanted=wanted, in_flight=in_flight, nearly_idle=True)

    assert missing == max(0, wanted - in_flight)


def test_a_small_top_up_waits_until_it_is_worth_a_job():
    assert grouping.refill(wanted=1000, in_flight=751, nearly_idle=False) == 0
    assert grouping.refill(wanted=1000, in_flight=750, nearly_idle=False) == 250


def test_the_next_groups_wait_until_those_that_waited_run():
    assert grouping.refill(wanted=1000, in_flight=501, nearly_idle=False, part=2) == 0
    assert grouping.refill(wanted=1000, in_flight=500, nearly_idle=False, part=2) == 500


@given(parallel, st.integers(0, 10**7), st.integers(1, 30_000))
def test_the_first_groups_have_half_of_the_tasks_at_most(places, left, most):
    first = grouping.first_of_groups(left, places)
    wanted = grouping.target(parallel=places, mean_duration=None, ended=0, most=most, first=first)

    assert first <= left / 2
    assert 2 * places <= wanted <= max(2 * places, first)
    assert wanted <= max(most, 2 * places)


def test_one_quick_task_takes_nothing_back_of_what_was_handed_out():
    known = {"mean_duration": 1.0, "ended": 1, "lookahead": 20.0, "most": 25_000, "group": 600}

    assert grouping.target(parallel=16, first=1000, **known) == 1000


@given(parallel, duration, ended, st.floats(0, 600), st.integers(1, 10**6))
def test_a_cluster_may_want_more_or_less_in_flight(places, seconds, after, ahead, most):
    wanted = grouping.target(
        parallel=places, mean_duration=seconds, ended=after, lookahead=ahead, most=most
    )

    assert places <= wanted <= max(most, 2 * places)
