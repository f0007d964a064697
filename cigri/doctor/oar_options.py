"""Checks of what the configuration says of clusters of OAR: files, risks and logins."""

import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path

from cigri.clusters.options import OAR_LOGIN, OarAuth, OarOptions
from cigri.doctor.configuration import certificate_end
from cigri.doctor.finding import Finding, fail, ok, warn
from cigri.domain.model import ClusterName

#: Days before its end at which a certificate should be renewed.
_RENEWAL = 14
_DAY = 86400.0


def check(name: ClusterName, options: OarOptions, directory: Path) -> Iterator[Finding]:
    """Check what is said of a cluster, whose tokens lie in *directory*."""
    for risk in options.risks():
        yield warn(name, risk, f"see [clusters.{name}] in docs/oar.md")
    for key in ("client_certificate", "client_key", "ca_certificate", "password_file"):
        path: Path | None = getattr(options, key)
        if path is not None and not os.access(path, os.R_OK):
            text = f"{key}: {path} cannot be read"
            yield fail(name, text, f"correct [clusters.{name}], or the rights of the file")
    yield from _certificate(name, options)
    yield from _logins(name, options)
    if options.auth == OarAuth.TOKEN:
        yield from _tokens(name, directory / "tokens")


def _certificate(name: ClusterName, options: OarOptions) -> Iterator[Finding]:
    """Check how long the cluster will believe that CiGri asks."""
    path = options.client_certificate
    if path is None or not os.access(path, os.R_OK):
        return
    try:
        days = (certificate_end(path) - time.time()) / _DAY
    except (OSError, ValueError):
        yield fail(name, f"{path} holds no certificate", f"correct [clusters.{name}]")
        return
    renew = "have a new one made for CiGri, and put it in its place"
    if days < 0:
        yield fail(name, f"{path} has expired", renew)
    elif days < _RENEWAL:
        yield warn(name, f"{path}, for {days:.0f} days", renew)


def _logins(name: ClusterName, options: OarOptions) -> Iterator[Finding]:
    """Check who would be somebody else there."""
    named = {*options.normal_users, *(options.users or ())}
    for user in sorted(named):
        there = options.users_mapping.get(user, user)
        if not OAR_LOGIN.fullmatch(there):
            text = f"OAR would take {there} for {_misread(there)}: nothing of theirs is run"
            yield warn(name, text, f"give them another login there in users_mapping of {name}")


def _misread(login: str) -> str:
    found = OAR_LOGIN.search(login)
    return found[0] if found else "nobody"


def _tokens(name: ClusterName, directory: Path) -> Iterator[Finding]:
    try:
        mode = stat.S_IMODE(directory.lstat().st_mode)
        count = len(list(directory.glob("*.token")))
    except FileNotFoundError:
        mode, count = 0o700, 0
    except OSError as error:
        yield warn(name, f"{directory}: {error.strerror}", "do this as the server's user")
        return
    if mode & 0o077:
        yield fail(name, f"others can look into {directory}", f"chmod 700 {directory}")
    elif not count:
        text = "no user has given a token: nobody's tasks are run there"
        yield warn(name, text, f"cigri token cluster add {name}")
    else:
        yield ok(name, f"{count} {'token' if count == 1 else 'tokens'} of users")
