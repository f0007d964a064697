"""The front page, and where links begin."""

import re

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from cigri.api import answers, query, wire
from cigri.api.context import BASE, base
from cigri.api.operation import NoOptions, operation
from cigri.errors import InvalidRequest

routes = web.RouteTableDef()

#: Where a proxy says below which path it shows this server.
PREFIX = "X-Cigri-Api-Path-Prefix"
#: Words between slashes: no scheme, no host, no way up, nothing that HTML or a header could mean.
_PREFIX = re.compile(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*){1,16}")
_LONGEST_PREFIX = 200


@operation(routes, "GET", "/", answer=wire.Front, scope="public")
async def page(request: web.Request) -> web.StreamResponse:
    """List where to go from here."""
    query.read(request, NoOptions)
    here = base(request)
    described = f'<{here}/openapi.json>; rel="service-desc", <{here}/docs/api>; rel="service-doc"'
    return await answers.json(request, wire.front(here), headers={hdrs.LINK: described})


@web.middleware
async def find_base(request: web.Request, handler: Handler) -> web.StreamResponse:
    """
    Let links begin where the proxy in front says that this server is shown.

    Raises:
        InvalidRequest: It says something else than a path.
    """
    given = request.headers.getall(PREFIX, [])
    if given:
        request[BASE] = _checked(given)
    return await handler(request)


def _checked(given: list[str]) -> str:
    path = given[0].rstrip("/")
    if not path:
        return ""
    path = path if path.startswith("/") else f"/{path}"
    if len(given) > 1 or len(path) > _LONGEST_PREFIX or not _PREFIX.fullmatch(path):
        raise InvalidRequest.at("", f"{PREFIX} is not one path of letters, digits and . _ ~ -")
    return path
