"""The tokens by which a cluster knows its users, in files for the server's user alone."""

import base64
import contextlib
import json
import math
import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import attrs

from cigri.clusters.identity import make_directory, open_regular, replace
from cigri.errors import InvalidRequest

#: A bearer token as HTTP carries it (RFC 6750).
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]{1,8192}=*", re.ASCII)
_SCHEME = re.compile(r"bearer(\s+|$)", re.IGNORECASE)
#: Beyond any token, so that a wrong file is not read whole.
_MOST = 10_000


@attrs.frozen(kw_only=True)
class Claims:
    """What a token says of itself; the cluster alone can tell whether that is true."""

    user: str | None = None
    #: Seconds since 1970; `None`: it does not say.
    expires_at: float | None = None


class Credentials(Protocol):
    """
    Keeps one token for each user of one cluster.

    It works on small files of the server's own; what changes them may raise OSError.
    """

    def token(self, user: str) -> str | None:
        """Return the token of *user*, without ``Bearer``; `None` if there is none."""

    def put(self, user: str, token: str) -> None:
        """Keep a token that `check_token` returned, in the place of the one before."""

    def remove(self, user: str) -> bool:
        """Forget the token of *user*, and return whether there was one."""

    def login(self, user: str) -> str:
        """Return under which login the cluster knows *user*."""


class FileCredentials:
    """The tokens of one cluster, a file each."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def login(self, user: str) -> str:
        """Return *user*: under whose login is settled before."""
        return user

    def token(self, user: str) -> str | None:
        """Return the token of *user*; `None` if there is none, or something else in its place."""
        try:
            descriptor = open_regular(self._file(user))
        except OSError:
            return None
        with os.fdopen(descriptor, "rb") as file:
            text = file.read(_MOST).decode("ascii", "replace").strip()
        # Whatever became of the file, no other header comes out of it.
        return text if _TOKEN.fullmatch(text) else None

    def put(self, user: str, token: str) -> None:
        """Keep the token of *user*."""
        file = self._file(user)
        make_directory(file.parent, 0o700)
        found = file.parent.stat()
        if stat.S_IMODE(found.st_mode) & 0o077:
            file.parent.chmod(0o700)
        replace(file, f"{token}\n")

    def remove(self, user: str) -> bool:
        """Forget the token of *user*, and return whether there was one."""
        with contextlib.suppress(FileNotFoundError):
            self._file(user).unlink()
            return True
        return False

    def _file(self, user: str) -> Path:
        # Logins have neither slashes nor dots; `.token` keeps them from what `replace` hides.
        return self._directory / f"{user}.token"


class MappedCredentials:
    """The tokens of a cluster where some users have other logins."""

    def __init__(self, credentials: Credentials, mapping: Mapping[str, str]) -> None:
        self._credentials = credentials
        self._mapping = mapping

    def login(self, user: str) -> str:
        """Return under which login the cluster knows *user*."""
        return self._mapping.get(user, user)

    def token(self, user: str) -> str | None:
        """Return the token of *user*, kept under their login there."""
        return self._credentials.token(self.login(user))

    def put(self, user: str, token: str) -> None:
        """Keep the token of *user*, under their login there."""
        self._credentials.put(self.login(user), token)

    def remove(self, user: str) -> bool:
        """Forget the token of *user*."""
        return self._credentials.remove(self.login(user))


def check_token(text: str, login: str, now: float) -> str:
    """
    Return a token without the word ``Bearer``, when it can be one of *login*.

    Raises:
        InvalidRequest: It is none, somebody else's, or it has ended.
    """
    token = _SCHEME.sub("", text.strip(), count=1)
    if not _TOKEN.fullmatch(token):
        raise InvalidRequest.at(
            "/token", "not a token: it has other characters", "oarsub --api-token prints one"
        )
    found = claims(token)
    if found.user is not None and found.user != login:
        raise InvalidRequest.at(
            "/token",
            f"it is a token of {found.user!r}, and there you are {login}",
            f"make one as {login}",
        )
    if found.expires_at is not None and found.expires_at <= now:
        raise InvalidRequest.at("/token", "it has ended", "make a new one on the cluster")
    return token


def claims(token: str) -> Claims:
    """Return what a JSON web token (RFC 7519) says; nothing for a token of another kind."""
    parts = token.split(".")
    if len(parts) != 3:
        return Claims()
    try:
        padded = parts[1] + "=" * (-len(parts[1]) % 4)
        told = json.loads(base64.urlsafe_b64decode(padded))
    except (ValueError, RecursionError):
        return Claims()
    if not isinstance(told, dict):
        return Claims()
    user, end = told.get("user"), told.get("exp")
    return Claims(user=user if isinstance(user, str) else None, expires_at=_time(end))


def _time(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None
