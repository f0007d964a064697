import itertools
import shlex
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cigri.domain.axes import Even, Span, read_range
from cigri.domain.report import Mistake
from cigri.domain.sweep import Axis, Sweep

names = st.sampled_from(["T", "seed", "mode", "_x1"])
lists = st.lists(st.text(max_size=5), min_size=1, max_size=4).map(tuple)
spans = st.builds(Span, st.integers(-5, 5), st.integers(-5, 5), st.integers(0, 3))
numbers = st.decimals(-1000, 1000, places=3)
evens = st.builds(Even, numbers, numbers, st.integers(2, 5))
axes = st.dictionaries(names, lists | spans | evens, min_size=1).map(
    lambda found: tuple(Axis(name=name, values=values) for name, values in found.items())
)


@given(axes)
def test_the_points_of_a_grid_are_those_of_nested_loops(given_):
    sweep = Sweep(axes=given_)

    points = [sweep.point(number) for number in range(sweep.total)]

    assert points == list(itertools.product(*(axis.values for axis in given_)))


@given(axes)
def test_the_points_of_columns_are_their_lines(given_):
    shortest = min(len(axis.values) for axis in given_)
    same = tuple(Axis(name=axis.name, values=axis.values[:shortest]) for axis in given_)
    sweep = Sweep(axes=same, zipped=True)

    points = [sweep.point(number) for number in range(sweep.total)]

    assert points == list(zip(*(axis.values for axis in same), strict=True))


@given(axes)
def test_a_parameter_is_a_line_of_its_point(given_):
    sweep = Sweep(axes=given_)

    assert tuple(shlex.split(sweep.parameter(0))) == sweep.point(0)


@given(axes, st.booleans())
def test_a_sweep_is_stored_as_text(given_, zipped):
    sweep = Sweep(axes=given_, zipped=zipped)

    again = Sweep.from_text(sweep.to_text())

    assert again.names == sweep.names
    assert again.zipped is zipped
    assert [list(axis.values) for axis in again.axes] == [list(axis.values) for axis in sweep.axes]


@given(numbers, numbers, st.integers(2, 10_000), st.data())
def test_values_at_even_distances_are_where_they_should_be(start, stop, count, data):
    values = read_range(f"{start}:{stop}:{count}")
    index = data.draw(st.integers(0, count - 1))

    exact = start + (stop - start) * index / (count - 1)

    assert (Decimal(values[0]), Decimal(values[-1])) == (start, stop)
    assert abs(Decimal(values[index]) - exact) <= abs(exact) * Decimal("1e-15")


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("1..4", ["1", "2", "3", "4"]),
        ("2..-1", ["2", "1", "0", "-1"]),
        ("7..7", ["7"]),
        ("08..11", ["08", "09", "10", "11"]),
        (" 1 .. 2 ", ["1", "2"]),
        ("0..1", ["0", "1"]),
        ("0:1:11", ["0", *(f"0.{n}" for n in range(1, 10)), "1"]),
        ("0:0.3:4", ["0", "0.1", "0.2", "0.3"]),
        ("1:0:3", ["1", "0.5", "0"]),
        ("-1.50:1.5:3", ["-1.5", "0", "1.5"]),
        ("1e-3:2e-3:2", ["0.001", "0.002"]),
        ("0:1:4", ["0", "0.3333333333333333", "0.6666666666666666", "1"]),
        ("5:5:1", ["5"]),
        ("0:9.9:100", [str(Decimal(n) / 10) for n in range(100)]),
    ],
)
def test_a_range_stands_for_its_values(text, values):
    assert list(read_range(text)) == [v.removesuffix(".0") for v in values]


@pytest.mark.parametrize("text", ["1..4", "08..11", "0:1:4", "1e99:1:3", "-2:.5:2", "1e-99:1:3"])
def test_a_range_is_written_as_it_is_read(text):
    values = read_range(text)

    assert list(read_range(str(values))) == list(values)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "1...3",
        "1..",
        "..3",
        "1:2",
        "1:2:3:4",
        "0x1..3",
        "nan:1:2",
        "1..2..3",
        "\u0661..3",
    ],
)
def test_what_is_no_range_is_refused(text):
    with pytest.raises(Mistake, match="not a range"):
        read_range(text)


def test_a_huge_range_is_only_described():
    values = read_range("1..999999999999999999")

    assert len(values) == 10**18 - 1
    assert values[-1] == "9" * 18
