"""The routes of campaigns."""

from collections.abc import Mapping
from typing import Annotated, TypedDict

import attrs
from aiohttp import web
from msgspec import Meta

from cigri.api import answers, body, fields, idempotency, jdl_schema, query, wire
from cigri.api.context import base, caller, engine
from cigri.api.operation import operation
from cigri.api.paging import Paged, Whereabouts
from cigri.api.waiting import WaitOptions
from cigri.api.wire import CampaignFilter, SettableState
from cigri.domain.forecast import Forecast
from cigri.domain.model import Caller, Campaign, CampaignId, CampaignState, ClusterName
from cigri.domain.selection import CampaignSelection
from cigri.engine.answers import Submitted
from cigri.errors import InvalidRequest

routes = web.RouteTableDef()

_LIVE = (CampaignFilter.IN_TREATMENT, CampaignFilter.PAUSED)


@attrs.frozen(kw_only=True)
class ListOptions(Paged):
    """Which campaigns are wanted."""

    state: Annotated[
        tuple[CampaignFilter, ...], Meta(description="in these states; the live ones by default")
    ] = _LIVE
    user: Annotated[str, Meta(max_length=100, description="only those of this user")] | None = None
    cluster: (
        Annotated[str, Meta(max_length=100, description="only those for this cluster")] | None
    ) = None
    tag: Annotated[str, Meta(max_length=100, description="only yours with this tag")] | None = None
    q: Annotated[str, Meta(max_length=1000, description="only those whose name has this")] = ""

    def selection(self, who: Caller) -> CampaignSelection:
        """Return what the store looks for; the tags of others are not to be guessed."""
        return CampaignSelection(
            user=self.user,
            cluster=None if self.cluster is None else ClusterName(self.cluster),
            tag=self.tag,
            tags_of=None if who.admin else who.user,
            text=self.q,
        )

    def in_url(self) -> Mapping[str, str]:
        """Return the options that ask for the same."""
        states = None if self.state == _LIVE else ",".join(self.state)
        given = {"state": states, "user": self.user, "cluster": self.cluster, "tag": self.tag}
        given["q"] = self.q or None
        return {name: value for name, value in given.items() if value is not None}


class _Known(TypedDict):
    """What wire.campaign wants beside the campaign."""

    forecast: Forecast
    reason: str | None
    full: bool
    base: str


@operation(routes, "GET", "/campaigns", answer=wire.Campaigns, options=ListOptions, errors=(304,))
async def listed(request: web.Request) -> web.StreamResponse:
    """List campaigns: those that are not over, unless `state` says otherwise."""
    wanted = query.read(request, ListOptions)
    states = wire.campaign_states(wanted.state)
    part = await engine(request).listing(
        states, wanted.limit, wanted.offset, wanted.selection(caller(request))
    )
    items = [_summary(request, campaign) for campaign in part.items]
    where = Whereabouts(
        path="/campaigns", page=wanted, base=base(request), filters=wanted.in_url()
    )
    page = where.counted(items, part.total)
    answer = wire.Campaigns(**vars(page), finished=part.hidden)
    return await answers.json(request, answer, headers=where.headers(page))


@attrs.frozen(kw_only=True)
class SubmitOptions:
    """How a campaign is submitted."""

    dry_run: Annotated[bool, Meta(description="only tell what would be submitted")] = False


@operation(
    routes,
    "POST",
    "/campaigns",
    answer=wire.CampaignDetails,
    status=201,
    answers=((200, wire.Preview),),
    options=SubmitOptions,
    body=jdl_schema.BODY,
    accepts=("application/json", body.LINES),
    scope="submit",
)
async def submit(request: web.Request) -> web.StreamResponse:
    """Submit a campaign, or only say what would be submitted."""
    # Nothing here keeps the description: it may be large, and the engine lets go of it.
    if query.read(request, SubmitOptions).dry_run:
        preview = await engine(request).preview(caller(request), *await body.campaign(request))
        return await answers.json(request, wire.preview(preview))

    def answer(found: Submitted) -> tuple[int, Mapping[str, str], bytes]:
        details = detailed(request, found.campaign, warnings=found.warnings)
        headers = {"Location": f"{base(request)}/campaigns/{found.campaign.id}"}
        return 201, headers, answers.encode(request, details)

    submitted = await engine(request).submit(
        caller(request),
        *await body.campaign(request),
        receipt=idempotency.receipt(request, answer),
    )
    return await answers.whole(request, *answer(submitted))


