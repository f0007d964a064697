import pytest
from hypothesis import given
from hypothesis import strategies as st

from cigri.domain.report import Mistake
from cigri.domain.walltime import LONGEST, parse_walltime, two_readings, walltime_text


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("01:00:00", 3600),
        ("1:2:3", 3723),
        ("100:00:00", 360_000),
        # OAR's meaning; Slurm would read 90 seconds.
        ("1:30", 5400),
        ("0:01", 60),
        ("1-00:00:00", 86_400),
        ("2-3:04:05", 183_845),
        ("1h30m", 5400),
        ("90m", 5400),
        ("45s", 45),
        ("2d", 172_800),
        ("1d2h3m4s", 93_784),
        (" 1h ", 3600),
        ("366d", 366 * 86_400),
    ],
)
def test_walltimes(text, seconds):
    assert parse_walltime(text) == seconds


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("90", 'write "90s" for seconds, "90h" for hours'),
        (3600, 'write "3600s" for seconds'),
        (True, "true, not a text"),
        (1.5, "a number, not a text"),
        (["1h"], "an array, not a text"),
        ("", "not a walltime"),
        ("  ", "not a walltime"),
        ("one hour", "H:M:S, H:M"),
        ("1:2:3:4", "not a walltime"),
        ("1:", "not a walltime"),
        (":30", "not a walltime"),
        ("1h30", "not a walltime"),
        ("30m1h", "not a walltime"),
        ("1.5h", "not a walltime"),
        ("-1:00", "not a walltime"),
        ("1-00", "not a walltime"),
        ("1-00:00", "not a walltime"),
        ("1:60", "too large for its place"),
        ("1:00:60", "too large for its place"),
        ("1-24:00:00", "too large for its place"),
        ("0-30:00:00", "too large for its place"),
        ("0:00:00", "no time"),
        ("0s", "no time"),
        ("367d", "over a year"),
        ("999999999:00:00", "over a year"),
        ("9" * 1000 + "h", "not a walltime"),
        ("\u0661:\u0663\u0660", "not a walltime"),
        ("1:30\n2", "not a walltime"),
    ],
)
def test_what_is_no_walltime(value, words):
    with pytest.raises(Mistake) as refused:
        parse_walltime(value)

    assert words in f"{refused.value} {refused.value.hint}"


@given(st.integers(1, int(LONGEST)))
def test_what_is_said_back_is_what_was_understood(seconds):
    assert parse_walltime(walltime_text(seconds)) == seconds


@given(st.floats(0.001, LONGEST))
def test_what_is_said_back_is_never_less(seconds):
    assert seconds <= parse_walltime(walltime_text(seconds)) < seconds + 1


@pytest.mark.parametrize(
    ("text", "doubtful"), [("1:30", True), ("1:30:00", False), ("90m", False)]
)
def test_hours_and_minutes_have_two_readings(text, doubtful):
    assert two_readings(text) is doubtful
