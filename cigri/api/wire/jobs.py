"""Tasks on the wire, where they are called jobs."""

import attrs
import msgspec

from cigri.api.wire.links import Link, link
from cigri.api.wire.words import JOB_STATES, JobState
from cigri.domain.model import Parameter, Task


# A Struct: pages have thousands of them, and attrs takes three times as long to make one.
class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A task; `parameters` are its line, or its exact words."""

    id: int
    #: Its number in its campaign, from 0.
    task: int
    name: str
    parameters: str | tuple[str, ...]
    state: JobState
    exit_status: int | None
    cluster: str | None
    #: What CiGri 3 calls it by once it was sent to a cluster: its id, as in `/jobs/ID`.
    cigri_job_id: int | None
    remote_id: str | None
    attempts: int
    start_time: float | None
    stop_time: float | None
    duration: float | None
    href: str


@attrs.frozen(kw_only=True, slots=False)
class Execution:
    """An attempt at a task."""

    cigri_job_id: int
    cluster: str | None
    remote_id: str | None
    state: JobState
    exit_status: int | None
    start_time: float | None
    stop_time: float | None
    #: Who ended it, where that did not settle the task: "-" is the program itself.
    ending: str | None


class JobDetails(Job, frozen=True, kw_only=True):
    """A task, with the attempts at it, the last one first."""

    campaign_id: int
    cluster_name: str | None
    executions: tuple[Execution, ...]
    links: tuple[Link, ...]


@attrs.frozen(kw_only=True, slots=False)
class Output:
    """What a task has written; `truncated` when there is more than can be shown."""

    output: str
    truncated: bool


def job(value: Task, base: str = "") -> Job:
    """Return a task as lists show it."""
    # Spelt out twice rather than through a dict: a page has up to 10,000.
    start, stop = value.started_at, value.ended_at
    return Job(
        id=value.id,
        task=value.number,
        name=job_name(value.parameter),
        parameters=value.parameter,
        state=JOB_STATES[value.state],
        exit_status=value.exit_status,
        cluster=value.cluster,
        cigri_job_id=None if value.job is None else value.id,
        remote_id=value.remote_id,
        attempts=value.attempts,
        start_time=start,
        stop_time=stop,
        duration=None if start is None or stop is None else round(stop - start, 3),
        href=f"{base}/campaigns/{value.campaign}/jobs/{value.id}",
    )


def job_details(value: Task, base: str = "") -> JobDetails:
    """Return all about a task."""
    known = job(value, base)
    return JobDetails(
        **msgspec.structs.asdict(known),
        campaign_id=value.campaign,
        cluster_name=value.cluster,
        executions=executions(value),
        links=(
            link("self", f"{base}/jobs/{value.id}"),
            link("parent", f"{base}/campaigns/{value.campaign}/jobs"),
            link("item", f"{base}/jobs/{value.id}/stdout", "stdout"),
            link("item", f"{base}/jobs/{value.id}/stderr", "stderr"),
        ),
    )


def executions(value: Task) -> tuple[Execution, ...]:
    """Return the attempts at a task, the last one first."""
    earlier = [
        Execution(
            cigri_job_id=value.id,
            cluster=each.cluster,
            remote_id=each.remote_id,
            state=_ended(each.exit_status),
            exit_status=each.exit_status,
            start_time=each.started_at,
            stop_time=each.ended_at,
            ending=each.ending,
        )
        for each in value.earlier
    ]
    if value.job is None:
        return tuple(earlier)
    last = Execution(
        cigri_job_id=value.id,
        cluster=value.cluster,
        remote_id=value.remote_id,
        # Of one that settled nothing its task waits again, but it does not.
        state=JOB_STATES[value.state] if value.ending is None else _ended(value.exit_status),
        exit_status=value.exit_status,
        start_time=value.started_at,
        stop_time=value.ended_at,
        ending=value.ending,
    )
    return (last, *earlier)


def _ended(exit_status: int | None) -> JobState:
    return JobState.TERMINATED if exit_status == 0 else JobState.FAILED


def job_name(parameter: Parameter) -> str:
    """Return what CiGri calls a task with *parameter*: its first word."""
    words = parameter.split(maxsplit=1) if isinstance(parameter, str) else parameter
    return words[0] if words else ""
