"""The jobs of the fake OAR: a cluster in memory whose jobs end by the clock, not by running."""

import heapq
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterable, Iterator

from cigri.bench.fake.model import OVER, Event, FakeOptions, Job, State, Submission, Why

_LOST_NODE = "The oarexec exit value = 255; ssh failed; the node node1 is Suspected"


class Cluster:
    """Jobs that start in the order they came, as soon as cores are free, and end in time."""

    def __init__(self, options: FakeOptions, now: Callable[[], float]) -> None:
        self.options = options
        self._now = now
        self.jobs: dict[int, Job] = {}
        self.submissions: list[list[Job]] = []
        self.running: dict[int, Job] = {}
        self.events: dict[int, list[Event]] = {}
        #: Starts and stops a job that really runs.
        self.run: Callable[[Job], None] | None = None
        self.stop: Callable[[Job], None] | None = None
        self.signal: Callable[[Job], None] | None = None
        #: Seconds of cores used so far, and when that was counted.
        self.used = 0.0
        self.started = self.finished = 0
        self._free = options.cores
        self._clock = now()
        self._next_id = 1
        self._next_event = 1
        self._waiting: deque[Job] = deque()
        self._due: list[tuple[float, int]] = []
        self._ended: list[Job] = []
        self._ended_at: list[float] = []

    def now(self) -> float:
        """Return the time of the cluster's own clock."""
        return self._now()

    def submit(self, made: Callable[[int, float], Submission], *, held: bool) -> list[Job]:
        """Create the jobs of what *made* returns, given the id of the first and the time."""
        self.advance()
        sub = made(self._next_id, self._clock)
        state = State.HOLD if held else State.WAITING
        count = 1 if sub.lines is None else len(sub.lines)
        step = self.options.id_step
        ids = range(self._next_id, self._next_id + count * step, step)
        self._next_id += count * step
        jobs = [Job(number, index, sub, state) for index, number in enumerate(ids)]
        self.jobs.update(zip(ids, jobs, strict=True))
        self.submissions.append(jobs)
        if not held:
            self._waiting.extend(jobs)
        self.advance()
        return jobs

    def advance(self) -> None:
        """Let time pass until now, from one end of a job to the next."""
        now = self.now()
        due = self._due
        self._start_waiting()
        while due and due[0][0] <= now:
            at, number = heapq.heappop(due)
            self._pass(at)
            job = self.running.get(number)
            if job is None:
                pass  # it was killed before
            elif self.run is None and self._duration(job) <= job.sub.walltime:
                self.end(job, 0)
            else:
                self.kill(job, Why.WALLTIME)
            self._start_waiting()
        self._pass(now)
        self._start_waiting()

    def end(self, job: Job, status: int) -> None:
        """Let *job* end with a wait status."""
        job.exit_code = status
        self._close(job, State.TERMINATED)

    def kill(self, job: Job, why: Why, by: str = "root") -> None:
        """End *job* before its time, with the events that OAR writes."""
        ran = job.id in self.running
        if why is Why.LOST:
            self._close(job, State.ERROR)
            del self.jobs[job.id]
            return
        if why is Why.NODE:
            self.fail(job, "EXIT_VALUE_OAREXEC", _LOST_NODE)
            return
        self._frag(job, why, by, ran=ran)
        self._close(job, State.ERROR)
        if why is Why.RESUBMITTED:
            self._resubmit(job)

    def fail(self, job: Job, type_: str, description: str) -> None:
        """Let *job* end as one that its node could not start."""
        asked = f"[bipbip {job.id}] Ask to change the job state"
        self._say(job, "SWITCH_INTO_ERROR_STATE", asked)
        self._say(job, type_, f"[bipbip {job.id}] {description}")
        self._close(job, State.ERROR)

    def note_deletion(self, job: Job, by: str) -> None:
        """Let *by* delete a job that has ended: only the request is noted."""
        self._frag(job, Why.DELETED, by, ran=False)

    def checkpoint(self, job: Job, by: str) -> None:
        """Warn *job* that it will end; one that does not really run does not listen."""
        said = f"User {by} requested a checkpoint on the job {job.id}"
        self._say(job, "CHECKPOINT", said)
        if self.signal is not None:
            self.signal(job)
        said = f"The job {job.id} was notified to checkpoint itself on node1."
        self._say(job, "CHECKPOINT_SUCCESS", said)

    def since(self, moment: float) -> Iterator[Job]:
        """Yield the jobs that OAR lists from *moment* on: waiting ones only if they are new."""
        yield from self._ended[bisect_left(self._ended_at, int(moment)) :]
        for job in self.running.values():
            if job.start + job.sub.walltime >= moment:
                yield job
        for made in reversed(self.submissions):
            if int(made[0].sub.time) < moment:
                return
            yield from (job for job in made if job.id in self.jobs and not job.start)

    def live(self) -> Iterable[Job]:
        """Return the jobs that have not ended."""
        return [job for job in self.jobs.values() if job.state not in OVER]

    def _say(self, job: Job, type_: str, description: str) -> None:
        event = Event(type_, description, self._clock, self._next_event)
        self._next_event += 1
        self.events.setdefault(job.id, []).append(event)

    def _frag(self, job: Job, why: Why, by: str, *, ran: bool) -> None:
        if why in {Why.BESTEFFORT, Why.RESUBMITTED}:
            self._say(job, "BESTEFFORT_KILL", f"[MetaSched] kill the besteffort job {job.id}")
        self._say(job, "FRAG_JOB_REQUEST", f"User {by} requested to frag the job {job.id}")
        if why is Why.WALLTIME:
            said = (
                f"[sarko] Job [{job.id}] from {job.start:.0f} with {job.sub.walltime}; (Elapsed)"
            )
            self._say(job, "WALLTIME", said)
        if ran:
            said = f"[Leon] Send the kill signal to oarexec on node1 for job {job.id}"
            self._say(job, "SEND_KILL_JOB", said)
            said = f"[bipbip {job.id}] Ask to change the job state"
            self._say(job, "SWITCH_INTO_ERROR_STATE", said)

    def _resubmit(self, job: Job) -> None:
        again = Job(self._next_id, job.index, job.sub, State.WAITING)
        self._next_id += 1
        again.resubmitted_from = job.id
        said = (
            f"[bipbip {job.id}] the job {job.id} is a besteffort and idempotent job"
            f" so we resubmit it (new id = {again.id})"
        )
        self._say(job, "RESUBMIT_JOB_AUTOMATICALLY", said)
        self.jobs[again.id] = again
        self.submissions.append([again])
        self._waiting.append(again)

    def _close(self, job: Job, state: State) -> None:
        job.state = state
        if self.running.pop(job.id, None) is None:
            return
        job.stop = self._clock
        self._free += job.sub.cores
        self.finished += 1
        self._ended.append(job)
        self._ended_at.append(int(job.stop))
        if self.stop is not None:
            self.stop(job)

    def _start_waiting(self) -> None:
        waiting, clock = self._waiting, self._clock
        while waiting:
            job = waiting[0]
            if job.state is not State.WAITING or job.id not in self.jobs:
                waiting.popleft()
                continue
            if job.sub.cores > self._free:
                return
            waiting.popleft()
            self._free -= job.sub.cores
            job.state, job.start = State.RUNNING, clock
            self.running[job.id] = job
            self.started += 1
            most = job.sub.walltime if self.run else min(self._duration(job), job.sub.walltime)
            heapq.heappush(self._due, (clock + most, job.id))
            if self.run is not None:
                self.run(job)

    def _duration(self, job: Job) -> float:
        durations = self.options.durations
        return durations[job.id % len(durations)]

    def _pass(self, moment: float) -> None:
        moment = max(moment, self._clock)
        self.used += (self.options.cores - self._free) * (moment - self._clock)
        self._clock = moment
