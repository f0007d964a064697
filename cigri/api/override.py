"""A POST that stands for another method, for clients that only know forms.

CiGri 3 understood `_method` in a form, as Rack does.  Nothing is gained by forging one: there are
no cookies, and a page from elsewhere has neither a token nor the socket.
"""

from collections.abc import Iterable, Mapping

from aiohttp import hdrs, web

from cigri.api import body, fields, query
from cigri.api.context import HELD
from cigri.api.fingerprint import METHOD_OVERRIDE
from cigri.api.operation import Handler, Operation, keep, of
from cigri.errors import InvalidRequest

_FORM = "application/x-www-form-urlencoded"


def overrides(routes: Iterable[web.RouteDef]) -> list[web.RouteDef]:
    """Return a POST for each path of *routes* that takes PUT or DELETE, and no POST yet."""
    methods: dict[str, dict[str, Handler]] = {}
    for route in routes:
        methods.setdefault(route.path, {})[route.method] = route.handler
    return [
        web.RouteDef(hdrs.METH_POST, path, _handler(others, _taken(known)), {})
        for path, known in methods.items()
        if hdrs.METH_POST not in known
        and (others := {m: h for m, h in known.items() if m in _CHANGING})
    ]


_CHANGING = frozenset({hdrs.METH_PUT, hdrs.METH_DELETE})


def _taken(known: Iterable[str]) -> list[str]:
    head = [hdrs.METH_HEAD] if hdrs.METH_GET in known else []
    return sorted([*known, *head])


def _handler(others: Mapping[str, Handler], taken: list[str]) -> Handler:
    async def override(request: web.Request) -> web.StreamResponse:
        method = await _method(request)
        if method is None:
            raise web.HTTPMethodNotAllowed(request.method, taken)
        if method not in others:
            known = ", ".join(sorted(others))
            raise InvalidRequest.at(f"/{query.METHOD}", f"{method!r} is not one of {known}")
        return await others[method](request)

    promised = [found for each in others.values() if (found := of(each)) is not None]
    if promised:
        keep(override, max(promised, key=_strictness))
    return override


def _strictness(operation: Operation) -> int:
    return list(type(operation.scope)).index(operation.scope)


async def _method(request: web.Request) -> str | None:
    """Return the method that *request* stands for, and hold its body for who reads it next."""
    if request.content_type == _FORM:
        request[HELD] = await body.read(request, body.MAX_FIELDS)
        named = dict(fields.form(request[HELD])).get(query.METHOD)
    else:
        named = None
    named = named or request.query.get(query.METHOD) or request.headers.get(METHOD_OVERRIDE)
    if named is not None and HELD not in request:
        request[HELD] = await body.read(request, body.MAX_FIELDS)
    return named and named.upper()
