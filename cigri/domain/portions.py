"""How many tasks the groups have that share out a portion of a campaign, and their time."""

import math
from collections.abc import Sequence

from cigri.domain.grouping import START_COST

#: Tasks of one group, at most: what one job can lose, and what one look at it reads.
MOST_IN_GROUP = 2_000
#: Seconds of work from which a remote job is worth its start, and from which the last groups of a
#: campaign are halved so that all places are busy to the end.
WORTHWHILE = 10.0
HALVED = 60.0


def split(count: int, most: int = MOST_IN_GROUP) -> list[int]:
    """
    Return the sizes of the groups that carry *count* tasks.

    >>> split(4500)
    [2000, 2000, 500]
    """
    full, rest = divmod(count, most)
    return [most] * full + ([rest] if rest else [])


def share(count: int, places: int, most: int, least: int = 1) -> list[int]:
    """
    Return the sizes of groups that carry *count* tasks to *places* places, as equal as can be.

    Rather than with fewer than *least* tasks for each, some places stay without.

    >>> share(10, 4, 100), share(10, 4, 2), share(10, 4, 100, 5)
    ([3, 3, 2, 2], [2, 2, 2, 2, 2], [5, 5])
    """
    if not count:
        return []
    groups = max(min(places, max(1, count // least)), -(-count // most))
    equal, more = divmod(count, groups)
    return [equal + 1] * more + [equal] * (groups - more)


def taper(count: int, places: int, most: int, least: int = 1, halved: int = 1) -> list[int]:
    """
    Return the sizes of the last groups of a campaign, the largest first.

    Each round of them takes half of what is left, as long as its groups have *halved* tasks: who
    began early, or is quick, gets another one while others are still at work.

    >>> taper(1000, 4, 200, halved=60)
    [125, 125, 125, 125, 62, 62, 62, 62, 63, 63, 63, 63]
    """
    sizes: list[int] = []
    while (half := count // (2 * places)) >= halved:
        size = min(half, most)
        sizes += [size] * places
        count -= size * places
    return sizes + share(count, places, most, least)


def most_within(seconds: float, mean_duration: float, most: int) -> int:
    """
    Return how many tasks of *mean_duration* a group may have to last no longer than *seconds*.

    >>> most_within(60, 7, 1000), most_within(60, 3600, 1000), most_within(60, 0.01, 1000)
    (8, 1, 1000)
    """
    return max(1, min(most, int(seconds / (mean_duration + START_COST))))


def worth(seconds: float, mean_duration: float | None) -> int:
    """
    Return how many tasks of *mean_duration* last *seconds*; one while it is not known.

    >>> worth(10, 0.5), worth(10, 60), worth(10, None)
    (20, 1, 1)
    """
    if mean_duration is None:
        return 1
    return max(1, math.ceil(seconds / (mean_duration + START_COST)))


def within(sizes: Sequence[int], lengths: Sequence[int], most: int) -> list[int]:
    """
    Return *sizes* with groups cut where their tasks together are longer than *most*.

    One that is too long alone stays alone: its cluster has to say so.

    >>> within([3, 2], [4, 4, 4, 9, 1], 8)
    [2, 1, 1, 1]
    """
    found = []
    rest = iter(lengths)
    for size in sizes:
        tasks = length = 0
        for _ in range(size):
            own = next(rest)
            if tasks and length + own > most:
                found.append(tasks)
                tasks = length = 0
            tasks += 1
            length += own
        found.append(tasks)
    return found


def walltime(
    count: int, *, own: float, mean_duration: float | None, group_duration: float | None
) -> float:
    """
    Return the seconds that a job needs for *count* tasks, one after the other.

    The last of them must be able to begin with its *own* walltime still before it.  What tasks of
    *mean_duration* are taken to need has a half for good measure; while it is not known, they get
    the time of one group.  What does not begin in time runs in the next group.

    >>> walltime(1, own=60, mean_duration=None, group_duration=None)
    60
    >>> walltime(100, own=60, mean_duration=2.0, group_duration=600)
    357.0
    """
    longest = (count - 1) * own
    before = longest if mean_duration is None else min(longest, 1.5 * mean_duration * (count - 1))
    if group_duration is not None:
        before = min(before, group_duration if mean_duration is None else 2 * group_duration)
    return own + before
