"""Every error raised on purpose, classed by what the caller may do next.

A bug is never one of these: it becomes a 500 in the API and a crash of the cycle in the engine.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import Self

import attrs


class CigriError(Exception):
    """The request cannot be carried out; the message says what, where and what to do."""

    #: The problem+json body that told a client of it, empty in the server itself.
    problem: Mapping[str, object] = MappingProxyType({})
    #: What to try, where that is known better than from the class alone.
    attempt: str | None = None

    def trying(self, attempt: str) -> Self:
        """Return the error itself, with what to try."""
        self.attempt = attempt
        return self


@attrs.frozen(kw_only=True)
class Problem:
    """One mistake in an input."""

    #: Where it is: a JSON pointer (RFC 6901) or a TOML path.
    pointer: str
    #: What is wrong, with the value, and what was expected.
    detail: str
    #: What to do about it, when that can be guessed.
    hint: str | None = None

    def __str__(self) -> str:
        """Return the mistake on one line."""
        # A pointer holds keys as they were given, and these may hold anything.
        place = "".join(map(_printable, self.pointer)) or "/"
        text = f"{place}: {self.detail}"
        return f"{text} ({self.hint})" if self.hint else text


def _printable(character: str) -> str:
    return character if character.isprintable() else ascii(character)[1:-1]


class InvalidInput(CigriError):
    """An input has mistakes, all of which are listed; nothing was stored."""

    what = "The input"

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        count = len(self.problems)
        noun = "mistake" if count == 1 else "mistakes"
        lines = "; ".join(str(problem) for problem in self.problems)
        super().__init__(f"{self.what} has {count} {noun}: {lines}")

    @classmethod
    def at(cls, pointer: str, detail: str, hint: str | None = None) -> Self:
        """Return the error of a single mistake."""
        return cls([Problem(pointer=pointer, detail=detail, hint=hint)])


class InvalidJdl(InvalidInput):
    """The description of a campaign has mistakes."""

    what = "The campaign description"


class InvalidConfig(InvalidInput):
    """The configuration has mistakes."""

    what = "The configuration"


class InvalidRequest(InvalidInput):
    """A parameter of a request has mistakes."""

    what = "The request"


class NotFound(CigriError):
    """What was named does not exist."""


class NotAuthenticated(CigriError):
    """Nobody knows who asks."""


class InvalidToken(NotAuthenticated):
    """A token was given that lets nobody in, or not any more."""


class NotAllowed(CigriError):
    """The caller is known and may not do this."""


class AdmissionRefused(NotAllowed):
    """A rule of the administrators refuses a campaign; the message says which, and whom to ask."""


class MissingScope(NotAllowed):
    """The caller's token is not good for this; their others may be."""


class NotYet(CigriError):
    """It will be possible with a later version; nothing was changed."""


class Conflict(CigriError):
    """The state of the thing does not allow the request."""


class TooLarge(CigriError):
    """The input is over a configured limit; nothing was stored."""


class StorageFull(CigriError):
    """The disk under the database is full: nothing changed, the same request may work later."""


class Damaged(CigriError):
    """Something stored cannot be read any more; a backup may hold what was there."""


class UnusableDatabase(CigriError):
    """The database cannot be opened; nothing was changed."""


class ServerUnreachable(CigriError):
    """No server answered."""


class ClusterError(CigriError):
    """A cluster did not do as it was asked."""


class Fault(StrEnum):
    """Why a cluster could not be used."""

    #: It cannot be used, nobody knows more.
    UNREACHABLE = "unreachable"
    #: Nobody listens at its address, or the address is unknown.
    REFUSED = "refused"
    #: It did not answer in time.
    TIMEOUT = "timeout"
    #: The encrypted connection failed: a certificate is wrong, on one side or the other.
    TLS = "tls"
    #: It does not let the server in, or not under the names of its users.
    DENIED = "denied"
    #: It answered that it failed itself.
    SERVER_ERROR = "server error"
    #: Its answer makes no sense: cut off, or of another kind than was asked for.
    GARBLED = "garbled"


class ClusterUnreachable(ClusterError):
    """Nothing happened on the cluster: try again later."""

    def __init__(self, message: str, *, fault: Fault = Fault.UNREACHABLE) -> None:
        super().__init__(message)
        self.fault = fault


class SubmissionRejected(ClusterError):
    """No job was created, and the same request would fail again."""


class SubmissionUnknown(ClusterError):
    """Jobs may have been created: look before trying again."""


class IllegalTransition(Exception):
    """A life cycle was given an event that its table does not allow: a bug."""
