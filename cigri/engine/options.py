"""What the configuration may say about day, night, and who may run what."""

import os
from datetime import UTC, date, datetime, tzinfo
from functools import cache
from pathlib import Path
from typing import Annotated, NewType
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import attrs

from cigri.domain.calendar import Calendar, parse_night
from cigri.domain.facts import Rule
from cigri.domain.model import CampaignType
from cigri.strict import Between, OneOf, login

#: Seconds, written as a walltime.
Walltime = NewType("Walltime", float)

_LOCALTIME = Path("/etc/localtime")
#: The directory of time zones, as it is called everywhere.
_ZONES = "zoneinfo/"


def zone_name(value: str) -> str:
    """Return *value* when it names a time zone, or raise ValueError."""
    try:
        ZoneInfo(value)
    except (OSError, ValueError, ZoneInfoNotFoundError):
        raise ValueError(f'not a time zone, as "Europe/Paris": {value!r}') from None
    return value


def night_hours(value: str) -> str:
    """Return *value* when it says when it is night, or raise ValueError."""
    parse_night(value)
    return value


def day(value: object) -> date:
    """Return the date that *value* is or says, or raise ValueError."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        return date.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        shown = str(value) if isinstance(value, datetime) else repr(value)
        raise ValueError(f"not a date, as 2026-12-25: {shown}") from None


def word(value: str) -> str:
    """Return *value* when it is a name for a rule, or raise ValueError."""
    if not value.isprintable() or not value.strip():
        raise ValueError(f"not a name: {value!r}")
    return value


@attrs.frozen(kw_only=True)
class CalendarOptions:
    """When it is night for campaigns of type `nightly` and `semi-best-effort`."""

    #: Where the hours are read; empty for the time zone of this host.
    timezone: Annotated[str, zone_name] = ""
    night: tuple[Annotated[str, night_hours], ...] = ("19:00-08:00", "sat-sun")
    #: Days that are night from midnight to midnight.
    holidays: tuple[date, ...] = ()

    def calendar(self) -> Calendar:
        """Return the calendar that is described."""
        return Calendar(
            zone=ZoneInfo(self.timezone) if self.timezone else host_zone(),
            nights=tuple(parse_night(each) for each in self.night),
            holidays=frozenset(self.holidays),
        )


@attrs.frozen(kw_only=True)
class RuleOptions:
    """A rule of admission: see `Rule`."""

    name: Annotated[str, word]
    users: tuple[Annotated[str, login], ...] = ()
    except_users: tuple[Annotated[str, login], ...] = ()
    types: tuple[Annotated[str, OneOf(tuple(CampaignType))], ...] = ()
    clusters: tuple[str, ...] = ()
    max_walltime: Walltime | None = None
    max_tasks: Annotated[int, Between(0, 1_000_000_000)] | None = None
    max_campaigns: Annotated[int, Between(0, 1_000_000)] | None = None
    message: str = ""
    ask: str = ""

    def rule(self) -> Rule:
        """Return the rule that is described."""
        return Rule(**attrs.asdict(self, recurse=False))


@attrs.frozen(kw_only=True)
class AdmissionOptions:
    """Who may run what, beside the `normal_users` of each cluster."""

    #: Whom a refusal says to ask.
    contact: Annotated[str, word] = "an administrator"
    #: A Python file with one function for each further rule.
    file: Path | None = None
    rules: tuple[RuleOptions, ...] = ()


@cache
def host_zone() -> tzinfo:
    """Return the time zone of this host."""
    named = os.environ.get("TZ", "").removeprefix(":")
    target = str(_LOCALTIME.resolve())
    if not named and _ZONES in target:
        named = target.partition(_ZONES)[2]
    try:
        return ZoneInfo(named)
    except (OSError, ValueError, ZoneInfoNotFoundError):
        pass
    try:
        with _LOCALTIME.open("rb") as file:
            return ZoneInfo.from_file(file, key="localtime")
    except (OSError, ValueError):
        return UTC
