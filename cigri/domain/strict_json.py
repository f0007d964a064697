"""JSON read strictly: what the standard library accepts in silence is a mistake here."""

import json
from collections import Counter
from collections.abc import Iterator
from itertools import islice

import attrs

from cigri.domain.report import TOLD, Unusable, pointer, printable
from cigri.errors import InvalidJdl, Problem

_BOM = b"\xef\xbb\xbf"
_NO_UTF8 = b"\xff\xff"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
#: What people write who think of Python or JavaScript.
_HABITS = {
    "'": "JSON takes double quotes",
    "/": "JSON has no comments",
    "#": "JSON has no comments",
    "}": "maybe a comma too many before it",
    "]": "maybe a comma too many before it",
    "T": "JSON writes true in lower case",
    "F": "JSON writes false in lower case",
    "N": "JSON writes null",
}


@attrs.frozen(kw_only=True)
class Document:
    """A JSON value and the mistakes in it that did not prevent reading it."""

    value: object
    problems: tuple[Problem, ...]


class _Object(dict[str, object]):
    """A JSON object that remembers which of its keys came more than once."""

    repeated: tuple[str, ...] = ()


@attrs.frozen
class _Refused(Unusable):
    why: str


def plain_dollars(text: bytes) -> bytes:
    r"""
    Return a JSON text in which a dollar has no backslash of its own.

    Many JDL files of CiGri 3 have one there, and its parser did not mind.

    >>> plain_dollars(rb'["\$HOME", "\\$HOME"]')
    b'["$HOME", "\\\\$HOME"]'
    """
    # A text with these bytes is not UTF-8: its refusal comes later, whatever is done here.
    if rb"\$" not in text or _NO_UTF8 in text:
        return text
    pairs_hidden = text.replace(rb"\\", _NO_UTF8)
    return pairs_hidden.replace(rb"\$", b"$").replace(_NO_UTF8, rb"\\")


def load(text: bytes) -> Document:
    """
    Read a small JSON text.

    Keys given twice, numbers beyond 64 bits, NaN and infinities, and half surrogate pairs are
    listed; a refused number is replaced by an `Unusable`.

    Raises:
        InvalidJdl: It is not JSON in UTF-8, or nested too deeply.
    """
    source = _source(text)
    try:
        value = _decoder.decode(source)
    except json.JSONDecodeError as error:
        raise _malformed(source, error) from None
    except RecursionError:
        raise InvalidJdl.at("", "the text is nested too deeply") from None
    return Document(value=value, problems=tuple(islice(_blemishes(value), TOLD + 1)))


def _source(text: bytes) -> str:
    if not text.strip():
        raise InvalidJdl.at("", "the text is empty")
    if text[:2] in _UTF16 or b"\0" in text[:2]:
        raise InvalidJdl.at("", "the text is in UTF-16 or UTF-32", "save it as UTF-8")
    try:
        return text.removeprefix(_BOM).decode()
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        detail = f"the text is not UTF-8: line {line} has the byte 0x{text[error.start]:02x}"
        raise InvalidJdl.at("", detail, "save it as UTF-8") from None


def _malformed(source: str, error: json.JSONDecodeError) -> InvalidJdl:
    where = f"line {error.lineno}, column {error.colno}"
    hint = _HABITS.get(source[error.pos : error.pos + 1])
    return InvalidJdl.at("", f"not JSON at {where}: {error.msg[:1].lower()}{error.msg[1:]}", hint)


def _object(pairs: list[tuple[str, object]]) -> _Object:
    found = _Object(pairs)
    if len(found) < len(pairs):
        times = Counter(key for key, _ in pairs)
        found.repeated = tuple(key for key, count in times.items() if count > 1)
    return found


def _integer(digits: str) -> object:
    # Twenty characters hold all 64-bit numbers; int() of a million digits takes minutes.
    if len(digits) <= 20 and -(2**63) <= int(digits) < 2**63:
        return int(digits)
    return _Refused(f"a number of {len(digits.lstrip('-'))} digits is beyond 64 bits")


def _decimal(digits: str) -> object:
    number = float(digits)
    if abs(number) == float("inf"):
        return _Refused("a number beyond what a computer holds")
    return number


def _constant(name: str) -> object:
    return _Refused(f"{name} is not a JSON number")


_decoder = json.JSONDecoder(
    object_pairs_hook=_object,
    parse_int=_integer,
    parse_float=_decimal,
    parse_constant=_constant,
)


#: The keys that lead to a value, innermost first, as nested pairs: cheap to make for each value.
_Path = tuple["_Path", str | int] | None


def _blemishes(value: object) -> Iterator[Problem]:
    """List what is wrong with the values and keys inside *value*, in the order of the text."""
    ahead: list[tuple[object, _Path]] = [(value, None)]
    while ahead:
        found, path = ahead.pop()
        if isinstance(found, _Object):
            yield from _bad_keys(found, path)
            ahead += [(member, (path, key)) for key, member in reversed(found.items())]
        elif isinstance(found, list):
            ahead += [(found[n], (path, n)) for n in range(len(found) - 1, -1, -1)]
        elif isinstance(found, _Refused):
            yield Problem(pointer=_pointer(path), detail=found.why)
        elif isinstance(found, str) and _halved(found):
            yield Problem(pointer=_pointer(path), detail=_HALVED)


_HALVED = "half of a surrogate pair, which is not a character"


def _bad_keys(found: _Object, path: _Path) -> Iterator[Problem]:
    for key in found.repeated:
        detail = "the key is given more than once"
        yield Problem(pointer=_pointer((path, key)), detail=detail, hint="keep one of them")
    for key in found:
        if _halved(key):
            yield Problem(pointer=_pointer((path, key)), detail=f"the key has {_HALVED}")


def _halved(text: str) -> bool:
    return not text.isascii() and printable(text) != text


def _pointer(path: _Path) -> str:
    keys: list[str | int] = []
    while path is not None:
        path, key = path
        keys.append(key)
    return pointer(*reversed(keys))
