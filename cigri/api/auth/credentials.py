"""What a request proves about who sends it, and how far that reaches."""

import attrs
from aiohttp import web

from cigri.api.context import settings
from cigri.api.operation import Scope
from cigri.domain.access import AccessToken
from cigri.domain.model import Caller
from cigri.errors import NotAllowed
from cigri.strict import LOGIN

_RANKS = tuple(Scope)


@attrs.frozen(kw_only=True)
class Credentials:
    """Who asks, and what for; only a token reaches less far than its user."""

    caller: Caller
    scope: Scope = Scope.ADMIN
    #: What they are read from, if that is a user's token.
    token: AccessToken | None = None

    def covers(self, scope: Scope) -> bool:
        """Return whether they are good for an operation of that scope."""
        return _RANKS.index(self.scope) >= _RANKS.index(scope)


CREDENTIALS = web.RequestKey("CREDENTIALS", Credentials)


def is_admin(request: web.Request, user: str) -> bool:
    """Return whether *user*, by whatever way they come, may change everything now."""
    known = settings(request)
    return user in {"root", known.user} or user in known.admins


def check_login(login: str) -> str:
    """
    Return *login* when every cluster reads it alike.

    Raises:
        NotAllowed: It does not.
    """
    if not LOGIN.fullmatch(login):
        raise NotAllowed(f"clusters would misread the login {login!r}: not {LOGIN.pattern}")
    return login
