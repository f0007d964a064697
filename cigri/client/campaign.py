"""A campaign, for scripts and notebooks: every call waits for its answer."""

import contextlib
import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Self

from cigri.client import asking, pictures, rows
from cigri.client.bodies import Campaign as Body
from cigri.client.bodies import Event, Fixed
from cigri.client.connection import Connection
from cigri.client.facts import CampaignFacts
from cigri.client.tasks import Task, Tasks
from cigri.errors import CigriError


class Campaign(CampaignFacts):
    """A campaign as it was when it was last looked at: `refresh` looks again."""

    def __init__(
        self, connection: Connection, body: Body, names: Sequence[str] | None = None
    ) -> None:
        super().__init__(body, names)
        self._connection = connection

    def _repr_html_(self) -> str:
        with contextlib.suppress(CigriError):  # what was last known is better than nothing
            self.refresh()
        return super()._repr_html_()

    def refresh(self) -> Self:
        """Look at it again and return it."""
        self.body = self._connection.speak(asking.campaign(self.id))
        return self

    def wait(self, timeout: float | None = None, *, progress: bool = False) -> Self:
        """
        Return once nothing of it is left to do; Ctrl-C ends the waiting, not the campaign.

        With *progress* a bar shows how far it is, or lines where no bar can be drawn.

        >>> campaign.wait(timeout=60)
        <Campaign ... 'echo': terminated, 2/2 done>

        Raises:
            TimeoutError: It has not ended after *timeout* seconds, and goes on.
        """
        with pictures.waiting(self.id, progress=progress) as look:
            self.body = self._connection.speak(asking.waiting(self.id, timeout, look))
        return self

    def tasks(
        self,
        state: str | None = None,
        *,
        cluster: str | None = None,
        exit: int | None = None,  # noqa: A002 - the word of the command line
        match: str | None = None,
    ) -> "Tasks":
        """
        Return its tasks, read page by page as they are needed.

        Those in *state*, of *cluster*, that ended with the status *exit* (-9 for signal 9), with
        the text *match* in their parameter; of several conditions, all hold.

        >>> [task.parameter for task in campaign.tasks()]
        ['hello', 'world']
        >>> [task.number for task in campaign.tasks("terminated", exit=0, match="wor")]
        [1]
        """
        chosen = asking.choice(state=state, cluster=cluster, exit=exit, q=match)
        return Tasks(self._connection, self.id, self.names, chosen)

    def failed(self) -> "Tasks":
        """
        Return the tasks that failed.

        >>> broken = c.submit("false", params=2).wait()
        >>> [task.exit_status for task in broken.failed()]
        [1, 1]
        >>> broken.failed().resubmit()["resubmitted"]
        2
        """
        return self.tasks("failed")

    def task(self, number: int) -> "Task":
        """
        Return the task with that number, the first of which is 0.

        Raises:
            NotFound: There is none.
        """
        job = self._connection.speak(asking.task(self.id, number))
        return Task(self._connection, job)

    def results(self) -> Iterator[rows.Row]:
        """
        Yield one row for each task; the words of a sweep have columns of their own.

        >>> sweep = c.submit("echo", grid={"T": [0.5], "seed": range(2)}).wait()
        >>> [(row["T"], row["seed"], row["exit_status"]) for row in sweep.results()]
        [(0.5, 0, 0), (0.5, 1, 0)]
        """
        return self.tasks().results()

    def to_dicts(self) -> list[rows.Row]:
        """
        Return all rows.

        >>> campaign.to_dicts()[0]["state"]
        'terminated'
        """
        return self.tasks().to_dicts()

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """
        Write all rows to a file.

        >>> campaign.to_csv("results.csv")
        >>> Path("results.csv").read_text().splitlines()[0]
        'number,parameter,state,exit_status,cluster,start,end,duration,attempts'
        """
        self.tasks().to_csv(path)

    def to_pandas(self) -> Any:  # noqa: ANN401 - pandas need not be there
        """
        Return all rows as a data frame.

        Raises:
            ImportError: There is no pandas here.
        """
        return self.tasks().to_pandas()

    def pause(self) -> Self:
        """Start no more tasks; what runs goes on."""
        self.body = self._connection.speak(asking.setting(self.id, "paused"))
        return self

    def resume(self) -> Self:
        """Go on with it, if it is paused."""
        self.body = self._connection.speak(asking.setting(self.id, "in_treatment"))
        return self

    def go(self) -> Self:
        """End its test, and run the rest of it."""
        self.body = self._connection.speak(asking.going(self.id))
        return self

    def cancel(self) -> Self:
        """
        End it and kill what runs of it; outputs stay.

        >>> c.submit("sleep", params=["60"]).cancel().state
        'cancelled'
        """
        self.body = self._connection.speak(asking.cancelling(self.id))
        return self

    def add(self, params: Iterable[object]) -> Self:
        """
        Append a task for each of *params*, also when it has ended.

        >>> campaign.add(["again"]).wait().counts["terminated"]
        3
        """
        self.body = self._connection.speak(asking.adding(self.id, params))
        return self

    def fix(self, *, resubmit: bool = False) -> Fixed:
        """Close its events and, to *resubmit*, run its failed tasks again."""
        return self._connection.speak(asking.fixing(self.id, resubmit=resubmit))

    def events(self, *, closed: bool = False) -> list[Event]:
        """
        Return what went wrong and is open, or all that happened.

        >>> [event["exit_status"] for event in c.submit("false", params=1).wait().events()]
        [1]
        """
        return self._connection.speak(asking.events(self.id, closed=closed))

    def explain(self) -> dict[str, str]:
        """
        Return for each cluster why nothing more of it starts there now.

        >>> list(campaign.explain())
        ['local']
        """
        body = self._connection.speak(asking.explaining(self.id))
        return {one["cluster"]: one["reason"] for one in body["clusters"]}
