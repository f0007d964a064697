"""Reads a file of parameters for its user, with no rights but theirs."""

import asyncio
import os
import stat
from collections.abc import AsyncIterator
from pathlib import Path

from cigri.clusters.identity import Account, account, acting_as
from cigri.errors import InvalidJdl, NotAllowed, NotFound, TooLarge

#: Bytes read at once.
_BLOCK = 256 * 1024
#: How a path may begin that is not absolute.
_HOMES = ("{HOME}", "${HOME}", "$HOME", "~")
#: Where the kernel shows itself as files: they tell of the server, whoever asks.
_OF_THE_KERNEL = ("/proc", "/sys")


async def blocks(user: str, path: str, most: int) -> AsyncIterator[bytes]:
    """
    Yield the content of the regular file at *path*, of at most *most* bytes.

    Links are followed as far as *user* may follow them.

    Raises:
        InvalidJdl: There is no such file, or it is none to read.
        NotAllowed: The user may not read it, or this server cannot read with their rights.
        TooLarge: It is longer.
    """
    loop = asyncio.get_running_loop()
    who = _reader(user)
    place = _absolute(path, who.home)
    # In threads: a file system that does not answer must not stop the server.
    descriptor = await loop.run_in_executor(None, _open, who, place)
    try:
        left = most
        while block := await loop.run_in_executor(None, os.read, descriptor, _BLOCK):
            left -= len(block)
            if left < 0:
                message = f"{place} is longer than {most} bytes: split the campaign"
                raise TooLarge(message)
            yield block
    except OSError as error:
        raise _wrong(place, error.strerror or str(error)) from error
    finally:
        os.close(descriptor)


def _reader(user: str) -> Account:
    """
    Return with whose rights to read.

    Raises:
        NotAllowed: They have no account here, or this process cannot take their place.
    """
    remedy = "send the parameters themselves"
    try:
        who = account(user)
    except NotFound:
        message = f"param_file: {user} has no account on this host to read it: {remedy}"
        raise NotAllowed(message) from None
    if os.geteuid() not in (0, who.uid):
        message = f"param_file: this server cannot read files with the rights of {user}: {remedy}"
        raise NotAllowed(message)
    return who


def _absolute(path: str, home: str) -> Path:
    """
    Return *path* with the home of its user in place of its macro.

    >>> _absolute("~/a", "/home/ann"), _absolute("{HOME}/b", "/home/ann")
    (PosixPath('/home/ann/a'), PosixPath('/home/ann/b'))
    """
    for macro in _HOMES:
        if path == macro or path.startswith(f"{macro}/"):
            path = home + path.removeprefix(macro)
            break
    if not path.startswith("/"):
        raise _wrong(path, "not an absolute path", "begin it with / or ~/")
    if "\0" in path:
        raise _wrong(path, "a NUL character is in it")
    return Path(path)


def _open(who: Account, place: Path) -> int:
    try:
        with acting_as(who):
            # O_NONBLOCK: a named pipe would hang whoever opens it.
            descriptor = os.open(place, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except PermissionError:
        message = f"param_file: {who.name} may not read {place}"
        raise NotAllowed(message) from None
    except OSError as error:
        raise _wrong(place, error.strerror or str(error)) from error
    try:
        _check(who, place, descriptor)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _check(who: Account, place: Path, descriptor: int) -> None:
    """Check that what was opened is a file, and that its user comes to it without this process."""
    what = os.fstat(descriptor)
    kernel = {os.stat(root).st_dev for root in _OF_THE_KERNEL if os.path.isdir(root)}  # noqa: PTH112, PTH116
    if not stat.S_ISREG(what.st_mode) or what.st_dev in kernel:
        raise _wrong(place, "not a regular file")
    # /proc/self leads to what the server has open, past the directories that keep others out.
    try:
        real = Path(f"/proc/self/fd/{descriptor}").readlink()
        with acting_as(who):
            found = real.stat()
    except OSError:
        found = None
    if found is None or not os.path.samestat(found, what):
        message = f"param_file: {who.name} may not read {place}"
        raise NotAllowed(message)


def _wrong(place: Path | str, why: str, hint: str | None = None) -> InvalidJdl:
    return InvalidJdl.at("/param_file", f"cannot read {str(place)!r}: {why}", hint)
