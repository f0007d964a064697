"""Who asks: the kernel says it on the Unix socket, the bearer token over TCP.

No header names a user, so none can be forged; no cookie is read, so no other site can write
through somebody's browser.
"""

import asyncio
import hashlib
import hmac
import os
import pwd
import re
import socket
import struct

import attrs
from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from cigri.api.context import CALLER, settings
from cigri.domain.model import Caller
from cigri.errors import InvalidRequest, NotAllowed, NotAuthenticated
from cigri.strict import LOGIN

#: struct ucred of unix(7): process, user, group.
_UCRED = struct.Struct("3i")
#: What the kernel says of users that do not exist in its eyes, from other namespaces.
_OVERFLOW_UID = 65_534
#: Seconds for which the name of a user is not looked up again.
_LOGIN_LIFETIME = 60.0

_HOST = re.compile(r"(\[[0-9a-fA-F:]+\]|[^:]*)(:[0-9]*)?")


@attrs.frozen
class Peer:
    """The user at the other end of a socket."""

    uid: int
    login: str


class Peers:
    """The users at the other ends of Unix sockets, as the kernel knows them."""

    def __init__(self, own: str) -> None:
        self._own = own
        self._known: dict[int, tuple[str, float]] = {}

    async def of(self, connection: socket.socket) -> Peer:
        """
        Return who has made *connection*.

        Raises:
            NotAuthenticated: This host has no login for that user.
        """
        ucred = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size)
        _, uid, _ = _UCRED.unpack(ucred)
        return Peer(uid, self._own if uid == os.geteuid() else await self._login(uid))

    async def _login(self, uid: int) -> str:
        now = asyncio.get_running_loop().time()
        login, until = self._known.get(uid, ("", now))
        if now >= until:
            # In a thread: the answer may come from a directory on the network.
            login = await asyncio.to_thread(_look_up, uid)
            self._known[uid] = login, now + _LOGIN_LIFETIME
        return login


PEERS = web.AppKey("PEERS", Peers)


def _look_up(uid: int) -> str:
    if uid == _OVERFLOW_UID:
        raise NotAuthenticated("the kernel does not know the user at the other end of the socket")
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        raise NotAuthenticated(f"user number {uid} has no login on this host") from None


@web.middleware
async def authenticate(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let through who is known, and anybody to read the front page: nothing else is public."""
    connection = _connection(request)
    if connection.family != socket.AF_UNIX:
        _check_host(request)
    if not _is_public(request):
        request[CALLER] = await _caller(request, connection)
    return await handler(request)


def _is_public(request: web.Request) -> bool:
    return request.path == "/" and request.method in {hdrs.METH_GET, hdrs.METH_HEAD}


def _connection(request: web.Request) -> socket.socket:
    if request.transport is None:
        raise NotAuthenticated("the connection is gone")
    connection: socket.socket = request.transport.get_extra_info("socket")
    return connection


async def _caller(request: web.Request, connection: socket.socket) -> Caller:
    if connection.family != socket.AF_UNIX:
        _check_token(request, settings(request).token_sha256)
        return Caller(user=settings(request).user, admin=True)
    peer = await request.app[PEERS].of(connection)
    if not LOGIN.fullmatch(peer.login):
        raise NotAllowed(f"clusters would misread the login {peer.login!r}: not {LOGIN.pattern}")
    return Caller(user=peer.login, admin=_is_admin(peer, settings(request).admins))


def _is_admin(peer: Peer, admins: frozenset[str]) -> bool:
    return peer.uid in {0, os.geteuid()} or peer.login in admins


def _check_token(request: web.Request, expected: bytes | None) -> None:
    """
    Return when *request* carries the token whose digest is *expected*.

    Digests are compared, so that the time it takes says nothing about the token.
    """
    given = request.headers.getall(hdrs.AUTHORIZATION, [])
    if len(given) > 1:
        raise InvalidRequest.at("", "the Authorization header is there more than once")
    if not given:
        raise NotAuthenticated("a token is needed: Authorization: Bearer <the server's token>")
    scheme, _, token = given[0].partition(" ")
    digest = hashlib.sha256(token.strip().encode("utf-8", "surrogateescape")).digest()
    if scheme.lower() != "bearer" or not hmac.compare_digest(digest, expected or b""):
        raise NotAuthenticated("this is not the token of the running server")


def _check_host(request: web.Request) -> None:
    """
    Return when *request* was meant for this server.

    A page from elsewhere can make its own name resolve to this host, which the browser then sends.
    """
    given = request.headers.getall(hdrs.HOST, [])
    if len(given) != 1:
        raise InvalidRequest.at("", "exactly one Host header is expected")
    match = _HOST.fullmatch(given[0])
    if match is None or match[1].lower() not in settings(request).hosts:
        names = ", ".join(sorted(settings(request).hosts))
        raise NotAllowed(f"this server is not {given[0]!r}: name it as one of {names}")
