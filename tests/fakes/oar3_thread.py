"""A played OAR 3 beside a test that waits for processes."""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from tests.fakes.oar3 import Oar3, playing

T = TypeVar("T")


class Played:
    """One in a thread of its own; what is done to it is done there."""

    def __init__(self, server: Oar3, loop: asyncio.AbstractEventLoop) -> None:
        self._server = server
        self._loop = loop
        self.url = server.url
        self.directory = server.cluster.directory

    def do(self, act: Callable[[Oar3], T]) -> T:
        """Return what *act* does with it."""

        async def there() -> T:
            return act(self._server)

        return asyncio.run_coroutine_threadsafe(there(), self._loop).result(30)


@contextlib.contextmanager
def playing_beside(directory: Path, **options: Any) -> Iterator[Played]:
    """Play one during a block."""
    ready, over = threading.Event(), asyncio.Event()
    found: list[Played] = []

    async def play() -> None:
        async with playing(directory, **options) as server:
            found.append(Played(server, asyncio.get_running_loop()))
            ready.set()
            await over.wait()

    thread = threading.Thread(target=lambda: asyncio.run(play()))
    thread.start()
    assert ready.wait(20)
    try:
        yield found[0]
    finally:
        found[0].do(lambda _: over.set())
        thread.join(30)
