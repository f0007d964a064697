"""The values along one axis of a sweep: ranges of which only the ends are kept."""

import re
from abc import abstractmethod
from collections.abc import Sequence
from decimal import Context, Decimal, Inexact
from fractions import Fraction
from typing import overload

import attrs

from cigri.domain.report import Mistake, shown

FORMS = "a..b for whole numbers, start:stop:count, or an array"

#: Digits of a whole number, and significant ones of a fraction: more than doubles hold are a slip.
_WHOLE = 18
_EXACT = 15
#: Characters of a range; two numbers with an exponent are shorter, even written out.
_LONGEST = 300
#: What a double tells apart: a longer decimal expansion is one that does not end, or as good as.
_DIGITS = Context(prec=17)

_SPAN = re.compile(r"\s*(-?\d+)\s*\.\.\s*(-?\d+)\s*", re.ASCII)
_NUMBER = r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d{1,2})?"
_EVEN = re.compile(rf"\s*({_NUMBER})\s*:\s*({_NUMBER})\s*:\s*(\d+)\s*", re.ASCII)


class Range(Sequence[str]):
    """Values that are computed when they are asked for."""

    @abstractmethod
    def value(self, index: int) -> str:
        """Return the value at *index*, which is not negative."""

    @overload
    def __getitem__(self, index: int) -> str: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[str]: ...

    def __getitem__(self, index: int | slice) -> str | Sequence[str]:
        places = range(len(self))[index]
        return self.value(places) if isinstance(places, int) else tuple(map(self.value, places))


@attrs.frozen
class Span(Range):
    """
    The whole numbers from one to another, both included, upwards or downwards.

    They are filled with zeros where an end is, as a shell does.

    >>> list(Span(3, 1)), list(Span(8, 11, width=2))
    (['3', '2', '1'], ['08', '09', '10', '11'])
    """

    first: int
    last: int
    width: int = 0

    def __len__(self) -> int:
        return abs(self.last - self.first) + 1

    def __str__(self) -> str:
        return f"{self._text(self.first)}..{self._text(self.last)}"

    def value(self, index: int) -> str:
        """Return the value at *index*."""
        return self._text(self.first + (index if self.last > self.first else -index))

    def _text(self, number: int) -> str:
        return f"{number:0{self.width}d}"


@attrs.frozen
class Even(Range):
    """
    Some numbers at even distances, both ends included, as exact decimals where there are any.

    >>> list(Even(Decimal(0), Decimal("0.3"), 4)), Even(Decimal(0), Decimal(1), 4)[1]
    (['0', '0.1', '0.2', '0.3'], '0.3333333333333333')
    """

    start: Decimal
    stop: Decimal
    size: int

    def __len__(self) -> int:
        return self.size

    def __str__(self) -> str:
        return f"{_plain(self.start)}:{_plain(self.stop)}:{self.size}"

    def value(self, index: int) -> str:
        """Return the value at *index*."""
        start, stop = Fraction(self.start), Fraction(self.stop)
        exact = start + (stop - start) * Fraction(index, max(self.size - 1, 1))
        context = _DIGITS.copy()
        rounded = context.divide(Decimal(exact.numerator), Decimal(exact.denominator))
        return _plain(Decimal(repr(float(exact))) if context.flags[Inexact] else rounded)


def read_range(text: str) -> Range:
    """
    Return the range that a text describes.

    >>> str(read_range("1..100")), len(read_range("0:9.9:100"))
    ('1..100', 100)

    Raises:
        Mistake: It describes none.
    """
    if len(text) > _LONGEST:
        raise Mistake(f"a range of {len(text)} characters: the limit is {_LONGEST}")
    span = _SPAN.fullmatch(text)
    if span:
        return _span(span[1], span[2], text)
    even = _EVEN.fullmatch(text)
    if even:
        return _even(Decimal(even[1]), Decimal(even[2]), even[3], text)
    hint = f"write [{shown(text)}] for a single value"
    raise Mistake(f"not a range: {shown(text)} ({FORMS})", hint)


def _span(first: str, last: str, text: str) -> Span:
    if max(len(first.lstrip("-")), len(last.lstrip("-"))) > _WHOLE:
        raise Mistake(f"a number of more than {_WHOLE} digits in the range {shown(text)}")
    padded = any(len(end.lstrip("-")) > 1 and end.lstrip("-")[0] == "0" for end in (first, last))
    width = max(len(first), len(last)) if padded else 0
    return Span(int(first), int(last), width)


def _even(start: Decimal, stop: Decimal, count: str, text: str) -> Even:
    if max(map(_significant, (start, stop))) > _EXACT:
        raise Mistake(f"a number of more than {_EXACT} digits in the range {shown(text)}")
    if len(count) > _WHOLE:
        raise Mistake(f"a count of more than {_WHOLE} digits in the range {shown(text)}")
    if not int(count):
        raise Mistake(f"a range of no values: {shown(text)}", "its last number is their count")
    if int(count) == 1 and start != stop:
        hint = "the last number is the count of values, not the step"
        raise Mistake(f"one value cannot be both ends of {shown(text)}", hint)
    return Even(start, stop, int(count))


def _significant(number: Decimal) -> int:
    return len("".join(map(str, number.as_tuple().digits)).strip("0"))


def _plain(number: Decimal) -> str:
    r"""
    Return a number without exponent and trailing zeros.

    >>> _plain(Decimal("1E+2")), _plain(Decimal("0.50")), _plain(Decimal("-0"))
    ('100', '0.5', '0')
    """
    text = format(number, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text
