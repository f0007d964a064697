"""The routes of tasks, which CiGri's REST interface calls jobs."""

import asyncio
from collections.abc import Mapping
from typing import Annotated

import attrs
from aiohttp import web
from msgspec import Meta

from cigri.api import answers, query, wire
from cigri.api.campaigns import identify, may_look_inside
from cigri.api.context import base, caller, engine
from cigri.api.operation import NoOptions, operation
from cigri.api.paging import Paged, Whereabouts
from cigri.api.wire import JobFilter
from cigri.domain.model import CampaignId, ClusterName, Counts, Task, TaskId
from cigri.domain.report import suggestion
from cigri.domain.selection import FINISHED, Selection
from cigri.errors import InvalidRequest, NotFound

routes = web.RouteTableDef()

#: Tasks that are looked up at once.
_SLICE = 1_000


# Without slots: it is one of two bases.
@attrs.frozen(kw_only=True, slots=False)
class Filters:
    """Which tasks are wanted: those that are all of this."""

    state: Annotated[tuple[JobFilter, ...], Meta(description="only those in these states")] = ()
    cluster: Annotated[str, Meta(description="only those of this cluster")] | None = None
    exit: (
        Annotated[int, Meta(ge=-255, le=255, description="only with this status, or minus signal")]
        | None
    ) = None
    q: Annotated[
        str, Meta(max_length=1000, description="only those whose parameters contain this")
    ] = ""

    def selection(self) -> Selection:
        """Return what the store looks for."""
        return Selection(
            states=wire.task_states(self.state),
            cluster=None if self.cluster is None else ClusterName(self.cluster),
            exit_status=self.exit,
            text=self.q,
        )

    def in_url(self) -> Mapping[str, str]:
        """Return the options that ask for the same."""
        given = {"cluster": self.cluster, "exit": self.exit, "q": self.q or None}
        states = {"state": ",".join(self.state)} if self.state else {}
        return states | {name: str(value) for name, value in given.items() if value is not None}


@attrs.frozen(kw_only=True)
class ListOptions(Paged, Filters):
    """Which tasks are wanted, and how many."""


@operation(
    routes,
    "GET",
    "/campaigns/{campaign}/jobs",
    answer=wire.Listing[wire.Job],
    options=ListOptions,
    errors=(304, 404),
)
async def listed(request: web.Request) -> web.StreamResponse:
    """
    List the tasks of a campaign, by their numbers: `offset` is the first number to look at.

    With a filter a page may be short, or empty, and yet not be the last: the link `next` tells.
    """
    wanted = query.read(request, ListOptions)
    path = f"/campaigns/{identify(request)}/jobs"
    return await _page(request, path, wanted, wanted.selection(), wanted.in_url())


@operation(
    routes,
    "GET",
    "/campaigns/{campaign}/jobs/finished",
    answer=wire.Listing[wire.Job],
    options=Paged,
    errors=(304, 404),
)
async def finished(request: web.Request) -> web.StreamResponse:
    """List the tasks of a campaign that have ended by themselves, well or not."""
    wanted = query.read(request, Paged)
    path = f"/campaigns/{identify(request)}/jobs/finished"
    return await _page(request, path, wanted, Selection(states=FINISHED), {})


async def _page(
    request: web.Request,
    path: str,
    page: Paged,
    selection: Selection,
    filters: Mapping[str, str],
) -> web.StreamResponse:
    campaign_id, here = identify(request), base(request)
    await check_cluster(request, campaign_id, selection)
    tasks, following = await _slices(request, campaign_id, page, selection)
    total = _total(await engine(request).counts(campaign_id), selection)
    where = Whereabouts(path=path, page=page, base=here, filters=filters)
    found = where.listing([wire.job(task, here) for task in tasks], total, following)
    return await answers.json(request, found, headers=where.headers(found))


