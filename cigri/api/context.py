"""What every request finds at hand: the engine, the settings, and who asks."""

import attrs
from aiohttp import web

from cigri.api.options import AuthOptions
from cigri.domain.model import Caller
from cigri.engine.campaigns import Campaigns

MIB = 1024 * 1024
#: By these names a host calls itself.
THIS_HOST = frozenset({"localhost", "127.0.0.1", "[::1]"})


@attrs.frozen(kw_only=True)
class ApiSettings:
    """How the HTTP face behaves."""

    #: The login of the user that the server runs as, for whom the token speaks.
    user: str
    #: Logins that may change everything, beside root and the server's own user.
    admins: frozenset[str] = frozenset()
    #: SHA-256 of the token for TCP; without one nobody gets in that way.
    token_sha256: bytes | None = None
    #: What the Host header may name on TCP.
    hosts: frozenset[str] = THIS_HOST
    #: Who may get in, beside those whom the kernel knows.
    auth: AuthOptions = attrs.field(factory=AuthOptions)
    #: Bytes of a JSON body, and of a stream of lines, once decompressed.
    max_json_body: int = 256 * MIB
    max_stream_body: int = 1024 * MIB
    #: Seconds that a client may stop in the middle of a request or of reading its answer.
    patience: float = 30.0


CAMPAIGNS = web.AppKey("CAMPAIGNS", Campaigns)
SETTINGS = web.AppKey("SETTINGS", ApiSettings)
CALLER = web.RequestKey("CALLER", Caller)
BASE = web.RequestKey("BASE", str)
#: The body of a request that was looked into before; see `override`.
HELD = web.RequestKey("HELD", bytes)


def engine(request: web.Request) -> Campaigns:
    """Return the engine behind *request*."""
    return request.app[CAMPAIGNS]


def settings(request: web.Request) -> ApiSettings:
    """Return the settings that hold for *request*."""
    return request.app[SETTINGS]


def caller(request: web.Request) -> Caller:
    """Return who sent *request*; there is somebody wherever `auth.authenticate` let it through."""
    return request[CALLER]


def base(request: web.Request) -> str:
    """Return the path below which a proxy shows this server: what links begin with."""
    found: str = request.get(BASE, "")
    return found
