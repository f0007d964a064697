"""Tasks as columns, for those who want all of them: a million rows in seconds.

What is stored lies in columns; to make an object of each task would cost more than all the rest.
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from itertools import compress

import attrs

from cigri.domain.model import CampaignId, ClusterName, Parameter, RemoteId, TaskState
from cigri.domain.selection import FINISHED, Selection
from cigri.store import parameters, records, spans
from cigri.store.database import Connection, Database
from cigri.store.records import CHUNK, NO_STATUS, Records
from cigri.store.remote_names import RemoteNames
from cigri.store.statements import load
from cigri.store.task_view import IN_FLIGHT, Held, View

sql = load("tasks")

#: Jobs whose remote ids are kept for the next chunks.
_MOST_NAMES = 10_000


@attrs.define(kw_only=True)
class Table:
    """Tasks of one campaign by columns of the same length; see `domain.model.Task`."""

    campaign: CampaignId
    number: Sequence[int]
    id: Sequence[int]
    parameter: Sequence[Parameter]
    state: list[TaskState]
    exit_status: list[int | None]
    cluster: list[ClusterName | None]
    job: list[int | None]
    remote_id: list[RemoteId | None]
    attempts: list[int]
    started_at: list[float | None]
    ended_at: list[float | None]

    def only(self, wanted: Sequence[bool]) -> "Table":
        """Return the rows that are *wanted*."""
        columns = {name: list(compress(getattr(self, name), wanted)) for name in COLUMNS}
        return Table(campaign=self.campaign, **columns)


#: Everything that has a value for each task.
COLUMNS = tuple(field.name for field in attrs.fields(Table) if field.name != "campaign")


async def export(
    database: Database, campaign: CampaignId, selection: Selection
) -> AsyncIterator[Table]:
    """
    Yield the tasks wanted, in order, some hundreds at a time.

    Each part is read when it is asked for, in a transaction of its own: whoever reads slowly holds
    up nothing.

    Raises:
        NotFound: There is no such campaign any more.
        DamagedParameters, DamagedRecords: What is stored cannot be read.
    """
    reader = _Reader(campaign, selection)
    for chunk in await _candidates(database, campaign, selection):
        async with database.read() as db:
            table = await reader.read(db, chunk)
        if table.number:
            yield table
        await asyncio.sleep(0)


async def _candidates(
    database: Database, campaign: CampaignId, selection: Selection
) -> Collection[int]:
    """Return the chunks in which there may be tasks that are wanted."""
    async with database.read() as db:
        view = await View.of(db, campaign)
        every = range(-(-view.total // CHUNK))
        if not selection.states or not selection.states <= FINISHED:
            return every
        tallies = await db.all(sql.tallies, {"campaign": campaign, "first": 0})
    return [row["chunk"] for row in tallies if any(row[state] for state in selection.states)]


class _Reader:
    """Reads chunk by chunk, and remembers what the next one may need again."""

    def __init__(self, campaign: CampaignId, selection: Selection) -> None:
        self._campaign = campaign
        self._selection = selection
        self._names = RemoteNames()

    async def read(self, db: Connection, chunk: int) -> Table:
        view = await View.of(db, self._campaign)
        numbers = range(chunk * CHUNK, min((chunk + 1) * CHUNK, view.total))
        items = (await view.records(db, numbers[:1])).get(chunk) or Records()
        held = view.held(numbers.start, numbers.stop)
        await self._learn(db, {*items.job, *(each.job.id for each in held.values())} - {0})
        given = await parameters.of_tasks(db, self._campaign, numbers)
        ids = await spans.ids(db, self._campaign, numbers)
        table = _table(view, items, numbers)
        table.parameter = list(map(given.__getitem__, numbers))
        table.id = list(map(ids.__getitem__, numbers))
        table.remote_id = [
            None if job is None else self._names.of(job, number)
            for job, number in zip(table.job, numbers, strict=True)
        ]
        self._put_in_flight(view, table, items, held)
        return table if self._selection.is_all else table.only(self._wanted(table))

    async def _learn(self, db: Connection, found: set[int]) -> None:
        """Look up the remote ids of jobs; each has its tasks side by side."""
        unknown = {job for job in found if job not in self._names}
        if unknown:
            if len(self._names) > _MOST_NAMES:
                self._names = RemoteNames()
                unknown = found
            await self._names.learn(db, unknown)

    def _put_in_flight(
        self, view: View, table: Table, items: Records, held: Mapping[int, Held]
    ) -> None:
        """Let tasks in jobs that have not ended there be as their jobs say."""
        first = table.number[0] if table.number else 0
        for number, holder in held.items():
            state, row = view.state(number, holder, items), number - first
            if state not in IN_FLIGHT:
                continue
            table.state[row] = state
            table.exit_status[row] = None
            table.cluster[row] = view.cluster_names[holder.job.cluster_id]
            table.job[row] = holder.job.id
            table.remote_id[row] = self._names.of(holder.job.id, number)
            table.attempts[row] += holder.started_at is not None
            table.started_at[row] = holder.started_at
            table.ended_at[row] = None

    def _wanted(self, table: Table) -> list[bool]:
        chosen = self._selection
        wanted = [True] * len(table.number)
        if chosen.states:
            wanted = [state in chosen.states for state in table.state]
        if chosen.cluster is not None:
            wanted = [
                and_ and name == chosen.cluster
                for and_, name in zip(wanted, table.cluster, strict=True)
            ]
        if chosen.exit_status is not None:
            wanted = [
                and_ and status == chosen.exit_status
                for and_, status in zip(wanted, table.exit_status, strict=True)
            ]
        if chosen.text:
            wanted = [
                and_ and chosen.reads(given)
                for and_, given in zip(wanted, table.parameter, strict=True)
            ]
        return wanted


def _table(view: View, items: Records, numbers: range) -> Table:
    """Return what the records tell; parameters and ids are still missing."""
    size = len(numbers)
    # Without a job a record is empty: nothing of the task has ended.
    jobs_ = items.job[:size].tolist()
    statuses, starts = items.exit_status[:size], items.start[:size]
    return Table(
        campaign=CampaignId(view.row["id"]),
        number=numbers,
        id=(),
        parameter=(),
        state=_states(view, items.state[:size]),
        exit_status=[
            status if job and status != NO_STATUS else None
            for status, job in zip(statuses, jobs_, strict=True)
        ],
        cluster=[
            view.cluster_names[cluster] if job else None
            for cluster, job in zip(items.cluster[:size], jobs_, strict=True)
        ],
        job=[job or None for job in jobs_],
        remote_id=[],
        attempts=items.attempts[:size].tolist(),
        started_at=[
            start / 1000 if job else None for start, job in zip(starts, jobs_, strict=True)
        ],
        ended_at=[
            (start + duration) / 1000 if job else None
            for start, duration, job in zip(starts, items.duration[:size], jobs_, strict=True)
        ],
    )


def _states(view: View, recorded: "Sequence[int]") -> list[TaskState]:
    words = dict(records.STATES)
    if view.state(0, None, None) is TaskState.CANCELLED:
        words = {
            code: TaskState.CANCELLED if state is TaskState.PENDING else state
            for code, state in words.items()
        }
    return [words[code] for code in recorded]
