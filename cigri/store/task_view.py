"""What is stored of the tasks of a campaign, put together for a reader."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from sqlite3 import Row
from typing import Self

import attrs

from cigri.domain.model import (
    CampaignId,
    CampaignState,
    ClusterName,
    JobId,
    JobKind,
    Parameter,
    Task,
    TaskId,
    TaskNumber,
    TaskState,
)
from cigri.domain.positions import unpack
from cigri.store import campaigns, jobs, parameters, records, spans, tasks
from cigri.store.clusters import all_clusters
from cigri.store.database import Connection
from cigri.store.jobs import OpenJob
from cigri.store.records import CHUNK, NO_STATUS, Record, Records
from cigri.store.remote_names import RemoteNames

#: In a job.
IN_FLIGHT = frozenset({TaskState.QUEUED, TaskState.RUNNING})


@attrs.frozen
class Held:
    """A task that a job holds."""

    job: OpenJob
    #: When it started, `None` before.
    started_at: float | None


def _open_between(job: OpenJob, first: int, end: int) -> Iterator[int]:
    """Yield the tasks *first* to *end* - 1 that are in a job and have not ended there."""
    has_ended = None
    before = 0
    for item in job.tasks:
        numbers = range(max(first, item.first), min(end, item.first + item.size))
        if numbers:
            if has_ended is None:
                has_ended = unpack(job.ended, job.positions.size)
            for number in numbers:
                if not has_ended[before + number - item.first]:
                    yield number
        before += item.size


@attrs.frozen(kw_only=True)
class View:
    """A campaign and its open jobs, as a transaction sees them."""

    row: Row
    open_jobs: Sequence[OpenJob]
    cluster_names: Mapping[int, ClusterName]

    @classmethod
    async def of(cls, db: Connection, campaign: CampaignId) -> Self:
        """
        Return the view of a campaign.

        Raises:
            NotFound: There is no such campaign.
        """
        row = await campaigns.row(db, campaign)
        in_flight = row["queued"] + row["running"]
        found = await jobs.open_of_campaign(db, campaign) if in_flight else ()
        return cls(
            row=row,
            open_jobs=[job for job in found if job.kind is JobKind.TASKS],
            cluster_names={item.id: item.name for item in (await all_clusters(db)).values()},
        )

    @property
    def total(self) -> int:
        """Return how many tasks there are."""
        total: int = self.row["total"]
        return total

    def held(self, first: int, end: int) -> Mapping[int, Held]:
        """
        Return which of the tasks *first* to *end* - 1 jobs hold.

        Of jobs that began before they kept a list of what has ended there, that is among them:
        the records tell.
        """
        return {
            number: Held(job, job.running.get(number))
            for job in self.open_jobs
            for number in _open_between(job, first, end)
        }

    def state(self, number: int, held: Held | None, items: Records | None) -> TaskState:
        """Return the state of a task, of whose chunk *items* are the records."""
        position = number % CHUNK
        if held is not None and (items is None or items.job[position] < held.job.id):
            return TaskState.QUEUED if held.started_at is None else TaskState.RUNNING
        recorded = records.UNTOUCHED if items is None else items.state[position]
        state = records.STATES[recorded]
        if state is TaskState.PENDING and self.row["state"] == CampaignState.CANCELLED:
            return TaskState.CANCELLED
        return state

    async def records(self, db: Connection, numbers: Collection[int]) -> Mapping[int, Records]:
        """Return the records of the chunks of *numbers*, where there are any."""
        chunks = {number // CHUNK for number in numbers}
        return await tasks.read_records(db, self.row["id"], chunks)

    async def tasks(
        self,
        db: Connection,
        numbers: Sequence[int],
        held: Mapping[int, Held],
        known: Mapping[int, Records],
    ) -> list[Task]:
        """Return the tasks *numbers*, of whose chunks *known* are the records."""
        campaign = CampaignId(self.row["id"])
        named = {known[n // CHUNK].job[n % CHUNK] for n in numbers if n // CHUNK in known}
        named |= {held[n].job.id for n in numbers if n in held}
        assembler = _Assembler(
            view=self,
            ids=await spans.ids(db, campaign, numbers),
            parameters=await parameters.of_tasks(db, campaign, numbers),
            remote_names=await RemoteNames.of_jobs(db, named),
        )
        return [assembler.task(n, held.get(n), known.get(n // CHUNK)) for n in numbers]


@attrs.frozen(kw_only=True)
class _Assembler:
    """Puts a task together from its parts."""

    view: View
    ids: Mapping[int, TaskId]
    parameters: Mapping[int, Parameter]
    remote_names: RemoteNames

    def task(self, number: int, held: Held | None, items: Records | None) -> Task:
        """Return one task."""
        state = self.view.state(number, held, items)
        record = None if items is None else items[number % CHUNK]
        if held is not None and state in IN_FLIGHT:
            return self._in_job(number, state, held, record)
        if record is None or not record.job:
            return self._untried(number, state, record)
        # In one go: `evolve` would double the cost of a page, and most tasks of a page come here.
        return Task(
            id=self.ids[number],
            campaign=CampaignId(self.view.row["id"]),
            number=TaskNumber(number),
            parameter=self.parameters[number],
            state=state,
            attempts=record.attempts,
            exit_status=None if record.exit_status == NO_STATUS else record.exit_status,
            cluster=self.view.cluster_names[record.cluster],
            job=JobId(record.job),
            remote_id=self.remote_names.of(record.job, number),
            started_at=record.start / 1000,
            ended_at=(record.start + record.duration) / 1000,
        )

    def _untried(self, number: int, state: TaskState, record: Record | None) -> Task:
        return Task(
            id=self.ids[number],
            campaign=CampaignId(self.view.row["id"]),
            number=TaskNumber(number),
            parameter=self.parameters[number],
            state=state,
            # Attempts that the cluster itself has replaced ended without a record.
            attempts=0 if record is None else record.attempts,
        )

    def _in_job(self, number: int, state: TaskState, held: Held, record: Record | None) -> Task:
        before = 0 if record is None else record.attempts
        return attrs.evolve(
            self._untried(number, state, record),
            attempts=before + (held.started_at is not None),
            cluster=self.view.cluster_names[held.job.cluster_id],
            job=held.job.id,
            remote_id=self.remote_names.of(held.job.id, number),
            started_at=held.started_at,
        )
