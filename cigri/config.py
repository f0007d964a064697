"""The configuration: a TOML file, read once at start into frozen values.

`cigri.toml.example` documents every key.  All mistakes are reported at once, each with its path.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from datetime import date, time
from functools import partial
from pathlib import Path
from typing import Annotated, NewType

import attrs
import cattrs

from cigri.api.options import AuthOptions, ProxyOptions, TlsOptions
from cigri.clusters.options import OPTIONS, ClusterOptions, LocalOptions
from cigri.domain.model import ClusterName
from cigri.domain.report import Mistake, suggestion
from cigri.domain.resources import parse_resources
from cigri.domain.walltime import parse_walltime
from cigri.engine.options import AdmissionOptions, CalendarOptions, RuleOptions, Walltime, day
from cigri.errors import InvalidConfig
from cigri.places import TCP_PORT, Places
from cigri.strict import (
    Between,
    OneOf,
    address,
    as_table,
    bracketed,
    host_name,
    is_loopback,
    login,
    problems,
    strict_converter,
)

#: What one task occupies, as its user would write it.
Resources = NewType("Resources", str)

_HOUR = Walltime(3600.0)
MIB = 1024 * 1024
LOG_LEVELS = ("debug", "info", "warning", "error")

_INDEX = re.compile(r"\[\d+\]")
_CLUSTER_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,62}")


def cluster_name(value: str) -> str:
    """Return *value* when it can name a cluster beside their numbers, or raise ValueError."""
    if not _CLUSTER_NAME.fullmatch(value):
        raise ValueError(
            f"not a cluster's name (a letter, then letters, digits, _ . -): {value!r}"
        )
    return value


def at_least_one(clusters: Mapping[str, object]) -> Mapping[str, object]:
    """Return *clusters*, or raise ValueError when there is none."""
    if not clusters:
        raise ValueError("no cluster: leave the table out for this host alone")
    return clusters


@attrs.frozen(kw_only=True)
class ServerConfig:
    """Where the server keeps its data, where it listens, and who may do everything."""

    database: Path
    socket: Path
    host: Annotated[str, address] = "127.0.0.1"
    #: 0 opens no TCP port: the socket alone.
    port: Annotated[int, Between(0, 65_535)] = TCP_PORT
    admins: tuple[Annotated[str, login], ...] = ()
    log_level: Annotated[str, OneOf(LOG_LEVELS)] = "info"
    #: What this host is called by those who ask over TCP, beside localhost and `host`.
    hosts: tuple[Annotated[str, host_name], ...] = ()
    tls: TlsOptions = attrs.field(factory=TlsOptions)

    @property
    def url(self) -> str | None:
        """Return where it is reached over TCP, `None` if nowhere."""
        scheme = "http" if self.tls.certificate is None else "https"
        return f"{scheme}://{bracketed(self.host)}:{self.port}" if self.port else None


@attrs.frozen(kw_only=True)
class LimitsConfig:
    """What one request may bring."""

    max_tasks: Annotated[int, Between(1, 1_000_000_000)] = 10_000_000
    max_json_body_mib: Annotated[int, Between(1, 65_536)] = 256
    max_stream_body_mib: Annotated[int, Between(1, 65_536)] = 1024


@attrs.frozen(kw_only=True)
class DefaultsConfig:
    """What a campaign gets that does not say."""

    walltime: Walltime = _HOUR
    resources: Resources = Resources("1")


@attrs.frozen(kw_only=True)
class ClusterConfig:
    """A cluster: the driver that speaks to it and what that driver has to know."""

    driver: Annotated[str, OneOf(tuple(OPTIONS))] = "local"
    options: ClusterOptions = attrs.field(factory=LocalOptions)

    def running_root(self) -> "ClusterConfig":
        """Return the same, which runs the tasks of root too if it is this host."""
        if not isinstance(self.options, LocalOptions):
            return self
        return attrs.evolve(self, options=attrs.evolve(self.options, allow_root=True))


@attrs.frozen(kw_only=True)
class Config:
    """Everything that a person may set."""

    server: ServerConfig
    auth: AuthOptions = attrs.field(factory=AuthOptions)
    limits: LimitsConfig = attrs.field(factory=LimitsConfig)
    defaults: DefaultsConfig = attrs.field(factory=DefaultsConfig)
    calendar: CalendarOptions = attrs.field(factory=CalendarOptions)
    admission: AdmissionOptions = attrs.field(factory=AdmissionOptions)
    clusters: Annotated[
        Mapping[Annotated[ClusterName, cluster_name], ClusterConfig], at_least_one
    ] = attrs.field(factory=lambda: {ClusterName("local"): ClusterConfig()})


def load(path: Path | None, places: Places) -> Config:
    """
    Return the configuration of the file *path*, or the defaults: this host as the one cluster.

    Raises:
        InvalidConfig: The file cannot be read or has mistakes, all of which are named.
    """
    if path is None:
        return parse("", places, base=places.state)
    return parse(_read(path), places, base=path.absolute().parent)


def parse(text: str, places: Places, *, base: Path) -> Config:
    """
    Return the configuration that the TOML *text* describes.

    Paths that it does not give are those of *places*; relative ones start at *base*.

    Raises:
        InvalidConfig: It has mistakes, all of which are named.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidConfig.at("", f"not TOML: {error}") from error
    server = document.setdefault("server", {})
    if isinstance(server, dict):
        server.setdefault("database", str(places.database))
        server.setdefault("socket", str(places.socket))
    try:
        config = _converter(base).structure(document, Config)
    except cattrs.BaseValidationError as error:
        hint = partial(_hint, _drivers(document.get("clusters")))
        raise InvalidConfig(list(problems(error, hint=hint))) from error
    _check_exposure(config)
    return config


