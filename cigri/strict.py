"""Read a document of strings, numbers, lists and tables into attrs classes, believing nothing.

Unlike with cattrs' own defaults, a text is not a list of characters and 1 is neither true nor a
text.  Every mistake is reported at once with its path; for an unknown key the likely one is named.
"""

import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import GenericAlias
from typing import Any, get_args, get_origin

import attrs
import cattrs
from cattrs.gen import make_dict_structure_fn

from cigri.errors import Problem

#: Returns what to say about the unknown key at a path.
Hint = Callable[[str], str | None]

#: The names that Unix and all clusters agree on.
LOGIN = re.compile(r"[a-z_][a-z0-9_-]*")

_LABEL = "[a-z0-9][a-z0-9-]{0,62}"
_HOST = re.compile(rf"{_LABEL}([.]{_LABEL})*")
_LONGEST_HOST = 253


@attrs.frozen
class Between:
    """Accept the numbers from *least* to *most*."""

    least: int
    most: int

    def __call__(self, value: int) -> int:
        """Return *value*, or raise ValueError."""
        if not self.least <= value <= self.most:
            raise ValueError(f"not between {self.least} and {self.most}: {value}")
        return value


@attrs.frozen
class OneOf:
    """Accept some words."""

    words: tuple[str, ...]

    def __call__(self, value: str) -> str:
        """Return *value*, or raise ValueError."""
        if value not in self.words:
            raise ValueError(f"not one of {', '.join(self.words)}: {value!r}")
        return value


def login(value: str) -> str:
    """Return *value* when it can be a user's login, or raise ValueError."""
    if not LOGIN.fullmatch(value):
        raise ValueError(f"not a login: {value!r}")
    return value


def address(value: str) -> str:
    """Return *value* when a server can listen there, or raise ValueError."""
    try:
        if value != "localhost":
            ipaddress.ip_address(value)
    except ValueError:
        raise ValueError(f"not an address (127.0.0.1, ::1, localhost): {value!r}") from None
    return value


def is_loopback(value: str) -> bool:
    """Return whether this host alone can reach the address *value*."""
    return value == "localhost" or ipaddress.ip_address(value).is_loopback


def host_name(value: str) -> str:
    """Return the host *value* in small letters, or raise ValueError."""
    try:
        return bracketed(str(ipaddress.ip_address(value)))
    except ValueError:
        pass
    if len(value) > _LONGEST_HOST or not _HOST.fullmatch(value.lower()):
        raise ValueError(f"not the name of a host (cigri.example.org, without port): {value!r}")
    return value.lower()


def bracketed(host: str) -> str:
    """Return *host* as it stands before a port."""
    return f"[{host}]" if ":" in host else host


def strict_converter(base: Path) -> cattrs.Converter:
    """Return a converter that raises what `problems` explains; relative paths start at *base*."""
    converter = cattrs.Converter(forbid_extra_keys=True)

    # `Any`: what the annotations say is known at run time only.
    def path(raw: object, _: Any) -> Path:  # noqa: ANN401 # same
        return base / Path(converter.structure(raw, str)).expanduser()

    def sequence(raw: object, type_: Any) -> tuple[Any, ...]:  # noqa: ANN401 # same
        if type(raw) is not list:
            raise ValueError(f"not a list: {_shown(raw)}")
        items: Any = GenericAlias(list, get_args(type_)[:1])
        return tuple(converter.structure(raw, items))

    def mapping(raw: object, type_: Any) -> Any:  # noqa: ANN401 # same
        entries: Any = GenericAlias(dict, get_args(type_))
        return converter.structure(as_table(raw), entries)

    def checked(raw: object, type_: Any) -> Any:  # noqa: ANN401 # same
        value = converter.structure(raw, type_.__origin__)
        for check in type_.__metadata__:
            value = check(value)
        return value

    for kind in _NOUNS:
        converter.register_structure_hook(kind, _scalar)
    converter.register_structure_hook(Path, path)
    converter.register_structure_hook_func(_is(tuple), sequence)
    converter.register_structure_hook_func(_is(Mapping), mapping)
    converter.register_structure_hook_func(lambda type_: hasattr(type_, "__metadata__"), checked)
    converter.register_structure_hook_factory(attrs.has, lambda cls: _table_hook(converter, cls))
    return converter


def as_table(raw: object) -> dict[str, Any]:
    """Return *raw* when it is a table, or raise ValueError."""
    if type(raw) is not dict:
        raise ValueError(f"not a table: {_shown(raw)}")
    return raw


def _is(origin: type) -> Callable[[Any], bool]:
    return lambda type_: get_origin(type_) is origin


def _scalar(raw: object, type_: type) -> object:
    accepted = (int, float) if type_ is float else (type_,)
    if type(raw) not in accepted:
        raise ValueError(f"not {_NOUNS[type_]}: {_shown(raw)}")
    return raw


def _table_hook(converter: cattrs.Converter, cls: type[Any]) -> Callable[[object, type], Any]:
    structure = make_dict_structure_fn(cls, converter, _cattrs_forbid_extra_keys=True)
    return lambda raw, type_: structure(as_table(raw), type_)


def problems(error: BaseException, hint: Hint, path: str = "") -> Iterator[Problem]:
    """Yield every mistake that *error*, raised by a strict converter, holds."""
    match error:
        case cattrs.ClassValidationError():
            known, others = error.group_exceptions()
            for inner, note in known:
                yield from problems(inner, hint, f"{path}.{note.name}" if path else note.name)
            for other in others:
                yield from problems(other, hint, path)
        case cattrs.IterableValidationError():
            for inner, item in error.group_exceptions()[0]:
                step = f".{item.index}" if isinstance(item.index, str) else f"[{item.index}]"
                yield from problems(inner, hint, path + step)
        case cattrs.ForbiddenExtraKeysError():
            for key in sorted(error.extra_fields):
                pointer = f"{path}.{key}" if path else key
                yield Problem(pointer=pointer, detail="unknown key", hint=hint(pointer))
        case KeyError():
            yield Problem(pointer=path, detail="missing")
        case _:
            yield Problem(pointer=path, detail=str(error))


_NOUNS: dict[type, str] = {
    str: "a text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
}


def _shown(raw: object) -> str:
    text = repr(raw).lower() if isinstance(raw, bool) else repr(raw)
    return text if len(text) <= 60 else f"{text[:57]}..."  # a line of a message
