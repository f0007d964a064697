"""Reads long listings of OAR while they arrive: tens of megabytes that are never held at once."""

from collections.abc import Callable
from typing import Generic, TypeVar

import msgspec

from cigri.clusters.oar.reply import decode_with

Row = TypeVar("Row")

#: OAR indents by three: where the rows of a listing begin, what stands between two of them, and
#: what closes a list of the outermost object.  No text of JSON has a line break in it.
_BEGIN = b'"items" : [\n'
_BETWEEN = b"\n      },\n"
_END = b"\n   ]"
#: Bytes of the links of a listing, at most: each holds the query of the request.
_LINKS = 32 * 1024
#: Bytes that are looked at together.
_ENOUGH = 256 * 1024
#: Bytes in which no row ends before it is another layout, and of which that may be.
_NO_ROW = 4 * 2**20
MOST_WHOLE = 32 * 2**20


class Rows(Generic[Row]):
    """
    The rows of one listing, as its bytes arrive; some only, if *keep* chooses, and *most* of them.

    A listing that is laid out in another way is read all the same, but whole.
    """

    def __init__(
        self, kind: type[Row], keep: Callable[[Row], bool] | None = None, *, most: int
    ) -> None:
        self._decoder = msgspec.json.Decoder(list[kind], strict=False)  # type: ignore[valid-type]
        self._keep = keep
        self._most = most
        self._rows: list[Row] = []
        #: What comes before the rows, once that is known.
        self._head: bytes | None = None
        self._data = bytearray()
        self._next = _ENOUGH

    def feed(self, data: bytes) -> None:
        """
        Take the next bytes.

        Raises:
            ValueError: They are no JSON, not of such rows, or too many.
        """
        self._data += data
        size = len(self._data)
        if self._next <= size < _NO_ROW:
            self._take()
            self._next = len(self._data) + _ENOUGH
        if size > MOST_WHOLE or len(self._rows) > self._most:
            message = "more than there can be"
            raise ValueError(message)

    @property
    def taken(self) -> list[Row]:
        """Return the rows that were decoded so far."""
        return self._rows

    @property
    def rest(self) -> bytes:
        """Return the listing without the rows that were decoded."""
        return (self._head or b"") + bytes(self._data)

    def _take(self) -> None:
        """Decode the rows that are whole."""
        if self._head is None:
            begin = self._data.find(_BEGIN)
            if begin < 0:
                return
            begin += len(_BEGIN)
            self._head = bytes(self._data[:begin])
            del self._data[:begin]
        between = self._data.rfind(_BETWEEN)
        # The list of links, which is not longer than this, may follow the rows.
        end = self._data.find(_END, max(0, between - _LINKS))
        if 0 <= end < between:
            between = self._data.rfind(_BETWEEN, 0, end)
        if between < 0:
            return
        between += len(_BETWEEN)
        # Without the comma and the line break after the last one.
        with memoryview(self._data) as view, view[: between - 2] as whole:
            rows = b"".join((b"[", whole, b"]"))
        del self._data[:between]
        found = decode_with(self._decoder, rows)
        self._rows += found if self._keep is None else filter(self._keep, found)
