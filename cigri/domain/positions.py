"""Where the tasks of a job stand in it, and which of them have ended."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence

from cigri.domain.bag import Range

_TO_FLAGS = bytes.maketrans(b"01", b"\0\1")
_TO_DIGITS = bytes.maketrans(b"\0\1", b"01")


class Positions:
    """
    The positions of tasks in a job that was given as ranges.

    >>> positions = Positions([Range(7, 2), Range(3, 1)])
    >>> [positions.of(task) for task in (7, 8, 3, 4)], list(positions.tasks())
    ([0, 1, 2, None], [7, 8, 3])
    """

    def __init__(self, given: Sequence[Range]) -> None:
        self._given = given
        parts = []
        self.size = 0
        for first, size in given:
            parts.append((first, size, self.size))
            self.size += size
        self._parts = sorted(parts)
        self._firsts = [first for first, _, _ in self._parts]

    def of(self, task: int) -> int | None:
        """Return the position of a task, `None` of one that is not in the job."""
        found = bisect_right(self._firsts, task) - 1
        if found < 0:
            return None
        first, size, before = self._parts[found]
        return before + task - first if task < first + size else None

    def tasks(self) -> Iterator[int]:
        """Yield the tasks by position."""
        for item in self._given:
            yield from item.numbers()


def pack(flags: bytes | bytearray) -> bytes:
    r"""
    Return *flags*, each 0 or 1, eight a byte, without the zeros at the end.

    >>> pack(bytes([1, 0, 0, 0, 0, 0, 0, 0, 1, 0])), pack(bytes(9))
    (b'\x01\x01', b'')
    """
    number = int(flags.translate(_TO_DIGITS)[::-1] or b"0", 2)
    return number.to_bytes((number.bit_length() + 7) // 8, "little")


def unpack(data: bytes, size: int) -> bytearray:
    r"""
    Return the *size* flags that `pack` has packed.

    >>> unpack(b"\x05", 4)
    bytearray(b'\x01\x00\x01\x00')
    """
    digits = f"{int.from_bytes(data, 'little'):0{size}b}".encode()
    return bytearray(digits[::-1][:size].translate(_TO_FLAGS))
