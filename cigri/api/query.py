"""What stands in a URL, read strictly: a misspelt option is refused rather than ignored.

`DELETE …/events?resbumit` must not close events without running their tasks again.
"""

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from aiohttp import web
from msgspec import inspect

from cigri.api.context import HELD
from cigri.domain.report import suggestion
from cigri.errors import InvalidRequest, NotFound, Problem

DEFAULT_LIMIT = 100
MAX_LIMIT = 10_000
#: Digits of the largest number that certainly fits where numbers are stored.
_MOST_DIGITS = 18
MOST = 10**_MOST_DIGITS - 1
#: What every route takes.
PRETTY = "pretty"
#: Names the method that a POST stands for; see `override`.
METHOD = "_method"

#: What turns a flag off that is there.
OFF = frozenset({"0", "false", "no", "off"})

_Options = TypeVar("_Options")


def read(request: web.Request, kind: type[_Options]) -> _Options:
    """
    Return the options of *request* as a *kind*, an attrs class; every route also takes `pretty`.

    The types of the fields say how their text is read, and their `Meta` what is allowed.  A flag
    is on when it is there, and not as 0, false, no or off; several values stand between commas.

    Raises:
        InvalidRequest: One is unknown, there twice, missing, or not of its type.
    """
    return decode(pairs(request), kind)


def pairs(request: web.Request) -> list[tuple[str, str]]:
    """Return what stands in the URL of *request*, but for what has chosen its method."""
    if not request.query_string:
        return []
    is_overridden = HELD in request
    return [each for each in request.query.items() if each[0] != METHOD or not is_overridden]


def decode(given: Iterable[tuple[str, str]], kind: type[_Options], place: str = "?") -> _Options:
    """
    Return the pairs of names and texts *given*, found at *place*, as a *kind*; see `read`.

    Raises:
        InvalidRequest: As `read`.
    """
    known = _fields(kind)
    found: dict[str, object] = {}
    mistakes: list[Problem] = []
    seen: set[str] = set()
    for name, text in given:
        field = known.get(name)
        if name in seen:
            mistakes.append(_mistake(place + name, "given twice"))
        elif field is not None:
            try:
                found[field.name] = _value(field.type, text)
            except ValueError as error:
                mistakes.append(_mistake(place + name, *error.args))
        elif name != PRETTY:
            mistakes.append(
                _mistake(place + name, "unknown option", suggestion(name, [*known, PRETTY]))
            )
        seen.add(name)
    mistakes += [
        _mistake(place + name, "missing")
        for name, field in known.items()
        if field.required and name not in seen
    ]
    if mistakes:
        raise InvalidRequest(mistakes)
    return kind(**found)


def names(kind: type) -> list[str]:
    """Return the names of the options of *kind* as a URL has them."""
    return list(_fields(kind))


def _fields(kind: type) -> Mapping[str, inspect.Field]:
    """Return the fields of *kind* as they are called in a URL: `from_` is `from`."""
    if kind not in _KNOWN:
        info = inspect.type_info(kind)
        found = getattr(info, "fields", ())
        _KNOWN[kind] = {field.name.rstrip("_"): field for field in found}
    return _KNOWN[kind]


#: Looking a class up takes longer than reading a URL.
_KNOWN: dict[type, Mapping[str, inspect.Field]] = {}


def _value(kind: inspect.Type, text: str) -> object:  # noqa: PLR0911 # one for each type
    """Return *text* as a *kind*, or raise ValueError with what is wrong and what to do."""
    match kind:
        case inspect.Metadata(type=inner):
            return _value(inner, text)
        case inspect.UnionType(types=types):
            return _value(next(each for each in types if each != inspect.NoneType()), text)
        case inspect.BoolType():
            return is_on(text)
        case inspect.IntType():
            return _number(kind, text)
        case inspect.EnumType(cls=words):
            return _word(words, text)
        case inspect.VarTupleType(item_type=item):
            return tuple(_value(item, each) for each in text.split(","))
        case inspect.StrType(max_length=longest):
            if longest is not None and len(text) > longest:
                raise ValueError(f"longer than {longest} characters")
            return text
        case _:
            raise TypeError(f"options are not of type {kind}")


def is_on(text: str) -> bool:
    """Return whether a flag is on that is there with this text."""
    return text.lower() not in OFF


def _number(kind: inspect.IntType, text: str) -> int:
    least, most = kind.ge if kind.ge is not None else 0, kind.le
    if not is_number(text.removeprefix("-") if least < 0 else text):
        raise ValueError(f"not a whole number from {least} on: {text!r}")
    value = int(text)
    if value < least or (most is not None and value > most):
        raise ValueError(f"not between {least} and {most}: {value}")
    return value


def _word(words: Any, text: str) -> object:  # noqa: ANN401 # a kind of Enum
    known = [each.value for each in words]
    if text not in known:
        hint = f"one of {', '.join(known)}"
        raise ValueError(f"unknown word {text!r}", suggestion(text, known) or hint)
    return words(text)


def identifier(request: web.Request, name: str, noun: str) -> int:
    """
    Return the number in the path of *request*.

    Raises:
        NotFound: It is no number that anything could have.
    """
    text = request.match_info[name]
    if not is_number(text):
        raise NotFound(f"no {noun} {text!r}")
    return int(text)


def is_number(text: str) -> bool:
    """
    Return whether *text* is a number that can be stored, in ASCII digits alone.

    >>> is_number("12"), is_number("-1"), is_number("١٢"), is_number("9" * 30)
    (True, False, False, False)
    """
    return text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS


def _mistake(pointer: str, detail: str, hint: str | None = None) -> Problem:
    return Problem(pointer=pointer, detail=detail, hint=hint)
