"""Jobs in memory, on slots, on a clock that somebody else moves."""

from collections.abc import Callable, Sequence
from heapq import heappop, heappush

import attrs

from cigri.clusters.driver import Batch, RemoteState, TaskOrder
from cigri.domain.model import CampaignId, JobKind
from cigri.domain.verdict import Ending, TaskEnd


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


@attrs.define(kw_only=True, eq=False)
class SimulatedJob:
    """A remote job, which runs its tasks one after the other."""

    number: int
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
    #: The job by which the cluster itself has replaced it.
    successor: int | None = None

    @property
    def begun(self) -> bool:
        """Return whether a task of it has ever started."""
        return bool(self.journal or self.current)


class SimulatedHost:
    """Runs jobs, as many at a time as it has slots; the one that came first goes first."""

    def __init__(self, now: Callable[[], float], slots: int, behaviour: Behaviour) -> None:
        self._now = now
        self._slots = slots
        self.behaviour = behaviour
        self._clock = now()
        self._busy = 0
        #: Numbers of jobs that may have a task to start, and when jobs may end a task.
        self._ready: list[int] = []
        self._ends: list[tuple[float, int]] = []
        self.jobs: dict[int, SimulatedJob] = {}
        #: Every task that ever started: campaign, number, attempt.
        self.executions: list[tuple[int, int, int]] = []
        #: Every prologue and epilogue that ever started: campaign and kind.
        self.scripts: list[tuple[int, str]] = []

    def create(self, batch: Batch, orders: Sequence[TaskOrder]) -> SimulatedJob:
        """Let a job wait for a slot."""
        job = SimulatedJob(
            number=len(self.jobs) + 1,
            tag=batch.tag,
            campaign=batch.campaign,
            waiting=list(orders),
            kind=batch.kind,
        )
        self._add(job)
        return job

    def _add(self, job: SimulatedJob) -> None:
        self.jobs[job.number] = job
        heappush(self._ready, job.number)

    def withdraw(self, job: SimulatedJob) -> None:
        """Let a job start no more tasks."""
        job.waiting.clear()
        self._settle(job)

    def leave_out(self, job: SimulatedJob, tasks: Sequence[int]) -> None:
        """End those of *tasks* that run in a job, and start none of them."""
        job.waiting = [order for order in job.waiting if order.task not in tasks]
        if job.current is not None and job.current.task in tasks:
            self._stop(job, Ending.KILLED)
        self._settle(job)

    def end(self, job: SimulatedJob, state: RemoteState, ending: Ending = Ending.KILLED) -> None:
        """End a job before its time: what runs in it ends with it."""
        if job.over is not None:
            return
        if state is RemoteState.KILLED:
            self._stop(job, ending)
        elif job.current is not None:
            self._busy -= 1
        job.waiting.clear()
        job.over = state

    def replace(self, job: SimulatedJob) -> None:
        """Kill a job of one task, which, if it ran, then runs in another job."""
        order = job.current
        self.end(job, RemoteState.KILLED)
        if order is None:
            return
        again = attrs.evolve(
            job,
            number=len(self.jobs) + 1,
            waiting=[order],
            current=None,
            started_at=0.0,
            journal=[],
            over=None,
        )
        self._add(again)
        job.successor = again.number

    def _stop(self, job: SimulatedJob, ending: Ending) -> None:
        if job.current is None:
            return
        end = TaskEnd(job.current.task, ending, -9, job.started_at, self._clock)
        job.journal.append(end)
        job.current = None
        self._busy -= 1

    def _settle(self, job: SimulatedJob) -> None:
        """Let a job that has nothing to run now go on, or be over."""
        if job.over is not None or job.current is not None:
            return
        if job.waiting:
            heappush(self._ready, job.number)
        else:
            job.over = RemoteState.ENDED

    def advance(self) -> None:
        """Let time pass until now, from one end of a task to the next."""
        while True:
            self._start()
            if not self._ends or self._ends[0][0] > self._now():
                self._clock = self._now()
                return
            at, number = heappop(self._ends)
            job = self.jobs[number]
            if job.current is not None and self._ends_at(job) == at:
                self._clock = max(self._clock, at)
                self._finish(job)

    def _start(self) -> None:
        while self._ready and self._busy < self._slots:
            job = self.jobs[heappop(self._ready)]
            if job.over is not None or job.current is not None:
                continue
            if not job.waiting:
                job.over = RemoteState.ENDED
                continue
            self._busy += 1
            job.current, job.started_at = job.waiting.pop(0), self._clock
            heappush(self._ends, (self._ends_at(job), job.number))
            self._note(job, job.current)

    def _note(self, job: SimulatedJob, order: TaskOrder) -> None:
        """Remember an execution."""
        campaign = int(job.campaign)
        if job.kind is JobKind.TASKS:
            self.executions.append((campaign, int(order.task), order.attempt))
            return
        job.time = self.scripts.count((campaign, job.kind.value))
        self.scripts.append((campaign, job.kind.value))

    def _ends_at(self, job: SimulatedJob) -> float:
        assert job.current is not None  # noqa: S101 - for the type checker
        order = job.current
        if job.kind is not JobKind.TASKS:
            return job.started_at + self.behaviour.script_duration
        return job.started_at + self.behaviour.duration(order.task, order.attempt)

    def _finish(self, job: SimulatedJob) -> None:
        assert job.current is not None  # noqa: S101 - for the type checker
        order = job.current
        if job.kind is JobKind.TASKS:
            status = self.behaviour.exit_status(order.task, order.attempt)
        else:
            status = self.behaviour.script_status(int(job.campaign), job.kind.value, job.time)
        end = TaskEnd(order.task, Ending.EXITED, status, job.started_at, self._clock)
        job.journal.append(end)
        job.current = None
        self._busy -= 1
        self._settle(job)
