"""The routes of the tokens by which CiGri 3 reached some clusters in the name of their users.

No kind of cluster takes any yet.  What lets users in here are `/access_tokens`.
"""

from typing import NoReturn

import attrs
from aiohttp import web

from cigri.api import answers, fields, query, wire
from cigri.api.clusters import named
from cigri.api.context import base
from cigri.api.operation import NoOptions, operation
from cigri.api.paging import Paged, Whereabouts
from cigri.errors import NotAllowed

routes = web.RouteTableDef()


@attrs.frozen(kw_only=True)
class Registration:
    """The token of a user on a cluster."""

    #: Its id or its name.
    cluster_id: int | str
    token: str


@attrs.frozen(kw_only=True, slots=False)
class ClusterToken:
    """What a cluster knows a user by."""

    cluster_id: int
    cluster_login: str


@operation(routes, "GET", "/tokens", answer=wire.Listing[ClusterToken], options=Paged)
async def listed(request: web.Request) -> web.StreamResponse:
    """List your tokens on clusters: no cluster takes any yet."""
    wanted = query.read(request, Paged)
    none: list[ClusterToken] = []
    where = Whereabouts(path="/tokens", page=wanted, base=base(request))
    return await answers.json(request, where.counted(none, 0))


@operation(
    routes,
    "POST",
    "/tokens",
    status=None,
    body=Registration,
    accepts=fields.ACCEPTS,
    errors=(404,),
    scope="submit",
)
async def register(request: web.Request) -> web.StreamResponse:
    """Keep your token on a cluster: refused, as no cluster takes any yet."""
    query.read(request, NoOptions)
    await _refuse(request, str((await fields.read_json(request, Registration)).cluster_id))


@operation(
    routes,
    "DELETE",
    "/tokens/{cluster}",
    status=None,
    errors=(404,),
    scope="submit",
)
async def forget(request: web.Request) -> web.StreamResponse:
    """Forget your token on a cluster: refused, as no cluster takes any yet."""
    query.read(request, NoOptions)
    await _refuse(request, request.match_info["cluster"])


async def _refuse(request: web.Request, cluster: str) -> NoReturn:
    found = await named(request, cluster)
    raise NotAllowed(
        f"cluster {found.name} does not take tokens; for this server itself, use /access_tokens"
    )
