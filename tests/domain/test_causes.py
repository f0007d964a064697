"""What tasks said last, made plain, and folded so that equal failures are equal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cigri.domain.causes import LONGEST_CAUSE, LONGEST_LINE, plain_lines, signature


@pytest.mark.parametrize(
    ("line", "folded"),
    [
        ("no space left", "no space left"),
        ("line 12: bad value 3.5e-7", "line N: bad value N"),
        ("cannot open /scratch/ann/run-0042/in.dat", "cannot open /scratch/ann/run-N/in.dat"),
        ("segfault at 0x7ffdeadbeef ip 00007f21", "segfault at X ip X"),
        ("task 3f2a9c1e-77aa-4b1c-9e0f-001122334455 failed", "task X failed"),
        ("at 12:30:45, 1,234 bytes", "at N, N bytes"),
        # Words of the letters a to f are words.
        ("feedback defaced", "feedback defaced"),
        ("too   many\tblanks ", "too many blanks"),
    ],
)
def test_numbers_are_folded(line, folded):
    assert signature(line) == folded


@given(st.integers(0, 10**12), st.integers(0, 10**12))
def test_equal_failures_have_equal_causes_whatever_their_numbers(one, other):
    text = "worker {}: file out-{}.dat is missing"

    assert signature(text.format(one, other)) == signature(text.format(other, one))


@given(st.binary(max_size=3000))
def test_whatever_was_written_is_shown_short_and_plain(text):
    lines = plain_lines(text, 4)

    assert len(lines) <= 4
    for line in lines:
        assert 0 < len(line) <= LONGEST_LINE
        assert not any(character < " " or "\x7f" <= character < "\xa0" for character in line)
        assert len(signature(line)) <= LONGEST_CAUSE


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (b"", []),
        (b"\n \n\t\n", []),
        (b"one\ntwo\nthree\n", ["two", "three"]),
        (b"10 %\r50 %\r100 %", ["50 %", "100 %"]),
        (b"\x1b[1;31mError:\x1b[0m bad\n", ["Error: bad"]),
        (b"\x1b]0;title\x07done", ["done"]),
        (b"caf\xc3\xa9 \xff", ["caf\u00e9 \ufffd"]),
        # A program must not write its message backwards, or beside the screen.
        ("\u202eevil\u2066".encode(), ["evil"]),
    ],
)
def test_lines_as_a_person_may_see_them(text, lines):
    assert plain_lines(text, 2) == lines
