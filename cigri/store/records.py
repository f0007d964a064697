"""What became of 1,000 tasks, as columns that compress well.

One row a task would cost 90 to 150 bytes of disk; this costs about 2.
"""

import zlib
from array import array
from collections.abc import Iterable
from itertools import accumulate
from operator import sub
from typing import NamedTuple, Self

from cigri.domain.model import CampaignId, TaskState
from cigri.errors import Damaged

CHUNK = 1_000

#: What the columns take of what clusters tell: exit statuses as of a program or minus a signal,
#: instants up to the year 9999, the last that calendars know, and attempts.
EXIT_STATUSES = (-64, 255)
LAST_INSTANT = 253_402_300_799.0
MOST_ATTEMPTS = 65_535
#: What the column `exit_status` holds of a task whose program never ended by itself.
NO_STATUS = -32_768

#: Codes of the `state` column.  `UNTOUCHED`: no attempt at the task has ended.
UNTOUCHED, BACK_IN_BAG, SUCCEEDED, FAILED, CANCELLED = range(5)

STATES = {
    UNTOUCHED: TaskState.PENDING,
    BACK_IN_BAG: TaskState.PENDING,
    SUCCEEDED: TaskState.SUCCEEDED,
    FAILED: TaskState.FAILED,
    CANCELLED: TaskState.CANCELLED,
}

#: Column and typecode of array.array; starts are milliseconds since the epoch.
_COLUMNS = (
    ("state", "B"),
    ("exit_status", "h"),
    ("attempts", "H"),
    ("cluster", "H"),
    ("job", "q"),
    ("start", "q"),
    ("duration", "q"),
)
_WIDTH = sum(array(code).itemsize for _, code in _COLUMNS)


class DamagedRecords(Damaged):
    """What became of some tasks cannot be read; a backup may hold what was there."""

    #: Whose tasks they are.
    campaign: CampaignId = CampaignId(0)


class Record(NamedTuple):
    """What is known of one task."""

    state: int
    exit_status: int
    #: Attempts that started.
    attempts: int
    #: The cluster and the job of the last attempt that ended.
    cluster: int
    job: int
    #: Milliseconds since the epoch, and milliseconds.
    start: int
    duration: int


class Records:
    """The records of one chunk, by position in it."""

    __slots__ = ("attempts", "cluster", "duration", "exit_status", "job", "start", "state")

    state: "array[int]"
    exit_status: "array[int]"
    attempts: "array[int]"
    cluster: "array[int]"
    job: "array[int]"
    start: "array[int]"
    duration: "array[int]"

    def __init__(self) -> None:
        for name, code in _COLUMNS:
            setattr(self, name, array(code, bytes(array(code).itemsize * CHUNK)))

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """
        Return the records that `encode` wrote.

        Raises:
            DamagedRecords: They are no such.
        """
        try:
            raw = memoryview(zlib.decompress(data))
        except zlib.error as error:
            raise DamagedRecords(str(error)) from error
        if len(raw) != _WIDTH * CHUNK:
            message = f"{len(raw)} bytes, not {_WIDTH * CHUNK}"
            raise DamagedRecords(message)
        records = cls.__new__(cls)
        offset = 0
        for name, code in _COLUMNS:
            column = array(code)
            end = offset + column.itemsize * CHUNK
            column.frombytes(raw[offset:end])
            setattr(records, name, column)
            offset = end
        records.start = array("q", accumulate(records.start))
        return records

    def encode(self) -> bytes:
        """Return the records in a form to store."""
        starts = self.start
        differences = array("q", map(sub, starts, [0, *starts[:-1]]))
        columns = [getattr(self, name) for name, _ in _COLUMNS]
        columns[5] = differences
        return zlib.compress(b"".join(column.tobytes() for column in columns), 1)

    def __getitem__(self, position: int) -> Record:
        """Return the record of one task."""
        # Written out: a page of tasks asks a hundred times.
        return Record(
            self.state[position],
            self.exit_status[position],
            self.attempts[position],
            self.cluster[position],
            self.job[position],
            self.start[position],
            self.duration[position],
        )

    def count(self, state: int) -> int:
        """Return how many tasks are in *state*."""
        return self.state.count(state)

    def positions(self, state: int, among: Iterable[int] = range(CHUNK)) -> list[int]:
        """Return the positions *among* those given whose task is in *state*."""
        states = self.state
        return [position for position in among if states[position] == state]
