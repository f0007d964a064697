"""Finding a server: the first that answers at the usual places, or the one that was named."""

import os
import socket
import stat
from pathlib import Path

from cigri import errors, places
from cigri.places import Address


def find(url: str | None = None) -> Address:
    """Return where a server answers.

    Raises:
        ServerUnreachable: None does.
    """
    tried = []
    for address in places.addresses(os.environ, os.getuid(), url):
        problem = _problem(address)
        if problem is None:
            return address
        tried.append(f"{address} ({problem})")
    raise errors.ServerUnreachable(f"no server answers at {' or '.join(tried)}")


def _problem(address: Address) -> str | None:
    """Return why nobody can be asked at *address*; a URL is only tried by the first request."""
    if address.socket is None:
        return None
    try:
        mistrust = _mistrust(address.socket)
        if mistrust is not None:
            return mistrust
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(5)
            probe.connect(str(address.socket))
    except FileNotFoundError:
        return "no such socket"
    except ConnectionRefusedError:
        return "its server has stopped"
    except OSError as error:
        return (error.strerror or str(error)).lower()
    return None


def _mistrust(path: Path) -> str | None:
    """Return why a socket under a directory open to all may be somebody else's, or `None`."""
    uid = os.getuid()
    if path.parent != places.temporary(uid):
        return None
    directory = path.parent.lstat()
    if not stat.S_ISDIR(directory.st_mode):
        return "its directory is a link"
    if {directory.st_uid, path.lstat().st_uid} != {uid}:
        return "it belongs to another user"
    if directory.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return "others can write to its directory"
    return None
