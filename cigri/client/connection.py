"""Speaking HTTP with a server."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from http import HTTPStatus
from typing import Any, TypeVar

import httpx

from cigri import errors
from cigri.client import trust
from cigri.client.answer import Answer, error_of
from cigri.client.dialogue import (
    PATIENCE,
    Dialogue,
    Parameters,
    Pause,
    Peer,
    Request,
    Said,
    changing,
)
from cigri.places import Address

#: Seconds for one answer; a submission of a million tasks is written to disk before its answer.
TIMEOUT = httpx.Timeout(10.0, read=60.0)

Transport = TypeVar("Transport")


def connect(address: Address) -> httpx.Client:
    """
    Return the HTTP client for *address*.

    Proxies of the environment are not for a server of this host.
    """
    return httpx.Client(transport=_over(address, httpx.HTTPTransport), **_settings(address))


def connect_async(address: Address) -> httpx.AsyncClient:
    """Return the same for programs that have an event loop."""
    transport = _over(address, httpx.AsyncHTTPTransport)
    return httpx.AsyncClient(transport=transport, **_settings(address))


def _settings(address: Address) -> dict[str, Any]:
    # Compression saves nothing where nothing travels.
    plain = {} if address.socket is None else {"Accept-Encoding": "identity"}
    return {
        "base_url": address.url,
        "headers": trust.headers(address) | plain,
        "verify": trust.verification(address),
        "timeout": TIMEOUT,
        "trust_env": False,
    }


def _over(address: Address, transport: Callable[..., Transport]) -> Transport | None:
    """Return the *transport* over a socket; httpx has its own for a URL."""
    if address.socket is None:
        return None
    return transport(uds=str(address.socket), verify=False)


class Connection:
    """Sends requests, and turns whatever goes wrong into `cigri.errors`."""

    def __init__(self, http: httpx.Client, name: str) -> None:
        self.peer = Peer(name)
        self._http = http

    @property
    def name(self) -> str:
        """Return where the server is, as `--url` takes it."""
        return self.peer.name

    def close(self) -> None:
        """Give the connection back."""
        self._http.close()

    def get(
        self,
        path: str,
        parameters: Parameters | None = None,
        *,
        accept: str = "application/json",
        patience: float = PATIENCE,
    ) -> Answer:
        """Return the answer, asking again for *patience* seconds while a known server is silent.

        Raises:
            ServerUnreachable: No answer, which a later try may get.
        """
        headers = {"Accept": accept}
        return self.ask(
            Request(path=path, parameters=parameters or {}, headers=headers, patience=patience)
        )

    def lines(self, path: str, parameters: Parameters, *, accept: str) -> Iterator[bytes]:
        """
        Yield the lines of an answer as they come.

        Raises:
            ServerUnreachable: They have come to an end before the last.
        """
        headers, rest = {"Accept": accept}, b""
        try:
            with self._http.stream("GET", path, params=parameters, headers=headers) as response:
                if response.status_code != HTTPStatus.OK:
                    raise error_of(Answer(response.status_code, response.read()))
                for piece in response.iter_bytes():
                    *whole, rest = (rest + piece).split(b"\n")
                    yield from whole
        except httpx.TransportError as error:
            what = str(error) or type(error).__name__
            raise errors.ServerUnreachable(f"{self.name} stopped answering: {what}") from error

    def change(
        self,
        method: str,
        path: str,
        parameters: Parameters | None = None,
        *,
        content: bytes | Iterable[bytes] | None = None,
        content_type: str = "application/json",
    ) -> Answer:
        """
        Return the answer to a request that is carried out once, whatever happens.

        Raises:
            ServerUnreachable: Whether it was carried out is told by the message.
        """
        return self.ask(
            changing(method, path, parameters, content=content, content_type=content_type)
        )

    def ask(self, request: Request) -> Answer:
        """
        Return the good answer to *request*.

        Raises:
            CigriError: It was refused, or no answer came.
        """

        def dialogue() -> Dialogue[Answer]:
            answer: Answer = yield request
            return answer

        return self.speak(dialogue())

    def speak(self, dialogue: Dialogue[Said]) -> Said:
        """
        Hold *dialogue* and return what came of it.

        Raises:
            CigriError: A request was refused, or no answer came.
        """
        steps = self.peer.hold(dialogue)
        try:
            step = next(steps)
            while True:
                if isinstance(step, Pause):
                    time.sleep(step.seconds)
                    step = next(steps)
                    continue
                try:
                    answer = self._send(step)
                except httpx.TransportError as error:
                    step = steps.throw(error)
                else:
                    step = steps.send(answer)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return] # it is what the dialogue returned
        except errors.NotAuthenticated as refusal:
            raise refusal.trying(trust.repair()) from None

    def _send(self, request: Request) -> Answer:
        """
        Return whatever the server answers.

        It is read as a stream: a response that holds its body is part of a cycle of httpx, and of
        a thousand pages most would wait in memory for the garbage collector.
        """
        with self._http.stream(
            request.method,
            request.path,
            params=request.parameters or None,  # an empty one takes away the query of a link
            headers=request.headers,
            content=request.content,
        ) as response:
            return Answer(response.status_code, b"".join(response.iter_bytes()))


class AsyncConnection:
    """The same for programs that have an event loop."""

    def __init__(self, http: httpx.AsyncClient, name: str) -> None:
        self.peer = Peer(name)
        self._http = http

    async def close(self) -> None:
        """Give the connection back."""
        await self._http.aclose()

    async def speak(self, dialogue: Dialogue[Said]) -> Said:
        """
        Hold *dialogue* and return what came of it.

        Raises:
            CigriError: A request was refused, or no answer came.
        """
        steps = self.peer.hold(dialogue)
        try:
            step = next(steps)
            while True:
                if isinstance(step, Pause):
                    await asyncio.sleep(step.seconds)
                    step = next(steps)
                    continue
                try:
                    answer = await self._send(step)
                except httpx.TransportError as error:
                    step = steps.throw(error)
                else:
                    step = steps.send(answer)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return] # it is what the dialogue returned
        except errors.NotAuthenticated as refusal:
            raise refusal.trying(trust.repair()) from None

    async def _send(self, request: Request) -> Answer:
        content = request.content
        async with self._http.stream(
            request.method,
            request.path,
            params=request.parameters or None,
            headers=request.headers,
            content=content if content is None or isinstance(content, bytes) else _each(content),
        ) as response:
            return Answer(
                response.status_code, b"".join([b async for b in response.aiter_bytes()])
            )


async def _each(pieces: Iterable[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece
