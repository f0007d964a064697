import pytest
from hypothesis import given
from hypothesis import strategies as st

from cigri.cli.bar import bar, share, tally

STATES = ("pending", "queued", "running", "terminated", "failed", "cancelled")


def counts(**some):
    return dict.fromkeys(STATES, 0) | some


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=6).filter(any), st.integers(6, 80))
def test_cells_fill_the_width_and_nothing_that_is_there_is_hidden(numbers, width):
    cells = share(numbers, width)

    assert sum(cells) == width
    assert all((cell > 0) == (number > 0) for cell, number in zip(cells, numbers, strict=True))


def test_a_campaign_without_tasks_has_an_empty_bar():
    assert bar(counts(), 20).plain == ""


@pytest.mark.parametrize(("plain", "drawn"), [(False, "█████▓▓!··"), (True, "#####==!..")])
def test_states_show_by_their_signs_in_the_order_of_a_life(plain, drawn):
    some = counts(terminated=50, running=20, failed=10, pending=20)

    assert bar(some, 10, plain=plain).plain == drawn


def test_a_tally_leaves_out_states_without_tasks():
    assert tally(counts()) == "done 0"
    assert tally(counts(terminated=5, failed=1)) == "done 5  failed 1"
