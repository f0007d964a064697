"""A cluster in memory, on a clock that somebody else moves: a driver like any other.

It runs the tasks of each job one after the other, as many jobs at a time as it has slots, and
remembers every execution, so that a test can say what ran twice.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

import attrs

from cigri.clusters.driver import (
    Batch,
    JobRef,
    JobReport,
    Output,
    RemoteState,
    TaskOrder,
)
from cigri.domain.model import CampaignId, CampaignType, JobId, JobKind, RemoteId, TaskNumber
from cigri.domain.pace import Pace
from cigri.domain.verdict import Ending, TaskEnd
from cigri.errors import NotFound


@attrs.frozen(kw_only=True)
class Behaviour:
    """What tasks do: how long they take and how they end, by number and attempt."""

    duration: Callable[[int, int], float] = lambda _task, _attempt: 1.0
    exit_status: Callable[[int, int], int] = lambda _task, _attempt: 0
    #: How the scripts of prologues and epilogues end, by campaign, kind and how often it ran.
    script_status: Callable[[int, str, int], int] = lambda _campaign, _kind, _time: 0
    script_duration: float = 1.0
    #: What tasks write to stderr.
    says: Callable[[int], str] = lambda task: f"err of task {task}\n"


@attrs.define(kw_only=True)
class _Job:
    tag: str
    campaign: CampaignId
    waiting: list[TaskOrder]
    kind: JobKind = JobKind.TASKS
    #: How often its script has run before.
    time: int = 0
    #: The task that runs and its start.
    current: TaskOrder | None = None
    started_at: float = 0.0
    journal: list[TaskEnd] = attrs.field(factory=list)
    over: RemoteState | None = None


class SimulatedCluster:
    """A driver whose cluster is itself."""

    name = "simulated"
    fence = 0.0
    pace = Pace(quick=1.0, steady=5.0, slow=60.0)
    stress_limit: float | None = None

    def __init__(
        self, now: Callable[[], float], *, slots: int = 4, behaviour: Behaviour | None = None
    ) -> None:
        self._now = now
        self._slots = slots
        self._behaviour = behaviour or Behaviour()
        self._jobs: dict[RemoteId, _Job] = {}
        self._clock = now()
        #: Every task that ever started: campaign, number, attempt.
        self.executions: list[tuple[int, int, int]] = []
        #: Every prologue and epilogue that ever started: campaign and kind.
        self.scripts: list[tuple[int, str]] = []
        #: The type with which each batch came.
        self.types: list[CampaignType] = []
        #: How often each method was called.
        self.calls: list[str] = []

    def refusal(self, user: str) -> str | None:
        """Return nothing: everybody may run tasks here."""
        return None

    async def slots(self) -> int:
        """Return how many jobs run at a time."""
        return self._slots

    async def stress(self) -> float | None:
        """Return nothing: there is no host that could be loaded."""
        return None

    async def submit(self, batch: Batch) -> Mapping[JobId, RemoteId]:
        """Create the jobs of *batch*."""
        self.calls.append("submit")
        self.types.append(batch.settings.type)
        self._advance()
        remote_ids = {}
        for place, (job, orders) in enumerate(batch.jobs.items()):
            remote_id = RemoteId(f"{batch.tag}.{place}")
            self._jobs[remote_id] = _Job(
                tag=batch.tag, campaign=batch.campaign, waiting=list(orders), kind=batch.kind
            )
            remote_ids[job] = remote_id
        self._advance()
        return remote_ids

    async def find(self, tag: str, user: str, jobs: Sequence[JobId]) -> Mapping[JobId, RemoteId]:
        """Return those of *jobs* that were created under *tag*."""
        self.calls.append("find")
        named = {job: RemoteId(f"{tag}.{place}") for place, job in enumerate(jobs)}
        return {job: remote_id for job, remote_id in named.items() if remote_id in self._jobs}

    async def status(self, jobs: Collection[JobRef]) -> Mapping[RemoteId, JobReport]:
        """Report on *jobs* as of now."""
        self.calls.append("status")
        self._advance()
        return {ref.remote_id: self._report(ref) for ref in jobs}

    async def withdraw(self, jobs: Collection[JobRef]) -> None:
        """Let *jobs* start no more tasks."""
        for job in self._known(jobs):
            job.waiting.clear()
        self._advance()

    async def kill(self, jobs: Collection[JobRef]) -> None:
        """End *jobs* now."""
        self._advance()
        for job in self._known(jobs):
            self._end(job, RemoteState.KILLED)

    async def forget(self, jobs: Collection[JobRef]) -> None:
        """Keep everything: memory is cheap here."""

    async def tidy(self, open_jobs: Collection[RemoteId]) -> None:
        """Keep everything, as `forget` does."""

    async def output(self, job: JobRef, task: TaskNumber, stream: Output, limit: int) -> bytes:
        """Return a line that names the task."""
        known = self._jobs.get(job.remote_id)
        if known is None or not any(end.task == task for end in known.journal):
            message = f"task {task} has written nothing"
            raise NotFound(message)
        said = self._behaviour.says(task) if stream is Output.ERR else f"out of task {task}\n"
        return said.encode()[-limit:]

    async def outputs(
        self, job: JobRef, tasks: Collection[TaskNumber], stream: Output, limit: int
    ) -> Mapping[TaskNumber, bytes]:
        """Return a line for each of *tasks* that has ended: what it says, or its name."""
        known = self._jobs.get(job.remote_id)
        ended = {end.task for end in known.journal} if known else set()
        return {
            task: await self.output(job, task, stream, limit) for task in tasks if task in ended
        }

    async def cancel(self, job: JobRef, tasks: Collection[TaskNumber]) -> None:
        """End those of *tasks* that run, and start none of them."""
        self._advance()
        for known in self._known([job]):
            known.waiting = [order for order in known.waiting if order.task not in tasks]
            if known.current is not None and known.current.task in tasks:
                end = TaskEnd(known.current.task, Ending.KILLED, -9, known.started_at, self._clock)
                known.journal.append(end)
                known.current = None
        self._advance()

    def lose(self, remote_id: RemoteId) -> None:
        """Let a job vanish, as if its node had died."""
        self._end(self._jobs[remote_id], RemoteState.LOST)

    def live(self) -> list[RemoteId]:
        """Return the jobs that are not over."""
        return [remote_id for remote_id, job in self._jobs.items() if job.over is None]

    def _known(self, jobs: Iterable[JobRef]) -> list[_Job]:
        return [self._jobs[ref.remote_id] for ref in jobs if ref.remote_id in self._jobs]

    def _report(self, ref: JobRef) -> JobReport:
        job = self._jobs.get(ref.remote_id)
        if job is None:
            return JobReport(state=RemoteState.LOST, running=ref.running, read_to=ref.read_to)
        running = {} if job.current is None else {int(job.current.task): job.started_at}
        begun = bool(job.journal or running)
        live = RemoteState.RUNNING if begun else RemoteState.WAITING
        return JobReport(
            state=job.over or live,
            ended=job.journal[ref.read_to :],
            running=running,
            read_to=len(job.journal),
        )

    def _end(self, job: _Job, state: RemoteState) -> None:
        """End a job before its time: what runs in it ends with it."""
        if job.over is not None:
            return
        if job.current is not None and state is RemoteState.KILLED:
            end = TaskEnd(job.current.task, Ending.KILLED, -9, job.started_at, self._clock)
            job.journal.append(end)
            job.current = None
        job.waiting.clear()
        job.over = state

    def _advance(self) -> None:
        """Let time pass until now, from one end of a task to the next."""
        while True:
            self._start()
            ends = [(self._ends_at(job), job) for job in self._jobs.values() if job.current]
            due = [pair for pair in ends if pair[0] <= self._now()]
            if not due:
                self._clock = self._now()
                return
            self._clock, job = min(due, key=lambda pair: pair[0])
            self._finish(job)

    def _start(self) -> None:
        busy = sum(1 for job in self._jobs.values() if job.current)
        for job in self._jobs.values():
            if job.over is None and job.current is None:
                if not job.waiting:
                    job.over = RemoteState.ENDED
                elif busy < self._slots:
                    busy += 1
                    job.current, job.started_at = job.waiting.pop(0), self._clock
                    self._note(job, job.current)

    def _note(self, job: _Job, order: TaskOrder) -> None:
        """Remember an execution."""
        campaign = int(job.campaign)
        if job.kind is JobKind.TASKS:
            self.executions.append((campaign, int(order.task), order.attempt))
            return
        job.time = self.scripts.count((campaign, job.kind.value))
        self.scripts.append((campaign, job.kind.value))

    def _ends_at(self, job: _Job) -> float:
        assert job.current is not None  # noqa: S101 - for the type checker
        order = job.current
        if job.kind is not JobKind.TASKS:
            return job.started_at + self._behaviour.script_duration
        return job.started_at + self._behaviour.duration(order.task, order.attempt)

    def _finish(self, job: _Job) -> None:
        assert job.current is not None  # noqa: S101 - for the type checker
        order = job.current
        if job.kind is JobKind.TASKS:
            status = self._behaviour.exit_status(order.task, order.attempt)
        else:
            status = self._behaviour.script_status(int(job.campaign), job.kind.value, job.time)
        end = TaskEnd(order.task, Ending.EXITED, status, job.started_at, self._clock)
        job.journal.append(end)
        job.current = None
