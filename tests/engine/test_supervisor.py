"""The loops: how they pause, crash and stop, on an event loop whose time passes at once."""

import asyncio
import selectors
from collections.abc import Awaitable, Callable, Sequence

import pytest
from structlog.testing import capture_logs

from cigri.engine import supervisor
from cigri.engine.bell import Bell
from cigri.engine.supervisor import Loop


class _Jumping(selectors.DefaultSelector):
    """Instead of waiting, lets the time pass that was to be waited for."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready:
            assert timeout is not None, "everybody waits for nothing"
            self.now += timeout
        return ready


class JumpingLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now


class Turns(list[float]):
    """The moments at which a cycle began."""

    def begin(self) -> None:
        self.append(asyncio.get_running_loop().time())
        # Time stands still when a loop does not pause: end what would not end.
        if len(self) > 100:
            raise KeyboardInterrupt


def supervise(
    story: Callable[[asyncio.Event], Sequence[Loop]], stop_at: float = float("inf")
) -> float:
    """Run the loops that *story* makes until *stop_at*; return when the last one ended."""

    async def run() -> float:
        stop = asyncio.Event()
        if stop_at < float("inf"):
            asyncio.get_running_loop().call_at(stop_at, stop.set)
        await supervisor.run(story(stop), stop)
        return asyncio.get_running_loop().time()

    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        return runner.run(run())


def loop(cycle: Callable[[], Awaitable[float]], bell: Bell | None = None) -> Loop:
    return Loop(name="l", cycle=cycle, bell=bell or Bell())


def test_a_loop_pauses_as_long_as_its_cycle_says() -> None:
    turns = Turns()

    async def cycle() -> float:
        turns.begin()
        return [0.5, 3.0, 10.0, 30.0][len(turns) - 1]

    supervise(lambda _: [loop(cycle)], stop_at=20)

    assert turns == [0.0, 0.5, 3.5, 13.5]


def test_a_ring_ends_the_pause() -> None:
    turns = Turns()
    bell = Bell()

    async def cycle() -> float:
        turns.begin()
        asyncio.get_running_loop().call_later(2, bell.ring)
        return 30.0

    supervise(lambda _: [loop(cycle, bell)], stop_at=5)

    assert turns == [0.0, 2.0, 4.0]


def test_a_pause_can_be_shortened_and_the_first_to_ask_for_it_counts() -> None:
    turns = Turns()
    bell = Bell()

    async def cycle() -> float:
        turns.begin()
        bell.hasten(3)
        bell.hasten(2)
        return 30.0

    supervise(lambda _: [loop(cycle, bell)], stop_at=7)

    assert turns == [0.0, 3.0, 6.0]


def test_a_pause_that_ends_by_itself_is_not_followed_by_the_one_that_was_asked_for() -> None:
    turns = Turns()
    bell = Bell()

    async def cycle() -> float:
        turns.begin()
        if len(turns) == 1:
            bell.hasten(3)
            return 2.0
        return 30.0

    supervise(lambda _: [loop(cycle, bell)], stop_at=20)

    assert turns == [0.0, 2.0]


def test_a_ring_during_a_cycle_is_not_lost() -> None:
    turns = Turns()
    bell = Bell()

    async def cycle() -> float:
        turns.begin()
        if len(turns) == 1:
            # What it is about came too late for this cycle.
            bell.ring()
            await asyncio.sleep(1)
        return 30.0

    supervise(lambda _: [loop(cycle, bell)], stop_at=20)

    assert turns == [0.0, 1.0]


def test_rings_before_a_cycle_are_one() -> None:
    turns = Turns()
    bell = Bell()
    bell.ring()
    bell.ring()

    async def cycle() -> float:
        turns.begin()
        return 30.0

    supervise(lambda _: [loop(cycle, bell)], stop_at=20)

    assert turns == [0.0]


@pytest.mark.parametrize("ringing", [False, True])
def test_a_crashing_loop_backs_off_and_its_fifth_crash_in_a_row_stops_everything(
    *, ringing: bool
) -> None:
    crashes, cancelled = Turns(), Turns()
    bell = Bell()

    async def crash() -> float:
        crashes.begin()
        if ringing:
            bell.ring()
        raise ZeroDivisionError

    async def wait() -> float:
        try:
            await asyncio.sleep(1e6)
        finally:
            cancelled.begin()
        return 1.0

    with capture_logs() as logs, pytest.raises(ExceptionGroup) as stopped:
        supervise(lambda _: [loop(crash, bell), loop(wait)])

    assert crashes == [0.0, 2.0, 6.0, 14.0, 30.0]
    assert cancelled == [30.0]
    assert stopped.value.subgroup(ZeroDivisionError) is not None
    assert [(entry["event"], entry["crashes"]) for entry in logs] == [
        ("loop.crashed", n) for n in range(1, 6)
    ]


def test_a_cycle_that_works_forgives_the_crashes_before() -> None:
    turns = Turns()

    async def cycle() -> float:
        turns.begin()
        if len(turns) % 5:
            raise ZeroDivisionError
        return 1.0

    with capture_logs():
        supervise(lambda _: [loop(cycle)], stop_at=100)

    # Four pauses of 2 to 16 s after crashes, one of 1 s after the cycle that worked.
    assert turns[:6] == [0.0, 2.0, 6.0, 14.0, 30.0, 31.0]
    assert len(turns) > 12


def test_a_loop_that_pauses_stops_at_once() -> None:
    async def cycle() -> float:
        return 1e6

    assert supervise(lambda _: [loop(cycle), loop(cycle)], stop_at=7) == 7


def test_a_loop_that_backs_off_stops_at_once() -> None:
    async def cycle() -> float:
        raise ZeroDivisionError

    with capture_logs():
        # In the pause from 6 to 14.
        assert supervise(lambda _: [loop(cycle)], stop_at=7) == 7


def test_a_cycle_that_is_nearly_done_may_finish() -> None:
    done = Turns()

    async def cycle() -> float:
        await asyncio.sleep(7.5)
        done.begin()
        return 1.0

    assert supervise(lambda _: [loop(cycle)], stop_at=7) == 7.5
    assert done == [7.5]


def test_a_cycle_that_hangs_ends_with_the_grace() -> None:
    async def cycle() -> float:
        await asyncio.sleep(1e6)
        return 1.0

    assert supervise(lambda _: [loop(cycle), loop(cycle)], stop_at=7) == 7 + supervisor.GRACE


def test_no_cycle_begins_once_it_shall_stop() -> None:
    turns = Turns()

    def story(stop: asyncio.Event) -> list[Loop]:
        async def cycle() -> float:
            turns.begin()
            stop.set()
            return 0.0

        return [loop(cycle)]

    supervise(story)

    assert turns == [0.0]
