"""The parameters of a campaign, from a stream of lines.

Nothing is done per line unless a block holds something unusual: a million lines take less than a
tenth of a second.
"""

import re

from cigri.domain.parameters import CHUNK, MAX_PARAMETER, too_many
from cigri.errors import InvalidJdl

#: Bytes split in one go.  Less than MAX_PARAMETER: only the first line of a block, which may have
#: begun before it, can be too long.
_BLOCK = 65536
#: Every line of a block that begins with a character after the space is not blank.
_AFTER_SPACE = b"!"
#: Blank lines that are dropped; a few kilobytes of gzip may hold a thousand million.
_MOST_BLANK = 1_000_000
_BOM = b"\xef\xbb\xbf"
_SPACE_AT_END = re.compile(rb"[ \t\r\f\v]\n")


class LineParameters:
    r"""
    Cuts blocks of bytes, whatever their bounds, into chunks of 1,000 parameter lines.

    Blank lines are dropped, lines may end with CR LF, the last one needs no end.

    >>> lines = LineParameters()
    >>> lines.feed(b"first\n\nsec"), lines.feed(b"ond"), lines.finish(), lines.count
    ([], [], [b'first\nsecond'], 2)
    """

    def __init__(self, *, limit: int | None = None, stripped: bool = False) -> None:
        #: Parameters found so far.
        self.count = 0
        self._limit = limit
        #: Whether white space at the ends of a line is not the parameter's.
        self._stripped = stripped
        #: Those that are in no chunk yet.
        self._ready: list[bytes] = []
        #: The beginning of a line whose end has not come.
        self._tail = bytearray()
        #: Lines read, blank ones too.
        self._read = 0

    def feed(self, block: bytes) -> list[bytes]:
        r"""
        Take the next bytes; return the chunks that they complete.

        A chunk is exactly 1,000 lines joined by \n, in UTF-8.

        Raises:
            InvalidJdl: A line, named by its number, is no parameter; or there are too many.
        """
        chunks: list[bytes] = []
        for at in range(0, len(block), _BLOCK):
            self._take(block[at : at + _BLOCK])
            chunks += self._chunks()
        return chunks

    def finish(self) -> list[bytes]:
        """
        End the stream; return the last chunk, of up to 1,000 lines, or nothing.

        Raises:
            InvalidJdl: As `feed`.
        """
        if self._tail:
            self._take(b"\n")
        chunks = self._chunks()
        if self._ready:
            chunks.append(b"\n".join(self._ready))
            self._ready = []
        return chunks

    def _take(self, block: bytes) -> None:
        end = block.rfind(b"\n")
        if end < 0:
            self._tail += block
            # The margin is for a byte order mark and a CR, which are not the parameter's.
            if len(self._tail) > MAX_PARAMETER + 4:
                raise _too_long(self._read + 1, self.count)
            return
        whole = bytes(self._tail) + block[: end + 1]
        self._tail[:] = block[end + 1 :]
        if not self._read:
            whole = whole.removeprefix(_BOM)
        if b"\r" in whole:
            whole = whole.replace(b"\r\n", b"\n")
        lines = whole.split(b"\n")
        lines.pop()
        if self._stripped and _SPACE_AT_END.search(whole):
            lines = [line.strip() for line in lines]
        self._add(lines if _plain(whole, lines) else self._parameters(lines))
        self._read += len(lines)
        if self._read - self.count > _MOST_BLANK:
            raise InvalidJdl.at("/params", f"more than {_MOST_BLANK} blank lines")

    def _add(self, lines: list[bytes]) -> None:
        self._ready += lines
        self.count += len(lines)
        if self._limit is not None and self.count > self._limit:
            raise too_many(self._limit)

    def _chunks(self) -> list[bytes]:
        whole = len(self._ready) - len(self._ready) % CHUNK
        chunks = [b"\n".join(self._ready[at : at + CHUNK]) for at in range(0, whole, CHUNK)]
        del self._ready[:whole]
        return chunks

    def _parameters(self, lines: list[bytes]) -> list[bytes]:
        """Return the lines that are parameters, after a look at each."""
        found: list[bytes] = []
        for number, line in enumerate(lines, self._read + 1):
            text = line.strip()
            if text:
                given = text if self._stripped else line
                _check(given, number, self.count + len(found))
                found.append(given)
        return found


def _plain(whole: bytes, lines: list[bytes]) -> bool:
    """Return whether each line is a parameter as it stands, without a look at each."""
    return (
        min(lines) >= _AFTER_SPACE
        and b"\0" not in whole
        and len(lines[0]) <= MAX_PARAMETER
        and (whole.isascii() or _is_utf8(whole))
    )


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _check(line: bytes, number: int, index: int) -> None:
    if len(line) > MAX_PARAMETER:
        raise _too_long(number, index)
    if b"\0" in line:
        raise _wrong(number, index, "has a NUL character, which cannot be given to a program")
    if not _is_utf8(line):
        raise _wrong(number, index, "is not UTF-8", "save the parameters as UTF-8")


def _too_long(number: int, index: int) -> InvalidJdl:
    hint = "put the data in a file and give its name"
    return _wrong(number, index, f"is longer than {MAX_PARAMETER} bytes", hint)


def _wrong(number: int, index: int, why: str, hint: str | None = None) -> InvalidJdl:
    """Return the refusal of one line; its pointer is that of the task that it would be."""
    return InvalidJdl.at(f"/params/{index}", f"line {number} of the parameters {why}", hint)
