"""The directories of groups, as the server writes and reads them.

The worker's side of the same layout, and what each file holds, is in `worker.py`.  Every function
here runs with the rights of the user whom the directory belongs to; what they find may be hostile.
"""

import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import msgspec

from cigri.clusters import journal
from cigri.clusters.driver import Batch, JobRef, JobReport, Output, RemoteState
from cigri.clusters.identity import open_regular
from cigri.domain.model import RemoteId, TaskNumber
from cigri.domain.walltime import walltime_text
from cigri.errors import NotFound

#: Bytes of a journal that one look reads, at most; the rest follows at the next.
_JOURNAL_BYTES = 4 * 1024 * 1024
#: Ended groups in one directory.
_SHARD = 1_000

_encode_lines = msgspec.json.Encoder().encode_lines


def tasks_file(batch: Batch, token: RemoteId, orders: Sequence[tuple[object, ...]]) -> bytes:
    """Return the file `tasks` of a group, as `worker.py` reads it."""
    settings = batch.settings
    header = {
        "version": 1,
        "token": token,
        "campaign": batch.campaign,
        "user": batch.user,
        "name": batch.campaign_name,
        "command": settings.exec_file,
        "directory": settings.exec_directory,
        "walltime": settings.walltime,
        "walltime_text": walltime_text(settings.walltime),
        "cores": settings.cores,
        "resources": settings.resources,
        "env": {},
    }
    return _encode_lines([header, *orders])


def hide(groups: Path, texts: Mapping[RemoteId, bytes]) -> None:
    """
    Write the directories of new groups where no worker looks yet.

    Raises:
        OSError: One cannot be written; none is left.
    """
    try:
        for name, text in texts.items():
            hidden = groups / f".{name}"
            shutil.rmtree(hidden, ignore_errors=True)
            hidden.mkdir(mode=0o700)
            with open(hidden / "tasks", "wb", opener=_private) as file:
                file.write(text)
                file.flush()
                os.fdatasync(file.fileno())
    except OSError:
        for name in texts:
            shutil.rmtree(groups / f".{name}", ignore_errors=True)
        raise


def show(groups: Path, names: Iterable[RemoteId]) -> None:
    """
    Let hidden groups appear, each complete, before the worker.

    Raises:
        OSError: Some may have appeared.
    """
    for name in names:
        (groups / f".{name}").rename(groups / name)
    _sync(groups)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CLOEXEC, 0o600)


def _sync(directory: Path) -> None:
    """Make the names in a directory survive a power cut."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _shelf(directory: Path, name: RemoteId) -> Path:
    """Return where an ended group is put away, a thousand side by side."""
    serial = int(name.rpartition("-")[2].partition(".")[0])
    return directory / "ended" / str(serial // _SHARD) / name


def locate(directory: Path, name: RemoteId) -> Path | None:
    """Return where a group lies now."""
    for path in (directory / "groups" / name, _shelf(directory, name)):
        if path.is_dir() and not path.is_symlink():
            return path
    return None


def read_journal(directory: Path, job: JobRef) -> JobReport:
    """Return what the journal of a group says beyond what was read of it."""
    group = locate(directory, job.remote_id)
    if group is None:
        return JobReport(state=RemoteState.LOST, running=job.running, read_to=job.read_to)
    try:
        text = _read(group / "journal", job.read_to, _JOURNAL_BYTES)
    except FileNotFoundError:
        text = b""
    return journal.read(text, job.running, job.read_to).report()


def _read(path: Path, start: int, limit: int) -> bytes:
    descriptor = open_regular(path)
    try:
        return os.pread(descriptor, limit, start)
    finally:
        os.close(descriptor)


def order_stop(directory: Path, job: JobRef, order: str) -> bool:
    """Leave a `stop` file for the worker; return whether it is news."""
    group = directory / "groups" / job.remote_id
    stop = group / "stop"
    try:
        if _read(stop, 0, 16).decode() == order:
            return False
    except FileNotFoundError:
        pass
    if not group.is_dir():
        return False
    hidden = group / ".stop"
    hidden.write_text(order)
    hidden.rename(stop)
    return True


def put_away(directory: Path, name: RemoteId) -> None:
    """Move the directory of an ended group to its shelf, without what nobody will read."""
    group = directory / "groups" / name
    shelf = _shelf(directory, name)
    if not group.is_dir():
        return
    shelf.parent.mkdir(parents=True, exist_ok=True)
    for file in group.iterdir():
        # The tasks are in the database; empty output says nothing.
        if file.name in ("tasks", "stop") or not file.stat(follow_symlinks=False).st_size:
            file.unlink()
    group.rename(shelf)


def read_output(group: Path, task: TaskNumber, stream: Output, limit: int) -> bytes:
    """
    Return the last *limit* bytes that *task* wrote in a group, from the packed file of its slot.

    Raises:
        NotFound: The group has no such task.
        OSError: The files are gone.
    """
    found = journal.extent(_read(group / "journal", 0, _JOURNAL_BYTES), task)
    if found is None:
        message = f"its job has no task {task}"
        raise NotFound(message)
    begin, end = found.out if stream is Output.OUT else found.err
    path = group / f"{stream}.{found.slot}"
    if not path.exists():
        return b""
    descriptor = open_regular(path)
    try:
        end = os.fstat(descriptor).st_size if end is None else end
        begin = max(begin, end - limit)
        return os.pread(descriptor, max(0, end - begin), begin)
    finally:
        os.close(descriptor)
