"""Runs the loops until told to stop."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator, Sequence

import attrs
import structlog

from cigri.engine.bell import Bell

log = structlog.get_logger()

#: Crashes in a row after which a loop gives up, and the whole process with it.
PATIENCE = 5
#: Seconds that a cycle may take to end when the service stops.
GRACE = 1.0
#: Seconds after which a cycle that has not ended never will: requests to clusters give up long
#: before.
STUCK = 600.0


@attrs.frozen(kw_only=True)
class Loop:
    """A cycle to run again and again."""

    name: str
    #: Does one turn and returns the seconds until the next one.
    cycle: Callable[[], Awaitable[float]]
    bell: Bell


class Pulse:
    """Since when the loops are at their present cycles: whether they all turn."""

    def __init__(self) -> None:
        self._busy: dict[object, float] = {}

    def turns(self) -> bool:
        """Return whether no loop has been at one cycle for longer than any cycle takes."""
        now = asyncio.get_running_loop().time()
        return all(now - since < STUCK for since in self._busy.values())

    @contextlib.contextmanager
    def cycle(self) -> Iterator[None]:
        """Note that a loop is at a cycle for as long as the block runs."""
        this = object()
        self._busy[this] = asyncio.get_running_loop().time()
        try:
            yield
        finally:
            del self._busy[this]


async def run(loops: Sequence[Loop], stop: asyncio.Event, pulse: Pulse | None = None) -> None:
    """
    Run *loops* until *stop* is set; *pulse* can tell meanwhile whether they turn.

    A cluster that is down is no crash: cycles turn it into a hold.  What arrives here is a bug.

    Raises:
        ExceptionGroup: A loop crashed too often in a row; the others were cancelled.
    """
    async with asyncio.TaskGroup() as group:
        noted = pulse or Pulse()
        tasks = [group.create_task(_repeat(loop, stop, noted), name=loop.name) for loop in loops]
        stopped = group.create_task(stop.wait())
        await stopped
        for loop in loops:
            loop.bell.ring()
        _, late = await asyncio.wait(tasks, timeout=GRACE)
        # Safe at any point: what a cycle left half done is settled at the next start.
        for task in late:
            task.cancel()


async def _repeat(loop: Loop, stop: asyncio.Event, pulse: Pulse) -> None:
    crashes = 0
    while not stop.is_set():
        loop.bell.still()  # before the cycle: a ring during it must not be lost
        try:
            with pulse.cycle():
                pause = await loop.cycle()
        except Exception:
            crashes += 1
            log.exception("loop.crashed", loop=loop.name, crashes=crashes)
            if crashes >= PATIENCE:
                raise
            # No bell shortens it: what rings often would use up the patience at once.
            await _set_within(stop, 2.0**crashes)
        else:
            crashes = 0
            await loop.bell.wait(pause)


async def _set_within(event: asyncio.Event, seconds: float) -> None:
    """Return when *event* is set, or after *seconds*."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
