"""Whether the server lives and works, for those who start it again and those who send it work."""

from collections.abc import Mapping
from enum import StrEnum

import attrs
from aiohttp import hdrs, web

from cigri.api import answers, query
from cigri.api.context import engine
from cigri.api.operation import NoOptions, operation

routes = web.RouteTableDef()

#: Nobody keeps what was so a moment ago.
_HEADERS: Mapping[str, str] = {hdrs.CACHE_CONTROL: "no-store"}


class Health(StrEnum):
    """How something is."""

    OK = "ok"
    FAILED = "failed"


@attrs.frozen(kw_only=True, slots=False)
class Alive:
    """The server answers."""

    status: Health


@attrs.frozen(kw_only=True, slots=False)
class Ready:
    """Whether the server does its work, and what of it does not."""

    status: Health
    #: Whether the database can be written.
    database: Health
    #: Whether all clusters are looked after.
    loops: Health


@operation(routes, "GET", "/healthz", answer=Alive, scope="public")
async def alive(request: web.Request) -> web.StreamResponse:
    """Say that the server answers."""
    query.read(request, NoOptions)
    return await answers.json(request, Alive(status=Health.OK), headers=_HEADERS)


@operation(routes, "GET", "/readyz", answer=Ready, answers=((503, Ready),), scope="public")
async def ready(request: web.Request) -> web.StreamResponse:
    """
    Say whether the server does its work: 503 when not.

    The database was written lately, and each loop took its turn within a minute of when it should.
    """
    query.read(request, NoOptions)
    vitals = engine(request).vitals
    database = Health.OK if await vitals.can_write() else Health.FAILED
    loops = Health.FAILED if vitals.late_loops() else Health.OK
    good = database is loops is Health.OK
    answer = Ready(
        status=Health.OK if good else Health.FAILED,
        database=database,
        loops=loops,
    )
    return await answers.json(request, answer, status=200 if good else 503, headers=_HEADERS)
