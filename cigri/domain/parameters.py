"""The parameters of a campaign, from the JSON array `params`, a slice at a time.

A million parameters decoded at once would stop the event loop for a tenth of a second, in a thread
or not, and take 150 MB: so the array stays text, and its slices are decoded one after the other.
"""

import contextlib
import re
from collections.abc import Generator, Iterator, Sequence
from itertools import islice
from typing import cast

import attrs
import msgspec

from cigri.domain.model import Parameter
from cigri.domain.report import Mistake, kind
from cigri.errors import InvalidJdl

#: Tasks in one chunk.
CHUNK = 1000
#: Bytes of one parameter.  Linux refuses an argument of 128 KiB or more; the margin leaves room
#: for the name of the environment variable that repeats it.
MAX_PARAMETER = 130_000

#: Bytes decoded in one go.  Less than MAX_PARAMETER: no parameter inside a slice can be too long.
_SLICE = 128_000
#: The longest JSON text of an acceptable parameter: six bytes for each, as in \u0041, and a little
#: white space.
_WIDEST = 6 * MAX_PARAMETER + 1000

#: Elements that are looked at one by one in one go, which takes a microsecond or two for each.
_CLOSELY = 4 * CHUNK

# The grammar of a text whose escapes are hidden.  What is repeated stands before a character that
# ends it, and groups a hundred times at most: so there is little to go back to, or to remember.
_WHITE = rb"[ \t\r\n]*"
_STRING = rb'"[^"]*"'
_WORD = _WHITE + _STRING + _WHITE
_BRACKETS = tuple(b"[]")
_WHITES = re.compile(_WHITE)
_COMMA = re.compile(_WHITE + b"," + _WHITE)
#: A string, a number, or an array of at most 100.
_SHORT = re.compile(
    rb"S|[-.+0-9eE]{1,40}|\[(?:W,){0,99}W\]".replace(b"S", _STRING).replace(b"W", _WORD)
)
#: Longer arrays, or empty ones, are taken by the hundred.
_OPENING = re.compile(rb"\[")
_WORDS = re.compile(rb"(?:W,){1,100}".replace(b"W", _WORD))
_CLOSING = re.compile(_WORD + rb"\]")
_EMPTY = re.compile(rb"\[" + _WHITE + rb"\]")

_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError)
_decode = msgspec.json.Decoder(list[str | tuple[str, ...]]).decode
_decode_one = msgspec.json.Decoder(str | int | float | tuple[str, ...]).decode

_HALVED = "half of a surrogate pair, which is not a character"
_WANTED = "a parameter is a string, a number or an array of strings"
_KINDS = {b"{": "an object", b"n": "null", b"t": "true", b"f": "false"}

_Text = bytes | memoryview


def parameters(raw: _Text, *, limit: int | None = None) -> Iterator[list[Parameter]]:
    r"""
    Decode a JSON array of parameters by 1,000, the last list maybe shorter.

    *raw* begins and ends with its brackets.  However long it is, a step takes a fraction of a
    millisecond, or some milliseconds if it is made to be slow: give the event loop a turn between
    steps.  A step that does not complete the next 1,000 gives an empty list.

    >>> [found for chunk in parameters(b'["1 2", ["a b", "c"]]') for found in chunk]
    ['1 2', ('a b', 'c')]

    Raises:
        InvalidJdl: An element, named by its pointer, is no parameter; or there are over *limit*.
    """
    ready: list[Parameter] = []
    total = 0
    for decoded in _slices(raw):
        total += len(decoded)
        if limit is not None and total > limit:
            raise too_many(limit)
        ready += decoded
        whole = len(ready) - len(ready) % CHUNK
        for at in range(0, whole, CHUNK):
            yield ready[at : at + CHUNK]
        del ready[:whole]
        if not whole:
            yield []
    if ready:
        yield ready


def too_many(limit: int) -> InvalidJdl:
    """Return the refusal of a campaign with more than *limit* tasks."""
    return InvalidJdl.at("/params", f"more than {limit} tasks, the limit of this server")


def parameter(value: object) -> Parameter:
    """
    Return one decoded element of `params` as a parameter; numbers as they are usually written.

    Raises:
        Mistake: It is no string, number or array of strings, or no command line can hold it.
    """
    if type(value) in {int, float}:
        return str(value)
    if isinstance(value, str):
        _fit(value, len(_utf8(value)))
        return value
    if isinstance(value, list | tuple):
        joined = _joined(value)
        _fit(joined, len(_utf8(joined)) + len(value))
        return tuple(value)
    raise Mistake(f"{_WANTED}, not {kind(value)}")


def _joined(words: Sequence[object]) -> str:
    for word in words:
        if not isinstance(word, str):
            raise Mistake(f"the words of a parameter are strings, not {kind(word)}")
    return "".join(cast("Sequence[str]", words))


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise Mistake(_HALVED) from None


def _fit(text: str, size: int) -> None:
    if "\0" in text:
        raise Mistake("a NUL character cannot be given to a program")
    if size > MAX_PARAMETER:
        raise Mistake(
            f"a parameter of {size} bytes: the limit is {MAX_PARAMETER}",
            "put the data in a file and give its name",
        )


