"""The remote ids of an array: one number for each of its tasks, by position, as one short text."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate

from cigri.domain.model import RemoteId

#: Stands for a position that the cluster has no job for.
_NONE = "-"


def join_ids(ids: Sequence[int | None]) -> RemoteId:
    """
    Return the numbers of remote jobs as one text; `None` where there is none.

    >>> join_ids([4, 5, 6, None, 9])
    '4-6,-,9'
    """
    words: list[str] = []
    first = last = None
    for number in [*ids, None]:
        if number is not None and last is not None and number == last + 1:
            last = number
            continue
        if first is not None:
            words.append(str(first) if first == last else f"{first}-{last}")
        if number is None:
            words.append(_NONE)
        first = last = number
    return RemoteId(",".join(words[:-1]))


def split_ids(text: str) -> list[int | None]:
    """
    Return the numbers that `join_ids` has joined.

    >>> split_ids("4-6,-,9")
    [4, 5, 6, None, 9]

    Raises:
        ValueError: It is no such text.
    """
    ids: list[int | None] = []
    for first, count in _runs(text):
        ids.extend([None] if first is None else range(first, first + count))
    return ids


def _runs(text: str) -> Iterator[tuple[int | None, int]]:
    """Yield the first of numbers that follow each other, `None` for none, and how many."""
    for word in text.split(","):
        first, dash, last = word.partition("-")
        if word == _NONE:
            yield None, 1
        else:
            yield int(first), int(last) + 1 - int(first) if dash else 1


class RemoteNumbers:
    """
    The numbers of the remote jobs of an array, each found at little cost.

    >>> numbers = RemoteNumbers("4-6,-,9")
    >>> [numbers.of(position) for position in range(6)]
    [4, 5, 6, None, 9, None]
    >>> numbers.replaced({1: 12})
    '4,12,6,-,9'
    """

    def __init__(self, text: str) -> None:
        """
        Read what `join_ids` has joined.

        Raises:
            ValueError: It is no such text.
        """
        self._text = text
        self._runs = list(_runs(text))
        #: The position at which each of these begins, and where the last one ends.
        *self._starts, self._size = accumulate((count for _, count in self._runs), initial=0)

    def __len__(self) -> int:
        """Return how many positions there are."""
        return self._size

    def of(self, position: int) -> int | None:
        """Return the number at a position; `None` where there is none."""
        found = bisect_right(self._starts, position) - 1
        first, count = self._runs[found]
        place = position - self._starts[found]
        return first + place if first is not None and 0 <= place < count else None

    def whole(self, size: int) -> bool:
        """Return whether each of *size* positions has a number."""
        return self._size >= size and all(first is not None for first, _ in self._runs)

    def replaced(self, numbers: Mapping[int, int]) -> RemoteId:
        """Return the text with other *numbers* at some positions."""
        ids = split_ids(self._text)
        for position, number in numbers.items():
            ids[position] = number
        return join_ids(ids)
