"""A server of the HTTP face on real sockets, and how tests speak to it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import attrs
import httpx

from cigri.api.app import create_app
from cigri.api.auth import PEERS, Peer
from cigri.api.context import ApiSettings
from cigri.api.sites import serving
from cigri.engine.campaigns import Campaigns

TOKEN = "a-secret"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
JDL = {"name": "sweep", "nb_jobs": 3, "exec_file": "true", "clusters": {"local": {}}}


@attrs.frozen
class Always:
    """A host on which everybody who connects is the same user."""

    peer: Peer

    async def of(self, connection: object) -> Peer:
        return self.peer


@attrs.frozen(kw_only=True)
class Server:
    """A running server: how to reach it, as whom, and what is behind it."""

    campaigns: Campaigns
    socket: Path
    port: int

    def client(self) -> httpx.AsyncClient:
        """Return a client on the socket."""
        transport = httpx.AsyncHTTPTransport(uds=str(self.socket))
        return httpx.AsyncClient(transport=transport, base_url="http://localhost")

    def over_tcp(self, **headers: str) -> httpx.AsyncClient:
        """Return a client on TCP that has no credentials but *headers*."""
        return httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.port}", headers=headers)

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
    app = create_app(campaigns, settings)
    if peer is not None:
        app[PEERS] = Always(peer)
    path = directory / "s"
    async with serving(app, path=path, address=("127.0.0.1", 0)) as port:
        yield Server(campaigns=campaigns, socket=path, port=port)
