"""The tasks of a campaign, and what they wrote."""

import os
from collections.abc import Iterator, Sequence
from typing import Any

from cigri.client import asking, rows
from cigri.client.bodies import Fixed, Job
from cigri.client.connection import Connection
from cigri.client.dialogue import Parameters
from cigri.client.facts import TaskFacts, TasksFacts


class Tasks(TasksFacts):
    """Some tasks of a campaign, read page by page whenever they are gone through."""

    def __init__(
        self, connection: Connection, campaign: int, names: Sequence[str], chosen: Parameters
    ) -> None:
        super().__init__(campaign, names, chosen)
        self._connection = connection

    def __iter__(self) -> Iterator["Task"]:
        return (Task(self._connection, job) for job in self._jobs())

    def results(self) -> Iterator[rows.Row]:
        """Yield one row for each."""
        return (rows.row(job, self._names) for job in self._jobs())

    def to_dicts(self) -> list[rows.Row]:
        """Return all rows."""
        return list(self.results())

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write all rows to a file."""
        rows.write_csv(path, self.results(), self._names)

    def to_pandas(self) -> Any:  # noqa: ANN401 - pandas need not be there
        """Return all rows as a data frame."""
        return rows.to_pandas(self.results())

    def resubmit(self) -> Fixed:
        """
        Run them again: only all tasks that failed can be.

        Raises:
            ValueError: They are others, or only some of these.
        """
        return self._connection.speak(asking.resubmitting(self._campaign, self._chosen))

    def _jobs(self) -> Iterator[Job]:
        page = self._connection.speak(asking.tasks(self._campaign, self._chosen))
        yield from page["items"]
        while (following := asking.next_of(page)) is not None:
            page = self._connection.speak(asking.next_page(following))
            yield from page["items"]


class Task(TaskFacts):
    """One task, as it was when it was looked at."""

    def __init__(self, connection: Connection, body: Job) -> None:
        super().__init__(body)
        self._connection = connection

    def stdout(self, tail: int | None = None) -> str:
        """Return what it wrote so far, or the last *tail* lines."""
        return self._connection.speak(asking.output(self.body["id"], "stdout", tail))

    def stderr(self, tail: int | None = None) -> str:
        """Return what it wrote to standard error so far, or the last *tail* lines."""
        return self._connection.speak(asking.output(self.body["id"], "stderr", tail))
