"""Every route that there is."""

from aiohttp import web

from cigri.api import (
    access_tokens,
    campaigns,
    cluster_tokens,
    clusters,
    docs_page,
    events,
    export,
    front,
    growth,
    health,
    jobs,
    later,
    metrics,
    openapi,
    outputs,
    stream,
    views,
)

#: Where several paths match, the first wins: `/campaigns/1/jobs/finished` is no task.
TABLES: tuple[web.RouteTableDef, ...] = (
    front.routes,
    openapi.routes,
    docs_page.routes,
    campaigns.routes,
    views.routes,
    growth.routes,
    jobs.routes,
    outputs.routes,
    events.routes,
    clusters.routes,
    cluster_tokens.routes,
    later.routes,
    access_tokens.routes,
    export.routes,
    stream.routes,
    health.routes,
    metrics.routes,
)
