"""The web application: its routes, and what every request passes through."""

from importlib.metadata import version

from aiohttp import hdrs, web

from cigri.api import answers, campaigns, clusters, events, jobs, query, wire
from cigri.api.access import log_request, protocol_logger
from cigri.api.auth import PEERS, Peers, authenticate
from cigri.api.body import send_continue_later
from cigri.api.context import CAMPAIGNS, SETTINGS, ApiSettings
from cigri.api.errors import explain_errors
from cigri.engine.campaigns import Campaigns

_VERSION = version("cigri")

#: Seconds at most for reading away a body that nobody wants.
_LINGER = 10.0

front = web.RouteTableDef()


@front.get("/")
async def front_page(request: web.Request) -> web.StreamResponse:
    """List where to go from here; the one page that needs no credentials."""
    query.options(request)
    links = [
        wire.link("self", "/"),
        wire.link("collection", "/campaigns", "campaigns"),
        wire.link("collection", "/clusters", "clusters"),
    ]
    return await answers.json(request, {"version": _VERSION, "links": links})


def create_app(campaigns_: Campaigns, settings: ApiSettings) -> web.Application:
    """
    Return the application, to be served on the Unix socket, on TCP, or on both.

    It tells by the connection where a request came in; see `auth`.
    """
    app = web.Application(
        middlewares=(log_request, explain_errors, authenticate),
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
    app[CAMPAIGNS] = campaigns_
    app[SETTINGS] = settings
    app[PEERS] = Peers(settings.user)
    app.on_response_prepare.append(_mark)
    for table in (front, campaigns.routes, jobs.routes, events.routes, clusters.routes):
        _add(app, table)
    return app


def _add(app: web.Application, table: web.RouteTableDef) -> None:
    """Add the routes of *table*, each with and without a slash at its end."""
    for route in table:
        if not isinstance(route, web.RouteDef):
            raise TypeError(f"only functions are routes here: {route}")
        for path in dict.fromkeys((route.path, route.path.rstrip("/") + "/")):
            options = {"expect_handler": send_continue_later}
            web.RouteDef(route.method, path, route.handler, options).register(app.router)


async def _mark(request: web.Request, response: web.StreamResponse) -> None:
    """Say who answers, and that no browser should take the answer for anything but what it is."""
    response.headers[hdrs.SERVER] = "cigri"
    response.headers["X-Content-Type-Options"] = "nosniff"
