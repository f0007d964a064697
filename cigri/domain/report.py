"""How the mistakes of one input are gathered, so that all of them are told at once."""

import json
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from functools import partial
from typing import TypeVar

import attrs

from cigri.errors import InvalidJdl, Problem

T = TypeVar("T")

_KINDS = ((str, "a string"), (dict, "an object"), (list, "an array"))

#: Mistakes told; those beyond are more than anybody reads, and a hostile text has many.
TOLD = 100


class Mistake(ValueError):
    """A value is not what its field takes; says what was expected, and maybe what to write."""

    def __init__(self, detail: str, hint: str | None = None) -> None:
        super().__init__(detail)
        self.hint = hint

    def at(self, pointer: str) -> InvalidJdl:
        """Return the refusal of an input that has this mistake at *pointer*."""
        return InvalidJdl.at(pointer, str(self), self.hint)


class Unusable:
    """Stands for a JSON value that was already refused, such as NaN."""


@attrs.frozen(kw_only=True)
class Section:
    """One object of an input, and how to point at its members."""

    pointer: str
    members: Mapping[str, object]
    #: The key as its user wrote it, where that is not the documented one.
    spelling: Mapping[str, str] = attrs.field(factory=dict)

    def at(self, key: str) -> str:
        """Return the pointer of one member, present or missing."""
        return self.pointer + pointer(self.spelling.get(key, key))

    def has(self, key: str) -> bool:
        """Return whether a member is given; null means that it is not."""
        return self.members.get(key) is not None


class Report:
    """The mistakes and warnings found so far, in the order of the input."""

    def __init__(self, problems: Iterable[Problem] = ()) -> None:
        # The same mistake may be met once per cluster: a dict keeps the first, in order.
        self._problems: dict[Problem, None] = {}
        self._warnings: dict[str, None] = {}
        for problem in problems:
            self.add(problem.pointer, problem.detail, problem.hint)

    @property
    def full(self) -> bool:
        """Return whether no more mistakes are told: looking for them is in vain."""
        return len(self._problems) > TOLD

    @property
    def warnings(self) -> tuple[str, ...]:
        """Return what was accepted but deserves a word."""
        return tuple(self._warnings)

    def add(self, at: str, detail: str, hint: str | None = None) -> None:
        """Note one mistake."""
        if not self.full:
            self._problems[Problem(pointer=at, detail=detail, hint=hint)] = None

    def warn(self, text: str) -> None:
        """Note something that is accepted but deserves a word."""
        self._warnings[printable(text)] = None

    def read(self, section: Section, key: str, reader: Callable[[object], T]) -> T | None:
        """Return a member as *reader* understands it; `None` if absent, null or a mistake."""
        value = section.members.get(key)
        if value is None or isinstance(value, Unusable):
            return None
        return self.attempt(section.at(key), partial(reader, value))

    def attempt(self, at: str, work: Callable[[], T]) -> T | None:
        """Return what *work* returns; `None` after a mistake, which is noted at a pointer."""
        try:
            return work()
        except Mistake as mistake:
            self.add(at, str(mistake), mistake.hint)
            return None

    def check(self) -> None:
        """
        End the reading here if there were mistakes.

        Raises:
            InvalidJdl: All of them.
        """
        problems = list(self._problems)
        if self.full:
            problems[TOLD:] = [Problem(pointer="", detail="and more mistakes")]
        if problems:
            raise InvalidJdl(problems)


def pointer(*keys: str | int) -> str:
    """
    Return the JSON pointer (RFC 6901) of a member by the keys that lead to it.

    >>> pointer("clusters", "a/b~c", 0)
    '/clusters/a~1b~0c/0'
    """
    escaped = (str(key).replace("~", "~0").replace("/", "~1") for key in keys)
    return "".join(f"/{printable(key)}" for key in escaped)


def printable(text: str) -> str:
    """Return *text* such that any encoder takes it: half surrogate pairs become escapes."""
    return text.encode("utf-8", "backslashreplace").decode()


def shown(value: object) -> str:
    """
    Return a value as JSON for a message: short, on one line, in ASCII.

    >>> shown("x" * 100), shown([1, 2])
    ('"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…', 'an array')
    """
    if isinstance(value, list | dict):
        return kind(value)
    text = json.dumps(value[:60] if isinstance(value, str) else value)
    return text if len(text) <= 46 else f"{text[:45]}…"


def kind(value: object) -> str:
    """Return what sort of JSON value this is, in words."""
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    for type_, words in _KINDS:
        if isinstance(value, type_):
            return words
    return "a number"


def suggestion(word: str, known: Iterable[str]) -> str | None:
    """
    Return the question whether a known word was meant, if one is close.

    >>> suggestion("wall_time", ["name", "walltime"])
    'did you mean "walltime"?'
    """
    close = get_close_matches(word.lower(), list(known), n=1)
    return f'did you mean "{close[0]}"?' if close else None