def _check_exposure(config: Config) -> None:
    """Refuse to be reached from elsewhere in plain text by more than the proxy."""
    server = config.server
    if is_loopback(server.host) or server.tls.certificate or config.auth.proxy.networks:
        return
    raise InvalidConfig.at(
        "server.host",
        f"{server.host} is open to other hosts, which would send their tokens in plain text",
        "give a certificate under [server.tls], or the `peers` of [auth.proxy]",
    )


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except OSError as error:
        raise InvalidConfig.at("", f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InvalidConfig.at("", f"{path} is not UTF-8 text") from error


def _converter(base: Path) -> cattrs.Converter:
    converter = strict_converter(base)

    def cluster(raw: object, _: object) -> ClusterConfig:
        settings = dict(as_table(raw))
        driver = converter.structure({"driver": settings.pop("driver", "local")}, _Driver).driver
        options = converter.structure(settings, OPTIONS[driver])
        return ClusterConfig(driver=driver, options=options)

    converter.register_structure_hook(Walltime, lambda raw, _: _walltime(raw))
    converter.register_structure_hook(date, lambda raw, _: day(raw))
    converter.register_structure_hook(Resources, lambda raw, _: parse_resources(raw).text)
    converter.register_structure_hook(ClusterConfig, cluster)
    return converter


@attrs.frozen(kw_only=True)
class _Driver:
    """The one key that all clusters have."""

    driver: Annotated[str, OneOf(tuple(OPTIONS))]


def _walltime(raw: object) -> float:
    if isinstance(raw, time):
        raise Mistake(f"not a walltime: {raw} is a time of day to TOML", f'write "{raw}"')
    return parse_walltime(raw)


#: The keys of each section.
_KEYS: Mapping[str, Sequence[str]] = {
    "": list(attrs.fields_dict(Config)),
    "server": list(attrs.fields_dict(ServerConfig)),
    "server.tls": list(attrs.fields_dict(TlsOptions)),
    "auth": list(attrs.fields_dict(AuthOptions)),
    "auth.proxy": list(attrs.fields_dict(ProxyOptions)),
    "limits": list(attrs.fields_dict(LimitsConfig)),
    "defaults": list(attrs.fields_dict(DefaultsConfig)),
    "calendar": list(attrs.fields_dict(CalendarOptions)),
    "admission": list(attrs.fields_dict(AdmissionOptions)),
    "admission.rules": list(attrs.fields_dict(RuleOptions)),
}
#: The keys of a cluster, by its driver.
_OF_DRIVERS: Mapping[str, Sequence[str]] = {
    driver: ["driver", *attrs.fields_dict(options)] for driver, options in OPTIONS.items()
}


def _drivers(clusters: object) -> Mapping[str, str]:
    """Return the drivers that the tables of clusters name, whatever else is wrong with them."""
    tables = clusters.items() if isinstance(clusters, dict) else ()
    return {
        name: str(table.get("driver", "local"))
        for name, table in tables
        if isinstance(table, dict)
    }


def _hint(drivers: Mapping[str, str], pointer: str) -> str | None:
    """Return which key was meant by the unknown one at *pointer*, or where it is at home."""
    *path, key = pointer.split(".")
    here = _KEYS.get(_INDEX.sub("", ".".join(path)), ())
    homes = [section for section, keys in _KEYS.items() if key in keys and section]
    others = [driver for driver, keys in _OF_DRIVERS.items() if key in keys]
    if path[:1] == ["clusters"]:
        here = _OF_DRIVERS.get(drivers.get(".".join(path[1:2]), ""), ())
        if others:
            return f"it is for the driver {' or '.join(others)}"
    elif others:
        homes.append("clusters.NAME")
    return f"it belongs in [{homes[0]}]" if homes else suggestion(key, here)
