"""Loads the named statements of `store/sql`.

A file is a sequence of blocks: a line `-- name: claim_cursor`, comments, one statement.
"""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import SimpleNamespace


def parse(text: str) -> Mapping[str, str]:
    r"""
    Return the statements of *text* by name.

    >>> dict(parse("-- name: one\nSELECT 1;\n"))
    {'one': 'SELECT 1;'}
    """
    blocks = text.split("-- name: ")[1:]
    return {name.strip(): sql.strip() for name, _, sql in (b.partition("\n") for b in blocks)}


@cache
def load(theme: str) -> SimpleNamespace:
    """Return the statements of `store/sql/<theme>.sql` as attributes."""
    text = files("cigri.store").joinpath("sql", f"{theme}.sql").read_text("utf-8")
    return SimpleNamespace(**parse(text))
