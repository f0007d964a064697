"""Bodies: read as they come, decompressed, and never past their limit.

aiohttp's own reading would hold the body twice, and answer a damaged gzip stream with a 500.
"""

import asyncio
import io
import zlib
from collections.abc import AsyncIterator, Iterator

from aiohttp import hdrs, web

from cigri.api.context import HELD, MIB, settings
from cigri.api.fingerprint import FINGERPRINT
from cigri.errors import InvalidRequest, TooLarge

#: The campaign description as the first line, then one parameter per line.
LINES = "application/vnd.cigri.lines"

#: Bytes of the fields of a small request.
MAX_FIELDS = MIB
#: Bytes of a campaign description whose parameters follow as lines.
MAX_DESCRIPTION = MIB

#: Bytes that are decompressed between two looks at the limit and at the rest of the world.
_PIECE = 256 * 1024
#: What zlib calls a gzip header before the data.
_GZIP = 16 + zlib.MAX_WBITS


async def campaign(request: web.Request) -> tuple[bytes, AsyncIterator[bytes] | None]:
    """
    Return the campaign description in the body, and the blocks of parameter lines that follow it.

    Blocks end anywhere.  Their iterator raises when the body does not come to its end, so that
    nothing is kept of it.

    Raises:
        TooLarge: The body, or its first line, is over its limit.
        InvalidRequest: The body is cut short or damaged.
    """
    if request.content_type != LINES:
        return await read(request, settings(request).max_json_body), None
    pieces = _received(request, settings(request).max_stream_body)
    first, rest = await _first_line(pieces)
    return first, _chain(rest, pieces)


async def read(request: web.Request, limit: int) -> bytes:
    """
    Return the whole body.

    Raises:
        TooLarge: It is over *limit* bytes.
        InvalidRequest: It is cut short or damaged.
    """
    if HELD in request:
        return request[HELD]
    # Unlike a join, and unlike bytes(bytearray), getvalue hands out the buffer itself.
    buffer = io.BytesIO()
    async for piece in _received(request, limit):
        buffer.write(piece)
    return buffer.getvalue()


def blocks(request: web.Request) -> AsyncIterator[bytes]:
    """
    Return the body as blocks that end anywhere.

    Their iterator raises when the body does not come to its end.
    """
    return _received(request, settings(request).max_stream_body)


async def drain(request: web.Request) -> None:
    """
    Read away what is left of the body, for its fingerprint.

    Raises:
        TooLarge: It is over every limit.
        InvalidRequest: It is cut short or damaged.
    """
    if request.body_exists and not request[FINGERPRINT].complete:
        limits = settings(request)
        async for _ in _received(request, max(limits.max_json_body, limits.max_stream_body)):
            pass


async def _first_line(pieces: AsyncIterator[bytes]) -> tuple[bytes, bytes]:
    """Return the first line of *pieces*, and what came with it."""
    begun = b""
    async for piece in pieces:
        begun += piece
        line, end, rest = begun.partition(b"\n")
        if len(line) > MAX_DESCRIPTION:
            raise TooLarge(
                f"the campaign description, the first line, is over {MAX_DESCRIPTION} bytes"
            )
        if end:
            return line, rest
    return begun, b""


async def _chain(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    if first:
        yield first
    async for block in rest:
        yield block


async def _received(request: web.Request, limit: int) -> AsyncIterator[bytes]:
    """Yield the body, decompressed, in pieces of bounded size; at most *limit* bytes in all."""
    gunzip = _Gunzip() if _is_gzipped(request) else None
    if (request.content_length or 0) > limit:
        raise _too_large(limit)
    await _ask_for_it(request)
    left = limit
    fingerprint = request.get(FINGERPRINT)
    async for data in _raw(request):
        for piece in gunzip.feed(data) if gunzip else (data,):
            left -= len(piece)
            if left < 0:
                raise _too_large(limit)
            if fingerprint:
                fingerprint.feed(piece)
            yield piece
            if gunzip:
                # What arrived at once may be a thousand times larger now.
                await asyncio.sleep(0)
    if gunzip:
        gunzip.check_end()
    if fingerprint:
        fingerprint.complete = True


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"the body is over the limit of {limit} bytes ({limit / MIB:.0f} MiB)")


def _is_gzipped(request: web.Request) -> bool:
    coding = ", ".join(request.headers.getall(hdrs.CONTENT_ENCODING, [])).strip().lower()
    if coding not in {"", "identity", "gzip", "x-gzip"}:
        raise web.HTTPUnsupportedMediaType(
            text=f"the body is in {coding!r}: send it as it is or in gzip",
            headers={hdrs.ACCEPT_ENCODING: "gzip"},
        )
    return coding.endswith("gzip")


async def send_continue_later(request: web.Request) -> None:
    """
    Leave a client that asked `Expect: 100-continue` waiting until its body is wanted.

    One that is refused for what its headers say need not send a gigabyte for it.
    """


async def _ask_for_it(request: web.Request) -> None:
    expectation = request.headers.get(hdrs.EXPECT)
    if expectation is None:
        return
    if expectation.lower() != "100-continue":
        raise web.HTTPExpectationFailed(text=f"only 100-continue can be expected: {expectation!r}")
    await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    request.writer.output_size = 0  # the answer itself has not begun


async def _raw(request: web.Request) -> AsyncIterator[bytes]:
    patience = settings(request).patience
    while True:
        try:
            async with asyncio.timeout(patience):
                data = await request.content.readany()
        except TimeoutError:
            raise web.HTTPRequestTimeout(
                text=f"nothing more of the body came for {patience:g} seconds"
            ) from None
        except (web.RequestPayloadError, ConnectionError) as error:
            raise InvalidRequest.at("", "the body ended before its announced end") from error
        if not data:
            return
        yield data


class _Gunzip:
    """Decompresses a gzip file that comes in pieces; it may have several members."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(_GZIP)

    def feed(self, data: bytes) -> Iterator[bytes]:
        """
        Yield what *data* expand to, in pieces.

        Raises:
            InvalidRequest: This is not gzip.
        """
        more = True
        while more:
            if self._member.eof and data:
                self._member = zlib.decompressobj(_GZIP)
            try:
                piece = self._member.decompress(data, _PIECE)
            except zlib.error as error:
                raise InvalidRequest.at("", f"the body is not valid gzip: {error}") from error
            if piece:
                yield piece
            data = self._member.unconsumed_tail or self._member.unused_data
            # A full piece may leave output behind without any input.
            more = bool(data) or len(piece) == _PIECE

    def check_end(self) -> None:
        """
        Return when the file is complete.

        Raises:
            InvalidRequest: Its end is missing.
        """
        if not self._member.eof:
            raise InvalidRequest.at("", "the body is not valid gzip: its end is missing")
