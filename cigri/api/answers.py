"""How answers leave: JSON that ends with a newline, and streams that do not wait for ever."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import NoReturn

import msgspec
from aiohttp import hdrs, web

from cigri.api import compression, query
from cigri.api.context import settings

#: Bytes that are handed to a connection at once.
PIECE = 256 * 1024

_NOTHING: Mapping[str, str] = {}


def wants_pretty(request: web.Request) -> bool:
    """Return whether the answer is for human eyes: `?pretty` is on, as any other flag."""
    given = request.query.get(query.PRETTY) if request.query_string else None
    return given is not None and query.is_on(given)


def encode(request: web.Request, value: object) -> bytes:
    """Return *value* as the JSON that *request* asks for."""
    body = msgspec.json.encode(value)
    if wants_pretty(request):
        body = msgspec.json.format(body, indent=2)
    return body + b"\n"


async def json(
    request: web.Request,
    value: object,
    *,
    status: int = 200,
    headers: Mapping[str, str] = _NOTHING,
) -> web.StreamResponse:
    """Answer with *value*."""
    return await whole(request, status, headers, encode(request, value))


async def whole(
    request: web.Request, status: int, headers: Mapping[str, str], body: bytes
) -> web.StreamResponse:
    """Answer with the JSON *body*, piece by piece when it is long."""
    if len(body) <= PIECE:
        return web.Response(
            body=body, status=status, headers=headers, content_type="application/json"
        )
    return await stream(
        request,
        _cut(body),
        content_type="application/json",
        length=len(body),
        status=status,
        headers=headers,
    )


async def stream(
    request: web.Request,
    pieces: AsyncIterator[bytes],
    *,
    content_type: str,
    length: int | None = None,
    status: int = 200,
    headers: Mapping[str, str] = _NOTHING,
) -> web.StreamResponse:
    """
    Answer with *pieces* as they come.

    The connection is cut, which tells the client that something is missing, when *pieces* raises,
    and when the client reads nothing for too long: it may not keep open what feeds the stream.
    """
    response = web.StreamResponse(
        status=status, headers={**headers, hdrs.CONTENT_TYPE: content_type}
    )
    if compression.is_text(content_type):
        compression.vary(response, hdrs.ACCEPT_ENCODING)
    if compression.wanted(request, content_type):
        response.headers[hdrs.CONTENT_ENCODING] = "gzip"
        pieces, length = compression.gzipped(pieces), None
    response.content_length = length
    await response.prepare(request)
    if request.method == hdrs.METH_HEAD:
        return response
    async for piece in pieces:
        try:
            async with asyncio.timeout(settings(request).patience):
                await response.write(piece)
        except TimeoutError:
            _drop(request)
        # To write does not wait while the client reads quickly; others want their turn.
        await asyncio.sleep(0)
    return response


def _drop(request: web.Request) -> NoReturn:
    # Not close(): that would wait for the client to read what is already on its way.
    if request.transport is not None:
        request.transport.abort()
    raise ConnectionResetError("the client stopped reading")


async def _cut(body: bytes) -> AsyncIterator[bytes]:
    view = memoryview(body)
    for start in range(0, len(body), PIECE):
        yield bytes(view[start : start + PIECE])
