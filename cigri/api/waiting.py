"""A request that is answered when something has changed: the simplest loop for any client."""

import asyncio
from enum import StrEnum
from typing import Annotated

import attrs
from aiohttp import hdrs, web
from aiohttp.typedefs import Handler
from msgspec import Meta

from cigri.api import etags, operation, query
from cigri.api.context import caller, engine
from cigri.api.seats import SEATS
from cigri.domain.model import CampaignId

#: Seconds that a client may ask to wait at most, and that it waits unless it says so.
LONGEST = 300
USUAL = 60

_WAITABLE = "/campaigns/{campaign}"


class Wait(StrEnum):
    """What to wait for: another state of the campaign, or anything about it."""

    STATE = "state"
    CHANGE = "change"


@attrs.frozen
class WaitOptions:
    """How long an answer may wait, and for what."""

    wait: Wait | None = None
    timeout: Annotated[int, Meta(ge=0, le=LONGEST)] = USUAL


@web.middleware
async def hold(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Hold a request back that asks to wait; afterwards it is answered as any other."""
    if "wait" in request.query and _is_waitable(request):
        await _wait(request, query.read(request, WaitOptions))
    return await handler(request)


def _is_waitable(request: web.Request) -> bool:
    asked = operation.asked(request)
    return asked is not None and (asked.method, asked.path) == (hdrs.METH_GET, _WAITABLE)


async def _wait(request: web.Request, options: WaitOptions) -> None:
    """
    Return when what *request* waits for has happened, or its time is over.

    Raises:
        NotFound: There is no such campaign.
    """
    campaign = CampaignId(query.identifier(request, "campaign", "campaign"))
    notices = engine(request).news.notices
    state, version = notices.state_of(campaign), notices.of(campaign)
    known = await engine(request).news.glance(campaign)
    if options.wait is Wait.STATE and known.state.over:
        return
    if options.wait is Wait.CHANGE and await _has_another(request):
        return
    with request.app[SEATS].taken(caller(request).user, request):
        try:
            async with asyncio.timeout(options.timeout):
                while not notices.closed:
                    await notices.news(campaign)
                    if options.wait is Wait.CHANGE and notices.of(campaign) != version:
                        return
                    if notices.state_of(campaign) != state:
                        return
        except TimeoutError:
            return


async def _has_another(request: web.Request) -> bool:
    """Return whether the client names a version that is not the present one."""
    if hdrs.IF_NONE_MATCH not in request.headers:
        return False
    tag = await etags.current(request)
    return tag is None or not etags.matches(request, tag)
