"""One cluster of OAR over HTTP: who asks, for how long, how much is read, and what went wrong."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import nullcontext
from functools import partial
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx

from cigri.clusters.oar.login import basic_auth, is_tls, misread, tls_context
from cigri.clusters.oar.reply import Reply, on_one_line
from cigri.clusters.options import OAR_LOGIN, OarAuth, OarOptions
from cigri.errors import ClusterUnreachable, Fault, SubmissionRejected

#: Bytes of an answer, at most; and of one that is read while it arrives: 400,000 jobs.
MOST = 32 * 2**20
MOST_ROWS = 20 * MOST
#: How often an answer that OAR's web server gave in its stead is asked for again.
RETRIES = 2

#: By these words of the other side, a connection ended before it read a request.
_REFUSED_CERTIFICATE = ("certificate", "unknown ca", "unknown_ca", "handshake", "protocol_version")


class Unanswered(ClusterUnreachable):
    """The request was sent, and nobody knows whether anything happened."""


class Endless(Unanswered):
    """A file is being sent that does not come to its end: only whose it is can help that."""


async def repeated(ask: Callable[[], Awaitable[Reply]]) -> Reply:
    """Return the answer to what may be asked twice; where only a web server answers, it is."""
    for _ in range(RETRIES):
        reply = await ask()
        if reply.status < 500 or reply.is_json:
            return reply
    return await ask()


class OarHttp:
    """
    Requests to one cluster.

    Args:
        options: Where it is, and how it is told who asks.
        one_at_a_time: Whether it breaks under two requests at once.
    """

    def __init__(self, options: OarOptions, *, one_at_a_time: bool = False) -> None:
        self._options = options
        self._client: httpx.AsyncClient | None = None
        self._turn: asyncio.Lock | None = asyncio.Lock() if one_at_a_time else None
        #: Seconds since the epoch by the cluster's clock and by ours, at the last answer.
        self.clock: tuple[float, float] | None = None

    @property
    def url(self) -> str:
        """Return the address of the interface."""
        return self._options.url

    async def get(
        self,
        path: str,
        *,
        user: str | None,
        token: str | None = None,
        keep: int | None = None,
        into: Callable[[bytes], None] | None = None,
    ) -> Reply:
        """
        Ask for something that changes nothing, again when the web server alone answered.

        Raises:
            ClusterUnreachable: No answer, or not one of OAR's own.
        """
        send = partial(self.send, user=user, token=token, keep=keep, into=into)
        return await repeated(partial(send, "GET", path))

    async def send(
        self,
        method: str,
        path: str,
        *,
        user: str | None,
        token: str | None = None,
        body: bytes | None = None,
        content_type: str = "application/json",
        patience: float = 1.0,
        keep: int | None = None,
        into: Callable[[bytes], None] | None = None,
    ) -> Reply:
        """
        Send one request and return its answer, whatever its status.

        Args:
            method: GET, POST or DELETE.
            path: What follows the address of the interface, with its query.
            user: As whom; `None` where nobody has to say.
            token: What proves it, where the cluster wants that.
            body: What to send.
            content_type: What that is.
            patience: How many times the usual seconds to wait.
            keep: How many bytes at the end of a file are wanted; `None`: it is no file.
            into: What takes the pieces of an answer 200 as they arrive; the body is empty then.

        Raises:
            Endless: The file that was asked for is too long, or comes too slowly.
            Unanswered: It was sent, and there is no answer.
            ClusterUnreachable: It was never sent.
        """
        headers = self._headers(user, token)
        if body is not None:
            headers["Content-Type"] = content_type
        async with self._turn or nullcontext():
            trace = _Trace()
            try:
                async with asyncio.timeout(self._options.timeout * patience):
                    reply = await self._exchange(
                        method=method,
                        path=path,
                        headers=headers,
                        body=body,
                        keep=keep,
                        into=into,
                        trace=trace,
                    )
            except (httpx.HTTPError, OSError, TimeoutError) as error:
                if trace.answered and keep is not None and _is_slow(error):
                    raise Endless(
                        f"{self.url} sends a file that does not end", fault=Fault.TIMEOUT
                    ) from error
                raise self._failure(error, sent=trace.sent) from error
        if reply.sent_at:
            self.clock = (reply.sent_at, time.time())
        return reply

    async def close(self) -> None:
        """Close all connections."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    def denied(self, reply: Reply) -> ClusterUnreachable:
        """Return the error of a cluster that lets nobody in."""
        return ClusterUnreachable(
            f"{self.url} does not let CiGri in ({reply.status}{reply.said}): see `auth`,"
            " `identity_header` and the certificates in its configuration, and in ours",
            fault=Fault.DENIED,
        )

    def failed(self, reply: Reply, *, sent: bool = False) -> ClusterUnreachable:
        """Return the error of an answer that is none of those that were expected."""
        kind = Unanswered if sent else ClusterUnreachable
        if reply.status in {401, 403}:
            return self.denied(reply)
        if reply.status >= 500:
            text = f"{self.url} answered {reply.status}{reply.said}"
            return kind(text, fault=Fault.SERVER_ERROR)
        if 300 <= reply.status < 400:
            text = (
                f"{self.url} has moved to {on_one_line(reply.headers.get('location', '?'))}:"
                " change `url`"
            )
            return kind(text, fault=Fault.GARBLED)
        if reply.status >= 400:
            text = f"{self.url} answered {reply.status}{reply.said}: is `url` that of OAR's API?"
            return kind(text, fault=Fault.GARBLED)
        return kind(
            f"{self.url} answered something that is not OAR's: {reply.start}",
            fault=Fault.GARBLED,
        )

    def _headers(self, user: str | None, token: str | None) -> dict[str, str]:
        # OAR 2.5 takes its media type at the letter: a list of them is none.
        headers = {"Accept": "application/json"}
        if user is not None:
            if not OAR_LOGIN.fullmatch(user):
                raise SubmissionRejected(misread(user))
            if self._options.auth != OarAuth.TOKEN:
                headers[self._options.identity_header] = user
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        return headers

    async def _exchange(
        self,
        *,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes | None,
        keep: int | None,
        into: Callable[[bytes], None] | None,
        trace: "_Trace",
    ) -> Reply:
        begun = time.monotonic()
        client = self._opened()
        request = client.build_request(
            method, self.url + path, headers=headers, content=body, extensions={"trace": trace}
        )
        response = await client.send(request, stream=True)
        waited = time.monotonic() - begun
        is_good = response.status_code == 200
        trace.answered = is_good
        try:
            if (packed := response.headers.get("content-encoding", "identity")) != "identity":
                # We asked for none: a few bytes can unpack to more than there is memory.
                raise httpx.DecodingError(f"it is packed: {packed[:20]!r}", request=request)
            most = MOST if not is_good or (into is None and keep is None) else MOST_ROWS
            data = bytearray()
            size = 0
            async for chunk in response.aiter_raw():
                size += len(chunk)
                if into is not None and is_good:
                    into(chunk)
                else:
                    data += chunk
                if keep is not None and is_good and len(data) > 2 * keep + 65536:
                    del data[:-keep]
                if size > most:
                    raise TooLong(f"{size >> 20} MiB and more", request=request)
            return Reply(
                status=response.status_code,
                headers=response.headers,
                body=bytes(data[-keep:] if keep and is_good else data),
                waited=waited,
            )
        finally:
            await response.aclose()

    def _opened(self) -> httpx.AsyncClient:
        if self._client is None:
            options = self._options
            self._client = httpx.AsyncClient(
                # Not httpx's own, which holds a copy of all authorities even where none is asked.
                verify=tls_context(options),
                auth=basic_auth(options),
                # The environment's proxies are not to see on whose behalf is asked what.
                trust_env=False,
                timeout=httpx.Timeout(None, connect=min(10.0, options.timeout)),
                limits=httpx.Limits(max_connections=8, keepalive_expiry=4.0),
                headers={"Accept-Encoding": "identity"},
                # One that was set for a user must not speak for the next one.
                cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            )
        return self._client

    def _failure(self, error: Exception, *, sent: bool) -> ClusterUnreachable:
        """Return *error* as one of ours, with its fault."""
        words = _words(error)
        if is_tls(error):
            if any(word in words.lower() for word in _REFUSED_CERTIFICATE):
                sent = False
            text = f"the encrypted connection to {self.url} failed: {words}"
            fault = Fault.TLS
        elif isinstance(error, TimeoutError | httpx.TimeoutException):
            seconds = f"{self._options.timeout:g} s"
            text = f"{self.url} did not answer within {seconds}"
            fault = Fault.TIMEOUT
        elif isinstance(error, httpx.ConnectError):
            text, fault = f"{self.url} cannot be reached: {words}", Fault.REFUSED
        elif isinstance(error, httpx.RemoteProtocolError | httpx.DecodingError):
            text, fault = f"{self.url} gave half an answer: {words}", Fault.GARBLED
        else:
            text, fault = f"{self.url} broke the connection: {words}", Fault.UNREACHABLE
        return (Unanswered if sent else ClusterUnreachable)(text, fault=fault)


class _Trace:
    """Notes whether any of a request has left this host."""

    def __init__(self) -> None:
        self.sent = False
        #: Whether the good answer to it has begun.
        self.answered = False

    async def __call__(self, event: str, _: Mapping[str, object]) -> None:
        if "send_request_headers.started" in event:
            self.sent = True


class TooLong(httpx.DecodingError):
    """An answer has more bytes than anybody wants."""


def _is_slow(error: Exception) -> bool:
    return isinstance(error, TimeoutError | httpx.TimeoutException | TooLong)


def _words(error: Exception) -> str:
    return on_one_line(str(error)) or "no reason given"
