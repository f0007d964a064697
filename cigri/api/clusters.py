"""The routes of clusters."""

from aiohttp import web

from cigri.api import answers, query, wire
from cigri.api.context import base, engine
from cigri.api.operation import NoOptions, operation
from cigri.api.paging import Paged, Whereabouts
from cigri.engine.answers import ClusterStatus
from cigri.errors import NotFound, NotYet

routes = web.RouteTableDef()


@operation(routes, "GET", "/clusters", answer=wire.Listing[wire.Cluster], options=Paged)
async def listed(request: web.Request) -> web.StreamResponse:
    """List the clusters."""
    wanted = query.read(request, Paged)
    clusters = await engine(request).clusters()
    items = [wire.cluster(each, base(request)) for each in wanted.part(clusters)]
    where = Whereabouts(path="/clusters", page=wanted, base=base(request))
    page = where.counted(items, len(clusters))
    return await answers.json(request, page, headers=where.headers(page))


@operation(routes, "GET", "/clusters/{cluster}", answer=wire.ClusterDetails, errors=(404,))
async def details(request: web.Request) -> web.StreamResponse:
    """Tell about one cluster, by its id or its name."""
    query.read(request, NoOptions)
    cluster = await named(request, request.match_info["cluster"])
    return await answers.json(request, wire.cluster_details(cluster, base(request)))


@operation(
    routes,
    "DELETE",
    "/clusters/{cluster}/{path:.+}",
    status=None,
    errors=(404, 501),
    scope="submit",
)
async def delete_file(request: web.Request) -> web.StreamResponse:
    """
    Delete a file on a cluster: refused.

    CiGri 3 deleted what it was told to without asking who asks.
    """
    query.read(request, NoOptions)
    cluster = await named(request, request.match_info["cluster"])
    raise NotYet(
        f"files on {cluster.name} are not deleted through CiGri: delete them there, as yourself"
    )


async def named(request: web.Request, wanted: str) -> ClusterStatus:
    """
    Return the cluster with the id or the name *wanted*.

    Raises:
        NotFound: There is none.
    """
    for cluster in await engine(request).clusters():
        if wanted in {cluster.name, str(cluster.id)}:
            return cluster
    raise NotFound(f"there is no cluster {wanted!r}")
