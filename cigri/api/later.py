"""The routes of CiGri 3 that come later: known, and refused with a word about it."""

from typing import Annotated, NoReturn

import attrs
from aiohttp import web
from msgspec import Meta

from cigri.api import query
from cigri.api.operation import NoOptions, operation
from cigri.errors import NotYet

routes = web.RouteTableDef()

_ERRORS = (501,)


@attrs.frozen(kw_only=True)
class Period:
    """From when to when, in seconds since 1970."""

    from_: Annotated[int, Meta(ge=0)] | None = None
    to: Annotated[int, Meta(ge=0)] | None = None


@attrs.frozen(kw_only=True)
class Identity:
    """Whose subscription it is."""

    identity: str | None = None


@operation(routes, "GET", "/gridusage", status=None, options=Period, errors=_ERRORS)
async def grid_usage(request: web.Request) -> web.StreamResponse:
    """Tell how busy the grid is, or was: comes with a later version."""
    query.read(request, Period)
    _later("the records of the usage of the grid", "GET /clusters says how busy they are now")


@operation(routes, "GET", "/notifications", status=None, errors=_ERRORS)
async def notifications(request: web.Request) -> web.StreamResponse:
    """List subscriptions to notifications: comes with a later version."""
    query.read(request, NoOptions)
    _later_notifications()


@operation(
    routes,
    "POST",
    "/notifications/{service}",
    status=None,
    errors=_ERRORS,
    scope="submit",
)
async def subscribe(request: web.Request) -> web.StreamResponse:
    """Subscribe to notifications: comes with a later version."""
    query.read(request, NoOptions)
    _later_notifications()


@operation(
    routes,
    "DELETE",
    "/notifications/{service}",
    status=None,
    options=Identity,
    errors=_ERRORS,
    scope="submit",
)
async def unsubscribe(request: web.Request) -> web.StreamResponse:
    """Unsubscribe from notifications: comes with a later version."""
    query.read(request, Identity)
    _later_notifications()


def _later_notifications() -> NoReturn:
    _later("notifications", "until then, `cigri wait` ends when a campaign does")


def _later(what: str, instead: str) -> NoReturn:
    raise NotYet(f"{what} come with a later version of this server; {instead}")
