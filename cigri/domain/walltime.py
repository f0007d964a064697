"""The walltime: how long one task may run.

Every system reads `1:30` in its own way: 90 minutes to OAR, 90 seconds to Slurm.  Here it is what
OAR understands, and what was understood is said back.
"""

import math
import re

from cigri.domain.report import Mistake, kind, shown

#: Seconds: a year, which is more than any cluster grants.
LONGEST = 366 * 86400.0

FORMS = "H:M:S, H:M (hours and minutes), D-H:M:S, or a sum such as 1h30m, 90m, 45s"

_LONGEST_NUMBER = 9
_CLOCK = re.compile(r"(?:(\d{1,9})-(?=.*:.*:))?(\d{1,9}):(\d{1,9})(?::(\d{1,9}))?", re.ASCII)
_SUM = re.compile(r"(?:(\d{1,9})d)?(?:(\d{1,9})h)?(?:(\d{1,9})m)?(?:(\d{1,9})s)?", re.ASCII)
_UNITS = (86400, 3600, 60, 1)


def parse_walltime(value: object) -> float:
    """
    Return the seconds that a walltime stands for.

    >>> parse_walltime("1:30"), parse_walltime("90m"), parse_walltime("1-12:00:00")
    (5400.0, 5400.0, 129600.0)

    Raises:
        Mistake: It is none of the forms, could be read in two ways, or is zero or over a year.
    """
    if not isinstance(value, str):
        hint = f'write "{value}s" for seconds' if type(value) is int else None
        raise Mistake(f"not a walltime: {kind(value)}, not a text ({FORMS})", hint)
    text = value.strip()
    seconds = float(_seconds(text))
    if seconds == 0:
        raise Mistake(f"a walltime of no time: {shown(value)}")
    if seconds > LONGEST:
        raise Mistake(f"a walltime of over a year: {shown(value)}")
    return seconds


def walltime_text(seconds: float) -> str:
    """
    Return a duration as `HH:MM:SS`, which all systems read alike.

    >>> walltime_text(5400), walltime_text(360000)
    ('01:30:00', '100:00:00')
    """
    minutes, rest = divmod(math.ceil(seconds), 60)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest:02}"


def two_readings(text: str) -> bool:
    """Return whether another system would read a valid walltime otherwise: `1:30`."""
    return text.count(":") == 1


def _seconds(text: str) -> int:
    clock = _CLOCK.fullmatch(text)
    found = clock or _SUM.fullmatch(text)
    if not text or not found:
        number = text.isdigit() and len(text) <= _LONGEST_NUMBER
        hint = f'write "{text}s" for seconds, "{text}h" for hours' if number else None
        raise Mistake(f"not a walltime: {shown(text)} ({FORMS})", hint)
    _, hours, minutes, seconds = numbers = [int(part) for part in found.groups("0")]
    if clock and (max(minutes, seconds) >= 60 or (clock[1] and hours >= 24)):
        raise Mistake(f"not a walltime: {shown(text)}: a part is too large for its place")
    return sum(number * unit for number, unit in zip(numbers, _UNITS, strict=True))
