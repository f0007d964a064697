"""Bearer tokens of users: what each allows, and whether it still does."""

from enum import StrEnum

import attrs


class TokenScope(StrEnum):
    """What a token is good for; each scope includes those before it, and none exceeds its user."""

    READ = "read"
    SUBMIT = "submit"
    ADMIN = "admin"

    @property
    def included(self) -> tuple["TokenScope", ...]:
        """
        Return all scopes that come with this one.

        >>> [str(scope) for scope in TokenScope.SUBMIT.included]
        ['read', 'submit']
        """
        every = tuple(TokenScope)
        return every[: every.index(self) + 1]


class TokenState(StrEnum):
    """Whether a token lets anybody in."""

    VALID = "valid"
    EXPIRED = "expired"
    REVOKED = "revoked"


@attrs.frozen(kw_only=True)
class AccessToken:
    """A token as it is kept: all but the secret itself."""

    id: int
    user: str
    name: str
    scope: TokenScope
    #: The first characters of the secret, by which its user knows it again.
    prefix: str
    created_at: float
    #: `None`: it never ends by itself.
    expires_at: float | None = None
    #: To the minute.
    used_at: float | None = None
    revoked_at: float | None = None

    def state(self, now: float) -> TokenState:
        """Return whether the token is good at the time *now*."""
        if self.revoked_at is not None:
            return TokenState.REVOKED
        if self.expires_at is not None and self.expires_at <= now:
            return TokenState.EXPIRED
        return TokenState.VALID
