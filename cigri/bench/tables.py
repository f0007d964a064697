"""Figures as text."""

from collections.abc import Sequence


def table(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """
    Return a Markdown table with its columns in line: the first to the left, the rest to the right.

    >>> print(table(["who", "tasks/s"], [["floor", "2898"], ["xargs", "2124"]]))
    | who   | tasks/s |
    |-------|--------:|
    | floor |    2898 |
    | xargs |    2124 |
    """
    widths = [max(map(len, column)) for column in zip(heading, *rows, strict=True)]
    rule = ["-" * (width + 1) + ":" for width in widths]
    rule[0] = "-" * (widths[0] + 2)
    return "\n".join(
        [_line(heading, widths), f"|{'|'.join(rule)}|", *(_line(row, widths) for row in rows)]
    )


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *rest = zip(cells, widths, strict=True)
    padded = [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in rest)]
    return f"| {' | '.join(padded)} |"


def goal(text: str, value: float, *, most: float | None = None, least: float | None = None) -> str:
    """
    Return one line that says whether *value* is where it was meant to be.

    >>> goal("POST of a count", 0.02, most=0.2)
    '  reached  POST of a count: 0.02 (at most 0.2)'
    """
    met = (most is None or value <= most) and (least is None or value >= least)
    asked = f"at most {most:g}" if most is not None else f"at least {least:g}"
    return f"  {'reached' if met else 'MISSED '}  {text}: {value:.3g} ({asked})"
