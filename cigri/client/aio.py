"""The same as `cigri.connect` for programs that have an event loop: every call is awaited.

`cigri.client.sync` and `cigri.client.campaign` say what each call does.
"""

import os
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from cigri.client import asking, pictures, rows
from cigri.client.bodies import Campaign as Body
from cigri.client.bodies import Event, Fixed, Job
from cigri.client.composing import Axes, compose
from cigri.client.connection import AsyncConnection, connect_async
from cigri.client.dialogue import Parameters
from cigri.client.facts import CampaignFacts, TaskFacts, TasksFacts
from cigri.client.finding import find


def connect(url: str | None = None) -> "Cigri":
    r"""
    Return the server at *url*, or the first that answers at the usual places.

    >>> import asyncio
    >>> async def program():
    ...     async with cigri.aio.connect() as c:
    ...         campaign = await c.submit("echo", params=["hello", "world"])
    ...         await campaign.wait()
    ...         return [await task.stdout() async for task in campaign.tasks()]
    >>> asyncio.run(program())
    ['hello\n', 'world\n']

    Raises:
        ServerUnreachable: None does.
    """
    address = find(url)
    return Cigri(AsyncConnection(connect_async(address), str(address)))


class Cigri:
    """A server; what goes wrong there is raised as one of `cigri.errors`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    def __repr__(self) -> str:
        return f"<Cigri at {self._connection.peer.name}>"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Give the connection back."""
        await self._connection.close()

    async def submit(
        self,
        command: str | Sequence[str] | Mapping[str, object],
        *,
        params: object = None,
        grid: Axes | None = None,
        zip: Axes | None = None,  # noqa: A002 - the word that Python has for it
        clusters: str | Iterable[str] | Mapping[str, object] | None = None,
        **fields: object,
    ) -> "Campaign":
        """Create a campaign: *command* with each of *params*, or each point of a sweep."""
        composed = compose(
            command, params=params, grid=grid, together=zip, clusters=clusters, fields=fields
        )
        body = await self._connection.speak(asking.submission(composed))
        return Campaign(self._connection, body, composed.names)

    async def campaign(self, number: int) -> "Campaign":
        """Return a campaign by its number."""
        return Campaign(self._connection, await self._connection.speak(asking.campaign(number)))

    async def campaigns(self, state: str | None = None) -> "list[Campaign]":
        """Return the campaigns that are not over, or those in *state* (also `all`)."""
        found = await self._connection.speak(asking.campaigns(state))
        return [Campaign(self._connection, body) for body in found]


