"""What clusters call the tasks of jobs: an array has a name for each, other jobs have one."""

import json
from collections.abc import Collection
from sqlite3 import Row
from typing import Self

from cigri.domain.model import RemoteId, Shape
from cigri.domain.positions import Positions
from cigri.domain.remote_ids import RemoteNumbers
from cigri.store import rows
from cigri.store.database import Connection
from cigri.store.statements import load

sql = load("jobs")


class RemoteNames:
    """The remote ids of the tasks of some jobs."""

    def __init__(self) -> None:
        self._known: dict[int, _Name] = {}

    @classmethod
    async def of_jobs(cls, db: Connection, jobs: Collection[int]) -> Self:
        """Return those of *jobs*."""
        names = cls()
        await names.learn(db, jobs)
        return names

    async def learn(self, db: Connection, jobs: Collection[int]) -> None:
        """Read those of *jobs*, too."""
        wanted = sorted(set(jobs) - {0})
        if wanted:
            for row in await db.all(sql.remote_ids, {"jobs": json.dumps(wanted)}):
                self._known[row["id"]] = _Name(row)

    def __len__(self) -> int:
        """Return how many jobs are known."""
        return len(self._known)

    def __contains__(self, job: int) -> bool:
        """Return whether a job is known."""
        return job in self._known

    def of(self, job: int, task: int) -> RemoteId | None:
        """Return what the cluster of a job calls a task of it; `None` of one that it never had."""
        known = self._known.get(job)
        return None if known is None else known.of(task)


class _Name:
    """The remote id of a job; an array is taken apart when its first task is asked for."""

    def __init__(self, row: Row) -> None:
        self._text: RemoteId | None = row["remote_id"]
        self._is_array = row["shape"] == Shape.ARRAY and self._text is not None
        self._tasks: str = row["tasks"] if self._is_array else ""
        self._parts: tuple[Positions, RemoteNumbers] | None = None

    def of(self, task: int) -> RemoteId | None:
        if not self._is_array or self._text is None:
            return self._text
        if self._parts is None:
            self._parts = Positions(rows.ranges(self._tasks)), RemoteNumbers(self._text)
        positions, numbers = self._parts
        position = positions.of(task)
        number = None if position is None else numbers.of(position)
        return None if number is None else RemoteId(str(number))
