"""Answers that a client has already are not sent again: ETag and If-None-Match.

A tag names a version of what is shown and the eyes that see it.  It is weak: two answers with the
same tag say the same, though one may be compressed.  It speaks of this process: a restart is a new
version of everything.
Forecasts and reasons move with the clock; they are as good as the minute.
"""

import hashlib
import secrets
from collections.abc import Mapping

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from cigri.api import operation, query
from cigri.api.compression import vary
from cigri.api.context import base, caller, engine
from cigri.domain.model import CampaignId, CampaignState

#: This process.
EPOCH = web.AppKey("EPOCH", str)
TAG = web.RequestKey("TAG", str)

#: Seconds for which what moves with the clock is taken to say the same.
_PRECISION = 60
_LIST = "/campaigns"
#: Pages of one campaign that change only with it, and whether they are for its owner alone.
_OF_CAMPAIGN: Mapping[str, bool] = {
    "/campaigns/{campaign}": False,
    "/campaigns/{campaign}/stats": False,
    "/campaigns/{campaign}/jdl": True,
    "/campaigns/{campaign}/jobs": True,
    "/campaigns/{campaign}/jobs.csv": True,
    "/campaigns/{campaign}/jobs.ndjson": True,
    "/campaigns/{campaign}/jobs/finished": True,
    "/campaigns/{campaign}/events": True,
}


@web.middleware
async def revalidate(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer 304 to a client that has the answer; it costs one row of the database."""
    # Before the answer is read: a change in between makes the next tag another one.
    tag = await current(request)
    if tag is None:
        return await handler(request)
    request[TAG] = tag
    if matches(request, tag):
        return web.Response(status=304)
    return await handler(request)


async def mark(request: web.Request, response: web.StreamResponse) -> None:
    """Name the version of an answer that is about to leave."""
    tag = request.get(TAG)
    if tag is None or response.status not in (200, 304):
        return
    response.headers[hdrs.ETAG] = tag
    response.headers[hdrs.CACHE_CONTROL] = "private, no-cache"
    vary(response, hdrs.ACCEPT, hdrs.ACCEPT_ENCODING, hdrs.AUTHORIZATION)


async def current(request: web.Request) -> str | None:
    """
    Return the tag of what *request* asks for, `None` where there is none.

    Raises:
        NotFound: There is no such campaign.
    """
    asked = operation.asked(request)
    if asked is None or asked.method != hdrs.METH_GET:
        return None
    notices = engine(request).news.notices
    if asked.path == _LIST:
        return _tag(request, str(notices.version), moves=True)
    if asked.path not in _OF_CAMPAIGN:
        return None
    campaign = CampaignId(query.identifier(request, "campaign", "campaign"))
    known = await engine(request).news.glance(campaign)
    who = caller(request)
    if _OF_CAMPAIGN[asked.path] and not who.admin and who.user != known.user:
        return None  # it is going to be refused
    # Campaigns that are over show the holds of their clusters, too.
    version = f"{known.revision}.{notices.clusters}"
    return _tag(request, version, moves=known.state is CampaignState.IN_TREATMENT)


def matches(request: web.Request, tag: str) -> bool:
    """Return whether the client of *request* has the answer named *tag*."""
    given = ",".join(request.headers.getall(hdrs.IF_NONE_MATCH, []))
    return tag in {each.strip() for each in given.split(",")} or given.strip() == "*"


def _tag(request: web.Request, version: str, *, moves: bool) -> str:
    who = caller(request)
    minute = int(engine(request).now() // _PRECISION) if moves else 0
    # What else makes one answer differ from another; nothing of it is to be read in the tag.
    view = (
        who.user,
        who.admin,
        request.path_qs,
        base(request),
        request.headers.getall(hdrs.ACCEPT, []),
    )
    seen = hashlib.blake2b(repr(view).encode("utf-8", "replace"), digest_size=6).hexdigest()
    return f'W/"{request.app[EPOCH]}-{version}-{minute}-{seen}"'


def epoch() -> str:
    """Return a word that no other process has."""
    return secrets.token_hex(4)
