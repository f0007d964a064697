"""The routes of clusters."""

from aiohttp import web

from cigri.api import answers, query, wire
from cigri.api.context import engine
from cigri.errors import NotFound

routes = web.RouteTableDef()


@routes.get("/clusters")
async def listed(request: web.Request) -> web.StreamResponse:
    """List the clusters."""
    page = query.page(query.options(request, "limit", "offset"))
    clusters = await engine(request).clusters()
    end = page.offset + page.limit
    items = [wire.cluster(cluster) for cluster in clusters[page.offset : end]]
    following = end if end < len(clusters) else None
    listing = wire.listing(items, len(clusters), page, "/clusters", following)
    return await answers.json(request, listing)


@routes.get("/clusters/{cluster}")
async def details(request: web.Request) -> web.StreamResponse:
    """Tell about one cluster, by its id or its name."""
    query.options(request)
    wanted = request.match_info["cluster"]
    for cluster in await engine(request).clusters():
        if wanted in {cluster.name, str(cluster.id)}:
            return await answers.json(request, wire.cluster(cluster))
    raise NotFound(f"there is no cluster {wanted!r}")
