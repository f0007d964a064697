"""The routes of the tokens by which some clusters know their users.

What lets users in here are `/access_tokens`.
"""

from collections.abc import Mapping
from typing import Annotated

import attrs
from aiohttp import hdrs, web
from msgspec import Meta

from cigri.api import answers, fields, query, wire
from cigri.api.auth.credentials import CREDENTIALS
from cigri.api.context import base, caller, engine
from cigri.api.operation import NoOptions, Scope, operation
from cigri.api.paging import Paged, Whereabouts
from cigri.engine import cluster_tokens as kept

routes = web.RouteTableDef()

_NOT_STORED: Mapping[str, str] = {hdrs.CACHE_CONTROL: "no-store"}
#: Instead of a secret, to who asks with a token that is good for looking alone.
_HIDDEN = "hidden: it takes a token of scope submit to see it"


@attrs.frozen(kw_only=True)
class Registration:
    """The token of a user on a cluster."""

    #: Its id or its name.
    cluster_id: int | str
    token: Annotated[str, Meta(description="as the cluster gave it, with or without `Bearer`")]


@attrs.frozen(kw_only=True, slots=False)
class ClusterToken:
    """What a cluster knows a user by."""

    cluster_id: int
    cluster_name: str
    #: The user's login on the cluster.
    login: str
    #: The token, after the word `Bearer`.
    cluster_login: str
    #: Until when it is good, in seconds since 1970; `null`: it does not say.
    expires_at: float | None
    links: tuple[wire.Link, ...]


@operation(routes, "GET", "/tokens", answer=wire.Listing[ClusterToken], options=Paged)
async def listed(request: web.Request) -> web.StreamResponse:
    """List your tokens on clusters: your own alone, whoever you are."""
    wanted = query.read(request, Paged)
    found = await engine(request).cluster_tokens.listing(caller(request).user)
    shown = request[CREDENTIALS].covers(Scope.SUBMIT)
    items = [_body(request, token, shown=shown) for token in wanted.part(found)]
    where = Whereabouts(path="/tokens", page=wanted, base=base(request))
    page = where.counted(items, len(found))
    return await answers.json(request, page, headers={**where.headers(page), **_NOT_STORED})


@operation(
    routes,
    "POST",
    "/tokens",
    body=Registration,
    answer=wire.Accepted,
    status=201,
    accepts=fields.ACCEPTS,
    errors=(404,),
    scope="submit",
)
async def register(request: web.Request) -> web.StreamResponse:
    """
    Keep your token on a cluster, instead of the one before.

    Only clusters of OAR 3 take any.  One that says whose it is must be yours, and not have ended.
    """
    query.read(request, NoOptions)
    wanted = await fields.read_json(request, Registration)
    tokens = engine(request).cluster_tokens
    await tokens.put(caller(request).user, str(wanted.cluster_id), wanted.token)
    answer = wire.Accepted(status=201, title="Created", message="Token registered")
    return await answers.json(request, answer, status=201)


@operation(
    routes,
    "DELETE",
    "/tokens/{cluster}",
    answer=wire.Accepted,
    status=202,
    errors=(404,),
    scope="submit",
)
async def forget(request: web.Request) -> web.StreamResponse:
    """Forget your token on a cluster: nothing of yours is submitted there any more."""
    query.read(request, NoOptions)
    tokens = engine(request).cluster_tokens
    name = await tokens.remove(caller(request).user, request.match_info["cluster"])
    return await answers.json(request, wire.accepted(f"Token on {name} removed"), status=202)


def _body(request: web.Request, token: kept.ClusterToken, *, shown: bool) -> ClusterToken:
    path = f"/tokens/{token.cluster_id}"
    return ClusterToken(
        cluster_id=token.cluster_id,
        cluster_name=token.cluster,
        login=token.login,
        cluster_login=f"Bearer {token.secret}" if shown else _HIDDEN,
        expires_at=token.expires_at,
        links=(
            wire.link("self", path, base=base(request)),
            wire.link("parent", "/tokens", base=base(request)),
        ),
    )
