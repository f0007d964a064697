"""Ranges of tasks: what is taken from the bag, what comes back."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Range(NamedTuple):
    """The tasks `first` to `first + size - 1`."""

    first: int
    size: int

    def numbers(self) -> range:
        """Return the task numbers."""
        return range(self.first, self.first + self.size)


def ranges(numbers: Iterable[int]) -> list[Range]:
    """
    Return *numbers* as few ranges, in ascending order.

    >>> ranges([7, 3, 4, 5])
    [Range(first=3, size=3), Range(first=7, size=1)]
    """
    if isinstance(numbers, range) and numbers.step == 1:
        return [Range(numbers.start, len(numbers))] if numbers else []
    found: list[list[int]] = []
    for number in sorted(numbers):
        if found and number == found[-1][0] + found[-1][1]:
            found[-1][1] += 1
        else:
            found.append([number, 1])
    return [Range(first, count) for first, count in found]


def cut(given: Sequence[Range], sizes: Iterable[int]) -> list[list[Range]]:
    """
    Return *given* dealt out, in order, to portions of *sizes* tasks.

    >>> cut([Range(0, 3), Range(9, 2)], [2, 3])
    [[Range(first=0, size=2)], [Range(first=2, size=1), Range(first=9, size=2)]]
    """
    rest = list(reversed(given))
    portions = []
    for size in sizes:
        portion: list[Range] = []
        missing = size
        while missing and rest:
            first, count = rest.pop()
            taken = min(count, missing)
            portion.append(Range(first, taken))
            missing -= taken
            if taken < count:
                rest.append(Range(first + taken, count - taken))
        portions.append(portion)
    return portions


def size(given: Iterable[Range]) -> int:
    """Return the number of tasks in *given*."""
    return sum(item.size for item in given)
