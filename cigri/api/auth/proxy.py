"""The header by which a web server in front of this one says who asks.

It is believed from the peers of `[auth.proxy]` alone.  From anybody else it is a forgery and is
refused, whatever else the request proves: one that was let through by mistake would not be seen.
"""

import functools
import ipaddress
import socket
from urllib.parse import urlsplit

from aiohttp import hdrs, web

from cigri.api.auth.credentials import Credentials, check_login, is_admin
from cigri.api.auth.peers import PEERS
from cigri.api.context import settings
from cigri.api.options import Network, ProxyOptions
from cigri.domain.model import Caller
from cigri.errors import InvalidRequest, NotAllowed

#: What web servers say when they do not know who asks.
_NOBODY = frozenset({"", "unknown", "null", "(null)", "-"})
_READS = frozenset({hdrs.METH_GET, hdrs.METH_HEAD, hdrs.METH_OPTIONS})
#: What a browser says of a request that its user or this very site has caused.
_OWN_SITE = frozenset({"same-origin", "none"})


def named(request: web.Request) -> list[tuple[str, str]]:
    """
    Return the header as often as it is there, in whatever spelling.

    Some web servers take `X_Cigri_User` for the same name, and so let it pass beside their own.
    """
    wanted = _folded(settings(request).auth.proxy.header)
    return [(name, value) for name, value in request.headers.items() if _folded(name) == wanted]


@functools.lru_cache(maxsize=1024)
def _folded(name: str) -> str:
    return name.lower().replace("_", "-")


async def is_proxy(request: web.Request, connection: socket.socket) -> bool:
    """Return whether a listed peer has made *connection*."""
    options = settings(request).auth.proxy
    if connection.family == socket.AF_UNIX:
        if not options.logins:
            return False
        return (await request.app[PEERS].of(connection)).login in options.logins
    return within(remote(request), options.networks)


def remote(request: web.Request) -> str:
    """Return the address of the other end of a TCP connection."""
    peername = request.transport.get_extra_info("peername") if request.transport else None
    return str(peername[0]) if peername else ""


@functools.lru_cache(maxsize=1024)
def within(address: str, networks: tuple[Network, ...]) -> bool:
    """
    Return whether *address* is in one of *networks*.

    >>> within("::ffff:10.1.2.3", (ipaddress.ip_network("10.0.0.0/8"),))
    True
    """
    found = parsed(address)
    return found is not None and any(found in network for network in networks)


def parsed(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return *address* as one of IPv4 wherever it stands for one."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


def credentials(request: web.Request, names: list[tuple[str, str]]) -> Credentials:
    """
    Return whom the proxy names.

    Raises:
        NotAllowed: Nobody, or nobody that there can be; or another site has caused the request.
        InvalidRequest: The header is there twice.
    """
    header = settings(request).auth.proxy.header
    if len(names) > 1:
        raise InvalidRequest.at("", f"the header {header} is there more than once")
    ((name, value),) = names
    if "_" in name:
        raise NotAllowed(f"the header is {header}, not {name}: the proxy must remove this one")
    if value.strip().lower() in _NOBODY:
        raise NotAllowed(f"not authenticated: the proxy names nobody in {header}")
    _check_site(request)
    user = check_login(value)
    return Credentials(caller=Caller(user=user, admin=is_admin(request, user)))


def refuse_forged(request: web.Request, names: list[tuple[str, str]]) -> None:
    """
    Return when nobody is named.

    Raises:
        NotAllowed: Somebody is, by a peer that is not listed.
    """
    if names:
        raise forged(settings(request).auth.proxy)


def forged(options: ProxyOptions) -> NotAllowed:
    """Return what somebody is told who names a user without being the proxy."""
    if not options.peers:
        return NotAllowed(f"the header {options.header} names nobody here: leave it out")
    return NotAllowed(f"the header {options.header} is only taken from the proxy: leave it out")


def _check_site(request: web.Request) -> None:
    """
    Return when no other site has caused *request*.

    The password or cookie that the proxy asks for is sent by the browser whoever causes the
    request, so a page from elsewhere could submit a campaign with it.
    """
    if request.method in _READS:
        return
    site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get(hdrs.ORIGIN)
    # An old browser only says where from.
    ours = site in _OWN_SITE if site is not None else origin is None or _is_ours(request, origin)
    if not ours:
        raise NotAllowed("another site has caused this request: it changes nothing")


def _is_ours(request: web.Request, origin: str) -> bool:
    try:
        host = urlsplit(origin).hostname or ""
    except ValueError:
        return False
    return (f"[{host}]" if ":" in host else host) in settings(request).hosts
