"""Where tasks stand in a job, and the numbers of their remote jobs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cigri.domain import bag
from cigri.domain.positions import Positions, pack, unpack
from cigri.domain.remote_ids import RemoteNumbers, join_ids, split_ids

given_tasks = st.lists(st.integers(0, 60), unique=True, max_size=30)
ids = st.lists(st.none() | st.integers(1, 40), min_size=1, max_size=40)


@given(given_tasks, st.integers(-5, 70))
def test_a_task_has_the_position_at_which_it_was_given(tasks, other):
    # In any order, as those that run again come before others.
    ranges = [item for task in tasks for item in bag.ranges([task])]
    positions = Positions(ranges)

    assert list(positions.tasks()) == tasks
    assert [positions.of(task) for task in tasks] == list(range(len(tasks)))
    assert positions.size == len(tasks)
    assert (positions.of(other) is None) == (other not in tasks)


@pytest.mark.parametrize("task", [-1, 5, 10**30, -(10**30)])
def test_a_task_of_another_job_has_no_position(task):
    assert Positions([bag.Range(0, 5)]).of(task) is None


@given(st.lists(st.booleans(), max_size=100))
def test_flags_are_what_they_were(flags):
    packed = pack(bytes(flags))

    assert unpack(packed, len(flags)) == bytes(flags)
    assert len(packed) <= -(-len(flags) // 8)


@given(ids)
def test_the_numbers_of_an_array_are_what_they_were(numbers):
    text = join_ids(numbers)
    found = RemoteNumbers(text)

    assert split_ids(text) == numbers
    assert [found.of(position) for position in range(len(numbers))] == numbers
    assert len(found) == len(numbers)
    assert found.of(len(numbers)) is None
    assert found.of(-1) is None


@given(ids, st.data())
def test_a_number_can_be_replaced_by_another(numbers, data):
    places = st.integers(0, len(numbers) - 1)
    others = data.draw(st.dictionaries(places, st.integers(1, 10**9), max_size=5))

    text = RemoteNumbers(join_ids(numbers)).replaced(others)

    assert split_ids(text) == [others.get(place, old) for place, old in enumerate(numbers)]


def test_thousands_of_numbers_are_few_characters():
    assert join_ids(range(1, 10_001)) == "1-10000"


@pytest.mark.parametrize("text", ["", "x", "1,,2", "1-x"])
def test_what_are_no_numbers_is_said(text):
    with pytest.raises(ValueError, match="invalid literal"):
        RemoteNumbers(text)
