"""A web server that gives recorded answers, also such as no decent one would give."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import NamedTuple

HTML_500 = (
    b'<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01//EN" "http://www.w3.org/TR/html4/strict.dtd">\n'
    b"<html><head>\n<title>500 Internal Server Error</title>\n</head></html>\n"
)


class Answer(NamedTuple):
    """What is sent back."""

    body: bytes | str = b"{}"
    #: 0: not even that.
    status: int = 200
    kind: str = "application/json; charset=ISO-8859-1"
    #: Bytes of the body after which the connection ends; `None`: all, and it stays open.
    cut: int | None = None
    #: Seconds before anything is sent.
    delay: float = 0.0
    headers: str = ""

    def encoded(self) -> bytes:
        if not self.status:
            return b""
        body = self.body.encode() if isinstance(self.body, str) else self.body
        head = (
            f"HTTP/1.1 {self.status} X\r\nContent-Type: {self.kind}\r\n{self.headers}"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body[: self.cut]


#: The web server's own error: OAR's process left in the middle.
HTML = Answer(HTML_500, 500, "text/html; charset=iso-8859-1")


class Asked(NamedTuple):
    """A request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Answering:
    """Gives the answers of `plan` one after the other, the last one for ever."""

    def __init__(self, plan: list[Answer]) -> None:
        self.plan = plan
        self.asked: list[Asked] = []
        self.url = ""
        #: Set by the first request.
        self.heard = asyncio.Event()

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                first, *lines = head.strip().split("\r\n")
                headers = dict(line.split(": ", 1) for line in lines)
                lower = {name.lower(): value for name, value in headers.items()}
                body = await reader.readexactly(int(lower.get("content-length", 0)))
                method, path, _ = first.split(" ")
                self.asked.append(Asked(method, path, headers, body))
                self.heard.set()
                answer = self.plan.pop(0) if len(self.plan) > 1 else self.plan[0]
                await asyncio.sleep(answer.delay)
                writer.write(answer.encoded())
                await writer.drain()
                if answer.cut is not None:
                    break


@asynccontextmanager
async def listening(
    handle: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
    context: ssl.SSLContext | None = None,
) -> AsyncIterator[int]:
    """Let *handle* answer on a free port of this host; leave no connection behind."""
    tasks: set[asyncio.Task[None]] = set()

    async def guarded(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await handle(reader, writer)
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    server = await asyncio.start_server(guarded, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def answering(*plan: Answer) -> AsyncIterator[Answering]:
    """Serve *plan* on a free port of this host."""
    played = Answering(list(plan))
    async with listening(played.handle) as port:
        played.url = f"http://127.0.0.1:{port}/oarapi"
        yield played
