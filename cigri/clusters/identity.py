"""Acts on files as the user whom they belong to.

A server that runs as root must not follow a link that a user laid: what the user could not read or
write themselves, the server must not read or write for them.
"""

import ctypes
import os
import pwd
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import attrs

from cigri.errors import ClusterUnreachable

_libc = ctypes.CDLL(None, use_errno=True)


@attrs.frozen(kw_only=True)
class Account:
    """An account of this host."""

    name: str
    uid: int
    gid: int
    home: str
    shell: str

    @property
    def is_own(self) -> bool:
        """Return whether it is the one that this process runs as."""
        return self.uid == os.geteuid()


def account(name: str) -> Account:
    """
    Return the account of a login.

    Raises:
        ClusterUnreachable: This host does not know it.
    """
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        if name == own_login():
            home = os.environ.get("HOME", "/")
            return Account(  # noqa: S604 - `shell` is a field of an account
                name=name,
                uid=os.geteuid(),
                gid=os.getegid(),
                home=home,
                shell="/bin/sh",
            )
        message = f"this host knows no user {name}"
        raise ClusterUnreachable(message) from None
    return Account(
        name=name, uid=entry.pw_uid, gid=entry.pw_gid, home=entry.pw_dir, shell=entry.pw_shell
    )


def own_login() -> str:
    """Return the login that this process runs as; its number where it has no account."""
    return login_of(os.geteuid())


def login_of(uid: int) -> str:
    """Return the login of a user id; the number where it has no account."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid{uid}"


@contextmanager
def acting_as(who: Account) -> Iterator[None]:
    """
    Let this thread, and no other, touch files with the rights of *who* alone.

    Linux keeps a file-system identity for each thread; leaving that of root also leaves its powers
    over files (setfsuid(2), capabilities(7)).  The block must not await.
    """
    if os.geteuid() != 0 or who.uid == 0:
        yield
        return
    uid, gid = os.geteuid(), os.getegid()
    _libc.setfsgid(who.gid)
    _libc.setfsuid(who.uid)
    try:
        if _libc.setfsuid(-1) != who.uid:
            message = f"cannot act as {who.name}"
            raise ClusterUnreachable(message)
        yield
    finally:
        _libc.setfsuid(uid)
        _libc.setfsgid(gid)


def open_regular(path: Path) -> int:
    """
    Return a descriptor to read a regular file, its last component no link.

    Raises:
        OSError: It is absent, a link, or no regular file.
    """
    # O_NONBLOCK: a named pipe laid in its place must not hang the server.
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        message = f"not a regular file: {path}"
        raise FileNotFoundError(message)
    return descriptor