class Campaign(CampaignFacts):
    """A campaign as it was when it was last looked at: `refresh` looks again."""

    def __init__(
        self, connection: AsyncConnection, body: Body, names: Sequence[str] | None = None
    ) -> None:
        super().__init__(body, names)
        self._connection = connection

    async def refresh(self) -> Self:
        """Look at it again and return it."""
        self.body = await self._connection.speak(asking.campaign(self.id))
        return self

    async def wait(self, timeout: float | None = None, *, progress: bool = False) -> Self:
        """Return once nothing of it is left to do; cancelling this leaves it running."""
        with pictures.waiting(self.id, progress=progress) as look:
            self.body = await self._connection.speak(asking.waiting(self.id, timeout, look))
        return self

    def tasks(
        self,
        state: str | None = None,
        *,
        cluster: str | None = None,
        exit: int | None = None,  # noqa: A002 - the word of the command line
        match: str | None = None,
    ) -> "Tasks":
        """Return its tasks, or those that are all of what is given, read page by page."""
        chosen = asking.choice(state=state, cluster=cluster, exit=exit, q=match)
        return Tasks(self._connection, self.id, self.names, chosen)

    def failed(self) -> "Tasks":
        """Return the tasks that failed."""
        return self.tasks("failed")

    async def task(self, number: int) -> "Task":
        """Return the task with that number, the first of which is 0."""
        return Task(self._connection, await self._connection.speak(asking.task(self.id, number)))

    def results(self) -> AsyncIterator[rows.Row]:
        """Yield one row for each task; the words of a sweep have columns of their own."""
        return self.tasks().results()

    async def to_dicts(self) -> list[rows.Row]:
        """Return all rows."""
        return await self.tasks().to_dicts()

    async def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write all rows to a file."""
        await self.tasks().to_csv(path)

    async def to_pandas(self) -> Any:  # noqa: ANN401 - pandas need not be there
        """Return all rows as a data frame."""
        return await self.tasks().to_pandas()

    async def pause(self) -> Self:
        """Start no more tasks; what runs goes on."""
        self.body = await self._connection.speak(asking.setting(self.id, "paused"))
        return self

    async def resume(self) -> Self:
        """Go on with it, if it is paused."""
        self.body = await self._connection.speak(asking.setting(self.id, "in_treatment"))
        return self

    async def go(self) -> Self:
        """End its test, and run the rest of it."""
        self.body = await self._connection.speak(asking.going(self.id))
        return self

    async def cancel(self) -> Self:
        """End it and kill what runs of it; outputs stay."""
        self.body = await self._connection.speak(asking.cancelling(self.id))
        return self

    async def add(self, params: Iterable[object]) -> Self:
        """Append a task for each of *params*, also when it has ended."""
        self.body = await self._connection.speak(asking.adding(self.id, params))
        return self

    async def fix(self, *, resubmit: bool = False) -> Fixed:
        """Close its events and, to *resubmit*, run its failed tasks again."""
        return await self._connection.speak(asking.fixing(self.id, resubmit=resubmit))

    async def events(self, *, closed: bool = False) -> list[Event]:
        """Return what went wrong and is open, or all that happened."""
        return await self._connection.speak(asking.events(self.id, closed=closed))

    async def explain(self) -> dict[str, str]:
        """Return for each cluster why nothing more of it starts there now."""
        body = await self._connection.speak(asking.explaining(self.id))
        return {one["cluster"]: one["reason"] for one in body["clusters"]}


class Tasks(TasksFacts):
    """Some tasks of a campaign, read page by page whenever they are gone through."""

    def __init__(
        self, connection: AsyncConnection, campaign: int, names: Sequence[str], chosen: Parameters
    ) -> None:
        super().__init__(campaign, names, chosen)
        self._connection = connection

    async def __aiter__(self) -> AsyncIterator["Task"]:
        async for job in self._jobs():
            yield Task(self._connection, job)

    async def results(self) -> AsyncIterator[rows.Row]:
        """Yield one row for each."""
        async for job in self._jobs():
            yield rows.row(job, self._names)

    async def to_dicts(self) -> list[rows.Row]:
        """Return all rows."""
        return [row async for row in self.results()]

    async def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write all rows to a file."""
        rows.write_csv(path, await self.to_dicts(), self._names)

    async def to_pandas(self) -> Any:  # noqa: ANN401 - pandas need not be there
        """Return all rows as a data frame."""
        return rows.to_pandas(await self.to_dicts())

    async def resubmit(self) -> Fixed:
        """Run them again: only all tasks that failed can be."""
        return await self._connection.speak(asking.resubmitting(self._campaign, self._chosen))

    async def _jobs(self) -> AsyncIterator[Job]:
        page = await self._connection.speak(asking.tasks(self._campaign, self._chosen))
        while True:
            for job in page["items"]:
                yield job
            following = asking.next_of(page)
            if following is None:
                return
            page = await self._connection.speak(asking.next_page(following))


class Task(TaskFacts):
    """One task, as it was when it was looked at."""

    def __init__(self, connection: AsyncConnection, body: Job) -> None:
        super().__init__(body)
        self._connection = connection

    async def stdout(self, tail: int | None = None) -> str:
        """Return what it wrote so far, or the last *tail* lines."""
        return await self._connection.speak(asking.output(self.body["id"], "stdout", tail))

    async def stderr(self, tail: int | None = None) -> str:
        """Return what it wrote to standard error so far, or the last *tail* lines."""
        return await self._connection.speak(asking.output(self.body["id"], "stderr", tail))
