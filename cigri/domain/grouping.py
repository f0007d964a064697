"""How many tasks to hand out at once, so that slots stay busy and little has to be taken back."""

import math

#: Seconds of work that may wait behind each slot.
LOOKAHEAD = 1.5
#: Seconds that starting a task costs whatever it does (measured: 0.5 ms of a core).
START_COST = 0.0007
#: Tasks of one campaign in flight on one cluster, at most.
MOST_IN_FLIGHT = 8_000
#: How much more than what already ended may be handed out, while durations are still a guess.
GROWTH = 16
#: Tasks that a group of unknown duration has for each place, at most: what of them does not begin
#: in the time of their job comes back untouched.
FIRST = 64


def target(
    *,
    parallel: int,
    mean_duration: float | None,
    ended: int,
    lookahead: float = LOOKAHEAD,
    most: int = MOST_IN_FLIGHT,
    group: int = 1,
    first: int = 0,
) -> int:
    """
    Return how many tasks of a campaign should be in flight where *parallel* run at a time.

    Before the first has ended, two for each place: enough to learn from, little to regret.  Or
    *first*, if that is more.

    Args:
        parallel: Places for its tasks.
        mean_duration: Of those that have ended, in seconds.
        ended: How many have.
        lookahead: Seconds of work that may wait behind each place.
        most: How many there may be in any case, unless there are half as many places.
        group: How many tasks one after the other a job should have: one runs at each place, and
            another one waits.
        first: How many may be handed out while nothing is known.
    """
    guess = min(max(2 * parallel, first), max(most, 2 * parallel))
    if mean_duration is None or not ended:
        return guess
    waiting = math.ceil(parallel * lookahead / (mean_duration + START_COST))
    if group > 1:
        waiting = max(waiting, (2 * group - 1) * parallel)
    bound = max(guess, GROWTH * ended)
    return min(parallel + waiting, bound, max(most, 2 * parallel))


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


def first_of_groups(left: int, parallel: int) -> int:
    """
    Return how many of *left* tasks to hand out in groups while nobody knows how long they take.

    Half of them at most: what is known then shares out the rest.

    >>> first_of_groups(2000, 16), first_of_groups(10**6, 16)
    (1000, 1024)
    """
    return min(FIRST * parallel, left // 2)


def refill(*, wanted: int, in_flight: int, nearly_idle: bool, part: int = 4) -> int:
    """
    Return how many tasks to hand out now to come back to *wanted*.

    Small top-ups wait until they are worth a job of their own, which one in *part* of *wanted* is,
    unless a place could fall idle.
    """
    missing = wanted - in_flight
    if missing <= 0:
        return 0
    return missing if nearly_idle or part * missing >= wanted else 0
