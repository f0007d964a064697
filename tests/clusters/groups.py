"""What a worker sees of a server: groups laid before it, orders and pokes."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import attrs

from cigri.clusters import worker

T = TypeVar("T")
Worker = subprocess.Popen[bytes]

#: Seconds that anything may take before a test gives it up.
PATIENCE = 20.0

#: What a task runs, in a shell in its home, to wait for the test.
AT_GATE = "until [ -e open ]; do sleep 0.01; done"

HEADER = {
    "version": 1,
    "campaign": 12,
    "user": "ann",
    "directory": "$HOME",
    "walltime": 3600.0,
    "walltime_text": "01:00:00",
    "cores": 1,
    "resources": "1",
    "name": "visc",
    "env": {},
}


def until(condition: Callable[[], T], what: str = "the condition") -> T:
    """Return what *condition* does once that is true."""
    deadline = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < deadline, f"{what} did not come true in {PATIENCE:.0f} s"
        time.sleep(0.005)
    return found


@attrs.frozen
class End:
    """An E line of a journal."""

    slot: int
    status: int
    flag: str
    start: float
    end: float
    out: tuple[int, int]
    err: tuple[int, int]


@attrs.frozen
class Group:
    """A group's directory as the server sees it."""

    path: Path

    def lines(self, kinds: str = "BSENX") -> list[list[str]]:
        try:
            text = (self.path / "journal").read_text("utf-8")
        except FileNotFoundError:
            return []
        return [line.split(" ") for line in text.splitlines() if line[0] in kinds]

    def started(self) -> list[int]:
        return [int(fields[1]) for fields in self.lines("S")]

    def ends(self) -> dict[int, End]:
        found = {}
        for _, task, _, slot, status, flag, start, end, *spans in self.lines("E"):
            assert int(task) not in found
            out, out_end, err, err_end = map(int, spans)
            times = float(start), float(end)
            found[int(task)] = End(
                int(slot), int(status), flag, *times, (out, out_end), (err, err_end)
            )
        return found

    def refusals(self) -> dict[int, tuple[int, str]]:
        return {int(line[1]): (int(line[3]), " ".join(line[4:])) for line in self.lines("N")}

    def over(self) -> str | None:
        reasons = [line[2] for line in self.lines("X")]
        assert len(reasons) <= 1
        return reasons[0] if reasons else None

    def output(self, task: int = 0, stream: str = "out") -> str:
        end = self.ends()[task]
        begin, stop = end.out if stream == "out" else end.err
        return (self.path / f"{stream}.{end.slot}").read_bytes()[begin:stop].decode()

    def stop(self, order: str) -> None:
        hidden = self.path / ".stop"
        hidden.write_text(order)
        hidden.rename(self.path / "stop")


@attrs.define
class Site:
    """A worker's directory, its home, and the workers that the test started there."""

    root: Path
    home: Path
    #: Where the workers complain.
    log: Path
    workers: list[Worker] = attrs.Factory(list)

    def lay(self, tasks: list[Any] | int, name: str = "g1", **header: Any) -> Group:
        """Lay a group before the worker: parameters, or how many tasks."""
        parameters = [str(i) for i in range(tasks)] if isinstance(tasks, int) else tasks
        lines = [[i, 1, 100 + i, parameter] for i, parameter in enumerate(parameters)]
        head = {**HEADER, "token": f"{self.root}/{name}", "command": "true", **header}
        hidden = self.root / "groups" / f".{name}"
        hidden.mkdir(parents=True)
        (hidden / worker.TASKS).write_text(
            "".join(f"{json.dumps(line)}\n" for line in [head, *lines])
        )
        return Group(hidden.rename(hidden.with_name(name)))

    def start(
        self, slots: int = 2, idle: float = 60.0, descriptors: int = 1000, **env: str
    ) -> Worker:
        """Start a worker that lives until the test ends."""
        options = [str(self.root), "--slots", str(slots), "--idle", str(idle)]
        with self.log.open("a") as log:
            process = subprocess.Popen(
                [
                    "sh",
                    "-c",
                    f'ulimit -n {descriptors}; exec "$@"',
                    "sh",
                    sys.executable,
                    "-I",
                    "-S",
                    worker.__file__,
                    *options,
                ],
                env={**os.environ, "HOME": str(self.home), **env},
                stdin=subprocess.DEVNULL,
                stderr=log,
                start_new_session=True,
            )
        self.workers.append(process)
        return process

    def run(self, slots: int = 2, **env: str) -> None:
        """Run a worker until it has nothing left to do."""
        process = self.start(slots, idle=0, **env)
        assert process.wait(PATIENCE) == 0, self.log.read_text()

    def started(self, slots: int = 2) -> Worker:
        """Start a worker and wait until it can be poked."""
        process = self.start(slots)
        until(lambda: self.holder() == process.pid, "the lock")
        return process

    def open_gate(self) -> None:
        """Let the tasks go on that wait `AT_GATE`."""
        (self.home / "open").touch()

    def holder(self) -> int:
        try:
            return int((self.root / worker.LOCK).read_text().split()[0])
        except (FileNotFoundError, IndexError):
            return 0

    def close(self) -> None:
        """End the workers, which shall have had nothing to complain of."""
        for process in self.workers:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            process.wait(PATIENCE)
        assert self.log.read_text() == ""


def poke(process: Worker) -> None:
    process.send_signal(signal.SIGUSR1)


def alive(pid: int) -> bool:
    """Return whether a process runs; one that ended and waits for its parent does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"
