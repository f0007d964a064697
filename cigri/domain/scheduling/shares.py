"""How much of a cluster each of its users may fill."""

from collections.abc import Iterable


def level(demands: Iterable[int], slots: int) -> int:
    """
    Return how many of *slots* slots nobody may exceed, given how many each user could fill.

    Users who need less leave the rest to the others, so that no slot is idle while somebody waits.

    >>> level([2, 50, 50], 64), level([100, 100, 100], 64), level([3, 5], 64)
    (31, 22, 64)
    """
    ascending = sorted(demands)
    rest = slots
    for place, demand in enumerate(ascending):
        equal = -(-rest // (len(ascending) - place))
        if demand >= equal:
            return equal
        rest -= demand
    return slots
