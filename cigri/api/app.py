"""The web application: its routes, and what every request passes through."""

from importlib.metadata import version

import msgspec
from aiohttp import hdrs, web

from cigri.api import lasting, methods, openapi
from cigri.api.auth import PEERS, Peers, authenticate
from cigri.api.body import send_continue_later
from cigri.api.compression import compress
from cigri.api.context import CAMPAIGNS, SETTINGS, ApiSettings
from cigri.api.errors import explain_errors
from cigri.api.etags import revalidate
from cigri.api.export import negotiate
from cigri.api.front import find_base
from cigri.api.idempotency import answer_once
from cigri.api.metrics import measure
from cigri.api.operation import operations
from cigri.api.override import overrides
from cigri.api.request_log import log_request, protocol_logger
from cigri.api.tables import TABLES
from cigri.api.waiting import hold
from cigri.engine.campaigns import Campaigns

_VERSION = version("cigri")

#: What a request passes on its way to its handler, from the outside in.
MIDDLEWARES = (
    log_request,
    measure,
    compress,
    explain_errors,
    find_base,
    authenticate,
    hold,
    revalidate,
    answer_once,
    negotiate,
)

#: Seconds at most for reading away a body that nobody wants.
_LINGER = 10.0


def create_app(campaigns: Campaigns, settings: ApiSettings) -> web.Application:
    """
    Return the application, to be served on the Unix socket, on TCP, or on both.

    It tells by the connection where a request came in; see `auth`.
    """
    app = web.Application(
        middlewares=MIDDLEWARES,
        handler_args={
            # Ours refuses damaged and oversized gzip with an answer; see `body`.
            "auto_decompress": False,
            # Half a request is cut after this time as well.
            "keepalive_timeout": settings.patience,
            # What is left of a refused body is read away, so that the refusal is seen.
            "lingering_time": min(_LINGER, settings.patience),
            "access_log": None,
            "logger": protocol_logger(),
        },
    )
    app[CAMPAIGNS] = campaigns
    app[SETTINGS] = settings
    app[PEERS] = Peers(settings.user)
    lasting.prepare(app)
    routes = [_function(route) for table in TABLES for route in table]
    app[methods.ALLOWED] = methods.allowed(routes)
    app[openapi.DOCUMENT] = msgspec.json.encode(openapi.document(operations(TABLES)))
    app.on_response_prepare.append(_mark)
    for route in (*routes, *overrides(routes)):
        _add(app, route)
    return app


def _function(route: web.AbstractRouteDef) -> web.RouteDef:
    if not isinstance(route, web.RouteDef):
        raise TypeError(f"only functions are routes here: {route}")
    return route


def _add(app: web.Application, route: web.RouteDef) -> None:
    """Add *route* with and without a slash at its end."""
    for path in dict.fromkeys((route.path, route.path.rstrip("/") + "/")):
        options = {"expect_handler": send_continue_later}
        web.RouteDef(route.method, path, route.handler, options).register(app.router)


async def _mark(request: web.Request, response: web.StreamResponse) -> None:
    """Say who answers, and how a path can be used; browsers are not to guess what it is."""
    response.headers[hdrs.SERVER] = "cigri"
    response.headers["Cigri-Version"] = _VERSION
    response.headers["X-Content-Type-Options"] = "nosniff"
    if hdrs.ALLOW not in response.headers and request.match_info.route.resource is not None:
        response.headers[hdrs.ALLOW] = await methods.of_path(request) or ""
