"""What the configuration may say about who gets in, and how."""

import ipaddress
import re
from functools import cached_property
from pathlib import Path
from typing import Annotated

import attrs

from cigri.strict import Between, login

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

#: What stands before the login of a proxy that comes over the Unix socket.
UNIX = "unix:"
#: The longest life of a token that can be allowed: ten years.
_MOST_DAYS = 3650

_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,63}")
#: Headers that every client sends: they cannot tell what a proxy says.
_TAKEN = frozenset({"host", "authorization", "cookie", "user-agent", "accept", "connection"})


def header_name(value: str) -> str:
    """Return *value* when a proxy can say by it who asks, or raise ValueError."""
    if not _HEADER.fullmatch(value) or value.lower() in _TAKEN:
        raise ValueError(f"not a header of its own (letters, digits and -): {value!r}")
    return value


def peer(value: str) -> str:
    """Return *value* when it names where a proxy comes from, or raise ValueError."""
    if value.startswith(UNIX):
        login(value.removeprefix(UNIX))
        return value
    try:
        network = ipaddress.ip_network(value, strict=False)
    except ValueError:
        raise ValueError(f"not an address, a network or unix:LOGIN: {value!r}") from None
    if "/" in value and str(network.network_address) != value.partition("/")[0].lower():
        raise ValueError(f"not a network but an address in one: {value!r}, in {network}")
    if network.prefixlen == 0:
        raise ValueError(f"{value} is everybody, who could then be anybody")
    return value


@attrs.frozen(kw_only=True, slots=False)
class ProxyOptions:
    """A web server in front of this one, which knows who asks."""

    #: Where it says so.
    header: Annotated[str, header_name] = "X-Cigri-User"
    #: Where it comes from: addresses, networks, `unix:LOGIN`.  Nobody else is believed.
    peers: tuple[Annotated[str, peer], ...] = ()

    @cached_property
    def networks(self) -> tuple[Network, ...]:
        """Return whence the proxy comes over TCP."""
        return tuple(ipaddress.ip_network(p) for p in self.peers if not p.startswith(UNIX))

    @cached_property
    def logins(self) -> frozenset[str]:
        """Return as whom the proxy comes over the Unix socket."""
        return frozenset(p.removeprefix(UNIX) for p in self.peers if p.startswith(UNIX))


@attrs.frozen(kw_only=True)
class AuthOptions:
    """How users prove who they are, where the kernel does not say it."""

    #: Days for which a token is good that does not say, and at most.
    token_days: Annotated[int, Between(1, _MOST_DAYS)] = 90
    max_token_days: Annotated[int, Between(1, _MOST_DAYS)] = 365
    proxy: ProxyOptions = attrs.field(factory=ProxyOptions)

    def __attrs_post_init__(self) -> None:
        """Refuse a default that is over the limit."""
        if self.token_days > self.max_token_days:
            raise ValueError(
                f"token_days is over max_token_days: {self.token_days} > {self.max_token_days}"
            )


@attrs.frozen(kw_only=True)
class TlsOptions:
    """The certificate of the TCP port; without one it speaks plain HTTP."""

    certificate: Path | None = None
    key: Path | None = None

    def __attrs_post_init__(self) -> None:
        """Refuse half of it."""
        if (self.certificate is None) != (self.key is None):
            raise ValueError("certificate and key belong together: give both, or none")
