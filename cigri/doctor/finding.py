"""What a check finds."""

from enum import StrEnum

import attrs


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARN = "warn"
    FAIL = "FAIL"


@attrs.frozen(kw_only=True)
class Finding:
    """What one check found."""

    subject: str
    level: Level = Level.OK
    text: str
    #: What to do about it.
    repair: str | None = None


def ok(subject: str, text: str) -> Finding:
    """Return that all is well."""
    return Finding(subject=subject, text=text)


def warn(subject: str, text: str, repair: str) -> Finding:
    """Return what works and may not for long."""
    return Finding(subject=subject, level=Level.WARN, text=text, repair=repair)


def fail(subject: str, text: str, repair: str) -> Finding:
    """Return what does not work."""
    return Finding(subject=subject, level=Level.FAIL, text=text, repair=repair)
