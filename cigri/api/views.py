"""The routes that show a campaign from one side or another."""

from collections.abc import AsyncIterator
from typing import Any

import msgspec
from aiohttp import web

from cigri.api import answers, query, wire
from cigri.api.campaigns import identify
from cigri.api.context import caller, engine
from cigri.api.operation import NoOptions, operation
from cigri.domain import sweep
from cigri.domain.model import JobsType, Parameter

routes = web.RouteTableDef()


@operation(routes, "GET", "/campaigns/{campaign}/jdl", answer=dict[str, Any], errors=(304, 404))
async def jdl(request: web.Request) -> web.StreamResponse:
    """Stream the expanded description of a campaign, its parameters included."""
    query.read(request, NoOptions)
    given, parameters = await engine(request).jdl(caller(request), identify(request))
    swept = any(form in given for form in sweep.FORMS)
    if swept or given.get("jobs_type") == JobsType.DESKTOP_COMPUTING:
        # The description says it all; parameters beside it would be a mistake.
        return await answers.json(request, given)
    # A count is only short for the parameters that follow; with both nobody could submit it again.
    settings = {name: value for name, value in given.items() if name != "nb_jobs"}
    head = answers.encode(request, settings)
    pieces = _with_parameters(head, parameters, pretty=answers.wants_pretty(request))
    return await answers.stream(request, pieces, content_type="application/json")


@operation(routes, "GET", "/campaigns/{campaign}/stats", answer=wire.Statistics, errors=(304, 404))
async def stats(request: web.Request) -> web.StreamResponse:
    """Tell how quickly and how well the tasks of a campaign run."""
    query.read(request, NoOptions)
    found = await engine(request).statistics(identify(request))
    return await answers.json(request, wire.statistics(found))


@operation(routes, "GET", "/campaigns/{campaign}/explain", answer=wire.Explanation, errors=(404,))
async def explain(request: web.Request) -> web.StreamResponse:
    """Tell for each cluster why nothing more of a campaign starts there now, and what to do."""
    query.read(request, NoOptions)
    found = await engine(request).explain(caller(request), identify(request))
    return await answers.json(request, wire.explanation(found))


async def _with_parameters(
    head: bytes, parameters: AsyncIterator[list[Parameter]], *, pretty: bool
) -> AsyncIterator[bytes]:
    """Yield the JSON object *head* with one more field, without ever holding all of it."""
    line, space = (b"\n", b" ") if pretty else (b"", b"")
    begun = head.rstrip()[:-1].rstrip()
    yield (
        begun + (b"" if begun == b"{" else b",") + line + 2 * space + b'"params":' + space + b"["
    )
    indent = line + 4 * space
    between = b""
    async for part in parameters:
        yield between + indent + (b"," + indent).join(map(msgspec.json.encode, part))
        between = b","
    yield line + 2 * space + b"]" + line + b"}\n"
