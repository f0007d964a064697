"""A cluster in memory, on a clock that somebody else moves: a driver like any other.

It runs the tasks of each group one after the other, and each task of an array by itself, as many
jobs at a time as it has slots.  It remembers every execution, so that a test can say what ran
twice.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

import attrs

from cigri.clusters.credentials import Credentials
from cigri.clusters.driver import Batch, Capacity, JobRef, JobReport, Output, RemoteState, Usage
from cigri.clusters.simulated_host import Behaviour, SimulatedHost, SimulatedJob
from cigri.domain.model import CampaignType, JobId, RemoteId, Shape, TaskNumber
from cigri.domain.pace import Pace
from cigri.domain.remote_ids import RemoteNumbers, join_ids
from cigri.domain.verdict import Ending, TaskEnd

__all__ = ["Behaviour", "SimulatedCluster"]


@attrs.frozen
class _Submission:
    """What was created under a tag, in the order in which it was sent."""

    shape: Shape
    numbers: list[int]


class SimulatedCluster:
    """A driver whose cluster is itself."""

    name = "simulated"
    fence = 0.0
    clock_skew: float | None = None
    credentials: Credentials | None = None
    pace = Pace(quick=1.0, steady=5.0, slow=60.0)
    stress_limit: float | None = None

    def __init__(
        self,
        now: Callable[[], float],
        *,
        slots: int = 4,
        behaviour: Behaviour | None = None,
        capacity: Capacity | None = None,
    ) -> None:
        self._slots = slots
        self._host = SimulatedHost(now, slots, behaviour or Behaviour())
        self._submissions: dict[str, _Submission] = {}
        self._groups: dict[RemoteId, int] = {}
        self.capacity = capacity or Capacity()
        self.executions = self._host.executions
        self.scripts = self._host.scripts
        #: The type with which each batch came.
        self.types: list[CampaignType] = []
        #: How often each method was called.
        self.calls: list[str] = []

    @property
    def behaviour(self) -> Behaviour:
        """Return what tasks do; they may learn other ways."""
        return self._host.behaviour

    @behaviour.setter
    def behaviour(self, behaviour: Behaviour) -> None:
        self._host.behaviour = behaviour

    @property
    def jobs(self) -> Mapping[int, SimulatedJob]:
        """Return all remote jobs that ever were, by number."""
        return self._host.jobs

    def refusal(self, user: str) -> str | None:
        """Return nothing: everybody may run tasks here."""
        return None

    async def slots(self) -> int:
        """Return how many jobs run at a time."""
        return self._slots

    async def stress(self) -> float | None:
        """Return nothing: there is no host that could be loaded."""
        return None

    async def usage(self) -> Usage | None:
        """Return `None`: what else runs here has no cores of its own."""
        return None

    async def submit(self, batch: Batch) -> Mapping[JobId, RemoteId]:
        """Create the jobs of *batch*."""
        self.calls.append("submit")
        self.types.append(batch.settings.type)
        self._host.advance()
        parts = list(batch.jobs.values())
        if batch.shape is Shape.ARRAY:
            parts = [[order] for orders in parts for order in orders]
        numbers = [self._host.create(batch, orders).number for orders in parts]
        self._submissions[batch.tag] = _Submission(batch.shape, numbers)
        if batch.shape is Shape.GROUP:
            for place, number in enumerate(numbers):
                self._groups[_group_id(batch.tag, place)] = number
        self._host.advance()
        return self._named(batch.tag, list(batch.jobs))

    async def find(self, tag: str, user: str, jobs: Sequence[JobId]) -> Mapping[JobId, RemoteId]:
        """Return those of *jobs* that were created under *tag*."""
        self.calls.append("find")
        return self._named(tag, jobs)

    def _named(self, tag: str, jobs: Sequence[JobId]) -> Mapping[JobId, RemoteId]:
        found = self._submissions.get(tag)
        if found is None:
            return {}
        if found.shape is Shape.ARRAY:
            return {jobs[0]: join_ids(found.numbers)}
        places = range(len(found.numbers))
        return {job: _group_id(tag, place) for place, job in zip(places, jobs, strict=False)}

    async def status(self, jobs: Collection[JobRef]) -> Mapping[RemoteId, JobReport]:
        """Report on *jobs* as of now."""
        self.calls.append("status")
        self._host.advance()
        return {ref.remote_id: self._report(ref) for ref in jobs}

    async def withdraw(self, jobs: Collection[JobRef]) -> None:
        """Let *jobs* start no more tasks."""
        self._host.advance()
        for ref in jobs:
            for _, job in self._remote_jobs(ref):
                self._host.withdraw(job)
        self._host.advance()

    async def kill(self, jobs: Collection[JobRef]) -> None:
        """End *jobs* now."""
        self._host.advance()
        for ref in jobs:
            for _, job in self._remote_jobs(ref):
                self._host.end(job, RemoteState.KILLED)

    async def renounce(self, tag: str, user: str) -> None:
        """Do nothing: what was not created never is."""

    async def forget(self, jobs: Collection[JobRef]) -> None:
        """Keep everything: memory is cheap here."""

    async def tidy(self, open_jobs: Collection[RemoteId]) -> None:
        """Keep everything, as `forget` does."""

    async def close(self) -> None:
        """Do nothing: nothing connects to it."""

    async def outputs(
        self, job: JobRef, tasks: Collection[TaskNumber], stream: Output, limit: int
    ) -> Mapping[TaskNumber, bytes]:
        """Return a line for each of *tasks* that has ended: what it says, or its name."""
        found = {}
        for task in tasks:
            known = self._with(job, task)
            if known is None or not any(end.task == task for end in known.journal):
                continue
            is_err = stream is Output.ERR
            said = self._host.behaviour.says(task) if is_err else f"out of task {task}\n"
            found[task] = said.encode()[-limit:]
        return found

    async def cancel(self, job: JobRef, tasks: Collection[TaskNumber]) -> None:
        """End those of *tasks* that run, and start none of them."""
        self._host.advance()
        for task in tasks:
            known = self._with(job, task)
            if known is not None:
                self._host.leave_out(known, [task])
        self._host.advance()

    def lose(self, number: int) -> None:
        """Let a remote job vanish, as if its node had died."""
        self._host.end(self._host.jobs[number], RemoteState.LOST)

    def preempt(self, number: int, *, again: bool = False) -> None:
        """Kill a remote job for somebody else's; the cluster itself may run it *again*."""
        self._host.advance()
        job = self._host.jobs[number]
        if again:
            self._host.replace(job)
        else:
            self._host.end(job, RemoteState.KILLED)
        self._host.advance()

    def delete(self, number: int) -> None:
        """Delete a remote job, as somebody on the cluster may."""
        self._host.advance()
        self._host.end(self._host.jobs[number], RemoteState.KILLED, Ending.DELETED)
        self._host.advance()

    def live(self) -> list[int]:
        """Return the remote jobs that are not over."""
        return [number for number, job in self._host.jobs.items() if job.over is None]

    def _group(self, ref: JobRef) -> SimulatedJob | None:
        number = self._groups.get(ref.remote_id)
        return None if number is None else self._host.jobs[number]

    def _with(self, ref: JobRef, task: TaskNumber) -> SimulatedJob | None:
        """Return the remote job that has a task of *ref*."""
        if ref.shape is Shape.GROUP:
            return self._group(ref)
        position = ref.positions(task)
        number = None if position is None else RemoteNumbers(ref.remote_id).of(position)
        return None if number is None else self._host.jobs.get(number)

    def _remote_jobs(self, ref: JobRef) -> Iterator[tuple[TaskNumber | None, SimulatedJob]]:
        """Yield the remote jobs of *ref* that have not ended, those of an array with the task."""
        if ref.shape is Shape.GROUP:
            job = self._group(ref)
            if job is not None:
                yield None, job
            return
        numbers = RemoteNumbers(ref.remote_id)
        for position, task in ref.open.items():
            number = numbers.of(position)
            if number is not None and number in self._host.jobs:
                yield task, self._host.jobs[number]

    def _report(self, ref: JobRef) -> JobReport:
        if ref.shape is Shape.ARRAY:
            return self._array_report(ref)
        job = self._group(ref)
        if job is None:
            return JobReport(state=RemoteState.LOST, running=ref.running, read_to=ref.read_to)
        live = RemoteState.RUNNING if job.begun else RemoteState.WAITING
        return JobReport(
            state=job.over or live,
            ended=job.journal[ref.read_to :],
            running={} if job.current is None else {int(job.current.task): job.started_at},
            read_to=len(job.journal),
        )

    def _array_report(self, ref: JobRef) -> JobReport:
        ended: list[TaskEnd] = []
        running: dict[int, float] = {}
        moved: dict[TaskNumber, int] = {}
        for task, job in self._remote_jobs(ref):
            assert task is not None  # noqa: S101 - for the type checker
            if job.current is not None:
                running[task] = job.started_at
            ended += job.journal
            if job.successor is not None:
                moved[task] = job.successor
            elif job.over is not None and not job.journal:
                ended.append(_without_a_word(task, job))
        numbers = RemoteNumbers(ref.remote_id)
        for position, task in ref.open.items():
            if numbers.of(position) not in self._host.jobs:
                ended.append(TaskEnd(task, Ending.REMOVED, None, 0.0, 0.0, "never made"))
        begun = bool(ended or running or len(ref.open) < len(numbers))
        live = RemoteState.RUNNING if begun else RemoteState.WAITING
        over = len({end.task for end in ended} - moved.keys()) == len(ref.open)
        return JobReport(
            state=RemoteState.ENDED if over else live,
            ended=ended,
            running=running,
            moved=moved,
        )


def _group_id(tag: str, place: int) -> RemoteId:
    return RemoteId(f"{tag}.{place}")


def _without_a_word(task: TaskNumber, job: SimulatedJob) -> TaskEnd:
    """Return the end of a task whose remote job is over without telling it."""
    lost = job.over is RemoteState.LOST and job.started_at
    ending = Ending.LOST if lost else Ending.REMOVED
    return TaskEnd(task, ending, None, job.started_at, job.started_at)
