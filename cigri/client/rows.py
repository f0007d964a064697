"""Results as rows, for files and tables."""

import csv
import importlib
import json
import math
import os
import re
import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from cigri.client.bodies import Job

#: A row's columns; those of a sweep stand behind `parameter`.
COLUMNS = (
    *("number", "parameter", "state", "exit_status", "cluster"),
    *("start", "end", "duration", "attempts"),
)
_WHOLE = re.compile(r"-?(?:0|[1-9][0-9]{0,17})", re.ASCII)
_FRACTION = re.compile(r"-?[0-9]+(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?|-?\.[0-9]+", re.ASCII)

Row = dict[str, Any]


def columns(names: Sequence[str] = ()) -> tuple[str, ...]:
    """
    Return the columns of a row, those of the axes *names* among them.

    >>> columns(["T", "state"])[:5]
    ('number', 'parameter', 'T', 'state_', 'state')
    """
    return (*COLUMNS[:2], *_axes(names), *COLUMNS[2:])


def _axes(names: Sequence[str]) -> list[str]:
    """Return the columns of axes: one called `state` or `number` must not hide the task's."""
    found: list[str] = []
    for name in names:
        column = name
        while column in COLUMNS or (column != name and column in names) or column in found:
            column += "_"
        found.append(column)
    return found


def row(job: Job, names: Sequence[str] = ()) -> Row:
    """
    Return how one task ended, or how far it is; times are UTC seconds since the epoch.

    Each of the axes *names* has a column, which is `None` where the parameter has no such word.
    """
    values = [
        *(job["task"], job["parameters"], job["state"], job["exit_status"], job["cluster"]),
        *(job["start_time"], job["stop_time"], job["duration"], job["attempts"]),
    ]
    plain = dict(zip(COLUMNS, values, strict=True))
    words = map(number, _words(job["parameters"]) if names else [])
    swept = {column: next(words, None) for column in _axes(names)}
    return {"number": plain.pop("number"), "parameter": plain.pop("parameter"), **swept, **plain}


def number(text: str) -> int | float | str:
    """
    Return what *text* writes, if it is a number in its usual form.

    >>> [number(text) for text in ("12", "-0.5", "1e3", "007", "nan", "a1")]
    [12, -0.5, 1000.0, '007', 'nan', 'a1']
    """
    if _WHOLE.fullmatch(text):
        return int(text)
    if _FRACTION.fullmatch(text) and not re.match(r"-?0[0-9]", text):
        value = float(text)
        return value if math.isfinite(value) else text
    return text


def write_csv(
    path: str | os.PathLike[str], rows: Iterable[Row], names: Sequence[str] = ()
) -> None:
    """Write rows with the axes *names* to a file, one at a time."""
    with Path(path).open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns(names), lineterminator="\n")
        writer.writeheader()
        for each in rows:
            writer.writerow(each | {"parameter": line(each["parameter"])})


def to_pandas(rows: Iterable[Row]) -> Any:  # noqa: ANN401 - pandas need not be there
    """
    Return rows as a data frame.

    Raises:
        ImportError: There is no pandas here.
    """
    pandas = importlib.import_module("pandas")  # slow, and not for everybody
    return pandas.DataFrame.from_records(list(rows))


def _words(parameter: str | list[str]) -> list[str]:
    if isinstance(parameter, list):
        return parameter
    try:
        return shlex.split(parameter)
    except ValueError:
        return parameter.split()


def line(parameter: str | list[str]) -> str:
    """Return a parameter as text: exact words as JSON."""
    return parameter if isinstance(parameter, str) else json.dumps(parameter, ensure_ascii=False)
