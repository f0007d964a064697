"""What tells one request from another: its method, where it went, and its body as it is read."""

import hashlib

from aiohttp import web

#: By this a POST stands for another method, as Rack has it; see `override`.
METHOD_OVERRIDE = "X-HTTP-Method-Override"


class Fingerprint:
    """The fingerprint of a request; its body is fed to it by whoever reads it."""

    def __init__(self, request: web.Request) -> None:
        method = " ".join((request.method, *request.headers.getall(METHOD_OVERRIDE, [])))
        begin = f"{method} {request.path_qs}\n".encode("utf-8", "surrogateescape")
        self._digest = hashlib.sha256(begin)
        #: Whether the body was read to its end.
        self.complete = False

    def feed(self, piece: bytes) -> None:
        """Go on with the next *piece* of the body, decompressed."""
        self._digest.update(piece)

    def value(self) -> bytes:
        """Return the fingerprint of what was read."""
        return self._digest.digest()


#: There while somebody wants to know.
FINGERPRINT = web.RequestKey("FINGERPRINT", Fingerprint)
