"""The routes of bearer tokens.

Tokens are made and revoked on the socket, through the proxy, or with a token of scope admin: one
that got into wrong hands can do no more than its scope says, nor outlive its end through another.
"""

from collections.abc import Mapping
from typing import Annotated, Any

import attrs
from aiohttp import hdrs, web
from msgspec import Meta

from cigri.api import answers, fields, query, wire
from cigri.api.auth.credentials import CREDENTIALS, is_admin
from cigri.api.context import base, caller, engine, settings
from cigri.api.operation import NoOptions, Scope, operation
from cigri.api.paging import Paged, Whereabouts
from cigri.domain.access import AccessToken, TokenScope, TokenState
from cigri.errors import InvalidRequest, NotAllowed

routes = web.RouteTableDef()

_PATH = "/access_tokens"
#: Whole days of any token: the configuration's limits are lower.
_MOST_DAYS = 36_500
_NOT_STORED: Mapping[str, str] = {hdrs.CACHE_CONTROL: "no-store"}


@attrs.frozen(kw_only=True)
class Wanted:
    """The token that is to be made."""

    name: Annotated[str, Meta(max_length=1000, description="what it is for")]
    scope: Annotated[TokenScope, Meta(description="what it is good for")] = TokenScope.SUBMIT
    #: Until when; by default as the configuration says.
    days: Annotated[int, Meta(ge=1, le=_MOST_DAYS)] | None = None
    #: Of administrators only: it never ends by itself.
    never: bool = False


@attrs.frozen(kw_only=True)
class TokenOptions(Paged):
    """Which tokens are wanted."""

    all: Annotated[bool, Meta(description="those of all users, for administrators")] = False


@attrs.frozen(kw_only=True, slots=False)
class Token:
    """A token, without its secret; times are in seconds since 1970."""

    id: int
    name: str
    user: str
    #: How the secret begins.
    prefix: str
    scope: TokenScope
    scopes: tuple[TokenScope, ...]
    state: TokenState
    created_at: int
    expires_at: int | None
    #: To the minute.
    last_used_at: int | None
    revoked_at: int | None
    links: tuple[wire.Link, ...]


@attrs.frozen(kw_only=True, slots=False)
class NewToken(Token):
    """A token that was just made: its secret is shown this once."""

    token: str


@operation(routes, "GET", _PATH, answer=wire.Listing[Token], options=TokenOptions)
async def listed(request: web.Request) -> web.StreamResponse:
    """List your bearer tokens, without their secrets."""
    found, who = query.read(request, TokenOptions), caller(request)
    if found.all and not who.admin:
        raise NotAllowed("only administrators see the tokens of others: leave out `all`")
    tokens = await engine(request).tokens.listing(None if found.all else who.user)
    items = [Token(**_body(request, token)) for token in found.part(tokens)]
    filters = {"all": "1"} if found.all else {}
    where = Whereabouts(path=_PATH, page=found, base=base(request), filters=filters)
    page = where.counted(items, len(tokens))
    return await answers.json(request, page, headers={**where.headers(page), **_NOT_STORED})


@operation(
    routes,
    "POST",
    _PATH,
    body=Wanted,
    answer=NewToken,
    status=201,
    errors=(409,),
    scope=Scope.ADMIN,
)
async def create(request: web.Request) -> web.StreamResponse:
    """
    Make a bearer token; its secret is shown this once.

    A token that makes another one must be of scope admin, and the new one ends no later.
    """
    query.read(request, NoOptions)
    wanted = await fields.read_json(request, Wanted)
    user = caller(request).user
    if wanted.scope is TokenScope.ADMIN and not is_admin(request, user):
        raise NotAllowed(f"{user} is no administrator: a token of scope submit does all you may")
    made = await engine(request).tokens.create(
        user, name=wanted.name, scope=wanted.scope, until=_end(request, wanted)
    )
    answer = NewToken(**_body(request, made.token), token=made.secret)
    headers: dict[str, str] = {hdrs.LOCATION: f"{_PATH}/{made.token.id}", **_NOT_STORED}
    return await answers.json(request, answer, status=201, headers=headers)


@operation(routes, "DELETE", f"{_PATH}/{{token}}", answer=Token, errors=(404,), scope=Scope.ADMIN)
async def revoke(request: web.Request) -> web.StreamResponse:
    """Let a bearer token be good no more, from the next request on."""
    query.read(request, NoOptions)
    token = query.identifier(request, "token", "token")
    revoked = await engine(request).tokens.revoke(caller(request), token)
    return await answers.json(request, Token(**_body(request, revoked)), headers=_NOT_STORED)


def _end(request: web.Request, wanted: Wanted) -> float | None:
    """
    Return until when the token *wanted* is good, `None` for one without an end.

    Raises:
        InvalidRequest: That is longer than allowed.
        NotAllowed: It is never, for somebody who is no administrator or has a token that ends.
    """
    limits = settings(request).auth
    own = request[CREDENTIALS].token
    until = None if own is None else own.expires_at
    if wanted.never:
        if wanted.days is not None:
            raise InvalidRequest.at("/never", "days and never exclude each other")
        if not caller(request).admin or until is not None:
            raise NotAllowed("only administrators make tokens without an end: give days")
        return None
    if wanted.days is not None and wanted.days > limits.max_token_days:
        raise InvalidRequest.at(
            "/days", f"more than {limits.max_token_days}, the most that is allowed here"
        )
    end = engine(request).tokens.expiry(wanted.days or limits.token_days)
    if until is None or end <= until:
        return end
    if wanted.days is not None:
        raise InvalidRequest.at("/days", "later than the token ends with which you ask")
    return until


def _body(request: web.Request, token: AccessToken) -> dict[str, Any]:
    return {
        "id": token.id,
        "name": token.name,
        "user": token.user,
        "prefix": token.prefix,
        "scope": token.scope,
        "scopes": token.scope.included,
        "state": engine(request).tokens.state(token),
        "created_at": int(token.created_at),
        "expires_at": _whole(token.expires_at),
        "last_used_at": _whole(token.used_at),
        "revoked_at": _whole(token.revoked_at),
        "links": (
            wire.link("self", f"{_PATH}/{token.id}", base=base(request)),
            wire.link("parent", _PATH, base=base(request)),
        ),
    }


def _whole(at: float | None) -> int | None:
    return None if at is None else int(at)
