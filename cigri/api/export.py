"""All tasks of a campaign as a file, streamed: one line for each, in their order.

A file is read some thousand tasks at a time, so that it costs no memory, disturbs nobody, and may
be read as slowly as a client likes.  It is therefore no picture of one moment while tasks run.
"""

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Annotated

import attrs
import msgspec
from aiohttp import hdrs, web
from aiohttp.typedefs import Handler
from msgspec import Meta

from cigri.api import answers, query
from cigri.api.campaigns import identify
from cigri.api.context import base, caller, engine
from cigri.api.jobs import Filters, check_cluster
from cigri.api.operation import asked, operation
from cigri.api.wire.jobs import job_name
from cigri.api.wire.words import JOB_STATES
from cigri.domain.model import TaskState
from cigri.errors import InvalidRequest
from cigri.store.task_tables import Table

routes = web.RouteTableDef()

CSV = "text/csv"
NDJSON = "application/x-ndjson"
_LIST = "/campaigns/{campaign}/jobs"

#: Rows of a table that are written at once, in about half a millisecond.
_AT_ONCE = 250


class Column(StrEnum):
    """What can be told of a task; the order is that of the file."""

    ID = "id"
    TASK = "task"
    PARAMETERS = "parameters"
    STATE = "state"
    EXIT_STATUS = "exit_status"
    CLUSTER = "cluster"
    ATTEMPTS = "attempts"
    START_TIME = "start_time"
    STOP_TIME = "stop_time"
    DURATION = "duration"
    CIGRI_JOB_ID = "cigri_job_id"
    REMOTE_ID = "remote_id"
    NAME = "name"
    HREF = "href"


#: Those that nothing else tells.
_USUAL = tuple(column for column in Column if column not in (Column.NAME, Column.HREF))


@attrs.frozen(kw_only=True)
class ExportOptions(Filters):
    """Which tasks are wanted, and what of them."""

    fields: Annotated[tuple[Column, ...], Meta(description="the columns, in this order")] = _USUAL


@operation(routes, "GET", f"{_LIST}.csv", options=ExportOptions, media=CSV, errors=(304, 404))
async def as_csv(request: web.Request) -> web.StreamResponse:
    """Export the tasks of a campaign as a table (RFC 4180), with the names of its columns."""
    return await _send(request, CSV)


@operation(
    routes, "GET", f"{_LIST}.ndjson", options=ExportOptions, media=NDJSON, errors=(304, 404)
)
async def as_ndjson(request: web.Request) -> web.StreamResponse:
    """Export the tasks of a campaign as lines of JSON."""
    return await _send(request, NDJSON)


@web.middleware
async def negotiate(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Export the list of tasks to a client that would rather have a file."""
    promised = asked(request)
    if promised is not None and (promised.method, promised.path) == (hdrs.METH_GET, _LIST):
        media = _preferred(request.headers.getall(hdrs.ACCEPT, []))
        if media is not None and media in _FORMATS:
            return await _send(request, media)
    return await handler(request)


def _preferred(accepted: Sequence[str]) -> str | None:
    """
    Return what comes first of what is *accepted* and known here.

    >>> _preferred(["text/csv;q=0.9, */*"]), _preferred(["application/json, text/csv"])
    ('text/csv', 'application/json')
    """
    for each in ",".join(accepted).split(","):
        media = each.partition(";")[0].strip().lower()
        if media in _FORMATS or media in {"application/json", "*/*", "application/*"}:
            return media
    return None


async def _send(request: web.Request, media: str) -> web.StreamResponse:
    wanted, campaign = query.read(request, ExportOptions), identify(request)
    if len(set(wanted.fields)) < len(wanted.fields):
        raise InvalidRequest.at("?fields", "a column is there twice")
    selection = wanted.selection()
    await check_cluster(request, campaign, selection)
    found = await engine(request).export(caller(request), campaign, selection)
    encode = _FORMATS[media]
    suffix = "csv" if media == CSV else "ndjson"
    name = f'attachment; filename="campaign-{campaign}.{suffix}"'
    return await answers.stream(
        request,
        encode(found, wanted.fields, base(request)),
        content_type=media,
        headers={hdrs.CONTENT_DISPOSITION: name},
    )


Tables = AsyncIterator[Table]


async def _as_csv(found: Tables, fields: Sequence[Column], here: str) -> AsyncIterator[bytes]:
    yield _text([fields])
    async for table in found:
        columns = _columns(table, fields, here)
        if Column.PARAMETERS in fields:
            place = fields.index(Column.PARAMETERS)
            columns[place] = list(map(_as_text, columns[place]))
        rows = list(zip(*columns, strict=True))
        for first in range(0, len(rows), _AT_ONCE):
            # Numbers as text take their time; others want their turn.
            await asyncio.sleep(0)
            yield _text(rows[first : first + _AT_ONCE])


def _text(rows: Iterable[Sequence[object]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def _as_text(parameter: object) -> object:
    """Return exact words as JSON; a line is text already."""
    return parameter if isinstance(parameter, str) else msgspec.json.encode(parameter).decode()


async def _as_ndjson(found: Tables, fields: Sequence[Column], here: str) -> AsyncIterator[bytes]:
    # A struct is encoded straight from its fields; there is nothing quicker.
    row = msgspec.defstruct("Row", [str(field) for field in fields], gc=False)
    encode = msgspec.json.Encoder().encode_lines
    async for table in found:
        yield encode(list(map(row, *_columns(table, fields, here))))


_FORMATS: Mapping[str, Callable[[Tables, Sequence[Column], str], AsyncIterator[bytes]]] = {
    CSV: _as_csv,
    NDJSON: _as_ndjson,
}


def _columns(table: Table, fields: Sequence[Column], here: str) -> list[Sequence[object]]:
    """Return the *fields* of the tasks of *table*, in the words of the interface."""
    return [_COLUMNS[field](table, here) for field in fields]


def _durations(table: Table, _here: str) -> Sequence[float | None]:
    return [
        None if start is None or stop is None else round(stop - start, 3)
        for start, stop in zip(table.started_at, table.ended_at, strict=True)
    ]


_COLUMNS: Mapping[Column, Callable[[Table, str], Sequence[object]]] = {
    Column.ID: lambda table, _: table.id,
    Column.TASK: lambda table, _: table.number,
    Column.PARAMETERS: lambda table, _: table.parameter,
    Column.STATE: lambda table, _: [_WORDS[state] for state in table.state],
    Column.EXIT_STATUS: lambda table, _: table.exit_status,
    Column.CLUSTER: lambda table, _: table.cluster,
    Column.ATTEMPTS: lambda table, _: table.attempts,
    Column.START_TIME: lambda table, _: table.started_at,
    Column.STOP_TIME: lambda table, _: table.ended_at,
    Column.DURATION: _durations,
    Column.CIGRI_JOB_ID: lambda table, _: [
        None if job is None else task for task, job in zip(table.id, table.job, strict=True)
    ],
    Column.REMOTE_ID: lambda table, _: table.remote_id,
    Column.NAME: lambda table, _: list(map(job_name, table.parameter)),
    Column.HREF: lambda table, here: [
        f"{here}/campaigns/{table.campaign}/jobs/{task}" for task in table.id
    ],
}
#: Plain texts: the members of an enumeration are slower to write.
_WORDS: Mapping[TaskState, str] = {state: word.value for state, word in JOB_STATES.items()}
