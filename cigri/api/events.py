"""The routes of events."""

from collections.abc import Iterable

from aiohttp import web

from cigri.api import answers, query, wire
from cigri.api.campaigns import identify
from cigri.api.context import caller, engine
from cigri.domain.model import CampaignId, Event, EventId

routes = web.RouteTableDef()


@routes.get("/campaigns/{campaign}/events")
async def of_campaign(request: web.Request) -> web.StreamResponse:
    """List the open events of a campaign, with `all` the closed ones too."""
    found = query.options(request, "all", "limit", "offset")
    page, campaign_id = query.page(found), identify(request)
    closed = query.flag(found, "all")
    events = await engine(request).events(caller(request), campaign_id, closed=closed)
    end = page.offset + page.limit
    items = await _events(request, events[page.offset : end])
    href = f"/campaigns/{campaign_id}/events" + ("?all=1" if closed else "")
    following = end if end < len(events) else None
    return await answers.json(request, wire.listing(items, len(events), page, href, following))


@routes.delete("/campaigns/{campaign}/events")
async def fix_all(request: web.Request) -> web.StreamResponse:
    """Close the events of a campaign; with `resubmit` its failed tasks run again."""
    found = query.options(request, "resubmit")
    campaign_id = identify(request)
    resubmit = query.flag(found, "resubmit")
    fixed = await engine(request).fix(caller(request), campaign_id, resubmit=resubmit)
    answer = wire.fixed(fixed, f"campaign {campaign_id}")
    return await answers.json(request, answer, status=202)


@routes.get("/events/{event}")
async def details(request: web.Request) -> web.StreamResponse:
    """Tell about one event."""
    query.options(request)
    event = await engine(request).event(caller(request), _identify(request))
    (item,) = await _events(request, [event])
    return await answers.json(request, item)


@routes.delete("/events/{event}")
async def fix(request: web.Request) -> web.StreamResponse:
    """Close one event; with `resubmit` the tasks that it tells of run again."""
    found = query.options(request, "resubmit")
    event_id = _identify(request)
    resubmit = query.flag(found, "resubmit")
    fixed = await engine(request).fix_event(caller(request), event_id, resubmit=resubmit)
    return await answers.json(request, wire.fixed(fixed, f"event {event_id}"), status=202)


def _identify(request: web.Request) -> EventId:
    return EventId(query.identifier(request, "event", "event"))


async def _events(request: web.Request, events: Iterable[Event]) -> list[wire.Json]:
    """Return events of one campaign with the ids of their tasks."""
    first: int | None = None
    items = []
    for event in events:
        if first is None and event.campaign is not None and event.task is not None:
            first = await _first_job(request, event.campaign)
        job = None if first is None or event.task is None else first + event.task
        items.append(wire.event(event, job))
    return items


async def _first_job(request: web.Request, campaign: CampaignId) -> int:
    """Return the id of the first task of *campaign*; those of the others follow it."""
    (task,) = await engine(request).tasks(caller(request), campaign, 0, 1, None)
    return task.id
