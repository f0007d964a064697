"""What clients that listen cost a server while tasks end: the same run with and without them."""

import asyncio
import json
import multiprocessing
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection as Pipe
from pathlib import Path

import attrs

from cigri.bench.processes import tree_cpu
from cigri.bench.rivals import found
from cigri.bench.server import OwnServer, own_server
from cigri.bench.tables import goal, table

#: Slots and the seconds that a task sleeps: together they make the rate.
SLOTS = 64
_fresh = multiprocessing.get_context("spawn")


@attrs.frozen(kw_only=True)
class Window:
    """What was seen for some seconds."""

    listeners: int
    seconds: float
    #: Tasks that ended.
    ended: int
    #: CPU seconds of the server, its workers apart.
    cpu: float
    #: Messages that all listeners together received.
    messages: int

    @property
    def rate(self) -> float:
        """Return how many tasks ended in a second."""
        return self.ended / self.seconds

    @property
    def load(self) -> float:
        """Return which part of a core the server used."""
        return self.cpu / self.seconds


def main(*, listeners: int, rate: float, seconds: float, rounds: int) -> None:
    """Let tasks end at about *rate* a second, with and without *listeners* in turn."""
    windows = []
    with (
        tempfile.TemporaryDirectory(prefix="cigri-bench-") as name,
        own_server(Path(name) / "server", slots=SLOTS, nice=0) as server,
    ):
        campaign = _submit(server, rate, seconds * (2 * rounds + 2))
        time.sleep(min(3.0, seconds))  # until the first tasks have ended
        for _ in range(rounds):
            windows.append(_window(server, campaign, seconds, listeners=0))
            with _listening(server, campaign, listeners) as heard:
                windows.append(_window(server, campaign, seconds, listeners=listeners))
            windows[-1] = attrs.evolve(windows[-1], messages=sum(heard))
    _report(windows, rate)


def _submit(server: OwnServer, rate: float, seconds: float) -> int:
    jdl = {
        "name": "streams",
        "clusters": {"local": {"exec_file": found("sleep")}},
        # A tenth less than it takes, for what starting a task costs.
        "params": [f"{SLOTS / rate * 0.9:.4f}"] * round(rate * seconds * 2),
    }
    answer = server.connect().ask("POST", "/campaigns", json.dumps(jdl).encode())
    return int(answer["id"])


def _window(server: OwnServer, campaign: int, seconds: float, *, listeners: int) -> Window:
    began, ended, cpu = time.perf_counter(), _ended(server, campaign), tree_cpu([server.pid])
    time.sleep(seconds)
    return Window(
        listeners=listeners,
        ended=_ended(server, campaign) - ended,
        cpu=tree_cpu([server.pid]) - cpu,
        seconds=time.perf_counter() - began,
        messages=0,
    )


def _ended(server: OwnServer, campaign: int) -> int:
    counts = server.connect().ask("GET", f"/campaigns/{campaign}")["counts"]
    return int(counts["terminated"] + counts["failed"])


@contextmanager
def _listening(server: OwnServer, campaign: int, listeners: int) -> Iterator[list[int]]:
    """Let *listeners* in a process of their own follow *campaign* while the block runs."""
    ours, theirs = _fresh.Pipe()
    process = _fresh.Process(
        target=_listen, args=(theirs, server.socket, campaign, listeners), daemon=True
    )
    process.start()
    ours.recv()
    heard: list[int] = []
    try:
        yield heard
    finally:
        ours.send("stop")
        heard += ours.recv()
        process.join()


def _listen(pipe: Pipe, socket: Path, campaign: int, listeners: int) -> None:
    pipe.send(asyncio.run(_all(pipe, socket, campaign, listeners)))


async def _all(pipe: Pipe, socket: Path, campaign: int, listeners: int) -> list[int]:
    heard = [0] * listeners
    ready = asyncio.Barrier(listeners + 1)
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(_one(socket, campaign, heard, number, ready))
            for number in range(listeners)
        ]
        await ready.wait()
        pipe.send("ready")
        await asyncio.to_thread(pipe.recv)
        for task in tasks:
            task.cancel()
    return heard


async def _one(
    socket: Path, campaign: int, heard: list[int], number: int, ready: asyncio.Barrier
) -> None:
    reader, writer = await asyncio.open_unix_connection(socket)
    writer.write(f"GET /campaigns/{campaign}/stream HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    head = await reader.readuntil(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(head.decode())
    await ready.wait()
    try:
        while data := await reader.read(65536):
            heard[number] += data.count(b"event: ")
    finally:
        writer.close()


def _report(windows: Sequence[Window], rate: float) -> None:
    heading = ["listeners", "tasks/s", "server, % of a core", "messages/s"]
    rows = [
        [
            str(each.listeners),
            f"{each.rate:.0f}",
            f"{each.load:.1%}",
            f"{each.messages / each.seconds:.0f}",
        ]
        for each in windows
    ]
    print(table(heading, rows))
    without = [each for each in windows if not each.listeners]
    listened = [each for each in windows if each.listeners]
    added = _mean([each.load for each in listened]) - _mean([each.load for each in without])
    print()
    print(goal("tasks/s in all windows", min(each.rate for each in windows), least=rate * 0.9))
    print(goal(f"{windows[-1].listeners} listeners, % of a core", added * 100, most=10))


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
