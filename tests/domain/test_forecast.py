"""How fast a campaign goes and when it will end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cigri.domain.forecast import ENOUGH_TASKS, Forecast, Sample, forecast, thin

NOW = 2_000_000.0


def steady(rate, seconds, until=NOW):
    """Return a sample for each of the last *seconds* of a campaign that goes at *rate*."""
    return [Sample(until - seconds + n, round(n * rate)) for n in range(seconds + 1)]


#: Samples as an engine makes them, whose clock somebody may set back and whose tasks may be
#: resubmitted.
anything = st.lists(
    st.builds(Sample, st.floats(NOW - 5000, NOW + 50), st.integers(0, 10**7)), max_size=130
)


@pytest.mark.parametrize("rate", [0.5, 2.0, 400.0])
def test_an_even_campaign_ends_when_its_rate_says(rate):
    told = forecast(steady(rate, 100), remaining=1000, now=NOW)

    assert told.rate == pytest.approx(rate, rel=0.02)
    assert told.eta is not None
    assert [end - NOW for end in told.eta] == pytest.approx([1000 / rate] * 2, rel=0.15)


def test_an_uneven_campaign_has_a_wide_interval():
    slow = [Sample(NOW - 100 + n, n) for n in range(51)]
    fast = [Sample(NOW - 50 + n, 50 + 10 * n) for n in range(1, 51)]

    told = forecast(slow + fast, remaining=1000, now=NOW)

    assert told.eta is not None
    assert told.eta[0] - NOW == pytest.approx(100)
    assert told.eta[1] - NOW == pytest.approx(1000)


def test_a_campaign_that_stands_still_ends_later_and_later():
    samples = steady(2.0, 100)

    ends = [forecast(samples, 1000, NOW + pause).eta for pause in (0, 100, 1000)]

    latest = [end[1] for end in ends if end is not None]
    assert latest == sorted(latest)
    assert latest[2] - latest[0] > 1000


@pytest.mark.parametrize(
    ("samples", "remaining", "why"),
    [
        ([], 10, "nothing was measured"),
        ([Sample(NOW, 5)], 10, "one moment is no rate"),
        ([Sample(NOW - 1, 0), Sample(NOW, 1000)], 10, "one window may be anything"),
        (steady(0.0, 100), 10, "nothing has ended"),
        (steady(0.1, 100), 10, "too few have ended"),
    ],
)
def test_nothing_is_said_of_the_end_before_enough_is_known(samples, remaining, why):
    assert forecast(samples, remaining, NOW).eta is None, why


def test_enough_is_known_after_enough_tasks():
    known = [
        forecast([Sample(NOW - 10 + n, n * 2) for n in range(ends)], 10, NOW).eta is not None
        for ends in range(1, 12)
    ]

    assert known == [2 * (ends - 1) >= ENOUGH_TASKS for ends in range(1, 12)]


def test_a_campaign_of_which_nothing_remains_has_a_rate_and_no_end():
    told = forecast(steady(2.0, 100), remaining=0, now=NOW)

    assert told == Forecast(rate=2.0)


@given(anything, st.integers(0, 10**7), st.floats(NOW - 100, NOW + 1e6))
def test_whatever_was_measured_a_rate_is_positive_and_an_end_lies_ahead(samples, remaining, now):
    told = forecast(samples, remaining, now)

    assert told.rate is None or told.rate > 0
    if told.eta is not None:
        assert now <= told.eta[0] <= told.eta[1]


def test_a_clock_that_was_set_back_does_no_harm():
    told = forecast(steady(2.0, 100), remaining=1000, now=NOW - 3600)

    assert told.rate == 2.0


@given(anything.filter(bool), st.integers(1, 60))
def test_thinning_keeps_the_last_sample_and_drops_the_old(samples, most):
    kept = thin(samples, most, span=1000)

    assert kept[-1] == samples[-1]
    assert set(kept) <= set(samples)
    assert all(sample.at >= samples[-1].at - 1000 for sample in kept)
    assert len(kept) <= max(most, len(samples) // 2 + 1)


def test_a_thinned_past_tells_the_same():
    samples = steady(3.0, 120)

    whole = forecast(samples, 1000, NOW)
    thinned = forecast(thin(samples, 60, span=1800), 1000, NOW)

    assert thinned.rate == whole.rate
