"""Whether the loops do their turns: what a look from outside wants to know first."""

import asyncio
from collections.abc import Awaitable, Callable

#: Seconds that a turn may take, or may be overdue, before something is wrong.
PATIENCE = 60.0

Cycle = Callable[[], Awaitable[float]]


class Turns:
    """When each loop began its turn or is due for the next, by a clock that nobody sets."""

    def __init__(self, took: Callable[[str, float], None] = lambda _loop, _seconds: None) -> None:
        #: Told of each turn that ended: the loop and the seconds.
        self._took = took
        #: By loop: since when it should have been done.
        self._due: dict[str, float] = {}

    def watched(self, loop: str, cycle: Cycle) -> Cycle:
        """Return *cycle*, which returns the seconds until the next, with an eye kept on it."""

        async def turn() -> float:
            began = self._due[loop] = _now()
            pause = await cycle()
            now = _now()
            self._due[loop] = now + pause
            self._took(loop, now - began)
            return pause

        return turn

    def late(self) -> list[str]:
        """Return the loops that should have ended a turn, or begun one, long ago."""
        latest = _now() - PATIENCE
        return sorted(loop for loop, due in self._due.items() if due < latest)


def _now() -> float:
    return asyncio.get_running_loop().time()
