"""`results`: one row for each task, for other programs to read."""

import csv
import datetime as dt
import io
import json
from collections.abc import Callable, Iterable, Iterator

from cigri.cli.arguments import identify, one_campaign
from cigri.cli.session import Session, command
from cigri.client.bodies import Result

COLUMNS = (
    "number",
    "parameter",
    "state",
    "exit_status",
    "cluster",
    "start",
    "end",
    "duration",
    "attempts",
)
#: Bytes that are written at a time.
BLOCK = 1 << 16

Row = dict[str, object]


@command(
    "results",
    outputs=("csv", "ndjson", "json"),
    examples=("cigri results 12 > visc.csv", "cigri results 12 -o ndjson | jq .duration"),
)
@one_campaign
def results(session: Session, campaign: str) -> None:
    """
    Write one row for each task of CAMPAIGN, finished or not.

    Times are UTC (RFC 3339), durations are seconds. In CSV, a parameter that is a list of words
    is written as JSON.
    """
    rows = map(row, session.client.results(identify(session, campaign)))
    block = io.StringIO(newline="")
    for text in FORMATS[session.output](rows):
        block.write(text)
        if block.tell() >= BLOCK:
            session.write(block.getvalue().encode())
            block = io.StringIO(newline="")
    session.write(block.getvalue().encode())


def row(result: Result) -> Row:
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


def as_csv(rows: Iterable[Row]) -> Iterator[str]:
    """Yield the lines of a CSV file."""
    buffer = io.StringIO(newline="")
    table = csv.DictWriter(buffer, COLUMNS, lineterminator="\n")
    table.writeheader()
    yield buffer.getvalue()
    for one in rows:
        buffer.seek(0)
        buffer.truncate()
        parameter = one["parameter"]
        words = parameter if isinstance(parameter, str) else json.dumps(parameter)
        table.writerow({**one, "parameter": words})
        yield buffer.getvalue()


def as_ndjson(rows: Iterable[Row]) -> Iterator[str]:
    """Yield one JSON object a line."""
    for one in rows:
        yield json.dumps(one, ensure_ascii=False) + "\n"


def as_json(rows: Iterable[Row]) -> Iterator[str]:
    """Yield a JSON array, an element a line."""
    joint = "[\n"
    for line in as_ndjson(rows):
        yield joint + line.rstrip("\n")
        joint = ",\n"
    yield "[]\n" if joint == "[\n" else "\n]\n"


FORMATS: dict[str, Callable[[Iterable[Row]], Iterator[str]]] = {
    "csv": as_csv,
    "ndjson": as_ndjson,
    "json": as_json,
}
