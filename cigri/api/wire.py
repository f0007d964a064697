"""The domain in the words of CiGri's REST interface: tasks are jobs, holds are blacklists."""

import shlex
from collections.abc import Sequence

from cigri.api.query import TASK_WORDS, Page
from cigri.domain.forecast import Forecast
from cigri.domain.model import (
    Campaign,
    CampaignCluster,
    Counts,
    Event,
    Hold,
    Parameter,
    Task,
)
from cigri.engine.answers import ClusterStatus, Fixed, Preview

Json = dict[str, object]


def link(rel: str, href: str, title: str | None = None) -> Json:
    """Return a link as CiGri writes it."""
    bare: Json = {"rel": rel, "href": href}
    return bare if title is None else bare | {"title": title}


def listing(
    items: Sequence[object], total: int, page: Page, href: str, following: int | None = None
) -> Json:
    """Return one page of the list at *href*; the next one begins at *following*."""
    links = [link("self", href)]
    if following is not None:
        joint = "&" if "?" in href else "?"
        links.append(link("next", f"{href}{joint}limit={page.limit}&offset={following}"))
    body: Json = {"items": items, "total": total, "offset": page.offset, "limit": page.limit}
    return body | {"links": links}


def campaign(value: Campaign, forecast: Forecast, reason: str | None) -> Json:
    """Return a campaign as lists show it; *reason* says why nothing of it runs."""
    href = f"/campaigns/{value.id}"
    return {
        "id": value.id,
        "name": value.name,
        "user": value.user,
        "state": value.state,
        "type": "normal",  # the jobs_type; desktop_computing has yet to come
        "submission_time": int(value.submitted_at),
        "end_time": None if value.ended_at is None else int(value.ended_at),
        "total_jobs": value.counts.total,
        "finished_jobs": value.counts.succeeded,
        "has_events": value.open_events > 0,
        "open_events": value.open_events,
        "counts": counts(value.counts),
        "forecast": {"rate": forecast.rate, "eta": _interval(forecast.eta)},
        "reason": reason,
        "links": [
            link("self", href),
            link("parent", "/campaigns"),
            link("collection", f"{href}/jobs", "jobs"),
            link("collection", f"{href}/events", "events"),
            link("item", f"{href}/jdl", "jdl"),
        ],
    }


def counts(value: Counts) -> Json:
    """Return how many tasks are in each state."""
    return {
        "pending": value.pending,
        "queued": value.queued,
        "running": value.running,
        "terminated": value.succeeded,
        "failed": value.failed,
        "cancelled": value.cancelled,
    }


def _interval(eta: tuple[float, float] | None) -> list[int] | None:
    return None if eta is None else [int(eta[0]), int(eta[1])]


def campaign_clusters(value: Campaign, *, full: bool) -> Json:
    """
    Return what a campaign does on each of its clusters, by their ids.

    Unless it is *full*, reasons stay out: they quote the commands of the campaign.
    """
    return {str(each.cluster_id): _campaign_cluster(each, full) for each in value.clusters}


def _campaign_cluster(value: CampaignCluster, full: bool) -> Json:
    return {
        "cluster_name": value.cluster,
        "active_jobs": value.running,
        "queued_jobs": value.queued,
        "finished_jobs": value.succeeded,
        "failed_jobs": value.failed,
        "resubmitted_jobs": value.again,
        "mean_duration": value.mean_duration,
        "prologue_ok": True,
        "epilogue_ok": True,
        **_blacklist(value.hold, full=full),
    }


def _blacklist(hold: Hold | None, *, full: bool = True) -> Json:
    reason = hold.reason if hold is not None and full else None
    return {"blacklisted": hold is not None, "blacklist_reason": reason}


def job(value: Task) -> Json:
    """Return a task, which CiGri's REST interface calls a job."""
    start, stop = value.started_at, value.ended_at
    return {
        "id": value.id,
        "task": value.number,
        "name": _name(value.parameter),
        "parameters": value.parameter,
        "state": TASK_WORDS[value.state],
        "exit_status": value.exit_status,
        "cluster": value.cluster,
        "cigri_job_id": value.job,
        "remote_id": value.remote_id,
        "attempts": value.attempts,
        "start_time": start,
        "stop_time": stop,
        "duration": None if start is None or stop is None else round(stop - start, 3),
        "href": f"/campaigns/{value.campaign}/jobs/{value.id}",
    }


def _name(parameter: Parameter) -> str:
    words = parameter.split(maxsplit=1) if isinstance(parameter, str) else parameter
    return words[0] if words else ""


def event(value: Event, job_id: int | None) -> Json:
    """Return an event; *job_id* is the stable id of the task that it names."""
    links = [link("self", f"/events/{value.id}")]
    if value.campaign is not None:
        links.append(link("parent", f"/campaigns/{value.campaign}/events"))
    return {
        "id": value.id,
        "class": value.event_class,
        "code": value.code,
        "state": "open" if value.open else "closed",
        "message": value.message,
        "count": value.count,
        "campaign_id": value.campaign,
        "cluster_id": value.cluster_id,
        "cluster_name": value.cluster,
        "job_id": job_id,
        "task": value.task,
        "exit_status": value.exit_status,
        "date_open": int(value.opened_at),
        "date_update": int(value.updated_at),
        "date_closed": None if value.closed_at is None else int(value.closed_at),
        "parent": None,
        "links": links,
    }


def cluster(value: ClusterStatus) -> Json:
    """Return a cluster and how busy it is."""
    return {
        "id": value.id,
        "name": value.name,
        "driver": value.driver,
        "slots": value.slots,
        "busy": value.busy,
        "enabled": True,
        **_blacklist(value.hold),
        "links": [link("self", f"/clusters/{value.id}"), link("parent", "/clusters")],
    }


def preview(value: Preview) -> Json:
    """Return what would be submitted."""
    commands = [
        {"task": number, "command": shlex.join(argv), "argv": argv}
        for number, argv in value.samples
    ]
    warnings = list(value.warnings)
    return {"tasks": value.tasks, "commands": commands, "jdl": value.jdl, "warnings": warnings}


def accepted(message: str) -> Json:
    """Return what CiGri says to a change that was made."""
    return {"status": 202, "title": "Accepted", "message": message}


def fixed(value: Fixed, whose: str) -> Json:
    """Return what closing the events of something has done."""
    message = f"{value.closed} events of {whose} closed, {value.resubmitted} jobs resubmitted"
    return accepted(message) | {"closed": value.closed, "resubmitted": value.resubmitted}
