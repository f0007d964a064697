"""Where the application is reached: a Unix socket, a TCP port, or both."""

import contextlib
import socket
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

from aiohttp import web

from cigri.errors import Conflict

#: Everybody may connect to a system-wide socket: the kernel says who it is.
FOR_ALL = 0o666
FOR_OWNER = 0o600

#: Seconds that requests get to finish when the server stops.
_FAREWELL = 1.0
#: Connections that may wait to be accepted.
_BACKLOG = 512


@contextlib.asynccontextmanager
async def serving(
    app: web.Application,
    *,
    path: Path | None = None,
    mode: int = FOR_OWNER,
    address: tuple[str, int] | None = None,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[int | None]:
    """
    Serve *app* on the socket *path* and on the TCP *address*, and give the TCP port.

    With *tls* the port speaks nothing else.

    Raises:
        Conflict: Another server is there.
    """
    runner = web.AppRunner(app, shutdown_timeout=_FAREWELL)
    async with contextlib.AsyncExitStack() as stack:
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        if path is not None:
            await web.SockSite(runner, _unix_socket(path, mode), backlog=_BACKLOG).start()
            # Before the server falls silent: afterwards the name may be another server's.
            stack.callback(path.unlink, missing_ok=True)
        yield None if address is None else await _listen(runner, *address, tls)


def _unix_socket(path: Path, mode: int) -> socket.socket:
    """Return a socket bound to *path*; it takes connections once it listens, with *mode* set."""
    _clear(path)
    bound = socket.socket(socket.AF_UNIX)
    try:
        bound.bind(str(path))
        path.chmod(mode)
    except OSError:
        bound.close()
        raise
    return bound


def _clear(path: Path) -> None:
    """Remove what a dead server left at *path*."""
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as probe:
        try:
            probe.connect(str(path))
        except FileNotFoundError:
            return
        except ConnectionRefusedError:
            path.unlink()
            return
    raise Conflict(f"another server listens on {path}")


async def _listen(runner: web.AppRunner, host: str, port: int, tls: ssl.SSLContext | None) -> int:
    site = web.TCPSite(runner, host, port, backlog=_BACKLOG, ssl_context=tls)
    try:
        await site.start()
    except OSError as error:
        raise Conflict(f"cannot listen on {host} port {port}: {error.strerror}").trying(
            "stop the other server, or name another port under [server] in a --config file"
        ) from error
    return site.port
