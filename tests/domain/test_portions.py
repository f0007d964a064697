"""How large groups are, and how much time their jobs get."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cigri.domain import portions

count = st.integers(0, 10**5)


@given(count, st.integers(1, 5000))
def test_groups_are_as_few_as_their_largest_size_allows(tasks, most):
    sizes = portions.split(tasks, most)

    assert sum(sizes) == tasks
    assert all(0 < size <= most for size in sizes)
    assert len(sizes) == -(-tasks // most)


@given(st.integers(0, 10_000), st.integers(1, 500), st.integers(1, 500))
def test_shares_are_equal_and_as_many_as_there_are_places(tasks, places, most):
    sizes = portions.share(tasks, places, most)

    assert sum(sizes) == tasks
    assert all(0 < size <= most for size in sizes)
    assert max(sizes, default=0) - min(sizes, default=0) <= 1
    assert len(sizes) == max(min(tasks, places), -(-tasks // most))


@given(st.integers(0, 10_000), st.integers(1, 500), st.integers(1, 500), st.integers(1, 500))
def test_groups_too_small_to_be_worth_a_job_are_made_only_where_there_is_no_more(
    tasks, places, most, least
):
    least = min(least, most)

    sizes = portions.share(tasks, places, most, least)

    assert sum(sizes) == tasks
    assert max(sizes, default=0) <= most
    assert len(sizes) <= max(places, -(-tasks // most))
    # Two of them would not fit into one.
    assert min(sizes, default=least) >= min(least, tasks) or 2 * min(sizes) > most - 1


@given(
    st.integers(0, 10_000),
    st.integers(1, 500),
    st.integers(1, 500),
    st.integers(1, 500),
    st.integers(1, 500),
)
def test_the_last_groups_become_smaller_as_long_as_they_are_worth_it(
    tasks, places, most, least, halved
):
    sizes = portions.taper(tasks, places, most, min(least, most), halved)

    assert sum(sizes) == tasks
    assert max(sizes, default=0) <= most
    # Whoever falls idle first, the rest is no more than what everybody had before.
    if tasks // (2 * places) >= halved:
        assert sum(sizes[:places]) <= tasks / 2


@pytest.mark.parametrize(
    ("mean", "group_duration", "seconds"),
    [
        # As long as a group may take: who knows.
        (None, 600.0, 60 + 600),
        (None, None, 60 + 99 * 60),
        # Known, with a half for good measure.
        (2.0, 600.0, 60 + 297),
        (50.0, 600.0, 60 + 1200),
    ],
)
def test_a_job_gets_the_time_that_its_tasks_may_need(mean, group_duration, seconds):
    found = portions.walltime(100, own=60, mean_duration=mean, group_duration=group_duration)

    assert found == seconds


@given(
    st.lists(st.lists(st.integers(0, 20), min_size=1, max_size=6), max_size=6), st.integers(1, 30)
)
def test_groups_that_are_too_long_are_cut(groups, most):
    lengths = [length for group in groups for length in group]

    sizes = portions.within(list(map(len, groups)), lengths, most)

    assert sum(sizes) == len(lengths)
    rest = iter(lengths)
    for size in sizes:
        own = [next(rest) for _ in range(size)]
        assert size == 1 or sum(own) <= most
