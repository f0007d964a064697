"""The routes by which a campaign grows, and by which it goes on after its test."""

from collections.abc import Mapping

from aiohttp import web

from cigri.api import answers, growing, idempotency, jdl_schema, query, wire
from cigri.api.campaigns import detailed, identify
from cigri.api.context import base, caller, engine
from cigri.api.operation import NoOptions, operation
from cigri.domain.model import Campaign

routes = web.RouteTableDef()


@operation(
    routes,
    "POST",
    "/campaigns/{campaign}/jobs",
    answer=wire.CampaignDetails,
    status=201,
    body=jdl_schema.PARAMETERS,
    accepts=("application/json", *growing.ACCEPTS),
    errors=(404,),
    scope="submit",
)
async def add(request: web.Request) -> web.StreamResponse:
    """
    Add tasks to a campaign, one for each parameter; one that is terminated goes on.

    They are a JSON array, lines of JSON, or lines of text; `text/plain` that begins with a
    bracket is read as JSON.
    """
    query.read(request, NoOptions)
    campaign_id = identify(request)

    def answer(found: Campaign) -> tuple[int, Mapping[str, str], bytes]:
        headers = {"Location": f"{base(request)}/campaigns/{found.id}"}
        return 201, headers, answers.encode(request, detailed(request, found))

    receipt = idempotency.receipt(request, answer)
    found = await engine(request).add(
        caller(request), campaign_id, *await growing.parameters(request), receipt=receipt
    )
    return await answers.whole(request, *answer(found))


@operation(
    routes,
    "POST",
    "/campaigns/{campaign}/go",
    answer=wire.CampaignDetails,
    status=202,
    errors=(404,),
    scope="submit",
)
async def go(request: web.Request) -> web.StreamResponse:
    """Go on with a campaign that waits after its test."""
    query.read(request, NoOptions)
    found = await engine(request).go(caller(request), identify(request))
    return await answers.json(request, detailed(request, found), status=202)