# --- slicing -----------------------------------------------------------------------------------


@attrs.frozen
class _Slice:
    """Some consecutive elements, and where the last one ends."""

    elements: list[Parameter]
    after: int


def _slices(raw: _Text) -> Iterator[list[Parameter]]:
    end = len(raw) - 1
    if end < 1 or (raw[0], raw[end]) != _BRACKETS:
        raise InvalidJdl.at("/params", "not a JSON array", 'write ["first", "second"]')
    at = yield from _skip_white(raw, 1, end)
    if at == end:
        return
    index = 0
    while True:
        found = _quick(raw, at, end) or _careful(raw, at, end, index)
        yield found.elements
        index += len(found.elements)
        at = yield from _skip_white(raw, found.after, end)
        if at == end:
            return
        if raw[at : at + 1] != b",":
            raise InvalidJdl.at(f"/params/{index - 1}", "no comma after this element")
        at = yield from _skip_white(raw, at + 1, end)


def _skip_white(raw: _Text, at: int, end: int) -> Generator[list[Parameter], None, int]:
    """Return where white space ends, with a turn in between if there is much of it."""
    while True:
        stop = min(at + _WIDEST, end)
        found = _WHITES.match(raw, at, stop)
        at = found.end() if found else at
        if at < stop or at == end:
            return at
        yield []


def _quick(raw: _Text, at: int, end: int) -> _Slice | None:
    r"""
    Guess where the last whole element of a slice ends, and decode up to there.

    A text that is cut within an element does not decode: so a guess that decodes was right.
    `None` when it was not, or when something in the slice needs a closer look.
    """
    text = bytes(raw[at : min(at + _SLICE, end)])
    last = at + _SLICE >= end
    cut = len(text) if last else 1 + text.rfind(b"]," if text[:1] == b"[" else b'",')
    if b"\\u0000" in text:
        return None
    try:
        elements = _decode(b"[%b]" % text[:cut])
    except _UNREADABLE:
        return None
    return _Slice(list(elements), at + cut) if elements else None


def _careful(raw: _Text, at: int, end: int, index: int) -> _Slice:
    """Find some elements by their grammar, or one that is longer than a slice; decode them."""
    for length, most in ((_SLICE, _CLOSELY), (_WIDEST, 1)):
        text = bytes(raw[at : min(at + length, end)])
        if spans := list(islice(_spans(_hide_escapes(text)), most)):
            return _Slice(_checked(text, spans, index), at + spans[-1][1])
    raise _wrong(raw, at, end, index)


def _hide_escapes(text: bytes) -> bytes:
    r"""
    Return a text of the same length in which each quote begins or ends a string.

    >>> _hide_escapes(rb'"a\\", "\""')
    b'"a..", ".."'
    """
    return text.replace(rb"\\", b"..").replace(rb"\"", b"..")


def _spans(hidden: bytes) -> Iterator[tuple[int, int]]:
    """Yield where elements begin and end, up to the first that is none or is cut."""
    at = 0
    while end := _end(hidden, at):
        yield at, end
        comma = _COMMA.match(hidden, end)
        if not comma:
            return
        at = comma.end()


def _end(hidden: bytes, at: int) -> int | None:
    """Return where the element ends that begins at *at*."""
    found = _SHORT.match(hidden, at) or _EMPTY.match(hidden, at)
    if found:
        return found.end()
    some = _OPENING.match(hidden, at)
    while some:
        at = some.end()
        some = _WORDS.match(hidden, at)
    found = _CLOSING.match(hidden, at)
    return found.end() if found else None


def _checked(text: bytes, spans: Sequence[tuple[int, int]], index: int) -> list[Parameter]:
    """Decode whole elements; one by one if something is wrong, to say which."""
    whole = text[: spans[-1][1]]
    if len(whole) <= MAX_PARAMETER and b"\\u0000" not in whole:
        with contextlib.suppress(*_UNREADABLE):
            return _decode(b"[%b]" % whole)
    return [_one(text[begin:end], n) for n, (begin, end) in enumerate(spans, index)]


def _one(text: bytes, index: int) -> Parameter:
    try:
        return parameter(_decode_one(text))
    except _UNREADABLE as error:
        why = str(error).removeprefix("JSON is malformed: ")
        # The decoder calls half a surrogate pair a truncated text.
        halved = b"\\u" in text and "truncated" in why
        detail = _HALVED if halved else f"malformed: {why}"
        raise InvalidJdl.at(f"/params/{index}", detail) from None
    except Mistake as mistake:
        raise mistake.at(f"/params/{index}") from None


def _wrong(raw: _Text, at: int, end: int, index: int) -> InvalidJdl:
    """Return why no parameter begins at *at*."""
    first = bytes(raw[at : min(at + 1, end)])
    if first in {b'"', b"["}:
        why = f"not a string or an array of strings of at most {MAX_PARAMETER} bytes"
    elif first in {b"", b","}:
        why = "an element is missing between two commas"
    else:
        why = f"{_WANTED}, not {_KINDS.get(first, 'this')}"
    return InvalidJdl.at(f"/params/{index}", why)
