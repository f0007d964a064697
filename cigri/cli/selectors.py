"""How campaigns are named on the command line: `12`, `last`, `all`, `1,3,5-8`."""

import re

import attrs

LAST = "last"
ALL = "all"
#: Campaigns that one range may name: each is asked for.
LONGEST = 1_000
#: Digits of the largest number that a server knows.
MOST_DIGITS = 18

_RANGE = re.compile(r"([0-9]+)-([0-9]+)", re.ASCII)
_NUMBER = re.compile(r"[0-9]+", re.ASCII)


class BadSelector(ValueError):
    """A word names no campaigns; the message says which and why."""


@attrs.frozen
class Numbers:
    """The campaigns from *first* to *last*."""

    first: int
    last: int

    @property
    def single(self) -> bool:
        """Return whether one campaign is named, which therefore must exist."""
        return self.first == self.last


#: What one part of a selector names: numbers, or the word `last` or `all`.
Part = Numbers | str


def parse(text: str) -> tuple[Part, ...]:
    """
    Return the parts of a selector, in the order in which they stand there.

    >>> parse("last")
    ('last',)
    >>> parse("1,5-8")
    (Numbers(first=1, last=1), Numbers(first=5, last=8))

    Raises:
        BadSelector: It names no campaigns.
    """
    return tuple(_part(word.strip(), text) for word in text.split(","))


def written(parts: tuple[Part, ...]) -> str:
    """
    Return the selector that names *parts*.

    >>> written(parse("1, 5-8,last"))
    '1,5-8,last'
    """
    return ",".join(
        part if isinstance(part, str) else f"{part.first}{'' if part.single else f'-{part.last}'}"
        for part in parts
    )


def is_plain(parts: tuple[Part, ...]) -> bool:
    """Return whether *parts* can name no more than one campaign."""
    return len(parts) == 1 and (
        parts[0].single if isinstance(parts[0], Numbers) else parts[0] == LAST
    )


def _part(word: str, text: str) -> Part:
    if word in {LAST, ALL}:
        return word
    found = _RANGE.fullmatch(word)
    first, last = found.groups() if found else (word, word)
    if not _NUMBER.fullmatch(first):
        within = "" if word == text else f" in {text!r}"
        raise BadSelector(
            f"{word!r}{within} is no campaign: give numbers as in `12` or `1,3,5-8`, `last` or "
            "`all`"
        )
    if max(len(first), len(last)) > MOST_DIGITS:
        raise BadSelector(f"{word!r} is no campaign: its number is too long")
    numbers = Numbers(int(first), int(last))
    if numbers.first > numbers.last:
        raise BadSelector(
            f"{word!r} names no campaign: write {numbers.last}-{numbers.first} if you mean those"
        )
    if numbers.last - numbers.first >= LONGEST:
        raise BadSelector(f"{word!r} names more than {LONGEST} campaigns: take fewer at a time")
    return numbers
