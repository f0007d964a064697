"""A server of the HTTP face on real sockets, the engine behind it, and how tests speak to it."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import attrs
import httpx
from aiohttp import web

from cigri.api.app import create_app
from cigri.api.auth import PEERS, Peer
from cigri.api.context import ApiSettings
from cigri.api.sockets import serving
from cigri.clusters.identity import own_login
from cigri.clusters.local import LocalDriver
from cigri.clusters.options import LocalOptions
from cigri.domain.facts import ClusterFacts, Facts
from cigri.domain.model import ClusterName
from cigri.engine.campaigns import Campaigns
from cigri.engine.progress import Progress
from cigri.engine.runtime import Runtime, Site
from cigri.store import clusters, custody
from cigri.store.database import open_database

TOKEN = "a-secret"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
#: Who runs the tests, and so the server.
OWN = own_login()

LOCAL = ClusterName("local")
JDL = {"name": "sweep", "nb_jobs": 3, "exec_file": "true", "clusters": {"local": {}}}


@contextlib.asynccontextmanager
async def engine(
    directory: Path, names: Sequence[ClusterName] = (LOCAL,)
) -> AsyncIterator[tuple[Campaigns, Runtime]]:
    """Give an engine over this host, whose loops do not run: tasks stay where they are."""
    path = directory / "cigri.db"
    async with open_database(path) as database:
        await custody.take(database, path, adopt=False)
        async with database.write() as tx:
            await clusters.register(tx, names)
            ids = await clusters.all_clusters(tx)
        options = LocalOptions(slots=2, allow_root=True)
        runtime = Runtime(
            database=database,
            sites={
                name: Site(
                    name=name, id=ids[name].id, driver=LocalDriver(directory / name, options)
                )
                for name in names
            },
            now=time.time,
        )
        facts = Facts(clusters=dict.fromkeys(names, ClusterFacts(slots=2)))
        yield Campaigns(runtime, Progress(), facts), runtime


@attrs.frozen
class Always:
    """A host on which everybody who connects is the same user."""

    peer: Peer

    async def of(self, connection: object) -> Peer:
        return self.peer


@attrs.frozen(kw_only=True)
class Server:
    """A running server: how to reach it."""

    socket: Path
    port: int
    app: web.Application | None = None

    def client(self) -> httpx.AsyncClient:
        """Return a client on the socket."""
        # Without `verify` each client would read all of the host's certificates.
        transport = httpx.AsyncHTTPTransport(uds=str(self.socket), verify=False)
        return httpx.AsyncClient(transport=transport, base_url="http://localhost")

    def over_tcp(self, **headers: str) -> httpx.AsyncClient:
        """Return a client on TCP that has no credentials but *headers*."""
        transport = httpx.AsyncHTTPTransport(verify=False)
        base = f"http://127.0.0.1:{self.port}"
        return httpx.AsyncClient(transport=transport, base_url=base, headers=headers)

    async def say(self, *parts: bytes) -> bytes:
        """Return all that the server answers on its socket to the bytes *parts*."""
        reader, writer = await asyncio.open_unix_connection(str(self.socket))
        for part in parts:
            writer.write(part)
            await writer.drain()
        answer = await reader.read()
        writer.close()
        return answer


@contextlib.asynccontextmanager
async def running(
    campaigns: Campaigns, directory: Path, settings: ApiSettings, peer: Peer | None = None
) -> AsyncIterator[Server]:
    """Serve *campaigns*; everybody on the socket is *peer*, unless the kernel is to say it."""
    app = create_app(campaigns, settings)
    if peer is not None:
        app[PEERS] = Always(peer)
    path = directory / "s"
    async with serving(app, path=path, address=("127.0.0.1", 0)) as port:
        assert port is not None
        yield Server(socket=path, port=port, app=app)
