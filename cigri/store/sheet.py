"""The records of tasks while reports are applied to them."""

from collections.abc import Mapping

import attrs

from cigri.domain.lifecycle import JobEvent
from cigri.domain.model import CampaignId, Shape, TaskNumber
from cigri.domain.positions import pack, unpack
from cigri.domain.remote_ids import RemoteNumbers
from cigri.domain.verdict import ENDED_BY_ITSELF, Ending, Fate, TaskEnd, judge
from cigri.store import attempts, records, tasks
from cigri.store.attempts import Past
from cigri.store.campaigns import Move
from cigri.store.database import Connection
from cigri.store.jobs import OpenJob
from cigri.store.records import CHUNK, MOST_ATTEMPTS, NO_STATUS, Records
from cigri.store.reports import Report

#: How a fate is recorded.
_RECORDED = {
    Fate.SUCCEEDED: records.SUCCEEDED,
    Fate.FAILED: records.FAILED,
    Fate.AGAIN_FIRST: records.BACK_IN_BAG,
    Fate.AGAIN_LAST: records.BACK_IN_BAG,
}


#: Ends of attempts whose program never ran.
_NEVER_RAN = frozenset({Ending.NOT_STARTED, Ending.UNUSABLE, Ending.REMOVED, Ending.NO_DIRECTORY})


@attrs.frozen(kw_only=True)
class Left:
    """What is left of a job: how many tasks, those of them that run, and which have ended."""

    count: int
    running: Mapping[int, float]
    ended: bytes


class _Holding:
    """A job, and which of its tasks have ended, while a report of it is applied."""

    def __init__(self, job: OpenJob) -> None:
        self.job = job
        self._flags = unpack(job.ended, job.positions.size)

    def has_ended(self, task: int) -> bool:
        position = self.job.positions.of(task)
        return position is not None and bool(self._flags[position])

    def end(self, task: int) -> None:
        position = self.job.positions.of(task)
        if position is not None:
            self._flags[position] = 1

    def packed(self) -> bytes:
        return pack(self._flags)

    def number(self, task: int) -> int:
        """Return the number of the remote job of a task of an array, 0 if it has none."""
        position = self.job.positions.of(task)
        if position is None or self.job.remote_id is None or self.job.shape is Shape.GROUP:
            return 0
        return RemoteNumbers(self.job.remote_id).of(position) or 0


