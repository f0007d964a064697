"""How many tasks to hand out at once, so that slots stay busy and little has to be taken back."""

import math

#: Seconds of work that may wait behind each slot.
LOOKAHEAD = 1.5
#: Seconds that starting a task costs whatever it does (measured: 0.5 ms of a core).
START_COST = 0.0007
#: Tasks of one campaign in flight on one cluster, at most.
MOST_IN_FLIGHT = 8_000
#: Tasks of one group, at most: what one job can lose, and what one look at it reads.
MOST_IN_GROUP = 2_000
#: How much more than what already ended may be handed out, while durations are still a guess.
GROWTH = 16


def target(*, parallel: int, mean_duration: float | None, ended: int) -> int:
    """
    Return how many tasks of a campaign should be in flight where *parallel* run at a time.

    Before the first has ended, two for each place: enough to learn from, little to regret.
    """
    if mean_duration is None or not ended:
        return 2 * parallel
    waiting = math.ceil(parallel * LOOKAHEAD / (mean_duration + START_COST))
    bound = max(2 * parallel, GROWTH * ended)
    return min(parallel + waiting, bound, max(MOST_IN_FLIGHT, 2 * parallel))


def at_risk(*, allowed: int, ended: int, succeeded: int) -> int:
    """
    Return how many tasks of a campaign may be in flight so that about *allowed* + 1 more fail.

    A campaign that pauses itself at too many failures should not have handed out all its tasks by
    then.  Of its attempts *ended* did, whatever became of their tasks since: as many of the next
    are taken to fail, and all of them as long as nothing is known.

    >>> at_risk(allowed=1, ended=4, succeeded=0), at_risk(allowed=9, ended=99, succeeded=99)
    (2, 1000)
    """
    failed = max(0, ended - succeeded)
    return math.ceil(max(1, allowed + 1) * (failed + succeeded + 1) / (failed + 1))


def refill(*, wanted: int, in_flight: int, nearly_idle: bool) -> int:
    """
    Return how many tasks to hand out now to come back to *wanted*.

    Small top-ups wait until they are worth a job of their own, unless a place could fall idle.
    """
    missing = wanted - in_flight
    if missing <= 0:
        return 0
    return missing if nearly_idle or 4 * missing >= wanted else 0


def split(count: int, most: int = MOST_IN_GROUP) -> list[int]:
    """
    Return the sizes of the groups that carry *count* tasks.

    >>> split(4500)
    [2000, 2000, 500]
    """
    full, rest = divmod(count, most)
    return [most] * full + ([rest] if rest else [])
