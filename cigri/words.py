"""Numbers and times as people read them."""

import signal
import time

MINUTE = 60
HOUR = 60 * MINUTE
DAY = 24 * HOUR
#: Beyond this many days a moment is told by its date instead of its weekday.
WEEK = 6 * DAY
#: What ends sooner is not worth a number.
FEW = 5


def clean(text: str) -> str:
    r"""
    Return *text* for a terminal: what others wrote must not move the cursor or change colours.

    >>> clean("a\x1b[31mb\n")
    'a\\x1b[31mb\\n'
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def lasting(seconds: float) -> str:
    """
    Return a duration.

    >>> [lasting(s) for s in (0.043, 9.96, 59.6, 100, 11_000, 200_000)]
    ['0.04 s', '10.0 s', '1m00', '1m40', '3h03', '2d07h']
    """
    if seconds < 1:
        return f"{seconds:.2f} s"
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < MINUTE:
        return f"{whole} s"
    if whole < HOUR:
        return f"{whole // MINUTE}m{whole % MINUTE:02}"
    if whole < DAY:
        return f"{whole // HOUR}h{whole % HOUR // MINUTE:02}"
    return f"{whole // DAY}d{whole % DAY // HOUR:02}h"


def moment(at: float, now: float) -> str:
    """Return a time of day, with the weekday or the date when that is not today's."""
    then, today = time.localtime(at), time.localtime(now)
    if then[:3] == today[:3]:
        return time.strftime("%H:%M", then)
    if abs(at - now) < WEEK:
        return time.strftime("%a %H:%M", then)
    return time.strftime("%Y-%m-%d", then)


def ending(eta: tuple[float, float] | None, now: float) -> str:
    """
    Return between which times something is likely to end: from now, or by the clock.

    >>> [ending(eta, 1000) for eta in ((1030, 1045.2), (1030, 1030.4), (1000, 1004), None)]
    ['30 … 45 s', '30 s', 'a few seconds', '']
    """
    if eta is None:
        return ""
    low, high = (max(0.0, at - now) for at in eta)
    if high < FEW:
        return "a few seconds"
    if high < MINUTE:
        return f"{_between(f'{low:.0f}', f'{high:.0f}')} s"
    if high < HOUR:
        return _between(lasting(low), lasting(high))
    return _between(moment(eta[0], now), moment(eta[1], now))


def _between(low: str, high: str) -> str:
    return low if low == high else f"{low} … {high}"


def speed(per_second: float | None) -> str:
    """
    Return a rate in the unit that gives a number to remember.

    >>> [speed(r) for r in (None, 31.25, 0.52, 0.001)]
    ['', '31.2/s', '31.2/min', '3.6/h']
    """
    if per_second is None:
        return ""
    if per_second >= 1:
        return f"{per_second:.1f}/s"
    if per_second * MINUTE >= 1:
        return f"{per_second * MINUTE:.1f}/min"
    return f"{per_second * HOUR:.1f}/h"


def ending_status(status: int | None) -> str:
    """
    Return an exit status, or the name of the signal that ended a task.

    >>> ending_status(3), ending_status(-9), ending_status(None)
    ('3', 'SIGKILL', '')
    """
    if status is None:
        return ""
    if status >= 0:
        return str(status)
    try:
        return signal.Signals(-status).name
    except ValueError:
        return f"signal {-status}"


def counted(number: int, noun: str) -> str:
    """
    Return *number* with its noun.

    >>> counted(1, "task"), counted(12_000, "task")
    ('1 task', '12000 tasks')
    """
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def parameter_words(parameter: str | list[str]) -> str:
    """Return a parameter on one line."""
    return parameter if isinstance(parameter, str) else " ".join(map(repr, parameter))
