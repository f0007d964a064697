"""What clusters tell that went wrong, as events: equal failures are one, with their last words."""

from collections.abc import AsyncIterator, Collection, Iterator, Sequence

import attrs

from cigri.clusters.driver import JobRef, Output
from cigri.domain.causes import plain_lines, signature
from cigri.domain.model import CampaignId, CampaignState, JobKind, RemoteId, TaskNumber
from cigri.domain.reactions import REACTIONS, EventCode
from cigri.domain.steps import FAILED, came_to_its_end, succeeded
from cigri.domain.verdict import RENOUNCED, Ending, TaskEnd, judge
from cigri.engine.runtime import Site
from cigri.errors import CigriError, ClusterUnreachable
from cigri.store import tasks as tasks_
from cigri.store.database import Connection
from cigri.store.events import Incident
from cigri.store.jobs import OpenJob
from cigri.store.reports import Report

#: Failures whose stderr is read in one cycle, at most, and of how many jobs; each task of an array
#: costs a request of its own.
LOOKS = 40
JOBS = 8
LOOKS_AT_ARRAYS = 8
#: Lines and bytes of a task's stderr that an event tells.
TAIL_LINES = 10
TAIL_BYTES = 4_000

#: Events whose tasks have exited.
_WITH_STATUS = frozenset({EventCode.EXIT_ERROR, EventCode.WALLTIME})

#: Ends of jobs that somebody deleted, or we did.
_DELETED = frozenset({Ending.DELETED, Ending.REMOVED})

Failure = tuple[OpenJob, TaskEnd]
#: A task that somebody cancelled.
Doomed = tuple[CampaignId, int]
Key = tuple[CampaignId, EventCode, int | None]


