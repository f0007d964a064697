"""What is told of our jobs, from what OAR tells of its own."""

from collections.abc import Mapping

import attrs

from cigri.clusters.driver import JobRef, JobReport, RemoteState
from cigri.clusters.oar.api import FINAL, QUEUED, OarJob, OarState
from cigri.clusters.oar.ends import OarEnd
from cigri.clusters.oar.watch import Seen
from cigri.domain.model import TaskNumber
from cigri.domain.verdict import Ending, TaskEnd

#: States in which nothing of the job runs yet, though it may have its cores.
_NOT_BEGUN = QUEUED | {OarState.TO_LAUNCH, OarState.LAUNCHING, OarState.TO_ERROR}

#: What the end of a whole group means for the tasks that ran in it.  Their own walltimes are the
#: business of its worker: the job's only ends it.
_OF_GROUP = {Ending.WALLTIME: Ending.KILLED, Ending.EXITED: Ending.LOST}
#: Ends that are told for one task, if none ran: what was wrong must not go unsaid.
_TELLING = frozenset(
    {
        Ending.DELETED,
        Ending.REMOVED,
        Ending.NODE_FAILED,
        Ending.NO_DIRECTORY,
        Ending.NOT_STARTED,
    }
)
#: Ends of jobs that were running well; and seconds after which the worker of one has begun.
_CUT_OFF = frozenset({Ending.KILLED, Ending.DELETED, Ending.WALLTIME})
_BEGINS = 10.0

Ends = Mapping[int, OarEnd]


def begun(job: OarJob) -> bool:
    """Return whether something of *job* has run."""
    return job.state not in _NOT_BEGUN and not (job.state in FINAL and not job.start_time)


def array_report(ref: JobRef, ids: Mapping[int, int | None], seen: Seen, ends: Ends) -> JobReport:
    """
    Return what is new of an array.

    Args:
        ref: It.
        ids: The remote jobs of its open tasks, by position.
        seen: What the last look has shown.
        ends: How those that are over have ended, as far as that is known.
    """
    ended: list[TaskEnd] = []
    running: dict[int, float] = {}
    moved: dict[TaskNumber, int] = {}
    left = 0
    for position, task in ref.open.items():
        number = ids.get(position)
        if number is None or number in seen.lost:
            ended.append(_lost(ref, task, seen.at, never=number is None))
            continue
        if (end := ends.get(number)) is not None:
            ended.append(_task_end(task, seen.jobs.get(number), end, seen.at))
            if end.moved is None:
                continue
            moved[task] = end.moved
        elif (job := seen.jobs.get(number)) is None or job.state in FINAL:
            if task in ref.running:
                running[task] = ref.running[task]
        elif begun(job):
            running[task] = job.start_time
        left += 1
    state = RemoteState.RUNNING if running or ended else RemoteState.WAITING
    return JobReport(
        state=state if left else RemoteState.ENDED, ended=ended, running=running, moved=moved
    )


def lacks_its_end(told: JobReport, job: OarJob, end: OarEnd) -> bool:
    """
    Return whether the journal of a group, *told*, cannot be all that its worker wrote.

    One that ends well says so in its last line.  One that was killed began to write soon.  What
    such a journal does not tell may have run, so nothing is concluded from it: the file system or
    the API may show it in a moment.
    """
    if told.state not in {RemoteState.WAITING, RemoteState.RUNNING}:
        return False
    if end.ending is Ending.EXITED:
        return end.exit_status == 0
    ran = job.stop_time - job.start_time if job.start_time else 0.0
    return told.state is RemoteState.WAITING and end.ending in _CUT_OFF and ran >= _BEGINS


def group_report(ref: JobRef, seen: Seen, ends: Ends, told: JobReport) -> JobReport:
    """
    Return what is new of a group.

    Args:
        ref: It.
        seen: What the last look has shown.
        ends: How those that are over have ended, as far as that is known.
        told: What its journal says.
    """
    number = int(ref.remote_id)
    if number in seen.lost:
        return _lost_report(ref, told, seen.at)
    job, end = seen.jobs.get(number), ends.get(number)
    if end is None or job is None:
        live = bool(told.running or told.ended) or (job is not None and begun(job))
        return attrs.evolve(told, state=RemoteState.RUNNING if live else RemoteState.WAITING)
    ending = _OF_GROUP.get(end.ending, end.ending)
    stopped_at = max(job.stop_time, job.start_time)
    done = {each.task for each in told.ended}
    cut = [
        TaskEnd(TaskNumber(task), ending, None, start, max(start, stopped_at), end.message)
        for task, start in told.running.items()
        if task not in done
    ]
    never = [task for task in ref.open.values() if task not in done and task not in told.running]
    is_silent = end.ending is Ending.EXITED and lacks_its_end(told, job, end)
    if not cut and never and (ending in _TELLING or end.broken or is_silent):
        cut = [_telling(never[0], end, stopped_at)]
    return attrs.evolve(told, state=RemoteState.ENDED, ended=[*told.ended, *cut], running={})


def _telling(task: TaskNumber, end: OarEnd, at: float) -> TaskEnd:
    """Return an end for a task of a group that did not run, so that it is heard of."""
    if end.ending is Ending.EXITED:
        # Or the next group would fare the same, and nobody knew.
        why = f"the worker of its group ended with {end.exit_status}"
        why += "" if end.exit_status else " and left no journal"
        return TaskEnd(task, Ending.NOT_STARTED, None, at, at, why)
    ending = Ending.REMOVED if end.ending is Ending.DELETED else end.ending
    return TaskEnd(task, ending, None, at, at, end.message)


def _lost_report(ref: JobRef, told: JobReport, at: float) -> JobReport:
    """Return what is told of a group that its cluster does not know any more."""
    running = {**ref.running, **told.running}
    done = {each.task for each in told.ended}
    cut = [
        TaskEnd(TaskNumber(task), Ending.LOST, None, start, max(start, at))
        for task, start in running.items()
        if task not in done
    ]
    return attrs.evolve(told, state=RemoteState.LOST, ended=[*told.ended, *cut], running={})


def _task_end(task: TaskNumber, job: OarJob | None, end: OarEnd, at: float) -> TaskEnd:
    start = job.start_time if job else 0.0
    stop = job.stop_time if job else 0.0
    if not start:
        return TaskEnd(task, end.ending, end.exit_status, at, at, end.message)
    return TaskEnd(task, end.ending, end.exit_status, start, max(start, stop), end.message)


def _lost(ref: JobRef, task: TaskNumber, at: float, *, never: bool) -> TaskEnd:
    start = ref.running.get(task)
    if start is not None:
        return TaskEnd(task, Ending.LOST, None, start, max(start, at))
    why = "the cluster never made its job" if never else "the cluster does not know its job"
    return TaskEnd(task, Ending.REMOVED, None, at, at, why)
