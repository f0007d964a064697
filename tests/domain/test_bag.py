"""Ranges of tasks."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from cigri.domain import bag
from cigri.domain.bag import Range

numbers = st.sets(st.integers(0, 200), max_size=80)
sizes = st.lists(st.integers(1, 40), max_size=10)


def unfolded(ranges):
    return [number for item in ranges for number in item.numbers()]


@given(numbers)
def test_ranges_are_the_numbers_in_order(given_):
    assert unfolded(bag.ranges(given_)) == sorted(given_)


@given(numbers)
def test_ranges_are_as_few_as_there_are_gaps(given_):
    found = bag.ranges(given_)

    assert all(before.first + before.size < after.first for before, after in pairwise(found))


@given(numbers)
def test_the_size_of_ranges_is_how_many_numbers_they_hold(given_):
    assert bag.size(bag.ranges(given_)) == len(given_)


@given(numbers, sizes)
def test_a_cut_deals_out_all_in_order_and_no_portion_is_too_large(given_, wanted):
    portions = bag.cut(bag.ranges(given_), wanted)

    assert len(portions) == len(wanted)
    assert [n for portion in portions for n in unfolded(portion)] == sorted(given_)[: sum(wanted)]
    assert all(bag.size(portion) <= size for portion, size in zip(portions, wanted, strict=True))


@given(numbers, sizes)
def test_a_portion_is_short_only_when_nothing_is_left(given_, wanted):
    portions = bag.cut(bag.ranges(given_), wanted)
    short = [bag.size(p) < size for p, size in zip(portions, wanted, strict=True)]

    if True in short:
        assert bag.size([item for portion in portions for item in portion]) == len(given_)


def test_a_cut_keeps_the_order_of_what_it_is_given():
    urgent, fresh = Range(90, 2), Range(5, 4)

    assert bag.cut([urgent, fresh], [3, 3]) == [[urgent, Range(5, 1)], [Range(6, 3)]]
