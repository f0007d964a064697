"""The routes of campaigns."""

from collections.abc import AsyncIterator, Mapping
from urllib.parse import parse_qsl

import msgspec
from aiohttp import web

from cigri.api import answers, body, query, wire
from cigri.api.context import caller, engine
from cigri.domain.model import Caller, Campaign, CampaignId, CampaignState, Parameter
from cigri.errors import InvalidRequest
from cigri.strict import likely

routes = web.RouteTableDef()

_SETTABLE = ("name", "state")


@routes.get("/campaigns")
async def listed(request: web.Request) -> web.StreamResponse:
    """List campaigns: those that are not over, unless `state` says otherwise."""
    found = query.options(request, "state", "limit", "offset")
    states, page = query.campaign_states(found), query.page(found)
    part = await engine(request).listing(states, page.limit, page.offset)
    items = [_summary(request, campaign) for campaign in part.items]
    following = page.offset + len(items)
    more = following if items and following < part.total else None
    href = f"/campaigns?state={found['state']}" if "state" in found else "/campaigns"
    listing = wire.listing(items, part.total, page, href, more)
    return await answers.json(request, listing | {"finished": part.hidden})


@routes.post("/campaigns")
async def submit(request: web.Request) -> web.StreamResponse:
    """Submit a campaign, or only say what would be submitted."""
    found = query.options(request, "dry_run")
    # Nothing here keeps the description: it may be large, and the engine lets go of it.
    if query.flag(found, "dry_run"):
        preview = await engine(request).preview(caller(request), *await body.campaign(request))
        return await answers.json(request, wire.preview(preview))
    submitted = await engine(request).submit(caller(request), *await body.campaign(request))
    answer = _details(request, submitted.campaign)
    if submitted.warnings:
        answer["warnings"] = list(submitted.warnings)
    headers = {"Location": f"/campaigns/{submitted.campaign.id}"}
    return await answers.json(request, answer, status=201, headers=headers)


@routes.get("/campaigns/{campaign}")
async def details(request: web.Request) -> web.StreamResponse:
    """Tell how far a campaign is."""
    query.options(request)
    campaign = await engine(request).get(identify(request))
    return await answers.json(request, _details(request, campaign))


@routes.put("/campaigns/{campaign}")
async def change(request: web.Request) -> web.StreamResponse:
    """Rename, pause or resume a campaign."""
    changes = await _changes(request)
    campaign = await engine(request).update(
        caller(request),
        identify(request),
        name=changes.get("name"),
        state=_wanted_state(changes.get("state")),
    )
    return await answers.json(request, _details(request, campaign), status=202)


@routes.delete("/campaigns/{campaign}")
async def cancel(request: web.Request) -> web.StreamResponse:
    """Cancel a campaign, or with `hold` and `resume` pause and resume it, as CiGri v3 does."""
    found = query.options(request, "hold", "resume")
    hold, resume = query.flag(found, "hold"), query.flag(found, "resume")
    if hold and resume:
        raise InvalidRequest.at("?hold", "hold and resume exclude each other")
    who, campaign_id = caller(request), identify(request)
    if hold:
        await engine(request).pause(who, campaign_id)
    elif resume:
        await engine(request).resume(who, campaign_id)
    else:
        await engine(request).cancel(who, campaign_id)
    done = "paused" if hold else "resumed" if resume else "cancelled"
    answer = wire.accepted(f"Campaign {campaign_id} {done}")
    return await answers.json(request, answer, status=202)


@routes.get("/campaigns/{campaign}/jdl")
async def jdl(request: web.Request) -> web.StreamResponse:
    """Stream the expanded description of a campaign, its parameters included."""
    query.options(request)
    given, parameters = await engine(request).jdl(caller(request), identify(request))
    # A count is only short for the parameters that follow; with both nobody could submit it again.
    settings = {name: value for name, value in given.items() if name != "nb_jobs"}
    head = answers.encode(request, settings)
    pieces = _with_parameters(head, parameters, pretty=answers.wants_pretty(request))
    return await answers.stream(request, pieces, content_type="application/json")


def identify(request: web.Request) -> CampaignId:
    """Return the campaign that the path of *request* names."""
    return CampaignId(query.identifier(request, "campaign", "campaign"))


def may_look_inside(who: Caller, campaign: Campaign) -> bool:
    """Return whether *who* sees more than the summary of *campaign*."""
    return who.admin or who.user == campaign.user


def _summary(request: web.Request, campaign: Campaign) -> wire.Json:
    full = may_look_inside(caller(request), campaign)
    reason = engine(request).reason(campaign) if full else None
    return wire.campaign(campaign, engine(request).forecast(campaign), reason)


def _details(request: web.Request, campaign: Campaign) -> wire.Json:
    full = may_look_inside(caller(request), campaign)
    clusters = wire.campaign_clusters(campaign, full=full)
    return _summary(request, campaign) | {"clusters": clusters}


async def _changes(request: web.Request) -> Mapping[str, str]:
    """
    Return what is to change: from the URL, a form or JSON, as CiGri's clients send it.

    Raises:
        InvalidRequest: There is nothing, or something else than a name and a state.
    """
    changes = dict(query.options(request, *_SETTABLE))
    changes.pop("pretty", None)
    for name, value in _fields(await body.read(request, body.MAX_FIELDS)):
        if name not in _SETTABLE:
            raise InvalidRequest.at(f"/{name}", "unknown field", likely(name, [*_SETTABLE]))
        if not isinstance(value, str):
            raise InvalidRequest.at(f"/{name}", f"not a text: {value!r}")
        changes[name] = value
    if not changes:
        raise InvalidRequest.at("", "nothing to change", "give a name, a state or both")
    return changes


def _wanted_state(word: str | None) -> CampaignState | None:
    if word is None:
        return None
    if word not in {CampaignState.PAUSED, CampaignState.IN_TREATMENT}:
        raise InvalidRequest.at("/state", f"not paused or in_treatment: {word!r}")
    return CampaignState(word)


def _fields(text: bytes) -> list[tuple[str, object]]:
    # curl calls whatever it sends a form, so the text itself says what it is.
    if not text.lstrip().startswith(b"{"):
        return list(parse_qsl(text.decode("utf-8", "replace"), keep_blank_values=True))
    try:
        return list(msgspec.json.decode(text, type=dict[str, object]).items())
    except (ValueError, RecursionError) as error:
        raise InvalidRequest.at("", f"not JSON: {error}") from error


async def _with_parameters(
    head: bytes, parameters: AsyncIterator[list[Parameter]], *, pretty: bool
) -> AsyncIterator[bytes]:
    """Yield the JSON object *head* with one more field, without ever holding all of it."""
    line, space = (b"\n", b" ") if pretty else (b"", b"")
    fields = head.rstrip()[:-1].rstrip()
    yield (
        fields + (b"" if fields == b"{" else b",") + line + 2 * space + b'"params":' + space + b"["
    )
    indent = line + 4 * space
    between = b""
    async for part in parameters:
        yield between + indent + (b"," + indent).join(map(msgspec.json.encode, part))
        between = b","
    yield line + 2 * space + b"]" + line + b"}\n"