@operation(
    routes,
    "GET",
    "/campaigns/{campaign}/jobs/{job}",
    answer=wire.JobDetails,
    errors=(404,),
)
async def of_campaign(request: web.Request) -> web.StreamResponse:
    """Tell about one task of a campaign, and the attempts at it."""
    query.read(request, NoOptions)
    campaign_id, task = identify(request), await task_of(request)
    if task.campaign != campaign_id:
        raise NotFound(f"job {task.id} is not of campaign {campaign_id}")
    return await answers.json(request, wire.job_details(task, base(request)))


@operation(routes, "GET", "/jobs/{job}", answer=wire.JobDetails, errors=(404,))
async def details(request: web.Request) -> web.StreamResponse:
    """Tell about one task, and the attempts at it."""
    query.read(request, NoOptions)
    return await answers.json(request, wire.job_details(await task_of(request), base(request)))


@operation(
    routes,
    "DELETE",
    "/jobs/{job}",
    answer=wire.Accepted,
    status=202,
    errors=(404, 503),
    scope="submit",
)
async def cancel(request: web.Request) -> web.StreamResponse:
    """Cancel one task: it does not run, or not to its end."""
    query.read(request, NoOptions)
    task = await engine(request).cancel_task(caller(request), identify_task(request))
    answer = wire.accepted(f"Job {task.id} cancelled")
    return await answers.json(request, answer, status=202)


@operation(routes, "GET", "/jobs/{job}/cinfos", answer=wire.Execution, errors=(404,))
async def cluster_infos(request: web.Request) -> web.StreamResponse:
    """Tell what the cluster has of a task: the last attempt at it."""
    query.read(request, NoOptions)
    task = await task_of(request)
    for execution in wire.executions(task):
        return await answers.json(request, execution)
    raise NotFound(f"no cluster has seen job {task.id} yet")


async def _slices(
    request: web.Request, campaign: CampaignId, page: Paged, selection: Selection
) -> tuple[list[Task], int | None]:
    """Return tasks, looked up slice by slice as others want their turn, and where to go on."""
    found: list[Task] = []
    following: int | None = page.offset
    # One more than asked for tells whether and where the list goes on.
    while following is not None and len(found) <= page.limit:
        wanted = min(_SLICE, page.limit + 1 - len(found))
        part = await engine(request).select(
            caller(request), campaign, selection, following, wanted
        )
        found += part.tasks
        following = part.following
        if len(part.tasks) < wanted:
            break  # it has looked at enough of them
        await asyncio.sleep(0)
    if len(found) > page.limit:
        following = found.pop().number
    return found, following


async def check_cluster(
    request: web.Request, campaign_id: CampaignId, selection: Selection
) -> None:
    """
    Check that the wanted cluster, if one is, is among those of a campaign that may be seen.

    Raises:
        NotFound: There is no such campaign.
        InvalidRequest: It is none of its clusters.
    """
    if selection.cluster is None:
        return
    campaign = await engine(request).get(campaign_id)
    known = [each.cluster for each in campaign.clusters]
    if selection.cluster not in known and may_look_inside(caller(request), campaign):
        detail = f"{selection.cluster!r} is no cluster of campaign {campaign_id}"
        hint = suggestion(selection.cluster, known) or f"one of {', '.join(known)}"
        raise InvalidRequest.at("?cluster", detail, hint)


async def task_of(request: web.Request) -> Task:
    """Return the task that the path of *request* names."""
    return await engine(request).task(caller(request), identify_task(request))


def identify_task(request: web.Request) -> TaskId:
    """Return the id in the path of *request*."""
    return TaskId(query.identifier(request, "job", "job"))


def _total(counts: Counts, selection: Selection) -> int | None:
    """Return how many tasks are wanted, where counters tell."""
    if not attrs.evolve(selection, states=frozenset()).is_all:
        return None
    if not selection.states:
        return counts.total
    total: int = sum(getattr(counts, state.value) for state in selection.states)
    return total
