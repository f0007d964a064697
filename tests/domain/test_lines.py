from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cigri.domain.lines import LineParameters
from cigri.domain.parameters import CHUNK, MAX_PARAMETER
from cigri.errors import InvalidJdl

#: Texts with every kind of line end, and of characters that are cut in two by blocks.
texts = st.text(st.sampled_from("ab \t\n\n\r\v\f\x1c\x85\u2028é€\U0001f600\ufeff"))


def naive(text):
    lines = [line.removesuffix(b"\r") for line in text.removeprefix(b"\xef\xbb\xbf").split(b"\n")]
    return [line for line in lines if line.strip()]


@given(texts.map(str.encode), st.lists(st.integers(0, 80)))
def test_lines_are_found_wherever_the_blocks_are_cut(text, cuts):
    bounds = [0, *sorted(cuts), len(text)]

    assert split(text[start:end] for start, end in pairwise(bounds)) == naive(text)


@given(st.lists(st.sampled_from(["a", "é b", "", " ", "x\r"]), max_size=30), st.integers(1, 9))
def test_lines_are_found_in_blocks_of_any_size(lines, size):
    text = "\n".join(lines).encode()

    assert split(text[at : at + size] for at in range(0, len(text), size)) == naive(text)


def test_chunks_hold_a_thousand_lines():
    lines = LineParameters()
    text = b"".join(b"%040d\n" % number for number in range(12_345))

    chunks = lines.feed(text) + lines.finish()

    assert [chunk.count(b"\n") + 1 for chunk in chunks] == [CHUNK] * 12 + [345]
    assert b"\n".join(chunks) + b"\n" == text
    assert lines.count == 12_345


def test_a_thousand_lines_are_one_chunk():
    lines = LineParameters()

    assert lines.feed(b"a\n" * 1000) == [b"\n".join([b"a"] * 1000)]
    assert lines.finish() == []


def test_no_lines_are_no_chunk():
    assert split([]) == []
    assert split([b"\n \n\r\n"]) == []


def test_spaces_within_a_line_are_kept():
    assert split([b"  a  b \n\tc\n"]) == [b"  a  b ", b"\tc"]


def test_the_longest_line():
    longest = b"x" * MAX_PARAMETER

    assert split([b"a\n" + longest + b"\r\n" + longest]) == [b"a", longest, longest]
    assert split([b"\xef\xbb\xbf" + longest + b"\r\n"]) == [longest]


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        (b"a\n\nb\0c\n", "/params/1: line 3 of the parameters has a NUL"),
        (b"a\nb\0", "/params/1: line 2 of the parameters has a NUL"),
        (b"a\n\xff\nb\n", "/params/1: line 2 of the parameters is not UTF-8"),
        ("a\né".encode()[:-1], "/params/1: line 2 of the parameters is not UTF-8"),
        (b"a\n" + b"x" * (MAX_PARAMETER + 1) + b"\nb", "/params/1: line 2 .* is longer than"),
        (b"a\n\n" + b"x" * 1_000_000, "/params/1: line 3 of the parameters is longer than"),
    ],
)
@pytest.mark.parametrize("size", [1, 2, 1000, 10**7])
def test_a_wrong_line_is_named(text, mistake, size):
    if size < 1000 < len(text):
        text = text[: MAX_PARAMETER + 10]

    with pytest.raises(InvalidJdl, match=mistake):
        split(text[at : at + size] for at in range(0, len(text), size))


def test_a_wrong_line_is_named_by_its_number_in_all_blocks():
    lines = LineParameters()
    lines.feed(b"a\n\n" * 5000)

    with pytest.raises(InvalidJdl, match="/params/5001: line 10002 of the parameters has a NUL"):
        lines.feed(b"b\n\0\n")


def test_too_many_lines_are_refused_as_they_come():
    lines = LineParameters(limit=3)
    lines.feed(b"a\n\nb\nc\n")

    with pytest.raises(InvalidJdl, match="/params: more than 3 tasks"):
        lines.feed(b"d\n")


def split(blocks):
    lines = LineParameters()
    chunks = [chunk for block in blocks for chunk in lines.feed(block)] + lines.finish()
    return [line for chunk in chunks for line in chunk.split(b"\n")]


@pytest.mark.parametrize(
    "text",
    [
        b" one\ntwo three \t\r\n\n  \nfour",
        b"one\ntwo three \nfour ",
        b"\xef\xbb\xbf one\n\ttwo three\n\nfour\r\n",
    ],
)
@pytest.mark.parametrize("size", [1, 3, 100])
def test_white_space_at_the_ends_is_dropped_on_demand(text: bytes, size: int) -> None:
    lines = LineParameters(stripped=True)
    chunks = [c for at in range(0, len(text), size) for c in lines.feed(text[at : at + size])]

    assert b"\n".join(chunks + lines.finish()) == b"one\ntwo three\nfour"


def test_blank_lines_without_end_are_refused():
    lines, block = LineParameters(), b"\n" * 100_000
    for _ in range(10):
        lines.feed(b"a\n" + block)

    with pytest.raises(InvalidJdl, match="/params: more than 1000000 blank lines"):
        lines.feed(b"\n")
