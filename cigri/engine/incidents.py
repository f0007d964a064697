"""What clusters tell that went wrong, as events: equal failures are one, with their last words."""

from collections.abc import AsyncIterator, Iterator, Sequence

import attrs

from cigri.clusters.driver import JobRef, Output
from cigri.domain.causes import plain_lines, signature
from cigri.domain.model import CampaignId, JobKind, TaskNumber
from cigri.domain.reactions import REACTIONS, EventCode
from cigri.domain.steps import FAILED, came_to_its_end, succeeded
from cigri.domain.verdict import Ending, TaskEnd, judge
from cigri.engine.runtime import Site
from cigri.errors import CigriError
from cigri.store.events import Incident
from cigri.store.jobs import OpenJob
from cigri.store.reports import Report

#: Failures whose stderr is read in one cycle, at most, and of how many jobs.
LOOKS = 40
JOBS = 8
#: Lines and bytes of a task's stderr that an event tells.
TAIL_LINES = 10
TAIL_BYTES = 4_000

#: Events whose tasks have exited.
_WITH_STATUS = frozenset({EventCode.EXIT_ERROR, EventCode.WALLTIME})

Failure = tuple[OpenJob, TaskEnd]
Key = tuple[CampaignId, EventCode, int | None]


async def incidents(site: Site, news: Sequence[Report]) -> list[Incident]:
    """Return what went wrong in *news*, equal failures together."""
    found = [incident async for incident in _of_steps(site, news)]
    failures = _failures(news)
    looks = max(1, LOOKS // max(1, len(failures)))
    for key, ends in failures.items():
        found += await _of_key(site, key, ends, looks)
    return found


async def _of_key(site: Site, key: Key, ends: list[Failure], looks: int) -> list[Incident]:
    """Return failures of one kind by cause: some are looked at, the others count with them."""
    campaign, code, status = key
    chosen = _spread(ends, looks if code is EventCode.EXIT_ERROR else 1)
    words = await _last_words(site, chosen)
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
            cluster_id=site.id,
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


async def _last_words(site: Site, chosen: Sequence[Failure]) -> dict[TaskNumber, list[str]]:
    """Return the end of what tasks wrote to stderr, nothing where it cannot be read."""
    by_job: dict[int, tuple[OpenJob, list[TaskNumber]]] = {}
    for job, end in chosen:
        if not end.message:
            by_job.setdefault(job.id, (job, []))[1].append(end.task)
    found: dict[TaskNumber, list[str]] = {}
    for job, tasks in by_job.values():
        try:
            told = await site.driver.outputs(reference(job), tasks, Output.ERR, TAIL_BYTES)
        except CigriError:
            continue
        found |= {task: plain_lines(text, TAIL_LINES) for task, text in told.items()}
    return found


async def _of_steps(site: Site, news: Sequence[Report]) -> AsyncIterator[Incident]:
    for report in news:
        job = report.job
        end = report.ended[0] if report.ended and job.left else None
        if job.kind is JobKind.TASKS or end is None:
            continue
        if not came_to_its_end(end) or succeeded(end):
            continue
        code = FAILED[job.kind]
        words = (await _last_words(site, [(job, end)])).get(end.task, [])
        yield Incident(
            code=code,
            message=describe(code, end, "\n".join(words), subject=""),
            campaign=job.campaign,
            cluster_id=site.id,
            exit_status=end.exit_status,
        )


def _failures(news: Sequence[Report]) -> dict[Key, list[Failure]]:
    """Return the ends of tasks that deserve an event, equal ones together."""
    found: dict[Key, list[Failure]] = {}
    for job, end, code in _told(news):
        # What never ran has no status by which to tell events apart.
        status = end.exit_status if code in _WITH_STATUS else None
        found.setdefault((job.campaign, code, status), []).append((job, end))
    return found


def _told(news: Sequence[Report]) -> Iterator[tuple[OpenJob, TaskEnd, EventCode]]:
    for report in news:
        if report.job.kind is JobKind.TASKS:
            for end in report.ended:
                code = judge(end).event
                if code is not None:
                    yield report.job, end, code


def reference(job: OpenJob) -> JobRef:
    """Return how a driver knows a job."""
    if job.remote_id is None:
        message = f"job {job.id} was never accepted"
        raise ValueError(message)
    return JobRef(
        remote_id=job.remote_id,
        user=job.user,
        running=job.running,
        read_to=job.read_to,
        demand=job.left * job.cores,
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
    else:
        first = f"{meaning}: exit status {end.exit_status}{where}"
    return f"{first}\n{last_words}" if last_words else first
