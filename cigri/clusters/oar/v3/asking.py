"""Requests to the API of an OAR 3, one at a time, and again where others have broken one.

All its requests share one session of its database.  Two at a time break each other, whoever sends
them, and one statement that fails breaks all that follow until its administrator starts it again.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from cigri.clusters.oar.http import OarHttp, Unanswered
from cigri.clusters.oar.reply import Reply, decode
from cigri.clusters.oar.v3.tokens import Tokens
from cigri.clusters.options import OarOptions
from cigri.errors import ClusterUnreachable, Fault

#: Seconds to wait before what others may have broken is asked again, time after time.
PAUSES = (0.1, 0.3, 0.7, 1.5)
#: What the API says of whatever went wrong in itself.
NO_REASON = b"Internal Server Error"
#: A time-out is not asked again: it has cost enough.
_AGAIN = frozenset({Fault.GARBLED, Fault.UNREACHABLE})

T = TypeVar("T")


class Broken(ClusterUnreachable):
    """The API fails at what was asked, time after time, and does not say why."""


class Asking:
    """
    The API, for what may be asked twice.

    Args:
        options: Where it is.
        token: Gives the token of a user, or `None` without one.
        pauses: Seconds before each further try.
        clock: Seconds of a clock that only runs forward.
    """

    def __init__(
        self,
        options: OarOptions,
        token: Callable[[str], str | None],
        pauses: Sequence[float],
        clock: Callable[[], float],
    ) -> None:
        self.http = OarHttp(options, one_at_a_time=True)
        self._tokens = Tokens(token, self.now)
        self._pauses = pauses
        self._clock = clock
        #: The cluster's time at the last answer, and ours.
        self._heard: tuple[float, float] | None = None

    async def ask(
        self,
        method: str,
        path: str,
        *,
        user: str | None = None,
        keep: int | None = None,
        patience: float = 1.0,
    ) -> Reply:
        """
        Send a request that may be sent again, until the API answers for itself.

        Raises:
            ClusterUnreachable: It does not.
            SubmissionRejected: *user* has no token that is good for anything.
        """
        token = None if user is None else self._tokens.of(user)
        for pause in (*self._pauses, None):
            try:
                reply = await self._send(method, path, token=token, keep=keep, patience=patience)
            except Unanswered as error:
                if pause is None or error.fault not in _AGAIN:
                    raise
            else:
                if reply.status < 500 or reply.status == 501:
                    return reply
                if pause is None:
                    raise self.broken(reply)
            await asyncio.sleep(pause)
        raise AssertionError("unreachable")

    async def get(self, path: str, kind: type[T], *, user: str | None = None) -> T:
        """
        Return what the API says at *path*.

        Raises:
            ClusterUnreachable: Nothing, or something else.
        """
        return self.read(await self.ask("GET", path, user=user), kind)

    def read(self, reply: Reply, kind: type[T]) -> T:
        """Return what a good answer says; raise ClusterUnreachable for one that makes no sense."""
        if reply.status != 200:
            raise self.http.failed(reply)
        try:
            return decode(reply.body, kind)
        except ValueError as error:
            raise self.http.failed(reply) from error

    async def post(self, body: bytes, user: str) -> Reply:
        """
        Submit, once.

        Raises:
            Unanswered: Jobs may have been made.
            ClusterUnreachable: None was.
            SubmissionRejected: *user* has no token that is good for anything.
        """
        token = self._tokens.of(user)
        return await self._send("POST", "/jobs", token=token, body=body)

    def broken(self, reply: Reply) -> ClusterUnreachable:
        """Return the error of an API that answers 500 again and again."""
        if not silent(reply):
            return self.http.failed(reply)
        return Broken(
            f"{self.http.url} answers 500 again and again to what touches its database, without a"
            " reason: others write to it without a pause, or one statement has failed, or its"
            " database was restarted; OAR 3 then does so until its administrator restarts the API",
            fault=Fault.SERVER_ERROR,
        )

    def now(self) -> float:
        """Return the time by the cluster's clock as far as it is known; 0: it is not."""
        if self._heard is None:
            return 0.0
        told, when = self._heard
        return told + self._clock() - when

    async def _send(self, method: str, path: str, **more: Any) -> Reply:  # noqa: ANN401 - as `send`
        reply = await self.http.send(method, path, user=None, **more)
        if reply.sent_at:
            self._heard = (reply.sent_at, self._clock())
        return reply


def silent(reply: Reply) -> bool:
    """Return whether the API itself, and no web server before it, failed without a reason."""
    return reply.status == 500 and reply.body.strip() == NO_REASON
