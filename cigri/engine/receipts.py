"""Answers that are recorded together with what they tell of.

A client whose connection broke sends its request again.  Were the answer recorded after the
campaign, a crash between the two would let the second request submit the campaign twice.
"""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from cigri.engine.runtime import Runtime
from cigri.store import replies
from cigri.store.database import Connection
from cigri.store.replies import Reply

_Outcome = TypeVar("_Outcome")

#: Runs inside the transaction that makes the outcome of a request visible, with that outcome as
#: its transaction sees it.  What it raises undoes the transaction.
Receipt = Callable[[Connection, _Outcome], Awaitable[None]]


class Receipts:
    """The answers of the last day to requests that may come again."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    async def find(self, user: str, key: str) -> Reply | None:
        """Return how the request of *user* under *key* was answered, `None` if it was not yet."""
        async with self._runtime.database.read() as db:
            return await replies.find(db, user, key, self._runtime.now())

    async def keep(self, user: str, key: str, reply: Reply) -> None:
        """Keep *reply* for whoever sends the request again."""
        async with self._runtime.database.write() as tx:
            await replies.put(tx, user, key, reply, self._runtime.now())

    def receipt(
        self, user: str, key: str, answer: Callable[[_Outcome], Reply]
    ) -> Receipt[_Outcome]:
        """Return what keeps the *answer* to an outcome in the transaction of that outcome."""

        async def sign(tx: Connection, outcome: _Outcome) -> None:
            await replies.put(tx, user, key, answer(outcome), self._runtime.now())

        return sign
