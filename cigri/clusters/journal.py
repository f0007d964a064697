"""Reads the journal that a worker writes (its format is in `worker.py`).

A journal belongs to the user who runs the tasks: whatever it says, it can only speak of the tasks
of its own job, which the caller checks.
"""

import errno
import math
from collections.abc import Mapping
from typing import NamedTuple

import attrs

from cigri.clusters.driver import JobReport, RemoteState
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


def extent(text: bytes, task: TaskNumber) -> Extent | None:
    """Return where the output of the last attempt at *task* lies, `None` if it has none."""
    found = None
    for line in text.decode("utf-8", "replace").split("\n"):
        fields = line.split(" ")
        try:
            found = _next_extent(found, fields, mine=fields[1:2] == [str(task)])
        except (ValueError, IndexError):
            continue
    return found


def _next_extent(known: Extent | None, fields: list[str], *, mine: bool) -> Extent | None:
    match fields[0]:
        case "S" if mine:
            return Extent(int(fields[3]), (int(fields[5]), None), (int(fields[6]), None))
        case "S" if known and known.slot == int(fields[3]) and known.out[1] is None:
            # It was lost, or never began: what follows in the slot is another task's.
            out, err = (known.out[0], int(fields[5])), (known.err[0], int(fields[6]))
            return Extent(known.slot, out, err)
        case "E" if mine:
            out_begin, out_end, err_begin, err_end = (int(field) for field in fields[8:12])
            return Extent(int(fields[3]), (out_begin, out_end), (err_begin, err_end))
        case "N" if mine and known:
            return Extent(known.slot, (known.out[0], known.out[0]), (known.err[0], known.err[0]))
        case _:
            return known
