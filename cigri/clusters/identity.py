"""Acts on files as the user whom they belong to.

A server that runs as root must not follow a link that a user laid: what the user could not read or
write themselves, the server must not read or write for them.
"""

import ctypes
import errno
import os
import pwd
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import attrs

from cigri.errors import ClusterUnreachable, NotFound

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
        NotFound: This host does not know it.
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
        raise NotFound(message) from None
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
    over files (setfsuid(2), capabilities(7)).  The block must not await; blocks may nest.
    """
    if os.geteuid() != 0 or who.uid == 0:
        yield
        return
    if os.getgroups():
        # They would count beside the file-system identity, and root needs none.
        os.setgroups([])
    gid = _libc.setfsgid(who.gid)
    uid = _libc.setfsuid(who.uid)
    try:
        if _libc.setfsuid(-1) != who.uid:
            message = f"cannot act as {who.name}"
            raise ClusterUnreachable(message)
        yield
    finally:
        _libc.setfsuid(uid)
        _libc.setfsgid(gid)


def make_directory(path: Path, mode: int) -> None:
    """
    Make a directory, and those above it that are missing, with *mode* whatever the umask says.

    One that exists is left as it is.
    """
    if not path.is_dir():
        make_directory(path.parent, mode)
        path.mkdir(exist_ok=True)
        path.chmod(mode)


def open_regular(path: Path, flags: int = os.O_RDONLY) -> int:
    """
    Return a descriptor of a regular file, its last component no link.

    Raises:
        FileNotFoundError: There is nothing.
        OSError: It is a link, or no regular file.
    """
    # O_NONBLOCK: a named pipe laid in its place must not hang the server.
    flags |= os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    descriptor = os.open(path, flags, 0o600)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    return descriptor


def open_new(path: Path) -> int:
    """
    Return a descriptor to write a file that did not exist.

    Raises:
        FileExistsError: There is something, if only a link to nothing.
    """
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)


def replace(path: Path, text: str) -> None:
    """Put a file in the place of whatever is at *path*, if that is no directory."""
    hidden = path.with_name(f".{path.name}")
    hidden.unlink(missing_ok=True)
    with os.fdopen(open_new(hidden), "w") as file:
        file.write(text)
    hidden.rename(path)
