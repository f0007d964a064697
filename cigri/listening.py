"""Where a server is reached, and by what names: the socket, the TCP port, its certificate."""

import asyncio
import contextlib
import os
import signal
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

from aiohttp import web

from cigri.api import tls
from cigri.api.context import THIS_HOST
from cigri.api.options import TlsOptions
from cigri.api.sockets import FOR_ALL, FOR_OWNER, serving
from cigri.clusters.identity import make_directory, replace
from cigri.config import ServerConfig
from cigri.errors import NotAllowed
from cigri.strict import bracketed

#: Addresses at which every other one of the host is meant.
_EVERYWHERE = frozenset({"0.0.0.0", "::"})  # noqa: S104 - compared with


@contextlib.asynccontextmanager
async def listening(
    app: web.Application, server: ServerConfig, *, tcp: bool, public: bool
) -> AsyncIterator[int | None]:
    """
    Serve *app* on the socket, which is *public* or its owner's alone, and with *tcp* on the port.

    Raises:
        NotAllowed: The place of the socket belongs to somebody else.
        InvalidConfig: The certificate cannot be used.
        Conflict: Another server is there.
    """
    certificate = tls.context(server.tls) if tcp else None
    if certificate is not None:
        _renew_on_signal(certificate, server.tls)
    make_directory(server.socket.parent, 0o755 if public else 0o700)
    _check_owner(server.socket.parent)
    async with serving(
        app,
        path=server.socket,
        mode=FOR_ALL if public else FOR_OWNER,
        address=(server.host, server.port) if tcp else None,
        tls=certificate,
    ) as port:
        yield port


def names(server: ServerConfig) -> frozenset[str]:
    """Return what this host is called by those who ask over TCP."""
    own = set() if server.host in _EVERYWHERE else {bracketed(server.host)}
    return THIS_HOST.union(server.hosts, own)


def write_token(path: Path, token: str) -> None:
    """Write the token for TCP where the server's user alone can read it."""
    make_directory(path.parent, 0o700)
    replace(path, f"{token}\n")


def _renew_on_signal(live: ssl.SSLContext, options: TlsOptions) -> None:
    """Read the certificate again at SIGHUP: connections that are open go on with the old one."""
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, tls.renew, live, options)


def _check_owner(path: Path) -> None:
    if path.stat().st_uid not in (0, os.geteuid()):
        message = f"{path} belongs to somebody else: choose another place for the socket"
        raise NotAllowed(message)
