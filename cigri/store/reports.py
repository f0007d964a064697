"""What clusters tell of their jobs, as far as it can be true."""

from collections.abc import Iterable, Mapping, Sequence

import attrs

from cigri.domain.lifecycle import JobEvent
from cigri.domain.model import Shape, TaskNumber
from cigri.domain.remote_ids import RemoteNumbers
from cigri.domain.verdict import TaskEnd
from cigri.store.jobs import OpenJob
from cigri.store.records import EXIT_STATUSES, LAST_INSTANT

#: Characters of what a cluster says about an end that are kept.
_LONGEST_MESSAGE = 500
#: The first number that cannot be stored.
_NO_NUMBER = 2**63


@attrs.frozen(kw_only=True)
class Report:
    """What is new about a job, as `hear` believes it."""

    job: OpenJob
    ended: Sequence[TaskEnd]
    #: The tasks that run in it now, with their starts.
    running: Mapping[int, float]
    #: How far its journal has now been read.
    read_to: int
    #: How the job is over, `None` while it is not.
    over: JobEvent | None = None
    #: Whether a task of it has ever started.
    begun: bool = True
    #: Tasks whose remote job was replaced by another one, with its number; what `ended` says of
    #: them was of the one before.
    moved: Mapping[int, int] = attrs.field(factory=dict)

    @property
    def is_news(self) -> bool:
        """Return whether anything changed."""
        before = (self.job.read_to, self.job.running)
        told = self.ended or self.over or self.moved
        return bool(told) or (self.read_to, self.running) != before


def hear(
    job: OpenJob,
    *,
    ended: Iterable[TaskEnd],
    running: Mapping[int, float],
    read_to: int,
    over: JobEvent | None = None,
    begun: bool = True,
    moved: Mapping[TaskNumber, int] = {},
) -> Report:
    """
    Return what a cluster tells of *job* as far as it can be true.

    A journal is its user's to write: it can speak of the tasks of its own job alone, of each end
    once, and in numbers that can be stored.  An array is over when all its tasks have ended.
    """
    position = job.positions.of
    ends: dict[int, TaskEnd] = {}
    for end in ended:
        if position(end.task) is not None:
            ends.setdefault(end.task, end if _fits(end) else _fitted(end))
    replaced = _replaced(job, moved) if moved else {}
    if job.shape is Shape.ARRAY and over is None:
        news = sum(position(task) in job.open for task in ends.keys() - replaced.keys())
        over = JobEvent.ENDED if news == len(job.open) else None
    return Report(
        job=job,
        ended=list(ends.values()),
        running=_running(job, running),
        read_to=read_to,
        over=over,
        begun=begun,
        moved=replaced,
    )


def _running(job: OpenJob, running: Mapping[int, float]) -> Mapping[int, float]:
    before, position = job.running, job.positions.of
    return {
        # Most run as they did before.
        task: start if before.get(task) == start else _instant(start)
        for task, start in running.items()
        if task in before or position(task) is not None
    }


def _replaced(job: OpenJob, moved: Mapping[TaskNumber, int]) -> dict[int, int]:
    """Return the tasks of an array that run under another number than the one that is known."""
    if job.shape is not Shape.ARRAY or job.remote_id is None:
        return {}
    numbers = RemoteNumbers(job.remote_id)
    places = ((task, job.positions.of(task), number) for task, number in moved.items())
    return {
        task: number
        for task, position, number in places
        if position is not None
        and position in job.open
        and 0 < number < _NO_NUMBER
        and numbers.of(position) != number
    }


def _fits(end: TaskEnd) -> bool:
    lowest, highest = EXIT_STATUSES
    return (
        (end.exit_status is None or lowest <= end.exit_status <= highest)
        and 0 <= end.started_at <= LAST_INSTANT
        and 0 <= end.ended_at <= LAST_INSTANT
        and len(end.message) <= _LONGEST_MESSAGE
    )


def _fitted(end: TaskEnd) -> TaskEnd:
    lowest, highest = EXIT_STATUSES
    return end._replace(
        exit_status=None
        if end.exit_status is None
        else max(lowest, min(end.exit_status, highest)),
        started_at=_instant(end.started_at),
        ended_at=_instant(end.ended_at),
        message=end.message[:_LONGEST_MESSAGE],
    )


def _instant(value: float) -> float:
    # In this order NaN, of which no comparison is true, becomes 0.
    return min(max(0.0, value), LAST_INSTANT)
