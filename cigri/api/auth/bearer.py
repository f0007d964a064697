"""`Authorization: Bearer …`: the token of the server itself, or one of a user."""

import hmac

from aiohttp import hdrs, web

from cigri.api.auth.credentials import Credentials, check_login, is_admin
from cigri.api.context import engine, settings
from cigri.api.operation import Scope
from cigri.domain.access import TokenScope
from cigri.domain.model import Caller
from cigri.engine.tokens import digest_of
from cigri.errors import InvalidRequest, InvalidToken, NotAllowed, NotAuthenticated

#: What a user without a token is told.
_HOW = (
    "a token is needed: Authorization: Bearer <token>, the server's or one of"
    " `cigri token create`; in a URL it is not looked for"
)


async def credentials(request: web.Request) -> Credentials:
    """
    Return what the token of *request* stands for.

    Raises:
        NotAuthenticated: There is none, or it lets nobody in.
        InvalidRequest: There are several.
    """
    secret = _given(request)
    known = settings(request)
    # Digests are compared, so that the time it takes says nothing about the token.
    if hmac.compare_digest(digest_of(secret), known.token_sha256 or b""):
        return Credentials(caller=Caller(user=known.user, admin=True))
    token = await engine(request).tokens.recognise(secret)
    # What its user has lost, the token has lost.
    admin = token.scope is TokenScope.ADMIN and is_admin(request, token.user)
    return Credentials(
        caller=Caller(user=check_login(token.user), admin=admin),
        scope=Scope(token.scope),
        token=token,
    )


async def narrowed(request: web.Request, own: Credentials) -> Credentials:
    """
    Return *own*, or as little of it as the token says that came with them.

    Raises:
        NotAllowed: The token is somebody else's: it makes nobody another user.
        NotAuthenticated, InvalidRequest: As `credentials`.
    """
    if hdrs.AUTHORIZATION not in request.headers:
        return own
    given = await credentials(request)
    if given.caller.user != own.caller.user:
        raise NotAllowed(
            f"on the socket the kernel says who asks: {own.caller.user};"
            " this token is of somebody else: leave it out, or use it over TCP"
        )
    return given


def _given(request: web.Request) -> str:
    given = request.headers.getall(hdrs.AUTHORIZATION, [])
    if len(given) > 1:
        raise InvalidRequest.at("", "the Authorization header is there more than once")
    if not given:
        raise NotAuthenticated(_HOW)
    scheme, _, token = given[0].partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise InvalidToken(_HOW)
    return token.strip()
