"""Pages of tasks: what is stored of them, put together for a reader.

A page costs what it shows: the chunks that it touches and the campaign's open jobs.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from sqlite3 import Row

import attrs

from cigri.domain.model import (
    CampaignId,
    CampaignState,
    ClusterName,
    JobId,
    Parameter,
    RemoteId,
    Task,
    TaskId,
    TaskNumber,
    TaskState,
)
from cigri.errors import NotFound
from cigri.store import campaigns, jobs, parameters, records, tasks
from cigri.store.clusters import all_clusters
from cigri.store.database import Connection
from cigri.store.jobs import OpenJob
from cigri.store.records import CHUNK, NO_STATUS, Records
from cigri.store.statements import load

sql = load("tasks")
campaigns_sql = load("campaigns")


@attrs.frozen
class _Held:
    """A task that a job holds."""

    job: OpenJob
    #: When it started, `None` before.
    started_at: float | None


async def page(
    db: Connection,
    campaign: CampaignId,
    *,
    first: int,
    limit: int,
    state: TaskState | None = None,
) -> list[Task]:
    """
    Return up to *limit* tasks from number *first* on, only those in *state* if one is given.

    Raises:
        NotFound: There is no such campaign.
    """
    row = await campaigns.row(db, campaign)
    open_jobs = await jobs.open_of_campaign(db, campaign)
    if state is None:
        numbers: Sequence[int] = range(first, min(first + limit, row["total"]))
        held = _held(open_jobs, first, first + limit)
        known = await _records(db, campaign, numbers)
    else:
        held = _held(open_jobs, first, row["total"])
        numbers, known = await _in_state(db, row, held, state, first=first, limit=limit)
    return await _tasks(db, row, numbers, held, known)


async def task(db: Connection, task_id: TaskId) -> Task:
    """
    Return a task by its id.

    Raises:
        NotFound: There is none.
    """
    row = await db.one(campaigns_sql.of_task, {"task": task_id})
    number = -1 if row is None else task_id - row["first_task_id"]
    if row is None or number >= row["total"]:
        message = f"there is no job {task_id}"
        raise NotFound(message)
    (found,) = await page(db, CampaignId(row["id"]), first=number, limit=1)
    return found


def _held(open_jobs: Sequence[OpenJob], first: int, end: int) -> Mapping[int, _Held]:
    """
    Return which of the tasks *first* to *end* - 1 jobs hold.

    Those that ended in their job are among them: their records tell.
    """
    return {
        number: _Held(job, job.running.get(number))
        for job in open_jobs
        for item in job.tasks
        for number in range(max(first, item.first), min(end, item.first + item.size))
    }


async def _records(
    db: Connection, campaign: CampaignId, numbers: Sequence[int]
) -> Mapping[int, Records]:
    return await tasks.read_records(db, campaign, {number // CHUNK for number in numbers})


async def _in_state(
    db: Connection,
    row: Row,
    held: Mapping[int, _Held],
    state: TaskState,
    *,
    first: int,
    limit: int,
) -> tuple[list[int], Mapping[int, Records]]:
    """Return the next *limit* tasks in *state*, looking only where there may be some."""
    found: list[int] = []
    known: dict[int, Records] = {}
    for chunk in await _candidates(db, row, held, first, state):
        numbers = range(max(first, chunk * CHUNK), min((chunk + 1) * CHUNK, row["total"]))
        read = await _records(db, row["id"], numbers)
        known.update(read)
        items = read.get(chunk)
        found += [n for n in numbers if _state(row, n, held.get(n), items) is state]
        if len(found) >= limit:
            break
        # There may be a thousand chunks without what is looked for.
        await asyncio.sleep(0)
    return found[:limit], known


async def _candidates(
    db: Connection, row: Row, held: Mapping[int, _Held], first: int, state: TaskState
) -> Iterator[int]:
    """Return the chunks in which tasks in *state* may be, in order."""
    start = first // CHUNK
    every = range(start, -(-row["total"] // CHUNK))
    if not row[state]:
        return iter(())
    if state in (TaskState.QUEUED, TaskState.RUNNING):
        return iter(sorted({number // CHUNK for number in held if number >= first}))
    where = {"campaign": row["id"], "first": start}
    tallies = {item["chunk"]: item for item in await db.all(sql.tallies, where)}
    if state in (TaskState.SUCCEEDED, TaskState.FAILED):
        return iter([chunk for chunk, item in tallies.items() if item[state]])
    full = {c for c, item in tallies.items() if item["succeeded"] + item["failed"] == CHUNK}
    return (chunk for chunk in every if chunk not in full)


def _state(row: Row, number: int, held: _Held | None, items: Records | None) -> TaskState:
    position = number % CHUNK
    if held is not None and (items is None or items.job[position] < held.job.id):
        return TaskState.QUEUED if held.started_at is None else TaskState.RUNNING
    recorded = records.UNTOUCHED if items is None else items.state[position]
    state = records.STATES[recorded]
    if state is TaskState.PENDING and row["state"] == CampaignState.CANCELLED:
        return TaskState.CANCELLED
    return state


async def _tasks(
    db: Connection,
    row: Row,
    numbers: Sequence[int],
    held: Mapping[int, _Held],
    known: Mapping[int, Records],
) -> list[Task]:
    campaign = CampaignId(row["id"])
    given = await parameters.of_tasks(db, campaign, row["has_chunks"], numbers)
    names = {item.id: item.name for item in (await all_clusters(db)).values()}
    ids = {known[n // CHUNK].job[n % CHUNK] for n in numbers if n // CHUNK in known}
    remote_ids = await jobs.remote_ids(db, ids - {0})
    assembler = _Assembler(row, names, remote_ids)
    return [assembler.task(n, given[n], held.get(n), known.get(n // CHUNK)) for n in numbers]


@attrs.frozen
class _Assembler:
    """Puts a task together from its parts."""

    row: Row
    cluster_names: Mapping[int, ClusterName]
    remote_ids: Mapping[int, RemoteId]

    def task(
        self, number: int, parameter: Parameter, held: _Held | None, items: Records | None
    ) -> Task:
        """Return one task."""
        state = _state(self.row, number, held, items)
        record = None if items is None else items[number % CHUNK]
        if held is not None and state in (TaskState.QUEUED, TaskState.RUNNING):
            return self._in_job(number, parameter, state, held, record)
        if record is None or not record.job:
            return self._untried(number, parameter, state)
        # In one go: `evolve` would double the cost of a page, and most tasks of a page come here.
        return Task(
            id=TaskId(self.row["first_task_id"] + number),
            campaign=CampaignId(self.row["id"]),
            number=TaskNumber(number),
            parameter=parameter,
            state=state,
            attempts=record.attempts,
            exit_status=None if record.exit_status == NO_STATUS else record.exit_status,
            cluster=self.cluster_names[record.cluster],
            job=JobId(record.job),
            remote_id=self.remote_ids.get(record.job),
            started_at=record.start / 1000,
            ended_at=(record.start + record.duration) / 1000,
        )

    def _untried(self, number: int, parameter: Parameter, state: TaskState) -> Task:
        return Task(
            id=TaskId(self.row["first_task_id"] + number),
            campaign=CampaignId(self.row["id"]),
            number=TaskNumber(number),
            parameter=parameter,
            state=state,
        )

    def _in_job(
        self,
        number: int,
        parameter: Parameter,
        state: TaskState,
        held: _Held,
        record: records.Record | None,
    ) -> Task:
        before = 0 if record is None else record.attempts
        return attrs.evolve(
            self._untried(number, parameter, state),
            attempts=before + (held.started_at is not None),
            cluster=self.cluster_names[held.job.cluster_id],
            job=held.job.id,
            remote_id=held.job.remote_id,
            started_at=held.started_at,
        )
