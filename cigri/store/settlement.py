"""Applies what clusters report: tasks settled or back in the bag, jobs and counters moved on."""

from collections.abc import Mapping, Sequence

from cigri.domain import bag
from cigri.domain.bag import Range
from cigri.domain.lifecycle import JobEvent, StepEvent
from cigri.domain.model import CampaignId, CampaignState, JobId, JobKind, JobState, TaskNumber
from cigri.domain.reactions import REACTIONS, EventCode
from cigri.domain.steps import came_to_its_end, succeeded
from cigri.domain.verdict import ENDED_BY_ITSELF, Ending, Fate, TaskEnd, judge
from cigri.store import brakes, campaigns, events, jobs, records, retries, steps, tasks
from cigri.store.campaigns import Move
from cigri.store.database import Connection
from cigri.store.events import Incident
from cigri.store.jobs import OpenJob
from cigri.store.records import CHUNK, MOST_ATTEMPTS, NO_STATUS, Records
from cigri.store.reports import Report
from cigri.store.steps import Step


async def settle(
    tx: Connection, cluster_id: int, reports: Sequence[Report], at: float
) -> list[CampaignId]:
    """Apply *reports* of one cluster and return the campaigns that they end."""
    finished = []
    for campaign in sorted({report.job.campaign for report in reports}):
        own = [report for report in reports if report.job.campaign == campaign]
        for report in own:
            if report.job.kind is not JobKind.TASKS:
                await _settle_step(tx, cluster_id, report, at)
        with_tasks = [report for report in own if report.job.kind is JobKind.TASKS]
        if with_tasks:
            await _settle_tasks(tx, campaign, cluster_id, with_tasks, at)
        if await campaigns.finish_if_done(tx, campaign, at):
            finished.append(campaign)
        else:
            await brakes.check(tx, campaign, at)
    return finished


async def _settle_step(tx: Connection, cluster_id: int, report: Report, at: float) -> None:
    """Record what became of a prologue or an epilogue: its script counts among no tasks."""
    job, left = report.job, report.job.left
    row = await campaigns.row(tx, job.campaign)
    end = report.ended[0] if report.ended and left else None
    step = Step(job.campaign, job.kind)
    if end is not None and came_to_its_end(end):
        left = 0
        event = StepEvent.SUCCEEDED if succeeded(end) else StepEvent.FAILED
        await steps.happen(tx, step, cluster_id, event)
        in_bag_or_flight = row["pending"] + row["queued"] + row["running"]
        if job.kind is JobKind.EPILOGUE and (in_bag_or_flight or await jobs.overtaken(tx, job)):
            # Tasks came back while it ran, and it ran too early.
            await steps.happen(tx, step, cluster_id, StepEvent.DUE_AGAIN)
    elif left and (end is not None or report.over):
        left = 0
        begun = end is not None or bool(report.running)
        stopped = begun and row["state"] == CampaignState.CANCELLED
        killed = stopped and job.kind is JobKind.PROLOGUE
        event = StepEvent.STOPPED if killed else StepEvent.UNDONE
        await steps.happen(tx, step, cluster_id, event)
        if report.over is JobEvent.VANISHED:
            await events.record(tx, _vanished(step, cluster_id), at)
    running = report.running if left and not report.over else {}
    await jobs.set_progress(tx, job.id, running=running, left=left, read_to=report.read_to)
    await jobs.happen(tx, job, _events(report))


def _vanished(step: Step, cluster_id: int) -> Incident:
    return Incident(
        code=EventCode.JOB_LOST,
        message=f"the job of the {step.kind} vanished; it runs again",
        campaign=step.campaign,
        cluster_id=cluster_id,
    )


