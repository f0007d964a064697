"""The directories of groups, as the server writes and reads them.

The worker's side of the same layout, and what each file holds, is in `worker.py`.  Every function
here runs with the rights of the user whom the directory belongs to; what they find may be hostile.
"""

import contextlib
import itertools
import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

import msgspec

from cigri.clusters import journal
from cigri.clusters.driver import Batch, JobRef, JobReport, Output, RemoteState
from cigri.clusters.identity import open_new, open_regular, replace
from cigri.clusters.worker import FIRST_TASKS, TASKS
from cigri.domain.model import RemoteId, TaskNumber
from cigri.domain.walltime import walltime_text

#: Bytes of a journal that one look reads, at most; the rest follows at the next.
_JOURNAL_BYTES = 4 * 1024 * 1024
#: Files of a group that are looked at when it is put away: far more than a worker makes.
_MOST_FILES = 100_000
#: Files of an ended group that say nothing more.
_READ_BY_NOBODY = frozenset({TASKS, FIRST_TASKS, "stop", "cancel", "script"})
#: Ended groups in one directory.
_SHARD = 1_000

_encode_lines = msgspec.json.Encoder().encode_lines


def tasks_file(
    batch: Batch, token: RemoteId, orders: Sequence[tuple[object, ...]], **on_node: object
) -> bytes:
    """
    Return the file of the tasks of a group, as `worker.py` reads it.

    Args:
        batch: The submission.
        token: What tells the processes of the group from all others.
        orders: Its tasks.
        on_node: What its header says besides to a worker that runs on a node of a cluster.
    """
    settings = batch.settings
    named = bool(settings.parameter_names) or batch.script is not None
    header: dict[str, object] = {
        # A worker of before would pass over what it does not know.
        "version": 2 if named else 1,
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
        "env": dict(settings.env),
        **on_node,
    }
    if settings.parameter_names:
        header["names"] = settings.parameter_names
        header["template"] = settings.parameter_template
    if batch.script is not None:
        header["script"] = batch.script
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
            _remove(hidden)
            hidden.mkdir(mode=0o700)
            with os.fdopen(open_new(hidden / TASKS), "wb") as file:
                file.write(text)
                file.flush()
                os.fdatasync(file.fileno())
    except OSError:
        for name in texts:
            with contextlib.suppress(OSError):
                _remove(groups / f".{name}")
        raise


def _remove(hidden: Path) -> None:
    """Remove a group that never appeared, unless its owner laid something there."""
    with contextlib.suppress(FileNotFoundError):
        for name in (TASKS, FIRST_TASKS):
            (hidden / name).unlink(missing_ok=True)
        hidden.rmdir()


def show(groups: Path, names: Iterable[RemoteId]) -> None:
    """
    Let hidden groups appear, each complete, before the worker.

    Raises:
        OSError: Some may have appeared.
    """
    for name in names:
        (groups / f".{name}").rename(groups / name)
    _sync(groups)


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
    if len(text) == _JOURNAL_BYTES and b"\n" not in text:
        # This is no journal, and would be looked at again and again for an end of the line.
        return JobReport(state=RemoteState.LOST, running=job.running, read_to=job.read_to)
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
    with contextlib.suppress(OSError):
        if _read(stop, 0, 16) == order.encode():
            return False
    if not group.is_dir():
        return False
    replace(stop, order)
    return True


def order_cancel(directory: Path, name: RemoteId, tasks: Collection[int]) -> bool:
    """Add to the tasks that the worker shall leave out or kill; return whether it may still."""
    group = directory / "groups" / name
    path = group / "cancel"
    if not group.is_dir():
        return False
    known: set[int] = set()
    with contextlib.suppress(OSError, ValueError):
        known = set(map(int, _read(path, 0, _JOURNAL_BYTES).split()))
    replace(path, "".join(f"{task}\n" for task in sorted(known | set(tasks))))
    return True


def put_away(directory: Path, name: RemoteId) -> None:
    """Move the directory of an ended group to its shelf, without what nobody will read."""
    group = directory / "groups" / name
    shelf = _shelf(directory, name)
    if not group.is_dir():
        return
    shelf.parent.mkdir(parents=True, exist_ok=True)
    with os.scandir(group) as files:
        for file in itertools.islice(files, _MOST_FILES):
            # The tasks are in the database; empty output says nothing.
            if file.name in _READ_BY_NOBODY or not file.stat(follow_symlinks=False).st_size:
                Path(file).unlink()
    group.rename(shelf)


def tidy(directory: Path, open_jobs: Collection[RemoteId]) -> None:
    """
    Put away the ended groups of a user but *open_jobs*, and remove those that never appeared.

    Nothing may be submitting.  A group of an unsettled submission is found where it is put, too.
    """
    with os.scandir(directory / "groups") as found:
        names = [entry.name for entry in itertools.islice(found, _MOST_FILES)]
    for name in names:
        group = directory / "groups" / name
        if name.startswith("."):
            _remove(group)
        elif name not in open_jobs and _is_over(group):
            put_away(directory, RemoteId(name))


def _is_over(group: Path) -> bool:
    try:
        text = _read(group / "journal", 0, _JOURNAL_BYTES)
    except FileNotFoundError:
        return False
    return journal.read(text, {}, 0).over is not None


def read_outputs(
    group: Path, tasks: Collection[TaskNumber], stream: Output, limit: int
) -> Mapping[TaskNumber, bytes]:
    """
    Return the last *limit* bytes that each of *tasks* wrote in a group, where it has the task.

    Raises:
        OSError: The files are gone.
    """
    places = journal.extents(_read(group / "journal", 0, _JOURNAL_BYTES), tasks)
    return {TaskNumber(task): _cut(group, place, stream, limit) for task, place in places.items()}


def _cut(group: Path, place: journal.Extent, stream: Output, limit: int) -> bytes:
    begin, end = place.out if stream is Output.OUT else place.err
    path = group / f"{stream}.{place.slot}"
    if not path.exists():
        return b""
    descriptor = open_regular(path)
    try:
        size = os.fstat(descriptor).st_size
        # The journal may say anything: what is read lies in this file.
        end = size if end is None else min(max(end, 0), size)
        begin = min(max(begin, end - limit, 0), end)
        return os.pread(descriptor, end - begin, begin)
    finally:
        os.close(descriptor)
