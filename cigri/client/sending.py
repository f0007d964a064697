"""What a client sends: campaign descriptions and parameters."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

#: A campaign description: as a mapping, or as JSON text that is sent as it is.
Jdl = Mapping[str, object] | str | bytes
#: The content type of parameters as lines, which a submission has after its description.
LINES = "application/vnd.cigri.lines"


def encoded(jdl: Jdl) -> bytes:
    """Return *jdl* as it is sent."""
    if isinstance(jdl, bytes):
        return jdl
    return (jdl if isinstance(jdl, str) else json.dumps(jdl)).encode()


def one_line(jdl: Jdl) -> bytes:
    """Return *jdl* as one line of JSON; what is no JSON is left to the server to refuse."""
    if isinstance(jdl, Mapping):
        return encoded(jdl)
    try:
        return json.dumps(cast(Any, json.loads(jdl))).encode()
    except ValueError:
        return b" ".join(encoded(jdl).split())


def stream(head: bytes, lines: Iterable[bytes | str]) -> Iterator[bytes]:
    """Yield a submission: its description, and its parameters as lines."""
    yield head + b"\n"
    yield from blocks(lines)


def blocks(lines: Iterable[bytes | str]) -> Iterator[bytes]:
    """Yield parameters as lines, whether or not they end with a newline, in large pieces."""
    block = bytearray()
    for line in lines:
        raw = line if isinstance(line, bytes) else line.encode()
        block += raw if raw.endswith(b"\n") else raw + b"\n"
        if len(block) >= 1 << 16:
            yield bytes(block)
            block.clear()
    if block:
        yield bytes(block)
