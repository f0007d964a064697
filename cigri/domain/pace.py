"""How soon to look at the jobs of a cluster again."""

import attrs

#: By how much the pause grows while nothing changes.
GROWTH = 1.6


@attrs.frozen(kw_only=True)
class Pace:
    """Seconds between two looks at a cluster."""

    #: While its jobs may run dry before the next look.
    quick: float
    #: While tasks end all the time.
    steady: float
    #: While nothing changes.
    slow: float


def first_pause(pace: Pace) -> float:
    """Return the pause after which jobs that were just sent are worth a look."""
    return pace.quick


def pause_unchanged(pace: Pace, before: float) -> float:
    """Return the pause after a look that showed nothing new, *before* being the last one."""
    return min(pace.slow, before * GROWTH)


def pause_changed(pace: Pace, *, ended: int, left: int, elapsed: float) -> float:
    """
    Return the pause after a look that showed *ended* tasks in *elapsed* seconds, *left* to go.

    It is half of what the rest takes at this rate: who has run dry waits little for more, and a
    campaign is seen to end soon after it does.
    """
    if not ended:
        return pace.steady
    return max(pace.quick, min(pace.steady, left * elapsed / ended / 2))
