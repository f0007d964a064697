"""`jobs`: the tasks of a campaign."""

from collections.abc import Iterable, Mapping
from typing import Any, cast

import asyncclick

from cigri.cli import attempts, screens
from cigri.cli.arguments import identify, limit, one_campaign
from cigri.cli.selectors import Part
from cigri.cli.session import Session, command
from cigri.cli.tailing import found_task
from cigri.client.bodies import Job, JobList
from cigri.errors import CigriError, InvalidRequest, NotFound

STATES = ("pending", "queued", "running", "terminated", "failed", "cancelled")


@command(
    "jobs",
    outputs=("table", "json", "ids"),
    examples=(
        "cigri jobs 12 --state failed --exit 137",
        "cigri jobs 12 --match 'seed 7' --cluster local",
        "cigri jobs 12 --first 5000 --limit 20",
        "cigri jobs 12 --exit 3 -o ids | xargs cigri logs 12",
        "cigri jobs 12 7               each attempt at task 7",
    ),
)
@one_campaign
@asyncclick.argument("task", type=asyncclick.IntRange(min=0), required=False)
@asyncclick.option("--state", type=asyncclick.Choice(STATES), help="Only tasks in this state.")
@asyncclick.option("--cluster", metavar="NAME", help="Only those of this cluster.")
@asyncclick.option(
    "--exit",
    "status",
    type=asyncclick.IntRange(-255, 255),
    metavar="STATUS",
    help="Only those that ended with it; -9 for signal 9.",
)
@asyncclick.option("--match", "text", help="Only those with this text in their parameter.")
@asyncclick.option(
    "--first",
    type=asyncclick.IntRange(min=0),
    default=0,
    metavar="NUMBER",
    help="Begin with this task.",
)
@limit
def jobs(
    session: Session,
    *,
    campaign: tuple[Part, ...],
    task: int | None,
    state: str | None,
    cluster: str | None,
    status: int | None,
    text: str | None,
    first: int,
    limit: int,
) -> None:
    """List the tasks of CAMPAIGN, or the attempts at TASK: where, when, and who ended them."""
    number = identify(session, campaign)
    if task is not None:
        if first or any(chosen is not None for chosen in (state, cluster, status, text)):
            raise asyncclick.UsageError("TASK is one, and the other options choose among all")
        _one(session, number, task)
        return
    asked = {"state": state, "cluster": cluster, "exit": status, "q": text}
    chosen = {name: value for name, value in asked.items() if value is not None}
    try:
        _list(session, number, limit, {"offset": first, "limit": limit, **chosen})
    except InvalidRequest as error:
        raise _understood(error, number) from error


def _one(session: Session, number: int, task: int) -> None:
    found = found_task(session, number, task)
    if session.output == "ids":
        session.list_ids([found["task"]])
    else:
        session.answer(session.client.get(f"/jobs/{found['id']}"), attempts.screen)


def _list(session: Session, number: int, limit: int, chosen: Mapping[str, str | int]) -> None:
    path = f"/campaigns/{number}/jobs"
    if session.as_json:
        session.answer(session.client.get(path, **chosen))
        return
    found = filled(session.client.pages(path, **chosen), limit)
    if session.output == "ids":
        session.list_ids(job["task"] for job in found["items"])
    else:
        session.show(screens.jobs(found))


def _understood(error: InvalidRequest, number: int) -> CigriError:
    """Return what is wrong with the request: a cluster that the campaign has not is not found."""
    (first, *others) = error.problems
    if others or first.pointer.strip("?/") != "cluster":
        return error
    what = f"{first.detail} ({first.hint})" if first.hint else first.detail
    return NotFound(what).trying(f"cigri stat {number} shows its clusters")


def filled(pages: Iterable[Mapping[str, Any]], limit: int) -> JobList:
    """
    Return the first *limit* tasks on *pages* as one page, with the links of the last.

    A server that looks for few among many answers pages that are short, or empty.
    """
    items: list[Job] = []
    page: Mapping[str, Any] = {}
    for following in pages:
        fits = len(items) + len(following["items"]) <= limit
        # What does not fit is behind the link that led to it.
        page = following if fits or not page else page
        items += following["items"]
        if len(items) >= limit:
            break
    return cast(JobList, {**page, "items": items[:limit]})
