"""Reads the journal that a worker writes (its format is in `worker.py`).

A journal belongs to the user who runs the tasks: whatever it says, it can only speak of the tasks
of its own job, which the caller checks.
"""

import errno
import math
from collections.abc import Collection, Mapping
from typing import NamedTuple

import attrs

from cigri.clusters.driver import JobReport, Output, RemoteState
from cigri.domain.model import TaskNumber
from cigri.domain.verdict import Ending, TaskEnd

#: How a group is over, by the reason that the worker gives.
_OVER = {
    "done": RemoteState.ENDED,
    "withdrawn": RemoteState.ENDED,
    "refused": RemoteState.ENDED,
    "killed": RemoteState.KILLED,
    "lost": RemoteState.LOST,
}
#: Failures to start that say nothing of the other tasks of a group.
_OWN_FAULTS = frozenset({errno.E2BIG, errno.EINVAL})
#: What the kernel takes as a place in a file.
_LARGEST_FILE = 2**63 - 1
_ENDINGS = {"-": Ending.EXITED, "walltime": Ending.WALLTIME, "killed": Ending.KILLED}


@attrs.frozen(kw_only=True)
class News:
    """What a journal says beyond a point."""

    ended: list[TaskEnd]
    running: Mapping[int, float]
    #: How the group is over, `None` while it is not.
    over: RemoteState | None
    begun: bool
    #: Up to where the journal was read: always the end of a line.
    read_to: int

    def report(self) -> JobReport:
        """Return the news as a driver tells them."""
        live = RemoteState.RUNNING if self.begun else RemoteState.WAITING
        state = self.over or live
        return JobReport(state=state, ended=self.ended, running=self.running, read_to=self.read_to)


def read(text: bytes, running: Mapping[int, float], read_to: int) -> News:
    """
    Return what *text*, the journal from byte *read_to* on, adds to the *running* tasks.

    Lines that make no sense are passed over: a user can only harm their own tasks.
    """
    whole = text[: text.rfind(b"\n") + 1]
    reader = _Reader(dict(running))
    for line in whole.decode("utf-8", "replace").split("\n"):
        reader.take(line)
    return News(
        ended=reader.ended,
        running=reader.running,
        over=reader.over,
        begun=read_to + len(whole) > 0,
        read_to=read_to + len(whole),
    )


#: Stands for the start of a task whose line is not in the tail of a journal.
_BEFORE = -1.0


def read_tail(text: bytes, running: Mapping[int, float], expected: Collection[int]) -> News:
    """
    Return what the last lines of a journal say of the *expected* tasks, read before or not.

    Lines about others are settled already.  A start that is not in *text* was in an earlier one.
    """
    mine = frozenset(expected)
    known = {task: running.get(task, _BEFORE) for task in mine}
    news = read(text, known, 0)
    started = {
        task: start for task, start in news.running.items() if task in mine and start != _BEFORE
    }
    ended = [end for end in news.ended if end.task in mine]
    return attrs.evolve(news, ended=ended, running=started)


class _Reader:
    def __init__(self, running: dict[int, float]) -> None:
        self.ended: list[TaskEnd] = []
        self.running = running
        self.over: RemoteState | None = None

    def take(self, line: str) -> None:
        fields = line.split(" ")
        try:
            match fields[0]:
                case "E":
                    self._ended(fields)
                case "S":
                    self.running[int(fields[1])] = _instant(fields[4])
                case "N":
                    self._not_started(fields)
                case "X":
                    self.over = _OVER.get(fields[2], RemoteState.LOST)
                case _:
                    pass
        except (ValueError, IndexError, KeyError):
            return

    def _ended(self, fields: list[str]) -> None:
        end = TaskEnd(
            TaskNumber(int(fields[1])),
            _ENDINGS[fields[5]],
            int(fields[4]),
            _instant(fields[6]),
            _instant(fields[7]),
        )
        # An end without its start is not a worker's doing.
        del self.running[end.task]
        self.ended.append(end)

    def _not_started(self, fields: list[str]) -> None:
        task, number = int(fields[1]), int(fields[3])
        start = self.running.pop(task)
        ending = Ending.UNUSABLE if number in _OWN_FAULTS else Ending.NOT_STARTED
        message = " ".join(fields[4:])
        self.ended.append(TaskEnd(TaskNumber(task), ending, None, start, start, message))


def _instant(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value


class Extent(NamedTuple):
    """Where in the packed files of a slot a task's output lies; no end while it runs."""

    slot: int
    out: tuple[int, int | None]
    err: tuple[int, int | None]


def extents(text: bytes, tasks: Collection[int]) -> Mapping[int, Extent]:
    """Return where the output of the last attempt at each of *tasks* lies, where it has one."""
    reader = _Extents(tasks)
    for line in text.decode("utf-8", "replace").split("\n"):
        try:
            reader.take(line.split(" "))
        except (ValueError, IndexError):
            continue
    return reader.found


class _Extents:
    def __init__(self, tasks: Collection[int]) -> None:
        self._wanted = {str(task): task for task in tasks}
        self.found: dict[int, Extent] = {}
        #: The task of each slot that has started and not ended.
        self._open: dict[int, int] = {}

    def take(self, fields: list[str]) -> None:
        kind, task = fields[0], self._wanted.get(fields[1]) if fields[1:] else None
        if kind == "S":
            slot, out, err = int(fields[3]), int(fields[5]), int(fields[6])
            self._close(slot, out, err)
            if task is not None:
                self.found[task] = Extent(slot, (out, None), (err, None))
                self._open[slot] = task
        elif kind == "E" and task is not None:
            slot = int(fields[3])
            begin, end, err, err_end = (int(field) for field in fields[8:12])
            self.found[task] = Extent(slot, (begin, end), (err, err_end))
            self._open.pop(slot, None)
        elif kind == "N" and task in self.found:
            known = self.found[task]
            begins = (known.out[0], known.out[0]), (known.err[0], known.err[0])
            self.found[task] = Extent(known.slot, *begins)
            self._open.pop(known.slot, None)

    def _close(self, slot: int, out: int, err: int) -> None:
        """End what was lost, or never began: what follows in its slot is another task's."""
        before = self._open.pop(slot, None)
        known = None if before is None else self.found[before]
        if before is not None and known is not None and known.slot == slot:
            self.found[before] = Extent(slot, (known.out[0], out), (known.err[0], err))


def length(text: bytes, slot: int, stream: Output) -> int | None:
    """Return how long a packed file of *slot* is; `None` while a task may write to it."""
    place = 9 if stream is Output.OUT else 11
    known: int | None = None
    for line in text.decode("utf-8", "replace").split("\n"):
        fields = line.split(" ")
        try:
            if fields[0] in {"S", "E"} and int(fields[3]) == slot:
                known = int(fields[place]) if fields[0] == "E" else None
        except (ValueError, IndexError):
            continue
    return known
