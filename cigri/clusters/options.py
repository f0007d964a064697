"""What the configuration may say about a cluster, one class for each driver."""

import math
import os
import re
import stat
from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import attrs

from cigri.domain.facts import ClusterFacts, Dialect
from cigri.domain.fields import HONOURED
from cigri.strict import Between, OneOf, login

#: What Apache hands to OAR's API, and OAR reads without a second thought, of a user's name.
OAR_LOGIN = re.compile(r"\w+", re.ASCII)

#: Names of this host, to which plain text goes unheard.
_THIS_HOST = frozenset({"localhost", "127.0.0.1", "::1"})
#: Headers that mean something else to every web server.
_TAKEN = frozenset(
    {"accept", "authorization", "connection", "content-length", "content-type", "cookie", "host"}
)
_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,62}")


def usable_cores() -> int:
    """Return how many cores this process may use: not more than its container or cpuset grants."""
    return len(os.sched_getaffinity(0))


def positive(value: float) -> float:
    """Return *value* when it is over 0, or raise ValueError."""
    if not 0 < value < math.inf:
        raise ValueError(f"not over 0: {value:g}")
    return value


def not_negative(value: float) -> float:
    """Return *value* when it is 0 or more, or raise ValueError."""
    if not 0 <= value < math.inf:
        raise ValueError(f"not 0 or more: {value:g}")
    return value


def web_address(value: str) -> str:
    """Return *value* without a slash at its end when it is one of HTTP, or raise ValueError."""
    try:
        parts = urlsplit(value)
        known = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        known = False
    if not known or not value.isascii() or not value.isprintable() or " " in value:
        raise ValueError(f"not an address as https://oar.example.org/oarapi: {value!r}")
    if parts.username is not None or parts.query or parts.fragment:
        raise ValueError("an address without login, `?` and `#` is wanted")
    return value.rstrip("/")


def header(value: str) -> str:
    """Return *value* when it can name a header of its own, or raise ValueError."""
    if not _HEADER.fullmatch(value) or value.lower() in _TAKEN:
        raise ValueError(f"not the name of a header of its own: {value!r}")
    return value


def _others_read(path: Path) -> bool:
    try:
        return bool(stat.S_IMODE(path.stat().st_mode) & (stat.S_IROTH | stat.S_IWOTH))
    except OSError:
        return False  # that it is missing is told where it is needed


@attrs.frozen(kw_only=True)
class ClusterOptions:
    """What is said of every cluster, whatever speaks to it."""

    #: Who may run campaigns of type `normal` here; everybody may run best-effort ones.
    normal_users: tuple[Annotated[str, login], ...] = ()
    #: From what load on the cluster is called under stress, or `None`.
    stress_limit: Annotated[float, positive] | None = None
    #: Who may use this cluster, or `None` for everybody.
    users: tuple[Annotated[str, login], ...] | None = None
    #: As whom the tasks of a user run here, if not under the same login.
    users_mapping: Mapping[Annotated[str, login], Annotated[str, login]] = attrs.field(
        factory=dict
    )

    def facts(self) -> ClusterFacts:
        """Return what a campaign that is described has to know of the cluster."""
        return ClusterFacts(normal_users=self.normal_users)

    def risks(self) -> Iterator[str]:
        """Yield what the administrator has chosen and should know every day."""
        yield from ()


@attrs.frozen(kw_only=True)
class LocalOptions(ClusterOptions):
    """How this host runs tasks."""

    #: Cores that tasks may occupy at a time.
    slots: Annotated[int, Between(1, 65_536)] = attrs.field(factory=usable_cores)
    #: Whether tasks of root run, as root.
    allow_root: bool = False
    #: By how much tasks step back behind the host's other processes.
    nice: Annotated[int, Between(0, 19)] = 10

    def __attrs_post_init__(self) -> None:
        """Refuse that tasks run as root without a word about it."""
        for user, mapped in self.users_mapping.items():
            if mapped == "root" and not self.allow_root:
                raise ValueError(
                    f"users_mapping lets tasks of {user} run as root: name another login,"
                    " or set allow_root = true"
                )

    def facts(self) -> ClusterFacts:
        """Return what a campaign that is described has to know of this host."""
        return ClusterFacts(slots=self.slots, normal_users=self.normal_users)


class OarAuth(StrEnum):
    """How a cluster of OAR is told for whom CiGri speaks."""

    #: A header that the cluster believes because of the client certificate or the network.
    HEADER = "header"
    #: The same header, behind a login and password of CiGri's own.
    BASIC = "basic"
    #: A token of each user, as `cigri token cluster add` stores them.
    TOKEN = "token"  # noqa: S105 - the word for it


