"""Which methods a path takes, told in one way: `GET,PUT,DELETE`, as CiGri 3 did."""

import re
from collections.abc import Iterable, Mapping

from aiohttp import hdrs, web

#: The methods of each path, by its name in aiohttp.
ALLOWED = web.AppKey("ALLOWED", Mapping[str, str])

_ORDER = (hdrs.METH_GET, hdrs.METH_POST, hdrs.METH_PUT, hdrs.METH_DELETE)


def allowed(routes: Iterable[web.RouteDef]) -> Mapping[str, str]:
    """Return the methods of each path of *routes*."""
    known: dict[str, set[str]] = {}
    for route in routes:
        # As aiohttp calls it: `{path:.+}` is `{path}`.
        canonical = re.sub(r":[^{}]*}", "}", route.path)
        known.setdefault(canonical, set()).add(route.method)
    return {
        path: ",".join(method for method in _ORDER if method in methods)
        for path, methods in known.items()
    }


async def of_path(request: web.Request) -> str | None:
    """Return the methods that the path of *request* takes, `None` when there is no such path."""
    resource = request.match_info.route.resource
    if resource is None:
        return await _of_another(request)
    return _told(request, resource)


async def _of_another(request: web.Request) -> str | None:
    """Return the methods of a path that does not take that of *request*."""
    for resource in request.app.router.resources():
        _, taken = await resource.resolve(request)
        if taken:
            return _told(request, resource)
    return None


def _told(request: web.Request, resource: web.AbstractResource) -> str:
    return request.app[ALLOWED][resource.canonical.rstrip("/") or "/"]
