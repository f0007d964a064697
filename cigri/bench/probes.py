"""Clients in processes of their own that write down how long a server lets them wait."""

import asyncio
import multiprocessing
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection as Pipe
from multiprocessing.synchronize import Event
from pathlib import Path

import attrs

from cigri.bench.server import Connection

#: Processes of their own, so that no probe waits for the interpreter lock of another client.
_fresh = multiprocessing.get_context("spawn")


@attrs.define
class Waits:
    """How long answers took, in seconds; empty while the probe runs."""

    seconds: list[float] = attrs.field(factory=list)

    @property
    def p99_ms(self) -> float:
        """Return the milliseconds that one request in a hundred waited longer than."""
        ordered = sorted(self.seconds)
        return ordered[int(len(ordered) * 0.99)] * 1e3

    @property
    def longest_ms(self) -> float:
        """Return the milliseconds of the slowest answer."""
        return max(self.seconds) * 1e3


@attrs.frozen(kw_only=True)
class Crowd:
    """Clients that read pages."""

    paths: tuple[str, ...]
    clients: int
    #: Seconds between an answer and the next request of the same client.
    pause: float
    seed: int = 0


@contextmanager
def heartbeat(socket: Path) -> Iterator[Waits]:
    """
    Ask for `/` every millisecond while the block runs.

    The longest wait is at least the longest time that the server's event loop stood still.
    """
    with _probing(_beat, socket) as waits:
        yield waits


@contextmanager
def readers(socket: Path, paths: Sequence[str], *, clients: int, pause: float) -> Iterator[Waits]:
    """Let *clients* ask for *paths* at random, each *pause* seconds after its last answer."""
    crowd = Crowd(paths=tuple(paths), clients=clients, pause=pause)
    with _probing(_read, socket, crowd) as waits:
        yield waits


@contextmanager
def _probing(work: Callable[..., None], socket: Path, *arguments: object) -> Iterator[Waits]:
    ours, theirs = _fresh.Pipe(duplex=False)
    stop = _fresh.Event()
    process = _fresh.Process(target=work, args=(stop, theirs, socket, *arguments), daemon=True)
    process.start()
    theirs.close()
    ours.recv()  # the first answer has come: the probe is at work
    waits = Waits()
    try:
        yield waits
    finally:
        stop.set()
        waits.seconds = ours.recv()
        process.join()


def _beat(stop: Event, pipe: Pipe, socket: Path) -> None:
    connection = Connection(socket)
    connection.ask("GET", "/")
    pipe.send("ready")
    waits = []
    while not stop.is_set():
        began = time.perf_counter()
        connection.ask("GET", "/")
        waits.append(time.perf_counter() - began)
        time.sleep(0.001)
    pipe.send(waits)


def _read(stop: Event, pipe: Pipe, socket: Path, crowd: Crowd) -> None:
    Connection(socket).ask("GET", crowd.paths[0])
    pipe.send("ready")
    pipe.send(asyncio.run(_read_all(stop, socket, crowd)))


async def _read_all(stop: Event, socket: Path, crowd: Crowd) -> list[float]:
    waits: list[float] = []
    async with asyncio.TaskGroup() as group:
        for client in range(crowd.clients):
            group.create_task(_client(stop, socket, attrs.evolve(crowd, seed=client), waits))
    return waits


async def _client(stop: Event, socket: Path, crowd: Crowd, waits: list[float]) -> None:
    chosen = random.Random(crowd.seed)  # noqa: S311 # no secret
    reader, writer = await asyncio.open_unix_connection(socket)
    while not stop.is_set():
        began = time.perf_counter()
        path = chosen.choice(crowd.paths)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(_length(head))
        waits.append(time.perf_counter() - began)
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(head.decode())
        if crowd.pause:
            await asyncio.sleep(crowd.pause)
    writer.close()


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    raise RuntimeError(f"no Content-Length in {head!r}")
