"""Who asks, and how far that reaches: what every request passes before its handler.

On the Unix socket the kernel says who it is, over TCP a bearer token or a listed proxy.  No cookie
is read, so no other site can write through somebody's browser.
"""

import os
import socket

from aiohttp import web
from aiohttp.typedefs import Handler

from cigri.api import operation
from cigri.api.auth import bearer, hosts, proxy
from cigri.api.auth.credentials import CREDENTIALS, Credentials, check_login, is_admin
from cigri.api.auth.peers import PEERS, Peer, Peers
from cigri.api.context import CALLER, settings
from cigri.api.operation import Scope
from cigri.domain.model import Caller
from cigri.errors import MissingScope, NotAllowed, NotAuthenticated

__all__ = ["CREDENTIALS", "PEERS", "Credentials", "Peer", "Peers", "authenticate"]

_READS = frozenset({"GET", "HEAD"})

Names = list[tuple[str, str]]


@web.middleware
async def authenticate(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let through whose credentials reach far enough, and anybody where nothing is secret."""
    connection = _connection(request)
    names = proxy.named(request)
    wanted = _scope(request)
    if connection.family == socket.AF_UNIX:
        credentials = await _over_socket(request, connection, names, wanted)
    else:
        credentials = await _over_tcp(request, connection, names, wanted)
    if credentials is not None:
        request[CALLER] = credentials.caller
        request[CREDENTIALS] = credentials
        if not credentials.covers(wanted):
            raise MissingScope(
                f"this token is good for {credentials.scope}, and {wanted} is needed here:"
                " use another one, or ask without any on the host of the server"
            )
    return await handler(request)


def _connection(request: web.Request) -> socket.socket:
    if request.transport is None:
        raise NotAuthenticated("the connection is gone")
    connection: socket.socket = request.transport.get_extra_info("socket")
    return connection


def _scope(request: web.Request) -> Scope:
    """Return what credentials must cover; what is no operation is not public either."""
    found = operation.asked(request)
    if found is not None:
        return found.scope
    return Scope.READ if request.method in _READS else Scope.SUBMIT


async def _over_socket(
    request: web.Request, connection: socket.socket, names: Names, wanted: Scope
) -> Credentials | None:
    if wanted is Scope.PUBLIC and not names:
        return None
    peer = await request.app[PEERS].of(connection)
    if await proxy.is_proxy(request, connection):
        return await _by_proxy(request, names, wanted)
    # Who names only themselves forges nothing.
    if any(value != peer.login for _, value in names):
        raise proxy.forged(settings(request).auth.proxy)
    if wanted is Scope.PUBLIC:
        return None
    admin = peer.uid in {0, os.geteuid()} or is_admin(request, peer.login)
    own = Credentials(caller=Caller(user=check_login(peer.login), admin=admin))
    return await bearer.narrowed(request, own)


async def _over_tcp(
    request: web.Request, connection: socket.socket, names: Names, wanted: Scope
) -> Credentials | None:
    hosts.check(request)
    if await proxy.is_proxy(request, connection):
        return await _by_proxy(request, names, wanted)
    proxy.refuse_forged(request, names)
    if wanted is Scope.PUBLIC:
        return None
    if hosts.is_overheard(request):
        raise NotAllowed("over plain HTTP others hear the token: only the proxy may come this way")
    return await bearer.credentials(request)


async def _by_proxy(request: web.Request, names: Names, wanted: Scope) -> Credentials | None:
    """Return whom the proxy names, or else the user of the token that it passes on."""
    if wanted is Scope.PUBLIC:
        return None
    return proxy.credentials(request, names) if names else await bearer.credentials(request)
