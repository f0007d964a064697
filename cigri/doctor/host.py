"""Checks of this host: its clock and time zones, the server's socket, lock and token."""

import asyncio
import ctypes
import os
import socket
import stat
import time
import zoneinfo
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from pathlib import Path

from cigri.config import Config
from cigri.doctor.finding import Finding, fail, ok, warn
from cigri.errors import CigriError
from cigri.places import LONGEST_SOCKET, Places
from cigri.store import checks, custody
from cigri.store.database import examine

#: Seconds for which the two clocks are compared, and by how many they may differ.
_LOOK, _DRIFT = 0.2, 0.05
#: Seconds by which the database may be ahead.
_AHEAD = 60.0
#: What adjtimex(2) returns of a clock that nothing keeps right.
_UNSYNCHRONISED = 5


async def check(config: Config, places: Places, database: Path) -> AsyncIterator[Finding]:
    """Check the clock, the calendar, and how the server is reached."""
    yield await _clock(database)
    yield _calendar(config)
    for finding in (*_server(config, database), *_token(places)):
        yield finding


async def _clock(database: Path) -> Finding:
    wall, steady = time.time(), time.monotonic()
    await asyncio.sleep(_LOOK)
    drift = (time.time() - wall) - (time.monotonic() - steady)
    if abs(drift) > _DRIFT:
        text = f"it moved by {drift:+.2f} s while it was looked at"
        return warn("clock", text, "let chrony or systemd-timesyncd keep it, alone and gently")
    ahead = await _newest(database) - time.time()
    if ahead > _AHEAD:
        text = f"it is {ahead:.0f} s behind what the database has seen"
        return fail("clock", text, "set it right before the server runs: date, timedatectl")
    kept = "" if _is_synchronised() else "; nothing keeps it right, which other clusters need"
    return ok("clock", f"steady{kept}")


async def _newest(database: Path) -> float:
    try:
        async with examine(database) as opened, opened.read() as db:
            return await checks.newest(db) or 0.0
    except CigriError:
        return 0.0  # that has been told


def _is_synchronised() -> bool:
    # A struct timex of any architecture is smaller; all zero, it only asks.
    buffer = ctypes.create_string_buffer(512)
    return bool(ctypes.CDLL(None).adjtimex(buffer) != _UNSYNCHRONISED)


def _calendar(config: Config) -> Finding:
    calendar = config.calendar.calendar()
    now = datetime.fromtimestamp(time.time(), calendar.zone)
    text = f"{now:%a %H:%M} in {config.calendar.timezone or 'the time zone of this host'}"
    if not zoneinfo.available_timezones():
        return warn("time zones", f"{text}; there are no others", "install the package tzdata")
    return ok("time zones", text)


def _server(config: Config, database: Path) -> Iterator[Finding]:
    """Check who serves the database, and that its socket is where clients look."""
    path = config.server.socket
    if len(os.fsencode(path)) > LONGEST_SOCKET:
        yield fail("socket", f"too long a path: {path}", "set `socket` under [server]")
        return
    holder = custody.server_of(database)
    if holder is None:
        yield ok("server", "none runs on this database: cigri serve")
        above = next(each for each in path.parents if each.is_dir())
        if not os.access(above, os.W_OK):
            text = f"{path} cannot be made: you may not write to {above}"
            yield fail("socket", text, "set XDG_RUNTIME_DIR, or `socket` under [server]")
        return
    yield ok("server", f"process {holder} serves this database")
    try:
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(5)
            probe.connect(str(path))
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        repair = "start the server again, with the configuration that is checked here"
        yield fail("socket", f"{path}: {reason}", repair)
        return
    mode = stat.S_IMODE(path.stat().st_mode)
    who = "everybody on this host" if mode & stat.S_IWOTH else "its owner alone"
    yield ok("socket", f"{path}, for {who}")


def _token(places: Places) -> Iterator[Finding]:
    try:
        found = places.token.lstat()
    except OSError:
        return  # there is none before the server has opened a port
    if not stat.S_ISREG(found.st_mode):
        yield fail("token", f"{places.token} is no file", f"rm {places.token}")
    elif stat.S_IMODE(found.st_mode) & 0o077:
        yield fail("token", f"others can read {places.token}", f"chmod 600 {places.token}")
    elif found.st_uid != os.geteuid():
        yield warn("token", f"{places.token} belongs to somebody else", f"rm {places.token}")
    else:
        yield ok("token", str(places.token))
