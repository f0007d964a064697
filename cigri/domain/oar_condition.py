"""Conditions on the properties of OAR's resources: a small part of SQL, and nothing else."""

import re
from collections.abc import Iterator

from cigri.domain.report import Mistake, shown

_TOKEN = re.compile(
    r"\s*(?:(?P<text>'[\w .,:@%*/=<>()~-]*')|(?P<number>-?\d{1,18}(?:\.\d{1,18})?)"
    r"|(?P<word>[a-z_]\w*)|(?P<sign><=|>=|<>|!=|[=<>(),]))",
    re.ASCII | re.IGNORECASE,
)
_COMPARISONS = frozenset({"=", "!=", "<>", "<", ">", "<=", ">="})
_KEYWORDS = frozenset({"and", "or", "not", "in", "like", "is", "null", "between"})
_DEEPEST = 20
HINT = "write it as in \"mem > 4000 and host = 'node1'\", texts in single quotes"


def check_condition(text: str) -> frozenset[str]:
    """
    Check a condition on the properties of resources, and return which of them it names.

    >>> sorted(check_condition("mem > 4000 and host in ('node1', 'node2')"))
    ['host', 'mem']

    Raises:
        Mistake: It is none, or has anything that such a condition does not need.
    """
    return _Condition(text).names()


def condition(text: str) -> str:
    """
    Return a condition that was accepted by `check_condition`, as no database misreads it.

    >>> condition("mem!=-1and host = 'a  b'")
    "mem != -1 and host = 'a  b'"
    """
    return " ".join(_written(text))


class _Condition:
    """Reads a condition, a small part of SQL; nothing else comes through."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(_tokens(text))
        self._at = 0
        self._names: set[str] = set()

    def names(self) -> frozenset[str]:
        """Return the properties that it names, or raise `Mistake`."""
        self._either(0)
        if self._at < len(self._tokens):
            raise self._mistake()
        return frozenset(self._names)

    def _either(self, depth: int) -> None:
        self._test(depth)
        while self._next("and", "or"):
            self._test(depth)

    def _test(self, depth: int) -> None:
        while self._next("not"):
            pass
        if self._next("("):
            if depth >= _DEEPEST:
                raise Mistake(f"more than {_DEEPEST} parentheses in each other")
            self._either(depth + 1)
            self._expect(")")
            return
        self._name()
        if self._next(*_COMPARISONS):
            self._value()
        elif self._next("is"):
            self._next("not")
            self._expect("null")
        else:
            self._next("not")
            self._among()

    def _among(self) -> None:
        if self._next("like"):
            self._value()
        elif self._next("between"):
            self._value()
            self._expect("and")
            self._value()
        else:
            self._expect("in")
            self._expect("(")
            self._value()
            while self._next(","):
                self._value()
            self._expect(")")

    def _name(self) -> None:
        kind_, word = self._token()
        if kind_ != "word" or word in _KEYWORDS:
            raise self._mistake()
        self._names.add(word)
        self._at += 1

    def _value(self) -> None:
        if self._token()[0] in {"text", "number"}:
            self._at += 1
        else:
            self._name()

    def _next(self, *wanted: str) -> bool:
        found = self._token()
        if found[0] in {"word", "sign"} and found[1] in wanted:
            self._at += 1
            return True
        return False

    def _expect(self, wanted: str) -> None:
        if not self._next(wanted):
            raise self._mistake()

    def _token(self) -> tuple[str, str]:
        return self._tokens[self._at] if self._at < len(self._tokens) else ("", "its end")

    def _mistake(self) -> Mistake:
        return Mistake(
            f"not a condition on properties of OAR: {shown(self._text)}, at {self._token()[1]}",
            HINT,
        )


def _written(text: str) -> Iterator[str]:
    """Yield the words of a condition as they are written."""
    return (found[str(found.lastgroup)] for found in _matches(text))


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    """Yield the words of a condition with what each is."""
    for found in _matches(text):
        group = str(found.lastgroup)
        word = found[group]
        yield group, word.lower() if group == "word" else word


def _matches(text: str) -> Iterator[re.Match[str]]:
    at = 0
    text = text.rstrip()
    while at < len(text):
        found = _TOKEN.match(text, at)
        if not found:
            where = shown(text[at : at + 20].strip())
            why = f"not a condition on properties of OAR: {shown(text)}, at {where}"
            raise Mistake(why, HINT)
        yield found
        at = found.end()
