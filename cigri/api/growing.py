"""The parameters of new tasks in a body: a JSON array, lines of JSON, or lines as they stand."""

import io
from collections.abc import AsyncIterator

from aiohttp import web

from cigri.api import body
from cigri.api.context import settings
from cigri.errors import InvalidRequest, TooLarge

TEXT = "text/plain"
JSON_LINES = "application/x-ndjson"
#: What they may come in, beside JSON.
ACCEPTS = (body.LINES, TEXT, JSON_LINES)

_WHITE = b" \t\r\n"
_HINT = f'write ["first", "second"], or send one parameter a line with Content-Type: {body.LINES}'


async def parameters(
    request: web.Request,
) -> tuple[bytes | None, AsyncIterator[bytes] | None]:
    """
    Return the JSON array in the body, or else the blocks of lines that it is.

    Raises:
        TooLarge: The body is over its limit.
        InvalidRequest: It is cut short or damaged, or no array.
    """
    if request.content_type == body.LINES:
        return None, body.blocks(request)
    if request.content_type == TEXT:
        return await _array_or_lines(request)
    if request.content_type == JSON_LINES:
        return await _of_json_lines(request), None
    # A file ends with the end of its last line.
    array = (await body.read(request, settings(request).max_json_body)).strip(_WHITE)
    if not array.startswith(b"["):
        raise InvalidRequest.at("", "not a JSON array", _HINT)
    return array, None


async def _array_or_lines(
    request: web.Request,
) -> tuple[bytes | None, AsyncIterator[bytes] | None]:
    """Return what is sent as text: browsers call JSON so, too."""
    blocks = body.blocks(request)
    begun = b""
    async for block in blocks:
        begun = block.lstrip(_WHITE)
        if begun:
            break
    if not begun.startswith(b"["):
        return None, _chain(begun, blocks)
    most = settings(request).max_json_body
    buffer = io.BytesIO()
    async for block in _chain(begun, blocks):
        if buffer.tell() + len(block) > most:
            raise TooLarge(f"the JSON array is over the limit of {most} bytes")
        buffer.write(block)
    return buffer.getvalue().rstrip(_WHITE), None


async def _chain(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for block in rest:
        yield block


async def _of_json_lines(request: web.Request) -> bytes:
    """Return lines of JSON as one array: line ends become commas, but those of blank lines."""
    most = settings(request).max_json_body
    array = io.BytesIO()
    array.write(b"[")
    begun = ended = False
    async for block in body.blocks(request):
        for number, part in enumerate(block.split(b"\n")):
            ended = ended or number > 0
            # White space within a line may be within a string.
            if (ended or not begun) and not part.strip(_WHITE):
                continue
            array.write(b"," + part if begun and ended else part)
            begun, ended = True, False
        if array.tell() > most:
            raise TooLarge(f"the lines of JSON are over the limit of {most} bytes")
    array.write(b"]")
    return array.getvalue()
