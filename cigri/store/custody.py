"""Whose database a file is: one server at a time, on a local disk, and no copy unawares."""

import contextlib
import fcntl
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from cigri.errors import Conflict, UnusableDatabase
from cigri.store import clusters
from cigri.store.database import Database

#: File systems on which SQLite's write-ahead log or its locks cannot be trusted.
NETWORK_FILE_SYSTEMS = frozenset(
    {
        *("9p", "afs", "beegfs", "ceph", "cifs", "coda", "davfs", "glusterfs", "gpfs", "lustre"),
        *("ncpfs", "nfs", "nfs4", "orangefs", "panfs", "pvfs2", "smb2", "smb3", "smbfs"),
        *("fuse.ceph", "fuse.glusterfs", "fuse.rclone", "fuse.s3fs", "fuse.sshfs"),
    }
)


def file_system(path: Path, mountinfo: str) -> str:
    """
    Return the type of the file system on which *path* lies.

    *mountinfo* is the text of /proc/self/mountinfo (its format: proc(5)).
    """
    best, found = "", "unknown"
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        point = before.split(" ")[4].encode().decode("unicode_escape")
        if path.is_relative_to(point) and len(point) >= len(best):
            best, found = point, after.split(" ")[0]
    return found


def check_file_system(database: Path, mountinfo: str) -> None:
    """
    Check that *database* lies where SQLite works.

    Raises:
        UnusableDatabase: It lies on a network file system.
    """
    kind = file_system(database.resolve(), mountinfo)
    if kind in NETWORK_FILE_SYSTEMS:
        message = (
            f"{database} lies on a network file system ({kind}), where SQLite's log and locks do"
            f" not work; try: cigri serve --database /var/tmp/cigri-{os.getuid()}/cigri.db"
        )
        raise UnusableDatabase(message)


@contextlib.contextmanager
def sole_server(database: Path) -> Iterator[None]:
    """
    Keep other servers off *database* during a block.

    Raises:
        Conflict: Another process serves it; the message names it.
    """
    descriptor = os.open(_lock(database), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            message = f"process {_holder(descriptor)} serves {database} already"
            raise Conflict(message) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def server_of(database: Path) -> str | None:
    """Return the number of the process that serves *database*, `None` if there is none."""
    try:
        descriptor = os.open(_lock(database), os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _holder(descriptor)
    finally:
        os.close(descriptor)
    return None


def _lock(database: Path) -> Path:
    return database.with_name(f"{database.name}.lock")


def _holder(descriptor: int) -> str:
    return os.pread(descriptor, 32, 0).decode("ascii", "replace").strip() or "unknown"


async def take(database: Database, path: Path, *, adopt: bool) -> None:
    """
    Make sure that the database at *path* is the one that was served here before, or new.

    A copy would run, adopt or kill the jobs of the original: only *adopt*, an administrator's word
    that the original is gone, lets it take its place.

    Raises:
        UnusableDatabase: It is a copy.
    """
    inode = path.stat().st_ino  # noqa: ASYNC240 - a local file, as was checked
    async with database.write() as tx:
        known = await clusters.installation(tx)
        if known is None:
            await clusters.install(tx, secrets.token_hex(3), inode)
        elif known.inode != inode and adopt:
            await clusters.adopt(tx, inode)
        elif known.inode != inode:
            message = (
                f"{path} is a copy of a database: served beside the original it would run tasks"
                " twice; if the original is gone, start once with: cigri serve --adopt"
            )
            raise UnusableDatabase(message)
