"""How soon to look at the jobs of a cluster again."""

import attrs

from cigri.domain.grouping import START_COST

#: By how much the pause grows while nothing changes.
GROWTH = 1.6
#: Which part of a silence may be added to it unnoticed: one in so many.
PATIENCE = 6


@attrs.frozen(kw_only=True)
class Pace:
    """Seconds between two looks at a cluster."""

    #: While its jobs may run dry before the next look, or were just sent.
    quick: float
    #: While tasks end all the time.
    steady: float
    #: While nothing changes.
    slow: float


def pause_unchanged(pace: Pace, before: float, silence: float) -> float:
    """
    Return the pause after a look that showed nothing new, *before* being the last one.

    As tasks often begin together, they end together: *silence*, the seconds since the last of them
    ended, says how late that may be noticed.
    """
    return min(pace.slow, before * GROWTH, max(pace.steady, silence / PATIENCE))


@attrs.frozen(kw_only=True)
class Sight:
    """What a look has shown."""

    #: Tasks that ended since the look before, and the seconds that they ran, together.
    ended: int
    ran: float = 0.0
    #: Tasks that run, and those that have not ended.
    running: int = 0
    left: int
    #: Seconds since the look before, and those that this one took.
    elapsed: float
    age: float = 0.0

    @property
    def drain(self) -> float:
        """Return the seconds that what is left may take."""
        at_this_rate = self.left * self.elapsed / self.ended
        if not self.running:
            return at_this_rate
        # Slots that had run dry before make the rate look lower than it will be.
        each = self.ran / self.ended + START_COST
        return min(at_this_rate, self.left / self.running * each)


def pause_changed(pace: Pace, before: float, sight: Sight) -> float:
    """
    Return the pause after a look that showed something new, *before* being the last one.

    It is half of what the rest takes: who has run dry waits little for more, and a campaign is
    seen to end soon after it does.  While tasks begin and none has ended, they may be short: the
    pause grows.
    """
    if not sight.ended:
        return min(pace.steady, before * GROWTH)
    return max(pace.quick, min(pace.steady, sight.drain / 2 - sight.age))
