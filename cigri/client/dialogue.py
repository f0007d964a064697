"""What is said to a server, apart from how: generators that yield requests and are sent answers.

One dialogue serves both kinds of connection: the one that blocks and the one that awaits.
"""

import secrets
import time
from collections.abc import Generator, Iterable, Mapping
from typing import Any, TypeVar

import attrs
import httpx

from cigri import errors
from cigri.client import trust
from cigri.client.answer import Answer, error_of

#: Seconds between two tries of a request that may be repeated.
PAUSES = (0.1, 0.4, 1.0)
#: Seconds for which a lost answer is asked for again, unless a request says otherwise.
PATIENCE = 2.0
#: The same request is still being carried out.
IN_PROGRESS = 409

Parameters = Mapping[str, str | int]
Said = TypeVar("Said")


@attrs.frozen(kw_only=True)
class Request:
    """One request; what a path already has behind its `?` stays if there are no parameters."""

    method: str = "GET"
    path: str
    parameters: Parameters = attrs.field(factory=dict)
    #: Bytes, or a stream of them, which can only be sent once.
    content: bytes | Iterable[bytes] | None = attrs.field(default=None, repr=False)
    headers: Mapping[str, str] = attrs.field(factory=dict)
    patience: float = PATIENCE

    @property
    def repeatable(self) -> bool:
        """Return whether sending it twice does no more than sending it once."""
        if self.method == "GET":
            return True
        again = self.content is None or isinstance(self.content, bytes)
        return again and "Idempotency-Key" in self.headers


@attrs.frozen
class Pause:
    """Nothing is said for so many seconds."""

    seconds: float


Step = Request | Pause
#: Yields steps, is sent the good answer to each request, and returns what came of it.
Dialogue = Generator[Step, Any, Said]


def changing(
    method: str,
    path: str,
    parameters: Parameters | None = None,
    *,
    content: bytes | Iterable[bytes] | None = None,
    content_type: str = "application/json",
) -> Request:
    """Return a request that changes something; a POST has a key by which it counts once."""
    headers = {} if content is None else {"Content-Type": content_type}
    if method == "POST":
        headers["Idempotency-Key"] = secrets.token_hex(16)
    return Request(
        method=method, path=path, parameters=parameters or {}, content=content, headers=headers
    )


@attrs.define
class Peer:
    """The server at the other end, and whether it has ever answered."""

    name: str
    answered: bool = False

    def hold(self, dialogue: Dialogue[Said]) -> Dialogue[Said]:
        """
        Hold *dialogue*: what this yields may fail with httpx's errors, and fails with ours.

        Raises:
            CigriError: A request was refused, or lost for good, and the dialogue did not mind it.
        """
        try:
            step = next(dialogue)
            while True:
                if isinstance(step, Pause):
                    yield step
                    step = next(dialogue)
                    continue
                try:
                    answer = yield from self._exchange(step)
                except errors.CigriError as error:
                    step = dialogue.throw(error)
                else:
                    step = dialogue.send(answer)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return] # it is what the dialogue returned

    def _exchange(self, request: Request) -> Dialogue[Answer]:
        """Return the good answer, sending a repeatable request again while none comes."""
        end = None
        pauses = iter(PAUSES)
        while True:
            try:
                answer: Answer = yield request
            except httpx.TransportError as error:
                lost = self._lost(request, error)
                if not (request.repeatable and self._may_return(error)):
                    raise lost from error
                end = end or time.monotonic() + request.patience
                if time.monotonic() >= end:
                    raise lost from error
            else:
                self.answered = True
                waits = answer.status == IN_PROGRESS and request.method == "POST"
                end = end or time.monotonic() + request.patience
                if not (waits and request.repeatable) or time.monotonic() >= end:
                    return _good(answer)
            yield Pause(next(pauses, PAUSES[-1]))

    def _may_return(self, error: httpx.TransportError) -> bool:
        """Tell whether a server that gave no answer is likely to be back soon."""
        if isinstance(error, httpx.ReadTimeout):
            return False  # it was given a long time already
        return self.answered or not isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)

    def _lost(self, request: Request, error: httpx.TransportError) -> errors.ServerUnreachable:
        what = str(error) or type(error).__name__
        if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
            lost = errors.ServerUnreachable(f"no server answers at {self.name}: {what}")
            attempt = trust.advice(error)
            return lost.trying(attempt) if attempt else lost
        if request.method == "GET":
            return errors.ServerUnreachable(f"{self.name} stopped answering: {what}")
        return errors.ServerUnreachable(
            f"the answer of {self.name} was lost ({what}): the request may have been carried out"
        )


def _good(answer: Answer) -> Answer:
    if answer.good:
        return answer
    raise error_of(answer)
