"""The routes of events."""

from collections.abc import Sequence
from typing import Annotated

import attrs
import msgspec
from aiohttp import web
from msgspec import Meta

from cigri.api import answers, fields, query, wire
from cigri.api.campaigns import identify
from cigri.api.clusters import named
from cigri.api.context import base, caller, engine
from cigri.api.operation import NoOptions, operation
from cigri.api.paging import Paged, Whereabouts
from cigri.api.wire.events import EventState
from cigri.domain.event import Event
from cigri.domain.model import CampaignId, EventId, TaskId
from cigri.errors import InvalidRequest
from cigri.store.listings import Part

routes = web.RouteTableDef()


@attrs.frozen(kw_only=True)
class ListOptions(Paged):
    """Which events are wanted."""

    all: Annotated[bool, Meta(description="the closed ones too")] = False


@attrs.frozen(kw_only=True)
class FixOptions:
    """How events are fixed."""

    resubmit: Annotated[bool, Meta(description="run again what failed")] = False


@operation(
    routes,
    "GET",
    "/campaigns/{campaign}/events",
    answer=wire.Listing[wire.Event],
    options=ListOptions,
    errors=(304, 404),
)
async def of_campaign(request: web.Request) -> web.StreamResponse:
    """
    List the open events of a campaign, with those of its clusters.

    With `all`, its own alone, the closed ones too.
    """
    wanted, campaign_id = query.read(request, ListOptions), identify(request)
    part = await engine(request).event_page(
        caller(request),
        campaign_id,
        closed=wanted.all,
        limit=wanted.limit,
        offset=wanted.offset,
    )
    where = Whereabouts(
        path=f"/campaigns/{campaign_id}/events",
        page=wanted,
        base=base(request),
        filters={"all": "1"} if wanted.all else {},
    )
    return await _page(request, where, part)


@operation(routes, "GET", "/events", answer=wire.Listing[wire.Event], options=Paged)
async def listed(request: web.Request) -> web.StreamResponse:
    """List the open events of clusters, which concern everybody."""
    wanted = query.read(request, Paged)
    part = await engine(request).cluster_events(limit=wanted.limit, offset=wanted.offset)
    where = Whereabouts(path="/events", page=wanted, base=base(request))
    return await _page(request, where, part)


#: No number that anything could have is larger; see `query.identifier`.
_ID = Meta(ge=0, le=query.MOST)


# A Struct: an attrs class cannot have a field that is called `class`.
class MadeEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event that an administrator makes by hand."""

    code: Annotated[
        str, Meta(max_length=100, description="CLUSTER_MANUALLY_DISABLED, MANUAL_EVENT")
    ]
    #: What it is about follows from its code; CiGri 3's clients say it all the same.
    class_: str | None = msgspec.field(name="class", default=None)
    state: EventState | None = None
    message: Annotated[str, Meta(max_length=10_000)] = ""
    #: The cluster, by its id or its name.
    cluster_id: int | str | None = None
    campaign_id: Annotated[int, _ID] | None = None
    job_id: Annotated[int, _ID] | None = None


@operation(
    routes,
    "POST",
    "/events",
    answer=wire.Event,
    status=201,
    body=MadeEvent,
    accepts=fields.ACCEPTS,
    errors=(404,),
    scope="admin",
)
async def create(request: web.Request) -> web.StreamResponse:
    """Make an event by hand, which holds a cluster or a campaign until it is fixed."""
    query.read(request, NoOptions)
    made = await fields.read_json(request, MadeEvent)
    if made.state is EventState.CLOSED:
        raise InvalidRequest.at(
            "/state", "an event that is made by hand is open until it is fixed"
        )
    cluster = None if made.cluster_id is None else await named(request, str(made.cluster_id))
    event = await engine(request).create_event(
        caller(request),
        made.code,
        message=made.message,
        cluster=None if cluster is None else cluster.name,
        campaign=None if made.campaign_id is None else CampaignId(made.campaign_id),
        task=None if made.job_id is None else TaskId(made.job_id),
    )
    (item,) = await _events(request, [event])
    headers = {"Location": f"{base(request)}/events/{event.id}"}
    return await answers.json(request, item, status=201, headers=headers)


@operation(
    routes,
    "DELETE",
    "/campaigns/{campaign}/events",
    answer=wire.Fixed,
    status=202,
    options=FixOptions,
    errors=(404,),
    scope="submit",
)
async def fix_all(request: web.Request) -> web.StreamResponse:
    """Close the events of a campaign; with `resubmit` its failed tasks run again."""
    wanted, campaign_id = query.read(request, FixOptions), identify(request)
    fixed = await engine(request).fix(caller(request), campaign_id, resubmit=wanted.resubmit)
    answer = wire.fixed(fixed, f"campaign {campaign_id}")
    return await answers.json(request, answer, status=202)


@operation(routes, "GET", "/events/{event}", answer=wire.Event, errors=(404,))
async def details(request: web.Request) -> web.StreamResponse:
    """Tell about one event."""
    query.read(request, NoOptions)
    event = await engine(request).event(caller(request), _identify(request))
    (item,) = await _events(request, [event])
    return await answers.json(request, item)


@operation(
    routes,
    "DELETE",
    "/events/{event}",
    answer=wire.Fixed,
    status=202,
    options=FixOptions,
    errors=(404,),
    scope="submit",
)
async def fix(request: web.Request) -> web.StreamResponse:
    """Close one event; with `resubmit` the tasks that it tells of run again."""
    wanted, event_id = query.read(request, FixOptions), _identify(request)
    fixed = await engine(request).fix_event(caller(request), event_id, resubmit=wanted.resubmit)
    return await answers.json(request, wire.fixed(fixed, f"event {event_id}"), status=202)


def _identify(request: web.Request) -> EventId:
    return EventId(query.identifier(request, "event", "event"))


async def _page(request: web.Request, where: Whereabouts, part: Part) -> web.StreamResponse:
    page = where.counted(await _events(request, part.items), part.total)
    return await answers.json(request, page, headers=where.headers(page))


async def _events(request: web.Request, events: Sequence[Event]) -> list[wire.Event]:
    """Return events, which the caller may see, with the ids of their tasks."""
    jobs = await engine(request).tasks_of_events(events)
    return [wire.event(event, jobs.get(event.id), base(request)) for event in events]