async def incidents(
    site: Site, news: Sequence[Report], doomed: Collection[Doomed] = frozenset()
) -> list[Incident]:
    """
    Return what went wrong in *news*, equal failures together.

    What we asked for ourselves is nothing that went wrong: a job that was taken back, and the
    *doomed* tasks, which somebody cancelled.
    """
    reader = _LastWords(site)
    found = [incident async for incident in _of_steps(reader, news)]
    failures = _failures(news, doomed)
    most = LOOKS_AT_ARRAYS if site.driver.capacity.arrays else LOOKS
    looks = max(1, most // max(1, len(failures)))
    for key, ends in failures.items():
        found += await _of_key(reader, key, ends, looks)
    return found


class _LastWords:
    """Reads what tasks wrote to stderr, as long as their cluster answers."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self._is_silent = False

    async def of(self, chosen: Sequence[Failure]) -> dict[TaskNumber, list[str]]:
        """Return the ends of what tasks wrote, nothing where it cannot be read."""
        by_job: dict[int, tuple[OpenJob, list[TaskNumber]]] = {}
        for job, end in chosen:
            if not end.message:
                by_job.setdefault(job.id, (job, []))[1].append(end.task)
        found: dict[TaskNumber, list[str]] = {}
        for job, tasks in by_job.values():
            if self._is_silent:
                break
            try:
                told = await self.site.driver.outputs(
                    reference(job), tasks, Output.ERR, TAIL_BYTES
                )
            except ClusterUnreachable:
                # A file that hangs costs one time-out, however many there are.
                self._is_silent = True
            except CigriError:
                continue
            else:
                found |= {task: plain_lines(text, TAIL_LINES) for task, text in told.items()}
        return found


async def _of_key(reader: _LastWords, key: Key, ends: list[Failure], looks: int) -> list[Incident]:
    """Return failures of one kind by cause: some are looked at, the others count with them."""
    campaign, code, status = key
    chosen = _spread(ends, looks if code is EventCode.EXIT_ERROR else 1)
    words = await reader.of(chosen)
    by_cause: dict[str | None, list[Failure]] = {}
    for job, end in chosen:
        lines = words.get(end.task, [])
        cause = signature(lines[-1]) if lines and code is EventCode.EXIT_ERROR else None
        by_cause.setdefault(cause, []).append((job, end))

    def incident(cause: str | None, own: Sequence[Failure], count: int) -> Incident:
        _, end = own[0]
        return Incident(
            code=code,
            message=describe(code, end, "\n".join(words.get(end.task, []))),
            count=count,
            campaign=campaign,
            cluster_id=reader.site.id,
            task=end.task,
            exit_status=status,
            cause=cause,
        )

    found = [incident(cause, own, len(own)) for cause, own in by_cause.items()]
    rest = len(ends) - len(chosen)
    if rest and len(found) == 1:
        return [attrs.evolve(found[0], count=len(ends))]
    if rest:
        found.append(attrs.evolve(found[-1], count=rest, unlooked=True))
    return found


def _spread(ends: list[Failure], most: int) -> list[Failure]:
    """Return up to *most* of *ends* from all over them, of few jobs."""
    jobs = list(dict.fromkeys(job.id for job, _ in ends))[:JOBS]
    own = [failure for failure in ends if failure[0].id in set(jobs)]
    step = -(-len(own) // most)
    return own[::step]


async def _of_steps(reader: _LastWords, news: Sequence[Report]) -> AsyncIterator[Incident]:
    for report in news:
        job = report.job
        end = report.ended[0] if report.ended and job.left else None
        if job.kind is JobKind.TASKS or end is None:
            continue
        if came_to_its_end(end):
            code = None if succeeded(end) else FAILED[job.kind]
        else:
            deleted = end.ending in _DELETED and _was_asked_for(job, end, ())
            code = None if deleted else judge(end).event
        if code is None:
            continue
        words = (await reader.of([(job, end)])).get(end.task, [])
        yield Incident(
            code=code,
            message=describe(code, end, "\n".join(words), subject=""),
            campaign=job.campaign,
            cluster_id=reader.site.id,
            exit_status=end.exit_status,
        )


async def withdrawals(db: Connection, news: Sequence[Report]) -> frozenset[Doomed]:
    """Return the tasks that somebody cancelled among those whose jobs were deleted."""
    deleted: dict[CampaignId, list[int]] = {}
    for report in news:
        tasks = [int(end.task) for end in report.ended if end.ending in _DELETED]
        if tasks:
            deleted.setdefault(report.job.campaign, []).extend(tasks)
    found: set[Doomed] = set()
    for campaign, numbers in deleted.items():
        cancelled = await tasks_.cancelled(db, campaign, numbers)
        found |= {(campaign, task) for task in cancelled}
    return frozenset(found)


def _failures(news: Sequence[Report], doomed: Collection[Doomed]) -> dict[Key, list[Failure]]:
    """Return the ends of tasks that deserve an event, equal ones together."""
    found: dict[Key, list[Failure]] = {}
    for job, end, code in _told(news):
        if end.ending in _DELETED and _was_asked_for(job, end, doomed):
            continue
        # What never ran has no status by which to tell events apart.
        status = end.exit_status if code in _WITH_STATUS else None
        found.setdefault((job.campaign, code, status), []).append((job, end))
    return found


def _was_asked_for(job: OpenJob, end: TaskEnd, doomed: Collection[Doomed]) -> bool:
    """Return whether we had a job or a task deleted ourselves."""
    return (
        job.withdrawn_at is not None
        or job.campaign_state is CampaignState.CANCELLED
        or end.message == RENOUNCED
        or (job.campaign, int(end.task)) in doomed
    )


def _told(news: Sequence[Report]) -> Iterator[tuple[OpenJob, TaskEnd, EventCode]]:
    for report in news:
        if report.job.kind is JobKind.TASKS:
            for end in report.ended:
                code = judge(end).event
                if code is not None:
                    yield report.job, end, code


def reference(job: OpenJob, remote_id: RemoteId | None = None) -> JobRef:
    """Return how a driver knows a job, one that was never accepted by its *remote_id*."""
    remote_id = remote_id or job.remote_id
    if remote_id is None:
        message = f"job {job.id} was never accepted"
        raise ValueError(message)
    return JobRef(
        remote_id=remote_id,
        user=job.user,
        running=job.running,
        read_to=job.read_to,
        demand=job.left * job.cores,
        shape=job.shape,
        tag=job.tag,
        place=job.place,
        open=job.open,
        positions=job.positions.of,
    )


def describe(code: EventCode, end: TaskEnd, last_words: str, subject: str | None = None) -> str:
    """Return what an event says: what happened first, then what was said last."""
    meaning = REACTIONS[code].meaning
    where = f" (task {end.task})" if subject is None else subject
    if end.message:
        first = f"{meaning}: {end.message}{where}"
    elif end.ending is Ending.WALLTIME:
        late = "" if code is EventCode.WALLTIME else ": killed at its walltime"
        first = f"{meaning}{late} after {end.ended_at - end.started_at:.0f} s{where}"
    elif end.exit_status is not None and end.exit_status < 0:
        first = f"{meaning}: killed by signal {-end.exit_status}{where}"
    elif end.exit_status is None:
        first = f"{meaning}{where}"
    else:
        first = f"{meaning}: exit status {end.exit_status}{where}"
    return f"{first}\n{last_words}" if last_words else first
