"""What Prometheus asks for."""

import asyncio
from collections.abc import Iterator, Mapping

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler
from prometheus_client import Gauge
from prometheus_client.exposition import choose_encoder

from cigri.api import operation, query
from cigri.api.context import engine
from cigri.api.operation import NoOptions
from cigri.api.seats import SEATS
from cigri.api.wire.words import JOB_STATES
from cigri.domain.model import Counts

routes = web.RouteTableDef()

#: Users with a label of their own: those with the most tasks.
MOST_USERS = 100
OTHERS = "(others)"
#: The route of what is no route.
_NOWHERE = "(none)"


@web.middleware
async def measure(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Measure how long an answer takes, unless it is meant to take long."""
    began = asyncio.get_running_loop().time()
    response = await handler(request)
    if "wait" not in request.query and response.content_type != "text/event-stream":
        seconds = asyncio.get_running_loop().time() - began
        asked = operation.asked(request)
        route = _NOWHERE if asked is None else asked.path
        metrics = engine(request).metrics
        metrics.http_request.labels(route, str(response.status)).observe(seconds)
    return response


@operation.operation(routes, "GET", "/metrics", media="text/plain")
async def told(request: web.Request) -> web.StreamResponse:
    """Tell counts and times to Prometheus."""
    query.read(request, NoOptions)
    news = engine(request).news
    users, events = await news.tasks_by_user(), await news.open_events()
    clusters = await engine(request).clusters()
    metrics = engine(request).metrics
    metrics.listeners.set(request.app[SEATS].count)
    _set(metrics.events_open, {(code,): count for code, count in events.items()})
    _set(metrics.tasks, dict(_tasks(users)))
    _set(metrics.jobs_running, {(each.name,): each.busy for each in clusters})
    _set(metrics.cluster_up, {(each.name,): int(each.hold is None) for each in clusters})
    known = ((each.name, each.stress) for each in clusters)
    _set(metrics.cluster_stress, {(name,): load for name, load in known if load is not None})
    encode, content_type = choose_encoder(request.headers.get(hdrs.ACCEPT, ""))
    text = encode(metrics.registry)
    return web.Response(body=text, headers={hdrs.CONTENT_TYPE: content_type})


def _set(gauge: Gauge, values: Mapping[tuple[str, ...], float]) -> None:
    """Let *gauge* have *values* and no others."""
    gauge.clear()
    for labels, value in values.items():
        gauge.labels(*labels).set(value)


def _tasks(users: Mapping[str, Counts]) -> Iterator[tuple[tuple[str, str], int]]:
    """Yield how many tasks users have in each state; those who have few are one."""
    ordered = sorted(users, key=lambda user: users[user].total, reverse=True)
    for state, word in JOB_STATES.items():
        for user in ordered[:MOST_USERS]:
            yield (user, word.value), getattr(users[user], state)
        if len(ordered) > MOST_USERS:
            rest = sum(getattr(users[user], state) for user in ordered[MOST_USERS:])
            yield (OTHERS, word.value), rest
