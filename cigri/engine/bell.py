"""Wakes the loops."""

import asyncio


class Bell:
    """Wakes one loop; what rings while the loop works is not lost."""

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self._soon: asyncio.TimerHandle | None = None

    def hasten(self, seconds: float) -> None:
        """Wake the loop after *seconds*, if nothing else does before."""
        loop = asyncio.get_running_loop()
        if self._soon is None or self._soon.cancelled() or self._soon.when() <= loop.time():
            self._soon = loop.call_later(seconds, self.ring)

    def ring(self) -> None:
        """Wake the loop now, or let its next pause end at once."""
        self._event.set()

    def still(self) -> None:
        """Forget earlier rings: what follows sees what they were about."""
        self._event.clear()
        if self._soon is not None:
            self._soon.cancel()

    async def wait(self, seconds: float) -> None:
        """Return when the bell rings, or after *seconds*."""
        try:
            async with asyncio.timeout(seconds):
                await self._event.wait()
        except TimeoutError:
            pass
