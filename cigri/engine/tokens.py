"""Bearer tokens: made, recognised and revoked."""

import hashlib
import secrets
import unicodedata

import attrs
import structlog

from cigri.domain.access import AccessToken, TokenScope, TokenState
from cigri.domain.model import Caller
from cigri.engine.runtime import Runtime
from cigri.errors import (
    CigriError,
    Conflict,
    InvalidRequest,
    InvalidToken,
    NotAllowed,
)
from cigri.store import access_tokens

log = structlog.get_logger()

#: By this every token is known, in a file or a log that it should not be in.
PREFIX = "cig_"
#: Characters of a token that are kept to show; those after them have 232 bits left.
_SHOWN = len(PREFIX) + 4
#: Bytes of chance in a token.
_BYTES = 32
#: Characters of whatever could be a token.
_LONGEST = 256
_LONGEST_NAME = 64
#: Good tokens of one user at a time.
MOST = 100
#: Seconds for which one that has ended is still listed.
_REMEMBERED = 90 * 86_400.0
#: Seconds between two notes that a token is used.
_NOTED = 60.0


@attrs.frozen(kw_only=True)
class NewToken:
    """A token that was just made: the one time that its secret is known."""

    token: AccessToken
    secret: str = attrs.field(repr=False)


class Tokens:
    """The bearer tokens of all users."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._database = runtime.database
        #: When the use of each was written down last.
        self._noted: dict[int, float] = {}

    async def create(
        self, user: str, *, name: str, scope: TokenScope, until: float | None
    ) -> NewToken:
        """
        Make a token of *user* that is good until a time, or `None`: until it is revoked.

        Raises:
            InvalidRequest: The name is none.
            Conflict: The user has too many.
        """
        _check_name(name)
        secret = new_secret()
        now = self._runtime.now()
        async with self._database.write() as tx:
            if await access_tokens.count_valid(tx, user, now) >= MOST:
                raise Conflict(f"{user} has {MOST} tokens: revoke one first")
            await access_tokens.forget(tx, user, now - _REMEMBERED)
            token = await access_tokens.create(
                tx,
                user=user,
                name=name,
                scope=scope,
                digest=digest_of(secret),
                prefix=secret[:_SHOWN],
                at=now,
                expires_at=until,
            )
        log.info("token.created", user=user, token=token.id, scope=str(scope), until=until)
        return NewToken(token=token, secret=secret)

    async def recognise(self, secret: str) -> AccessToken:
        """
        Return the token whose secret that is.

        It costs one read; once a minute a write more, of when the token was used.

        Raises:
            InvalidToken: There is none, or it is good no more.
        """
        if not secret.startswith(PREFIX) or len(secret) > _LONGEST:
            raise _unknown()
        async with self._database.read() as db:
            # A look-up by digest says nothing of the secret by the time that it takes.
            token = await access_tokens.recognised(db, digest_of(secret))
        if token is None:
            raise _unknown()
        now = self._runtime.now()
        state = token.state(now)
        if state is not TokenState.VALID:
            raise InvalidToken(
                f"the token {token.prefix}… ({token.name}) is {state}: make a new one with"
                " `cigri token create`"
            )
        await self._note_use(token, now)
        return token

    async def listing(self, user: str | None) -> list[AccessToken]:
        """Return the tokens of *user*, or everybody's, also those that ended not long ago."""
        async with self._database.read() as db:
            return await access_tokens.listing(db, user)

    async def revoke(self, caller: Caller, token: int) -> AccessToken:
        """
        Let a token be good no more, from the next request on.

        Raises:
            NotFound: There is none of that id.
            NotAllowed: It is another user's.
        """
        async with self._database.write() as tx:
            found = await access_tokens.get(tx, token)
            if found.user != caller.user and not caller.admin:
                raise NotAllowed(f"token {token} is not yours")
            await access_tokens.revoke(tx, token, self._runtime.now())
            found = await access_tokens.get(tx, token)
        log.info("token.revoked", user=found.user, token=token, by=caller.user)
        return found

    def state(self, token: AccessToken) -> TokenState:
        """Return whether a token is good now."""
        return token.state(self._runtime.now())

    def expiry(self, days: int) -> float:
        """Return the time in so many days."""
        return self._runtime.now() + days * 86_400.0

    async def _note_use(self, token: AccessToken, now: float) -> None:
        last = max(self._noted.get(token.id, 0.0), token.used_at or 0.0)
        if last <= now < last + _NOTED:
            return
        # At once, so that what else comes meanwhile does not write it too.
        self._noted[token.id] = now
        try:
            async with self._database.write() as tx:
                await access_tokens.note_use(tx, token.id, now)
        except CigriError as error:  # a full disk keeps nobody out
            log.warning("token.use_not_noted", token=token.id, reason=str(error))


def new_secret() -> str:
    """Return a new token."""
    return PREFIX + secrets.token_urlsafe(_BYTES)


def digest_of(secret: str) -> bytes:
    """Return by what a token is known; 256 bits of chance need no slow hash."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()


def _unknown() -> InvalidToken:
    return InvalidToken("this is no token of this server")


def _check_name(name: str) -> None:
    if not name.strip():
        raise InvalidRequest.at("/name", "empty", "say what the token is for")
    if len(name) > _LONGEST_NAME:
        raise InvalidRequest.at("/name", f"longer than {_LONGEST_NAME} characters")
    if any(unicodedata.category(char).startswith(("C", "Zl", "Zp")) for char in name):
        raise InvalidRequest.at("/name", f"has characters that cannot be seen: {name!r}")
