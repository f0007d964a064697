"""What happens, told as it happens: server-sent events.

Whoever listens asks for what is new whenever something is, twice a second at most.  So there is
nothing to queue for a slow reader, and what one listener had read and encoded serves all others.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from typing import Annotated

import attrs
from aiohttp import hdrs, web
from msgspec import Meta

from cigri.api import answers, query
from cigri.api.campaigns import identify
from cigri.api.context import base, caller, engine
from cigri.api.newsroom import NEWSROOM, Follower
from cigri.api.operation import operation
from cigri.api.seats import SEATS
from cigri.errors import InvalidRequest, NotAllowed

routes = web.RouteTableDef()

MEDIA = "text/event-stream"
#: Seconds between two messages of the same listener, at least.
TICK = 0.5
#: Seconds of silence after which a comment shows that the connection is alive.
HEARTBEAT = 15.0
_COMMENT = b":\n\n"
_LAST_EVENT_ID = "Last-Event-ID"
_HEADERS = {
    hdrs.CACHE_CONTROL: "no-store",
    # nginx would keep it until there is enough of it.
    "X-Accel-Buffering": "no",
}


@attrs.frozen(kw_only=True)
class StreamOptions:
    """Where a stream goes on."""

    last_event_id: Annotated[
        int | None, Meta(description="tell what happened since; also as the header Last-Event-ID")
    ] = None


@operation(
    routes,
    "GET",
    "/campaigns/{campaign}/stream",
    status=200,
    answers=((204, None),),
    options=StreamOptions,
    media=MEDIA,
    errors=(404, 429, 503),
)
async def of_campaign(request: web.Request) -> web.StreamResponse:
    """
    Tell what happens to a campaign, as server-sent events, until it is over.

    `state` and `progress` come at once and when they change, `event` for each event that is new.
    """
    after, campaign = _last_seen(request), identify(request)
    known = await engine(request).news.glance(campaign)
    who = caller(request)
    if not who.admin and who.user != known.user:
        raise NotAllowed(f"campaign {campaign} belongs to {known.user}")
    follower = Follower(
        request.app[NEWSROOM], user=who.user, base=base(request), campaign=campaign
    )
    await follower.begin(after)
    if known.state.over and after is not None and not await follower.events():
        # This keeps a browser from asking again and again for what has ended.
        return web.Response(status=204)
    return await _follow(request, follower)


@operation(
    routes,
    "GET",
    "/stream",
    options=StreamOptions,
    media=MEDIA,
    errors=(429, 503),
)
async def of_user(request: web.Request) -> web.StreamResponse:
    """
    Tell what happens to the caller's campaigns, to an administrator what happens to all.

    A campaign is first heard of when something about it changes.
    """
    after, who = _last_seen(request), caller(request)
    room = request.app[NEWSROOM]
    follower = Follower(room, user=None if who.admin else who.user, base=base(request))
    await follower.begin(after)
    return await _follow(request, follower)


def _last_seen(request: web.Request) -> int | None:
    """Return the number of the event after which the client wants to hear."""
    options = query.read(request, StreamOptions)
    # A browser that reconnects sends the header, and the URL that it was given at first.
    text = request.headers.get(_LAST_EVENT_ID, "").strip()
    if not text:
        return options.last_event_id
    if not query.is_number(text):
        raise InvalidRequest.at("", f"{_LAST_EVENT_ID} is not the number of an event: {text!r}")
    return int(text)


async def _follow(request: web.Request, follower: Follower) -> web.StreamResponse:
    with request.app[SEATS].taken(caller(request).user, request):
        pieces = _messages(request, follower)
        async with contextlib.aclosing(pieces):
            return await answers.stream(request, pieces, content_type=MEDIA, headers=_HEADERS)


async def _messages(request: web.Request, follower: Follower) -> AsyncGenerator[bytes, None]:
    """Yield what is new, and comments while nothing is; end with the campaign or the server."""
    loop, notices = asyncio.get_running_loop(), engine(request).news.notices
    while not notices.closed:
        piece = await follower.news()
        if piece:
            yield piece
        if follower.over:
            return
        if not follower.is_behind and not await _something_new(follower):
            yield _COMMENT
        # All at the same moments: the first to ask reads for the others.
        await asyncio.sleep(TICK - loop.time() % TICK)


async def _something_new(follower: Follower) -> bool:
    try:
        async with asyncio.timeout(HEARTBEAT):
            await follower.change()
    except TimeoutError:
        return False
    return True
