"""Whether the parts of the server do their work."""

import asyncio
import sqlite3

import structlog

from cigri.engine.runtime import Runtime
from cigri.errors import StorageFull
from cigri.store import news
from cigri.store.changes import Written

log = structlog.get_logger()

#: Seconds for which a transaction that went well says that the next one will.
TRUST = 30.0
#: Seconds between two trials at most, whoever asks, and that one may take.
TRIALS = 5.0


class Vitals:
    """Looks at the loops and the database; what is asked often costs nothing."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._wrote_at = -TRUST
        self._tried_at = -TRIALS
        self._trying = asyncio.Lock()
        runtime.database.observe(self._note)

    def _note(self, written: Written) -> None:
        if written.done:
            self._wrote_at = _now()

    def late_loops(self) -> list[str]:
        """Return the loops that do not take their turns."""
        return self._runtime.turns.late()

    async def can_write(self) -> bool:
        """Return whether the database was written lately; if nobody did, try."""
        async with self._trying:
            if _now() - self._wrote_at < TRUST:
                return True
            if _now() - self._tried_at >= TRIALS:
                self._tried_at = _now()
                await self._try()
            return _now() - self._wrote_at < TRUST

    async def _try(self) -> None:
        try:
            async with asyncio.timeout(TRIALS), self._runtime.database.write() as tx:
                await news.touch(tx)
        except (TimeoutError, StorageFull, sqlite3.Error) as error:
            log.warning("database.not_writable", reason=str(error) or "no answer in time")


def _now() -> float:
    return asyncio.get_running_loop().time()
