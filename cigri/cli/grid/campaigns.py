"""Campaigns as `gridstat` prints them."""

from collections.abc import Iterator, Mapping
from typing import Any

from cigri.cli.grid.frame import date, say, shown
from cigri.cli.session import Session
from cigri.client.asking import next_of
from cigri.client.pictures import unending

TITLES = (
    "Campaign id Name                User             Submission time     S  Progress",
    "----------- ------------------- ---------------- ------------------- -- --------",
)
_LETTERS = {"cancelled": "C", "in_treatment": "R", "terminated": "T", "paused": "P"}
#: Pages of tasks that are printed behind the first.
_PAGES = 10
#: Tasks on a page.
_PAGE = 100
#: What is slower, or takes longer, is as good as unknown.
_SLOWEST, _LONGEST = 0.01, 10_000


def line(body: Mapping[str, Any]) -> str:
    """Return a campaign on one line of the list."""
    state = _LETTERS.get(body["state"], "?") + ("e" if body["has_events"] else " ")
    return (
        f"{body['id']:<11} {body['name'][:19]:<19} {body['user'][:16]:<16}"
        f" {date(body['submission_time']):<19} {state} {_progress(body)}"
    )


def details(body: Mapping[str, Any], stats: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines about one campaign."""
    yield f"Campaign: {body['id']}"
    yield f"  Name: {body['name']}"
    yield f"  User: {body['user']}"
    yield f"  Date: {date(body['submission_time'])}"
    yield f"  State: {body['state']}{' (events)' if body['has_events'] else ''}"
    yield f"  Progress: {_progress(body)}"
    yield "  Stats: "
    yield f"    average_jobs_duration: {_seconds(stats['average_jobs_duration'])}"
    yield f"    stddev_jobs_duration: {_seconds(stats['stddev_jobs_duration'])}"
    yield f"    jobs_throughput: {_throughput(stats['jobs_throughput'])} jobs/h"
    yield f"    remaining_time: {_remaining(stats['remaining_time'])} hours"
    yield f"    failures_rate: {_percent(stats['failures_rate'])} %"
    yield f"    resubmit_rate: {_percent(stats['resubmit_rate'])} %"
    yield "  Clusters: "
    for cluster in body["clusters"].values():
        yield f"    {cluster['cluster_name']}:"
        for key in ("active_jobs", "queued_jobs", "prologue_ok", "epilogue_ok"):
            yield f"      {key}: {shown(cluster[key])}"


def print_tasks(session: Session, campaign: int, offset: int) -> None:
    """Print the tasks of a campaign from *offset* on, as far as a few pages go."""
    path = f"/campaigns/{campaign}/jobs"
    pages = session.client.pages(path, offset=offset, limit=_PAGE)
    page: Mapping[str, Any] = {}
    say("  Jobs:")
    for _, page in zip(range(_PAGES + 1), pages, strict=False):
        say(*map(task, page.get("items", ())))
    following = next_of(page)
    if following is not None:
        begins = int(following.rpartition("offset=")[2].partition("&")[0])
        say(f"WARNING: more jobs left. Next jobs with --offset={begins}")


def task(body: Mapping[str, Any]) -> str:
    """Return a task on one line."""
    told = (
        *(body["cigri_job_id"] or "*", body["remote_id"] or "*", body["state"]),
        *(body["cluster"] or "*", body["name"], shown(body["parameters"])),
    )
    return f"    {body['id']}: {','.join(map(str, told))}"


def _progress(body: Mapping[str, Any]) -> str:
    done, total = body["finished_jobs"], body["total_jobs"]
    if unending(body):
        return f"{done}/-"
    return f"{done}/{total} ({100 * done // total if total else 0}%)"


def _seconds(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:.2f}"


def _throughput(per_second: float | None) -> str:
    per_hour = (per_second or 0.0) * 3600
    return "~" if per_hour < _SLOWEST else f"{per_hour:.2f}"


def _remaining(seconds: float | None) -> str:
    hours = None if seconds is None else seconds / 3600
    return "~" if hours is None or hours > _LONGEST else f"{hours:.2f}"


def _percent(share: float | None) -> str:
    return f"{100 * (share or 0.0):.1f}"
