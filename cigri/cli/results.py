"""`results`: one row for each task, for other programs to read."""

import csv
import datetime as dt
import io
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence

from cigri.cli.arguments import identify, one_campaign
from cigri.cli.selectors import Part
from cigri.cli.session import Session, command
from cigri.client.rows import Row, columns, line

#: Bytes that are written at a time.
BLOCK = 1 << 16
#: What a terminal takes as an order.
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


@command(
    "results",
    outputs=("csv", "tsv", "ndjson", "json"),
    examples=("cigri results 12 > visc.csv", "cigri results 12 -o ndjson | jq .duration"),
)
@one_campaign
def results(session: Session, campaign: tuple[Part, ...]) -> None:
    r"""
    Write one row for each task of CAMPAIGN, finished or not; the axes of a sweep are columns.

    Times are UTC (RFC 3339), durations are seconds. In CSV and TSV, a parameter that is a list of
    words is written as JSON; in TSV a tab is \t, the end of a line \n, and a backslash \\.
    """
    number = identify(session, campaign)
    names = session.client.campaign(number).get("parameter_names", ())
    rows = map(row, session.client.results(number, names))
    block = io.StringIO(newline="")
    for text in FORMATS[session.output](rows, columns(names)):
        # Whoever reads a file gets what there is; a terminal would obey it.
        block.write(_CONTROLS.sub("?", text) if sys.stdout.isatty() else text)
        if block.tell() >= BLOCK:
            session.write(block.getvalue().encode())
            block = io.StringIO(newline="")
    session.write(block.getvalue().encode())


def row(result: Row) -> Row:
    """Return *result* with its times as text."""
    return {**result, "start": instant(result["start"]), "end": instant(result["end"])}


def instant(at: float | None) -> str | None:
    """
    Return an instant as RFC 3339 has it, in UTC, to the millisecond.

    >>> instant(1795248000.25)
    '2026-11-21T08:00:00.250Z'
    """
    if at is None:
        return None
    text = dt.datetime.fromtimestamp(at, dt.UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def as_csv(rows: Iterable[Row], names: Sequence[str]) -> Iterator[str]:
    """Yield the lines of a CSV file."""
    buffer = io.StringIO(newline="")
    table = csv.DictWriter(buffer, names, lineterminator="\n")
    table.writeheader()
    yield buffer.getvalue()
    for one in rows:
        buffer.seek(0)
        buffer.truncate()
        table.writerow({**one, "parameter": line(one["parameter"])})
        yield buffer.getvalue()


def as_tsv(rows: Iterable[Row], names: Sequence[str]) -> Iterator[str]:
    """Yield the lines of a file with tabs between its columns."""
    yield "\t".join(map(_cell, names)) + "\n"
    for one in rows:
        cells = {**one, "parameter": line(one["parameter"])}
        yield "\t".join(_cell(cells[name]) for name in names) + "\n"


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    for sign, written in (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r")):
        text = text.replace(sign, written)
    return text


def as_ndjson(rows: Iterable[Row], _: Sequence[str]) -> Iterator[str]:
    """Yield one JSON object a line."""
    for one in rows:
        yield json.dumps(one, ensure_ascii=False) + "\n"


def as_json(rows: Iterable[Row], names: Sequence[str]) -> Iterator[str]:
    """Yield a JSON array, an element a line."""
    joint = "[\n"
    for text in as_ndjson(rows, names):
        yield joint + text.rstrip("\n")
        joint = ",\n"
    yield "[]\n" if joint == "[\n" else "\n]\n"


#: What writes rows with such columns.
FORMATS: dict[str, Callable[[Iterable[Row], Sequence[str]], Iterator[str]]] = {
    "csv": as_csv,
    "tsv": as_tsv,
    "ndjson": as_ndjson,
    "json": as_json,
}