@attrs.frozen(kw_only=True)
class OarOptions(ClusterOptions):
    """How a cluster of OAR is reached, and what is asked of it."""

    #: The address of its REST API.
    url: Annotated[str, web_address]
    #: One of `OarAuth`.
    auth: str = OarAuth.HEADER.value
    #: The header that tells the cluster who the user is.
    identity_header: Annotated[str, header] = "X_REMOTE_IDENT"
    #: What CiGri itself shows, where the cluster asks for it.
    client_certificate: Path | None = None
    client_key: Path | None = None
    #: Who vouches for the cluster's certificate, if not those whom this host trusts anyway.
    ca_certificate: Path | None = None
    #: Whether the cluster's certificate is looked at.  Without that anybody may be the cluster.
    verify_tls: bool = True
    #: CiGri's own login at the cluster's web server, and the file of its password.
    basic_user: str | None = None
    password_file: Path | None = None
    #: Seconds that the cluster has for an answer.
    timeout: Annotated[float, positive] = 30.0
    #: KiB of one request, at most: stock mod_fcgid takes 128.
    request_limit_kib: Annotated[int, Between(16, 1_048_576)] = 120
    #: Cores that tasks may occupy at a time; `None`: all that the cluster has.
    slots: Annotated[int, Between(1, 10_000_000)] | None = None
    #: Cores of one node, for tasks that ask for whole nodes; `None`: as many as one task needs.
    cores_per_node: Annotated[int, Between(1, 65_536)] | None = None
    #: Seconds of work in one group.
    group_duration: Annotated[float, positive] = 600.0
    #: Seconds that the job of a group gets beyond what its tasks may need.
    walltime_margin: Annotated[float, not_negative] = 60.0
    #: Seconds before its end at which a task that writes checkpoints is warned.
    checkpoint_warning: Annotated[int, Between(1, 86_400)] = 60
    #: Seconds after which a job that still waits is withdrawn, to go elsewhere; 0: never.
    waiting_timeout: Annotated[float, not_negative] = 900.0

    def __attrs_post_init__(self) -> None:
        """Refuse what cannot be meant."""
        if self.client_key is not None and self.client_certificate is None:
            raise ValueError("client_key without client_certificate: they belong together")
        basic = (self.basic_user is not None, self.password_file is not None)
        if any(basic) != (self.auth == OarAuth.BASIC) or any(basic) != all(basic):
            raise ValueError('auth = "basic", basic_user and password_file belong together')
        for user, mapped in self.users_mapping.items():
            if not OAR_LOGIN.fullmatch(mapped):
                raise ValueError(
                    f"users_mapping: OAR would take {mapped} (for {user}) for somebody else;"
                    " a login of letters, digits and _ is wanted"
                )
            if mapped in {"root", "oar"}:
                raise ValueError(f"users_mapping: OAR runs no tasks of {mapped} (for {user})")

    def facts(self) -> ClusterFacts:
        """Return what a campaign that is described has to know of the cluster."""
        return ClusterFacts(
            slots=self.slots,
            normal_users=self.normal_users,
            honours=frozenset(HONOURED),
            dialect=Dialect.OAR,
            cores_per_node=self.cores_per_node,
        )

    def risks(self) -> Iterator[str]:
        """Yield by what others could be the cluster, or any of its users."""
        parts = urlsplit(self.url)
        here = (parts.hostname or "") in _THIS_HOST
        if parts.scheme == "https" and not self.verify_tls:
            yield (
                f"verify_tls = false: whoever answers as {parts.hostname} is believed,"
                " with all that is sent to it"
            )
        if parts.scheme == "http" and not here:
            yield f"{self.url} is plain text: who listens can act as any user there"
        for path in (self.client_key, self.password_file):
            if path is not None and _others_read(path):
                yield f"others on this host can read {path}: chmod 600 {path}"

    @property
    def longest_wait(self) -> float | None:
        """Return the seconds after which a job that still waits is withdrawn, or `None`."""
        return self.waiting_timeout or None


@attrs.frozen(kw_only=True)
class Oar2Options(OarOptions):
    """How a cluster of OAR 2.5 is reached."""

    auth: Annotated[str, OneOf((OarAuth.HEADER.value, OarAuth.BASIC.value))] = OarAuth.HEADER.value


@attrs.frozen(kw_only=True)
class Oar3Options(OarOptions):
    """How a cluster of OAR 3 is reached, which believes tokens alone."""

    auth: Annotated[str, OneOf((OarAuth.TOKEN.value,))] = OarAuth.TOKEN.value


#: The options of each driver, by the name that the configuration calls it.
OPTIONS: Mapping[str, type[ClusterOptions]] = {
    "local": LocalOptions,
    "oar2": Oar2Options,
    "oar3": Oar3Options,
}
