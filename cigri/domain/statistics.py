"""What the attempts at the tasks of a campaign say about it."""

import math

import attrs

from cigri.domain.forecast import Forecast
from cigri.domain.model import Counts


@attrs.frozen(kw_only=True)
class Attempts:
    """What the attempts at the tasks of a campaign add up to."""

    #: Those that ran to their end, the seconds that they took, and the squares of these.
    ended: int = 0
    duration: float = 0.0
    squares: float = 0.0
    #: Those that ended without settling their task.
    again: int = 0


@attrs.frozen(kw_only=True)
class Statistics:
    """How a campaign goes; `None` is what nobody knows."""

    #: Seconds.
    mean_duration: float | None
    deviation: float | None
    #: Tasks settled per second, lately.
    rate: float | None
    #: Seconds.
    remaining: float | None
    #: Of all attempts that ended, the share that did not succeed, and the share that runs again.
    failed_share: float | None
    again_share: float | None


def statistics(counts: Counts, attempts: Attempts, forecast: Forecast) -> Statistics:
    """
    Return the statistics of a campaign.

    >>> done = Attempts(ended=4, duration=8.0, squares=18.0, again=0)
    >>> found = statistics(Counts(succeeded=3, failed=1), done, Forecast())
    >>> found.mean_duration, found.failed_share, found.remaining
    (2.0, 0.25, 0.0)
    """
    left = counts.pending + counts.in_flight
    rate = forecast.rate
    all_ = counts.succeeded + counts.failed + attempts.again
    return Statistics(
        mean_duration=attempts.duration / attempts.ended if attempts.ended else None,
        deviation=_deviation(attempts),
        rate=rate,
        remaining=(left / rate if rate else None) if left else 0.0,
        failed_share=(counts.failed + attempts.again) / all_ if all_ else None,
        again_share=attempts.again / all_ if all_ else None,
    )


def _deviation(attempts: Attempts) -> float | None:
    """Return the standard deviation of a sample, `None` where it is not known."""
    count = attempts.ended
    if count <= 1:
        return None
    mean_square = attempts.duration * attempts.duration / count
    # Squares were not always kept; and what is nearly equal may differ by less than nothing.
    if attempts.squares < mean_square * (1 - 1e-9):
        return None
    return math.sqrt(max(0.0, attempts.squares - mean_square) / (count - 1))
