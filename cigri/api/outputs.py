"""The routes of what tasks have written."""

from typing import Annotated

import attrs
from aiohttp import hdrs, web
from msgspec import Meta

from cigri.api import answers, query, wire
from cigri.api.context import MIB, caller, engine
from cigri.api.jobs import identify_task
from cigri.api.operation import operation

routes = web.RouteTableDef()

#: Bytes of an output that are shown, from its end.
MAX_OUTPUT = MIB
_MEDIA = ("application/json", "text/plain")


@attrs.frozen(kw_only=True)
class OutputOptions:
    """Which part of an output is wanted."""

    tail: Annotated[int, Meta(ge=0, description="only so many lines from its end")] | None = None


@operation(
    routes,
    "GET",
    "/jobs/{job}/stdout",
    answer=wire.Output,
    options=OutputOptions,
    media=_MEDIA,
    errors=(404, 503),
)
async def stdout(request: web.Request) -> web.StreamResponse:
    """Show what a task has written to its standard output."""
    return await _output(request, "out")


@operation(
    routes,
    "GET",
    "/jobs/{job}/stderr",
    answer=wire.Output,
    options=OutputOptions,
    media=_MEDIA,
    errors=(404, 503),
)
async def stderr(request: web.Request) -> web.StreamResponse:
    """Show what a task has written to its standard error."""
    return await _output(request, "err")


async def _output(request: web.Request, stream: str) -> web.StreamResponse:
    lines = query.read(request, OutputOptions).tail
    output = await engine(request).output(
        caller(request), identify_task(request), stream, MAX_OUTPUT + 1
    )
    text, is_cut = _last(output, lines)
    if _wants_text(request):
        headers = {"X-Cigri-Truncated": str(is_cut).lower()}
        return web.Response(body=text, headers=headers, content_type="text/plain")
    answer = wire.Output(output=text.decode("utf-8", "replace"), truncated=is_cut)
    return await answers.json(request, answer)


def _last(output: bytes, lines: int | None) -> tuple[bytes, bool]:
    r"""
    Return the last *lines* of *output* within the limit, and whether anything wanted is missing.

    >>> _last(b"one\ntwo\nthree\n", 2)
    (b'two\nthree\n', False)
    """
    is_cut = len(output) > MAX_OUTPUT
    if is_cut:
        # From the first whole line on, if there is one.
        output = output[-MAX_OUTPUT:]
        output = output[output.find(b"\n", 0, -1) + 1 :]
    if lines is None:
        return output, is_cut
    before, *wanted = output.removesuffix(b"\n").rsplit(b"\n", lines)
    if len(wanted) < lines:
        return output, is_cut
    return output[len(before) + 1 :], False


def _wants_text(request: web.Request) -> bool:
    accepted = request.headers.get(hdrs.ACCEPT, "").split(",")
    return any(each.partition(";")[0].strip().lower() == "text/plain" for each in accepted)
