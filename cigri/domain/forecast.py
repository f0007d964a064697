"""How fast a campaign goes, and when it will end."""

from collections.abc import Sequence

import attrs

#: Tasks that must have ended before anything is said about the end.
ENOUGH_TASKS = 20
#: Windows into which the recent past is cut, and how few of them allow a statement.
WINDOWS = 10
ENOUGH_WINDOWS = 2


@attrs.frozen(kw_only=True)
class Forecast:
    """What can honestly be said now."""

    #: Tasks settled per second, recently; `None` before anything ended.
    rate: float | None = None
    #: The earliest and the latest end to expect; `None` before enough is known.
    eta: tuple[float, float] | None = None


@attrs.frozen
class Sample:
    """How many tasks were settled at one moment."""

    at: float
    settled: int


def forecast(samples: Sequence[Sample], remaining: int, now: float) -> Forecast:
    """
    Return the rate of the recent past and the interval in which the campaign may end.

    *samples* are in order of time; *remaining* is 0 when no end can be told.  The interval spans
    the slowest and the fastest of the recent windows, so it is wide when the past was uneven.
    """
    if len(samples) < ENOUGH_WINDOWS + 1 or samples[-1].at <= samples[0].at:
        return Forecast()
    # Whoever resubmits makes settled tasks fewer; whoever sets the clock may set it back.
    done = max(0, samples[-1].settled - samples[0].settled)
    rate = done / (max(now, samples[-1].at) - samples[0].at)
    rates = sorted(rate for rate in _window_rates(samples) if rate > 0)
    if done < ENOUGH_TASKS or len(rates) < ENOUGH_WINDOWS or not remaining:
        return Forecast(rate=rate or None)
    slow, fast = min(rates[0], rate), max(rates[-1], rate)
    return Forecast(rate=rate, eta=(now + remaining / fast, now + remaining / slow))


def _window_rates(samples: Sequence[Sample]) -> list[float]:
    """Return the tasks per second of each of the windows that *samples* fill."""
    length = (samples[-1].at - samples[0].at) / WINDOWS
    rates = []
    first = samples[0]
    for sample in samples:
        if sample.at - first.at >= length:
            rates.append((sample.settled - first.settled) / (sample.at - first.at))
            first = sample
    return rates


def thin(samples: Sequence[Sample], most: int, span: float) -> list[Sample]:
    """Return the samples of the last *span* seconds, every other one if there are over *most*."""
    recent = [sample for sample in samples if sample.at >= samples[-1].at - span]
    return recent if len(recent) <= most else [*recent[:-1:2], recent[-1]]
