"""Where things lie, for server and client alike: functions of an environment and a user id.

XDG's rules hold: a variable that is unset, empty or not absolute counts as unset.
"""

import pwd
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import attrs

from cigri.errors import CigriError

#: The socket of a server for the whole host.
SYSTEM_SOCKET = Path("/run/cigri/cigri.sock")
#: The state directory of a server for the whole host.
SYSTEM_STATE = Path("/var/lib/cigri")
#: The configuration of a server for the whole host.
SYSTEM_CONFIGURATION = Path("/etc/cigri/cigri.toml")
#: Where a server listens over TCP unless it is told otherwise.
TCP_PORT = 8666
#: Bytes that the path of a socket may have; unix(7) counts the zero at its end, too.
LONGEST_SOCKET = 107


@attrs.frozen(kw_only=True)
class Places:
    """Where one server keeps its things."""

    #: The directory of everything that must survive a reboot.
    state: Path
    database: Path
    socket: Path
    #: The bearer token for TCP; only its owner can read it.
    token: Path


@attrs.frozen(kw_only=True)
class Address:
    """Where a server may be listening: a socket of this host, or a URL."""

    socket: Path | None = None
    #: Also what stands in the Host header of requests over a socket.
    url: str = "http://localhost"

    def __str__(self) -> str:
        """Return what `--url` would take."""
        return self.url if self.socket is None else f"unix:{self.socket}"


def places(environ: Mapping[str, str], uid: int) -> Places:
    """Return where a server of user *uid* keeps its things."""
    state = _state(environ, uid)
    return _under(state, socket=_socket(environ, uid))


def private_places(directory: Path) -> Places:
    """Return where a private server keeps its things: all under *directory*."""
    return _under(directory, socket=directory / "cigri.sock")


def configuration(environ: Mapping[str, str], uid: int) -> Path:
    """Return where a server of user *uid* finds its configuration, if there is one."""
    base = _absolute(environ, "XDG_CONFIG_HOME")
    if base is None and uid == 0:
        return SYSTEM_CONFIGURATION
    return (base or _home(environ, uid) / ".config") / "cigri/cigri.toml"


def temporary(uid: int) -> Path:
    """Return the directory that stands in for those that *uid* does not have."""
    return Path(f"/tmp/cigri-{uid}")  # noqa: S108 - who uses it checks its owner


def addresses(environ: Mapping[str, str], uid: int, url: str | None = None) -> tuple[Address, ...]:
    """Return where a client looks for a server, best first.

    A place that was named, by *url* or CIGRI_URL, is the only one: who names a server does not
    want another one to answer.

    Raises:
        CigriError: What was named is no address.
    """
    named = url or environ.get("CIGRI_URL")
    if named:
        return (_parse(named),)
    sockets = dict.fromkeys((_socket(environ, uid), SYSTEM_SOCKET))
    return tuple(Address(socket=socket) for socket in sockets)


def token_file(environ: Mapping[str, str], uid: int) -> Path:
    """Return where a client of user *uid* finds its token for TCP."""
    named = environ.get("CIGRI_TOKEN_FILE")
    return Path(named) if named else places(environ, uid).token


def _under(state: Path, *, socket: Path) -> Places:
    return Places(state=state, database=state / "cigri.db", socket=socket, token=state / "token")


def _state(environ: Mapping[str, str], uid: int) -> Path:
    base = _absolute(environ, "XDG_STATE_HOME")
    if base is not None:
        return base / "cigri"
    if uid == 0:
        return SYSTEM_STATE
    return _home(environ, uid) / ".local/state/cigri"


def _socket(environ: Mapping[str, str], uid: int) -> Path:
    base = _absolute(environ, "XDG_RUNTIME_DIR")
    if base is not None:
        return base / "cigri.sock"
    return SYSTEM_SOCKET if uid == 0 else temporary(uid) / "cigri.sock"


def _home(environ: Mapping[str, str], uid: int) -> Path:
    home = _absolute(environ, "HOME")
    if home is not None:
        return home
    try:
        return Path(pwd.getpwuid(uid).pw_dir)
    except KeyError:  # a user without an account, as in many containers
        return temporary(uid)


def _absolute(environ: Mapping[str, str], name: str) -> Path | None:
    path = Path(environ.get(name, ""))
    return path if path.is_absolute() else None


def _parse(url: str) -> Address:
    if url.startswith(("unix:", "/", ".")):
        return Address(socket=Path(url.removeprefix("unix:").removeprefix("//")).absolute())
    full = (url if "://" in url else f"http://{url}").rstrip("/")
    try:
        parts = urlsplit(full)
        good = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:  # of the port, or of the brackets of an address
        good = False
    if not good:
        raise CigriError(f"not the address of a server (http://HOST:PORT or unix:PATH): {url!r}")
    return Address(url=full)
