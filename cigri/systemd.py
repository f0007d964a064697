"""What a service tells systemd of itself: that it is ready, alive, or about to end (sd_notify(3)).

Without systemd, nobody is told.
"""

import asyncio
import contextlib
import socket
from collections.abc import Callable, MutableMapping
from typing import Self

import attrs

#: What systemd sets.
ADDRESS, PERIOD, WATCHED = "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"
#: A word to the watchdog is sent so often within the time that it grants.
WORDS_A_PERIOD = 3


@attrs.frozen(kw_only=True)
class Notifier:
    """Speaks to whoever started this process, if they listen."""

    #: The address of a datagram socket; `None` where nobody listens.
    address: bytes | None = None
    #: Seconds without a word after which the service is taken for dead, if anybody minds.
    period: float | None = None

    @classmethod
    def of(cls, environ: MutableMapping[str, str], pid: int) -> Self:
        """
        Return the notifier that *environ* describes for the process *pid*.

        What describes it is taken out: no process that is started later may speak in our name.
        """
        address, period, watched = (environ.pop(name, "") for name in (ADDRESS, PERIOD, WATCHED))
        if not address.startswith(("/", "@")):
            return cls()
        ours = watched in {"", str(pid)} and period.isascii() and period.isdigit()
        if address[0] == "@":  # stands for the zero byte of an abstract name: unix(7)
            address = "\0" + address[1:]
        return cls(
            address=address.encode(),
            period=int(period) / 1e6 if ours and int(period) else None,
        )

    def tell(self, *words: str) -> None:
        """Send *words*, if only to nobody: a service does not fail for want of a listener."""
        if self.address is None:
            return
        with (
            contextlib.suppress(OSError),
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as out,
        ):
            # A manager that does not read must not keep us from working.
            out.setblocking(False)
            out.sendto("\n".join(words).encode(), self.address)

    async def accompany(self, turns: Callable[[], bool], stop: asyncio.Event) -> None:
        """
        Say that the service is ready, keep its watchdog quiet while it *turns*, until *stop*.

        Once it does not turn any more, nothing more is said and the watchdog does what it is for.
        """
        self.tell("READY=1")
        pause = None if self.period is None else self.period / WORDS_A_PERIOD
        while not stop.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await stop.wait()
            if not stop.is_set() and turns():
                self.tell("WATCHDOG=1")
        self.tell("STOPPING=1")
