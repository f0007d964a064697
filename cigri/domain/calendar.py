"""Day and night, as the configuration says: when campaigns may take the place of others.

Hours are those of the wall clock in the time zone of the installation, on days with 23 and 25
hours too.  A holiday is night from midnight to midnight.
"""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import partial

import attrs

from cigri.domain.model import CampaignType
from cigri.domain.report import Mistake, shown

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
FORMS = 'days, hours or both, as in "mon-fri 19:00-07:00", "sat-sun", "22:00-06:00"'

#: Minutes.
_DAY = 24 * 60
#: Days without a holiday in which each week changes that changes at all: two weeks, as one may
#: lose an hour where the clock goes forward, and the days at both ends.
_HORIZON = 16
_ENTRY = re.compile(r"(?:([a-z,-]+)(?:\s+|$))?(?:(\d\d?):(\d\d)-(\d\d?):(\d\d))?", re.ASCII)


@attrs.frozen(kw_only=True)
class Night:
    """Some hours of some days of the week; hours past midnight belong to the day they began."""

    #: 0 is Monday.
    days: frozenset[int]
    #: Minutes after midnight; an end that is not after the begin is on the next day.
    begin: int = 0
    end: int = _DAY


@attrs.frozen(kw_only=True)
class Calendar:
    """What is night, where; all else is day."""

    zone: tzinfo = UTC
    nights: tuple[Night, ...] = ()
    holidays: frozenset[date] = frozenset()


def is_night(calendar: Calendar, at: float) -> bool:
    """Return whether it is night at the instant *at*."""
    return _is_night(calendar, datetime.fromtimestamp(at, calendar.zone).replace(tzinfo=None))


def next_change(calendar: Calendar, at: float) -> float:
    """Return the first instant after *at* at which day and night change; infinity for never."""
    if not calendar.nights and not calendar.holidays:
        return float("inf")
    now = is_night(calendar, at)
    first = datetime.fromtimestamp(at, calendar.zone).date() - timedelta(days=1)
    starts = [first, *(day for day in calendar.holidays if day > first)]
    days = {start + timedelta(days=n) for start in starts for n in range(_HORIZON)}
    for day in sorted(days):
        for instant in sorted(_instants(calendar, day)):
            if instant > at and is_night(calendar, instant) is not now:
                return instant
    return float("inf")


def mode(type_: CampaignType, night: bool) -> CampaignType | None:
    """Return whether the tasks of a campaign run as best-effort or normal; `None`: not now."""
    match type_:
        case CampaignType.SEMI_BEST_EFFORT:
            return CampaignType.NORMAL if night else CampaignType.BEST_EFFORT
        case CampaignType.NIGHTLY:
            return CampaignType.NORMAL if night else None
        case _:
            return type_


def parse_night(text: str) -> Night:
    """
    Return the hours and days that a line of the configuration describes.

    >>> parse_night("fri-sun 19:00-07:30")
    Night(days=frozenset({4, 5, 6}), begin=1140, end=450)

    Raises:
        Mistake: It describes none.
    """
    found = _ENTRY.fullmatch(text.strip().lower())
    if not text.strip() or not found:
        raise Mistake(f"not a night: {shown(text)}", f"write {FORMS}")
    days = _days(found[1], text) if found[1] else frozenset(range(7))
    if found[2] is None:
        return Night(days=days)
    begin = _minutes(found[2], found[3], text) % _DAY
    end = _minutes(found[4], found[5], text)
    if begin == end:
        raise Mistake(
            f"a night of no time: {shown(text)}", "leave the hours out for the whole day"
        )
    return Night(days=days, begin=begin, end=end)


# --- in local time -----------------------------------------------------------------------------


def _is_night(calendar: Calendar, local: datetime) -> bool:
    if local.date() in calendar.holidays:
        return True
    return any(_covers(night, local) for night in calendar.nights)


def _covers(night: Night, local: datetime) -> bool:
    minute = local.hour * 60 + local.minute
    today = local.weekday()
    if night.begin < night.end:
        return today in night.days and night.begin <= minute < night.end
    begun = today in night.days and minute >= night.begin
    return begun or ((today - 1) % 7 in night.days and minute < night.end)


def _instants(calendar: Calendar, day: date) -> Iterator[float]:
    """Yield every instant of a local day at which day and night may change."""
    minutes = {0} | {end % _DAY for night in calendar.nights for end in (night.begin, night.end)}
    for minute in minutes:
        local = datetime.combine(day, time(minute // 60, minute % 60))
        # Where the clock goes back an hour comes twice, and where it goes forward one is skipped:
        # then the two readings are the ends of the gap.
        for fold in (0, 1):
            yield local.replace(fold=fold, tzinfo=calendar.zone).timestamp()
    yield from _jumps(calendar.zone, day)


def _jumps(zone: tzinfo, day: date) -> Iterator[float]:
    """Yield the instant of a local day at which the clock is changed, if it is."""
    begin = datetime.combine(day, time(), zone).timestamp()
    offset = partial(_offset, zone)
    low, high = int(begin), int(begin) + 86_400
    if offset(low) == offset(high):
        return
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if offset(middle) == offset(low) else (low, middle)
    yield float(high)


def _offset(zone: tzinfo, at: int) -> timedelta | None:
    return datetime.fromtimestamp(at, zone).utcoffset()


def _days(text: str, whole: str) -> frozenset[int]:
    found: set[int] = set()
    for part in text.split(","):
        first, dash, last = part.partition("-")
        if first not in DAYS or (dash and last not in DAYS):
            raise Mistake(f"not days of the week: {shown(whole)}", f"write {', '.join(DAYS)}")
        begin = DAYS.index(first)
        length = (DAYS.index(last or first) - begin) % 7 + 1
        found |= {(begin + n) % 7 for n in range(length)}
    return frozenset(found)


def _minutes(hour: str, minute: str, whole: str) -> int:
    total = int(hour) * 60 + int(minute)
    if int(minute) > 59 or total > _DAY:
        raise Mistake(f"not a time of day: {shown(whole)}")
    return total