async def _settle_tasks(
    tx: Connection,
    campaign: CampaignId,
    cluster_id: int,
    reports: Sequence[Report],
    at: float,
) -> None:
    cancelled = (await campaigns.row(tx, campaign))["state"] == CampaignState.CANCELLED
    sheet = _Sheet(cluster_id, cancelled=cancelled)
    touched = {end.task // CHUNK for report in reports for end in report.ended}
    touched |= {task // CHUNK for r in reports for task in r.running.keys() - r.job.running.keys()}
    touched |= {n // CHUNK for r in reports if r.over for i in r.job.tasks for n in _ends(i)}
    await sheet.load(tx, campaign, touched)
    for report in reports:
        running, left = sheet.apply(report)
        await jobs.set_progress(
            tx, report.job.id, running=running, left=left, read_to=report.read_to
        )
        await jobs.happen(tx, report.job, _events(report))
    await tasks.write_records(tx, campaign, sheet.changed())
    await tasks.put_back(tx, campaign, bag.ranges(sheet.again_first))
    await tasks.put_back(tx, campaign, bag.ranges(sheet.again_last), at_the_end=True)
    await retries.count(tx, campaign, sheet.retried)
    await campaigns.move(tx, campaign, sheet.change(), cluster_id=cluster_id)
    if sheet.again_first or sheet.again_last:
        await campaigns.test_again(tx, campaign, cluster_id)
    if sheet.lost:
        await events.record(tx, _lost(campaign, cluster_id, sheet.lost), at)


def _ends(item: Range) -> Sequence[int]:
    """Return a task in each chunk that a range touches."""
    return [*item.numbers()[::CHUNK], item.first + item.size - 1]


def _events(report: Report) -> list[JobEvent]:
    started = report.begun and report.job.state is JobState.SUBMITTED
    happened = [JobEvent.STARTED] if started else []
    return [*happened, report.over] if report.over else happened


def _lost(campaign: CampaignId, cluster_id: int, lost: Sequence[int]) -> Incident:
    meaning = REACTIONS[EventCode.JOB_LOST].meaning
    return Incident(
        code=EventCode.JOB_LOST,
        message=f"{meaning}; first of them: task {min(lost)}",
        count=len(lost),
        campaign=campaign,
        cluster_id=cluster_id,
        task=TaskNumber(min(lost)),
    )


#: How a fate is recorded.
_RECORDED = {
    Fate.SUCCEEDED: records.SUCCEEDED,
    Fate.FAILED: records.FAILED,
    Fate.AGAIN_FIRST: records.BACK_IN_BAG,
    Fate.AGAIN_LAST: records.BACK_IN_BAG,
}


#: Ends of attempts whose program never ran.
_NEVER_RAN = frozenset({Ending.NOT_STARTED, Ending.UNUSABLE})


class _Sheet:
    """The records of one campaign while reports of one cluster are applied to them."""

    def __init__(self, cluster_id: int, *, cancelled: bool) -> None:
        self._cluster_id = cluster_id
        self._cancelled = cancelled
        self._chunks: dict[int, Records] = {}
        self._changed: set[int] = set()
        self._counts = dict.fromkeys(Fate, 0)
        self._queued = self._running = self._ended = 0
        self._duration = self._duration_squares = 0.0
        self._unstarted = 0
        #: Tasks that somebody cancelled while a job held them.
        self._doomed = 0
        #: Attempts that ended with their task cancelled.
        self._stopped = 0
        self.again_first: list[int] = []
        self.again_last: list[int] = []
        self.lost: list[int] = []
        #: Tasks that failed and are tried again.
        self.retried: list[int] = []

    async def load(self, tx: Connection, campaign: CampaignId, chunks: set[int]) -> None:
        """Read the records of *chunks*."""
        known = await tasks.read_records(tx, campaign, chunks)
        self._chunks = {chunk: known.get(chunk) or Records() for chunk in chunks}

    def changed(self) -> Mapping[int, Records]:
        """Return the records to write."""
        return {chunk: self._chunks[chunk] for chunk in self._changed}

    def change(self) -> Move:
        """Return how the counters change."""
        not_settled = self._counts[Fate.AGAIN_FIRST] + self._counts[Fate.AGAIN_LAST]
        back = not_settled + self._unstarted
        cancelled = back if self._cancelled else self._doomed
        return Move(
            pending=back - cancelled,
            cancelled=cancelled,
            queued=self._queued,
            running=self._running,
            succeeded=self._counts[Fate.SUCCEEDED],
            failed=self._counts[Fate.FAILED],
            again=not_settled - self._stopped,
            stopped=self._stopped,
            ended=self._ended,
            duration=self._duration,
            duration_squares=self._duration_squares,
        )

    def apply(self, report: Report) -> tuple[Mapping[int, float], int]:
        """Apply a report; return the tasks that still run in its job and how many are left."""
        job = report.job
        left = job.left - sum(self._end(job.id, end) for end in report.ended)
        # A task that has ended in a job cannot start in it again.
        running = {t: start for t, start in report.running.items() if not self._is_over(job.id, t)}
        if report.over:
            self._close(job, running, vanished=report.over is JobEvent.VANISHED)
            left, running = 0, {}
        self._running += len(running) - len(job.running)
        self._queued += (left - len(running)) - (job.left - len(job.running))
        return running, left

    def _is_over(self, job: JobId, task: int) -> bool:
        """
        Return whether an attempt at a task in a job is recorded as ended.

        What asked to run again may even have ended in a later job meanwhile.
        """
        items = self._chunks.get(task // CHUNK)
        return items is not None and items.job[task % CHUNK] >= job

    def _is_doomed(self, task: int) -> bool:
        """Return whether somebody cancelled a task that a job holds."""
        return self._chunks[task // CHUNK].state[task % CHUNK] == records.CANCELLED

    def _end(self, job: JobId, end: TaskEnd) -> bool:
        """Record how an attempt ended; return whether it was new."""
        if self._is_over(job, end.task):
            return False
        chunk, position = divmod(end.task, CHUNK)
        items = self._chunks[chunk]
        fate = judge(end).fate
        again = fate in (Fate.AGAIN_FIRST, Fate.AGAIN_LAST)
        doomed = items.state[position] == records.CANCELLED
        gone = again and (self._cancelled or doomed)
        items.state[position] = records.CANCELLED if gone else _RECORDED[fate]
        items.exit_status[position] = NO_STATUS if end.exit_status is None else end.exit_status
        attempts = items.attempts[position] + (end.ending not in _NEVER_RAN)
        items.attempts[position] = min(attempts, MOST_ATTEMPTS)
        items.cluster[position] = self._cluster_id
        items.job[position] = job
        items.start[position] = round(end.started_at * 1000)
        duration = max(0.0, end.ended_at - end.started_at)
        items.duration[position] = round(duration * 1000)
        self._changed.add(chunk)
        self._counts[fate] += 1
        self._doomed += again and doomed
        self._stopped += gone
        if again and not gone:
            (self.again_last if fate is Fate.AGAIN_LAST else self.again_first).append(end.task)
        if end.ending is Ending.RETRIED and not gone:
            self.retried.append(end.task)
        if end.ending in ENDED_BY_ITSELF:
            self._ended += 1
            self._duration += duration
            self._duration_squares += duration * duration
        return True

    def _close(self, job: OpenJob, running: Mapping[int, float], *, vanished: bool) -> None:
        """Give back what a job that is over has not done."""
        given_back = [
            number
            for item in job.tasks
            for number in item.numbers()
            if not self._is_over(job.id, number)
        ]
        lost = [number for number in given_back if number in running]
        for number in lost:
            start = running[number]
            self._end(job.id, TaskEnd(TaskNumber(number), Ending.LOST, None, start, start))
        unstarted = [number for number in given_back if number not in running]
        self._unstarted += len(unstarted)
        wanted = [number for number in unstarted if not self._is_doomed(number)]
        self._doomed += len(unstarted) - len(wanted)
        if not self._cancelled:
            self.again_first += wanted
            # A job that vanished before anything of it ran is told, too.
            self.lost += lost or (unstarted if vanished else [])
