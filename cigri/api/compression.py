"""Answers in gzip, for clients that take it: whole ones at once, streams as they come."""

import asyncio
import zlib
from collections.abc import AsyncIterator

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

#: Bytes from which on an answer is worth the work.
WORTH_IT = 1024

#: Two thirds of what the highest level gains, for a tenth of its time.
_LEVEL = 1
#: What zlib calls a gzip header before the data.
_GZIP = 16 + zlib.MAX_WBITS
#: Bytes from which on the work is done beside the event loop; before, going there costs more.
_MUCH = 64 * 1024

_TEXTS = frozenset(
    {
        "application/json",
        "application/problem+json",
        "application/x-ndjson",
        "text/csv",
        "text/html",
        "text/plain",
    }
)


@web.middleware
async def compress(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Compress an answer that is there as a whole; those that stream have seen to it."""
    response = await handler(request)
    if not isinstance(response, web.Response) or response.prepared:
        return response
    body = response.body
    if isinstance(body, bytes) and len(body) >= WORTH_IT and is_text(response.content_type):
        vary(response, hdrs.ACCEPT_ENCODING)
        if (
            wanted(request, response.content_type)
            and hdrs.CONTENT_ENCODING not in response.headers
        ):
            response.headers[hdrs.CONTENT_ENCODING] = "gzip"
            packer = _Packer()
            response.body = await packer.pack(body) + packer.end()
    return response


def wanted(request: web.Request, content_type: str) -> bool:
    """
    Return whether an answer of *content_type* is to be compressed.

    Never one whose parts have to arrive at once, as those of event streams.
    """
    return is_text(content_type) and _accepts(request.headers.getall(hdrs.ACCEPT_ENCODING, []))


async def gzipped(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Yield *pieces* as one gzip file."""
    packer = _Packer()
    async for piece in pieces:
        packed = await packer.pack(piece)
        if packed:
            yield packed
        # Many small pieces become one; others want their turn meanwhile.
        await asyncio.sleep(0)
    yield packer.end()


def vary(response: web.StreamResponse, *names: str) -> None:
    """Say that the answer depends on the headers *names* of the request."""
    given = [each.strip() for each in response.headers.get(hdrs.VARY, "").split(",") if each]
    given += [name for name in names if name not in given]
    response.headers[hdrs.VARY] = ", ".join(given)


class _Packer:
    """Makes one gzip file of pieces."""

    def __init__(self) -> None:
        self._work = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)

    def end(self) -> bytes:
        """Return the end of the file."""
        return self._work.flush()

    async def pack(self, data: bytes) -> bytes:
        """Return what there is of the file once it holds *data*."""
        if len(data) < _MUCH:
            return self._work.compress(data)
        return await asyncio.to_thread(self._work.compress, data)


def is_text(content_type: str) -> bool:
    """Return whether what is of *content_type* becomes smaller by compression."""
    return content_type in _TEXTS


def _accepts(given: list[str]) -> bool:
    """
    Return whether the Accept-Encoding headers *given* allow gzip.

    >>> _accepts(["br, gzip;q=0.8"]), _accepts(["gzip;q=0, *"]), _accepts(["*"]), _accepts([])
    (True, False, True, False)
    """
    weights = {}
    for each in ",".join(given).lower().split(","):
        coding, _, weight = each.partition(";")
        weights[coding.strip()] = _weight(weight)
    return weights.get("gzip", weights.get("x-gzip", weights.get("*", 0.0))) > 0


def _weight(text: str) -> float:
    name, _, value = text.partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
