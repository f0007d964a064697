"""What clusters tell of their jobs, as far as it can be true."""

from collections.abc import Iterable, Mapping, Sequence

import attrs

from cigri.domain.bag import Range
from cigri.domain.lifecycle import JobEvent
from cigri.domain.verdict import TaskEnd
from cigri.store.jobs import OpenJob
from cigri.store.records import EXIT_STATUSES, LAST_INSTANT

#: Characters of what a cluster says about an end that are kept.
_LONGEST_MESSAGE = 500


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

    @property
    def is_news(self) -> bool:
        """Return whether anything changed."""
        before = (self.job.read_to, self.job.running)
        return bool(self.ended or self.over) or (self.read_to, self.running) != before


def hear(
    job: OpenJob,
    *,
    ended: Iterable[TaskEnd],
    running: Mapping[int, float],
    read_to: int,
    over: JobEvent | None = None,
    begun: bool = True,
) -> Report:
    """
    Return what a cluster tells of *job* as far as it can be true.

    A journal is its user's to write: it can speak of the tasks of its own job alone, of each end
    once, and in numbers that can be stored.
    """
    mine = _Membership(job.tasks)
    ends: dict[int, TaskEnd] = {}
    for end in ended:
        if end.task in mine:
            ends.setdefault(end.task, end if _fits(end) else _fitted(end))
    return Report(
        job=job,
        ended=list(ends.values()),
        running={task: _instant(start) for task, start in running.items() if task in mine},
        read_to=read_to,
        over=over,
        begun=begun,
    )


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


class _Membership:
    """Whether a task belongs to a job: its journal may say anything."""

    def __init__(self, given: Sequence[Range]) -> None:
        self._whole = given[0].numbers() if len(given) == 1 else None
        self._scattered = set() if self._whole else {n for i in given for n in i.numbers()}

    def __contains__(self, task: int) -> bool:
        return task in (self._whole if self._whole is not None else self._scattered)
