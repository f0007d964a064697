"""Who is at the other end of a Unix socket, as the kernel says."""

import asyncio
import os
import pwd
import socket
import struct

import attrs
from aiohttp import web

from cigri.errors import NotAuthenticated

#: struct ucred of unix(7): process, user, group.
_UCRED = struct.Struct("3i")
#: What the kernel says of users that do not exist in its eyes, from other namespaces.
_OVERFLOW_UID = 65_534
#: Seconds for which the name of a user is not looked up again.
_LOGIN_LIFETIME = 60.0


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
