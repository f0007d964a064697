"""Who may keep a request open: everybody, but nobody a thousand."""

import asyncio
import contextlib
from collections.abc import Iterator
from typing import Any

import attrs
from aiohttp import hdrs, web

#: Requests that one user may keep open, and all of them together.
MOST_OF_USER = 128
MOST = 1024

#: Seconds after which to try again.
_RETRY_AFTER = {hdrs.RETRY_AFTER: "10"}


@attrs.frozen(eq=False)
class _Seat:
    """A request that is kept open, and what answers it."""

    user: str
    request: web.Request | None
    task: asyncio.Task[Any] | None

    @property
    def is_left(self) -> bool:
        """Return whether its client is gone, which otherwise only the next answer to it finds."""
        return self.request is not None and self.request.transport is None


class Seats:
    """Counts the requests that are kept open."""

    def __init__(self, of_user: int = MOST_OF_USER, of_all: int = MOST) -> None:
        self._of_user = of_user
        self._of_all = of_all
        self._taken: set[_Seat] = set()

    @property
    def count(self) -> int:
        """Return how many are open."""
        return len(self._taken)

    @contextlib.contextmanager
    def taken(self, user: str, request: web.Request | None = None) -> Iterator[None]:
        """
        Keep a request of *user* open during the block; it is cancelled once nobody waits for it.

        Raises:
            HTTPTooManyRequests: The user has too many.
            HTTPServiceUnavailable: All together have.
        """
        if self._of(user) >= self._of_user or self.count >= self._of_all:
            self._clear()
        if self._of(user) >= self._of_user:
            raise web.HTTPTooManyRequests(
                text=f"{user} keeps {self._of_user} streams and waiting requests open:"
                " close one first, or read /stream, which tells of all campaigns",
                headers=_RETRY_AFTER,
            )
        if self.count >= self._of_all:
            raise web.HTTPServiceUnavailable(
                text=f"{self._of_all} streams and waiting requests are open: try again later",
                headers=_RETRY_AFTER,
            )
        seat = _Seat(user, request, None if request is None else asyncio.current_task())
        self._taken.add(seat)
        try:
            yield
        finally:
            self._taken.discard(seat)

    def _of(self, user: str) -> int:
        return sum(seat.user == user for seat in self._taken)

    def _clear(self) -> None:
        """Free the seats whose clients are gone."""
        left = [seat for seat in self._taken if seat.is_left]
        self._taken.difference_update(left)
        for seat in left:
            if seat.task is not None:
                seat.task.cancel()


SEATS = web.AppKey("SEATS", Seats)
