"""Tokens of users, without which an OAR 3 makes no job: whose they are, and which it refuses."""

from collections.abc import Callable

import msgspec

from cigri.clusters.credentials import claims
from cigri.clusters.oar.reply import Reply, decode, on_one_line
from cigri.errors import SubmissionRejected

#: What a user without a good token does.
_GET_ONE = (
    "run `oarsub --api-token` on the cluster, and `cigri token cluster add CLUSTER` here with what"
    " it prints"
)


class _Detail(msgspec.Struct):
    """What the API says of a refusal."""

    detail: object = ""


class Tokens:
    """
    The tokens that are good as far as that can be seen here.

    Args:
        stored: Gives the token of a user, or `None` without one.
        now: The cluster's time, or 0.
    """

    def __init__(self, stored: Callable[[str], str | None], now: Callable[[], float]) -> None:
        self._stored = stored
        self._now = now

    def of(self, user: str) -> str:
        """
        Return the token of *user*.

        Raises:
            SubmissionRejected: There is none, it is of somebody else, or it has expired.
        """
        found = self._stored(user)
        if found is None:
            raise SubmissionRejected(no_token(user))
        told = claims(found)
        if told.user != user:
            # Its jobs would be somebody else's, and never be found again.
            whose = "no token of OAR's" if told.user is None else f"one of {told.user!r}"
            raise SubmissionRejected(
                f"the token of {user} for this cluster is {whose}: {_GET_ONE}"
            )
        if told.expires_at is not None and told.expires_at < self._now():
            raise SubmissionRejected(
                f"the token of {user} for this cluster has expired: {_GET_ONE}"
            )
        return found


def no_token(user: str) -> str:
    """Return why *user* may not run anything without a token, and what to do."""
    return f"this cluster takes jobs of {user} with a token of theirs only: {_GET_ONE}"


def reason(reply: Reply) -> str:
    """Return what the API says of a refusal, on one line."""
    try:
        told = decode(reply.body, _Detail).detail
    except ValueError:
        return f"status {reply.status}"
    text = told if isinstance(told, str) else msgspec.json.encode(told).decode()
    return on_one_line(text)


def refused_token(reply: Reply, user: str) -> SubmissionRejected | None:
    """Return the error of a token that the cluster does not take, `None` for another answer."""
    told = reason(reply) if reply.status in (401, 403) else ""
    if reply.status != 401 and "uthenticat" not in told:
        return None
    return SubmissionRejected(
        f"OAR 3 does not take the token of {user} ({told.strip(' !')}): {_GET_ONE}"
    )