class Sheet:
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
        #: Attempts whose remote job the cluster itself has replaced by another one.
        self._replaced = 0
        self.again_first: list[int] = []
        self.again_last: list[int] = []
        #: Those that should run first, and where their checkpoint lies.
        self.with_checkpoint: list[int] = []
        #: Those that have waited too long here.
        self.elsewhere: list[int] = []
        #: Attempts that settled nothing, by chunk.
        self.past: dict[int, list[Past]] = {}
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
            again=not_settled - self._stopped + self._replaced,
            stopped=self._stopped,
            ended=self._ended,
            duration=self._duration,
            duration_squares=self._duration_squares,
        )

    @property
    def came_back(self) -> bool:
        """Return whether tasks go back to the bag."""
        return bool(self.again_first or self.again_last or self.with_checkpoint or self.elsewhere)

    def apply(self, report: Report, at: float) -> Left:
        """Apply a report; return what is left of its job."""
        job, moved = report.job, report.moved
        holding = _Holding(job)
        left = job.left - sum(
            self._end(holding, end) for end in report.ended if end.task not in moved
        )
        if moved:
            self._follow(holding, report, at)
        # A task that has ended in a job cannot start in it again; most run as they did before.
        still = job.running.keys() - {end.task for end in report.ended}
        running = {
            task: start
            for task, start in report.running.items()
            if task in still or not self._is_over(holding, task)
        }
        if report.over:
            self._close(holding, running, vanished=report.over is JobEvent.VANISHED)
            left, running = 0, {}
        self._running += len(running) - len(job.running)
        self._queued += (left - len(running)) - (job.left - len(job.running))
        return Left(count=left, running=running, ended=holding.packed())

    def _is_over(self, holding: _Holding, task: int) -> bool:
        """
        Return whether an attempt at a task in a job is recorded as ended.

        What asked to run again may even have ended in a later job meanwhile.  The record tells it
        of jobs that began before they kept a list.
        """
        if holding.has_ended(task):
            return True
        items = self._chunks.get(task // CHUNK)
        return items is not None and items.job[task % CHUNK] >= holding.job.id

    def _is_doomed(self, task: int) -> bool:
        """Return whether somebody cancelled a task that a job holds."""
        return self._chunks[task // CHUNK].state[task % CHUNK] == records.CANCELLED

    def _end(self, holding: _Holding, end: TaskEnd) -> bool:
        """Record how an attempt ended; return whether it was new."""
        if self._is_over(holding, end.task):
            return False
        holding.end(end.task)
        if end.ending is Ending.REMOVED:
            self._give_back(holding.job, end.task)
            return True
        chunk, position = divmod(end.task, CHUNK)
        items = self._chunks[chunk]
        fate = judge(end).fate
        again = fate in (Fate.AGAIN_FIRST, Fate.AGAIN_LAST)
        doomed = self._is_doomed(end.task)
        gone = again and (self._cancelled or doomed)
        self._note(holding.job, end, records.CANCELLED if gone else _RECORDED[fate])
        self._counts[fate] += 1
        self._doomed += again and doomed
        self._stopped += gone
        if again and not gone:
            self._again(holding.job, end, fate)
            past = attempts.of_record(items, position, end.ending)
            self.past.setdefault(chunk, []).append(past)
        return True

    def _note(self, job: OpenJob, end: TaskEnd, state: int) -> None:
        """Write an attempt into the record of its task."""
        chunk, position = divmod(end.task, CHUNK)
        items = self._chunks[chunk]
        items.state[position] = state
        items.exit_status[position] = NO_STATUS if end.exit_status is None else end.exit_status
        number = items.attempts[position] + (end.ending not in _NEVER_RAN)
        items.attempts[position] = min(number, MOST_ATTEMPTS)
        items.cluster[position] = self._cluster_id
        items.job[position] = job.id
        items.start[position] = round(end.started_at * 1000)
        duration = max(0.0, end.ended_at - end.started_at)
        items.duration[position] = round(duration * 1000)
        self._changed.add(chunk)
        if end.ending in ENDED_BY_ITSELF:
            self._ended += 1
            self._duration += duration
            self._duration_squares += duration * duration

    def _again(self, job: OpenJob, end: TaskEnd, fate: Fate) -> None:
        """Let a task run again."""
        if end.ending is Ending.RETRIED:
            self.retried.append(end.task)
        if fate is Fate.AGAIN_LAST:
            self.again_last.append(end.task)
        elif job.checkpoints and end.ending not in _NEVER_RAN:
            self.with_checkpoint.append(end.task)
        else:
            self.again_first.append(end.task)

    def _follow(self, holding: _Holding, report: Report, at: float) -> None:
        """Count attempts whose remote jobs the cluster has replaced: their tasks stay there."""
        told = {end.task: end for end in report.ended if end.task in report.moved}
        for number in report.moved:
            task = TaskNumber(number)
            if self._is_over(holding, task):
                continue
            start = holding.job.running.get(task, at)
            end = told.get(task) or TaskEnd(task, Ending.KILLED, None, start, at)
            chunk, position = divmod(task, CHUNK)
            items = self._chunks[chunk]
            count = min(items.attempts[position] + 1, MOST_ATTEMPTS)
            items.attempts[position] = count
            self._changed.add(chunk)
            self._replaced += 1
            past = Past(
                position,
                count,
                attempts.CODES[end.ending],
                NO_STATUS if end.exit_status is None else end.exit_status,
                self._cluster_id,
                holding.job.id,
                holding.number(task),
                round(end.started_at * 1000),
                round(max(0.0, end.ended_at - end.started_at) * 1000),
            )
            self.past.setdefault(chunk, []).append(past)

    def _give_back(self, job: OpenJob, task: int) -> None:
        """Put a task back that a job never started, unless it was cancelled."""
        self._unstarted += 1
        if self._is_doomed(task):
            self._doomed += 1
        elif not self._cancelled:
            (self.elsewhere if job.elsewhere else self.again_first).append(task)

    def _close(self, holding: _Holding, running: Mapping[int, float], *, vanished: bool) -> None:
        """Give back what a job that is over has not done."""
        job = holding.job
        left = [task for task in job.positions.tasks() if not self._is_over(holding, task)]
        lost = [task for task in left if task in running]
        for task in lost:
            start = running[task]
            self._end(holding, TaskEnd(TaskNumber(task), Ending.LOST, None, start, start))
        unstarted = [task for task in left if task not in running]
        for task in unstarted:
            self._give_back(job, task)
        if not self._cancelled:
            # A job that vanished before anything of it ran is told, too.
            self.lost += lost or (unstarted if vanished else [])