@operation(
    routes,
    "GET",
    "/campaigns/{campaign}",
    answer=wire.CampaignDetails,
    options=WaitOptions,
    errors=(304, 404, 429, 503),
)
async def details(request: web.Request) -> web.StreamResponse:
    """
    Tell how far a campaign is.

    With `wait` the answer comes once something has changed, or after `timeout` seconds.
    """
    query.read(request, WaitOptions)
    campaign = await engine(request).get(identify(request))
    return await answers.json(request, detailed(request, campaign))


@attrs.frozen(kw_only=True)
class Changes:
    """What is to change of a campaign."""

    name: str | None = None
    state: SettableState | None = None


@operation(
    routes,
    "PUT",
    "/campaigns/{campaign}",
    answer=wire.CampaignDetails,
    status=202,
    options=Changes,
    body=Changes,
    accepts=fields.ACCEPTS,
    errors=(404,),
    scope="submit",
)
async def change(request: web.Request) -> web.StreamResponse:
    """
    Rename, pause or resume a campaign.

    The fields may stand in the URL, in a form or in JSON.
    """
    campaign_id = identify(request)
    changes = await fields.read(request, Changes)
    state = None if changes.state is None else CampaignState(changes.state)
    campaign = await engine(request).update(
        caller(request), campaign_id, name=changes.name, state=state
    )
    return await answers.json(request, detailed(request, campaign), status=202)


@attrs.frozen(kw_only=True)
class DeleteOptions:
    """What to do instead of cancelling."""

    hold: Annotated[bool, Meta(description="pause it")] = False
    resume: Annotated[bool, Meta(description="go on with it")] = False
    purge: Annotated[bool, Meta(description="forget a campaign that is over")] = False


@operation(
    routes,
    "DELETE",
    "/campaigns/{campaign}",
    answer=wire.Accepted,
    status=202,
    options=DeleteOptions,
    errors=(404,),
    scope="submit",
)
async def cancel(request: web.Request) -> web.StreamResponse:
    """Cancel a campaign; or do as `hold`, `resume` or `purge` says instead."""
    wanted = [name for name, on in attrs.asdict(query.read(request, DeleteOptions)).items() if on]
    if len(wanted) > 1:
        raise InvalidRequest.at(f"?{wanted[0]}", f"{' and '.join(wanted)} exclude each other")
    who, campaign_id = caller(request), identify(request)
    match wanted:
        case ["hold"]:
            await engine(request).pause(who, campaign_id)
        case ["resume"]:
            await engine(request).resume(who, campaign_id)
        case ["purge"]:
            await engine(request).purge(who, campaign_id)
        case _:
            await engine(request).cancel(who, campaign_id)
    done = _DONE[wanted[0] if wanted else "cancel"]
    answer = wire.accepted(f"Campaign {campaign_id} {done}")
    return await answers.json(request, answer, status=202)


_DONE = {"hold": "paused", "resume": "resumed", "purge": "purged", "cancel": "cancelled"}


def identify(request: web.Request) -> CampaignId:
    """Return the campaign that the path of *request* names."""
    return CampaignId(query.identifier(request, "campaign", "campaign"))


def may_look_inside(who: Caller, campaign: Campaign) -> bool:
    """Return whether *who* sees more than the summary of *campaign*."""
    return who.admin or who.user == campaign.user


def _summary(request: web.Request, campaign: Campaign) -> wire.Campaign:
    return wire.campaign(campaign, **_known(request, campaign))


def detailed(
    request: web.Request, campaign: Campaign, warnings: tuple[str, ...] = ()
) -> wire.CampaignDetails:
    """Return a campaign as far as the sender of *request* may see it."""
    return wire.details(campaign, warnings=warnings, **_known(request, campaign))


def _known(request: web.Request, campaign: Campaign) -> _Known:
    full = may_look_inside(caller(request), campaign)
    return {
        "forecast": engine(request).forecast(campaign),
        "reason": engine(request).reason(campaign) if full else None,
        "full": full,
        "base": base(request),
    }
