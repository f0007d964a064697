"""What the Host header must name, and what may be heard on the way."""

import re

from aiohttp import hdrs, web

from cigri.api.auth import proxy
from cigri.api.context import settings
from cigri.errors import InvalidRequest, NotAllowed

_HOST = re.compile(r"(\[[0-9a-fA-F:]+\]|[^:]*)(:[0-9]*)?")


def check(request: web.Request) -> None:
    """
    Return when *request* was meant for this server.

    A page from elsewhere can make its own name resolve to this host, which the browser then sends.

    Raises:
        NotAllowed: It was meant for another one.
        InvalidRequest: It does not say, or says twice.
    """
    given = request.headers.getall(hdrs.HOST, [])
    if len(given) != 1:
        raise InvalidRequest.at("", "exactly one Host header is expected")
    match = _HOST.fullmatch(given[0])
    if match is None or match[1].lower() not in settings(request).hosts:
        names = ", ".join(sorted(settings(request).hosts))
        raise NotAllowed(f"this server is not {given[0]!r}: name it as one of {names}")


def is_overheard(request: web.Request) -> bool:
    """Return whether *request* came over a network in plain text."""
    if request.secure:
        return False
    address = proxy.parsed(proxy.remote(request))
    return address is None or not address.is_loopback
