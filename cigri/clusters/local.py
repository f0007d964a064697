"""This host as a cluster: a worker for each user, fed with groups of tasks through directories.

Worker and server only share files, so each survives the other.  All work on files runs in threads, with
the rights of the user whom the files belong to.
"""

import asyncio
import contextlib
import errno
import os
import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from cigri.clusters import journal
from cigri.clusters.driver import Batch, JobRef, JobReport, Output, RemoteState
from cigri.clusters.identity import account, acting_as, open_regular
from cigri.clusters.local_worker import LocalWorker
from cigri.clusters.options import LocalOptions
from cigri.domain.model import JobId, RemoteId, TaskNumber
from cigri.domain.walltime import walltime_text
from cigri.errors import ClusterUnreachable, NotFound

#: Bytes of a journal that one look reads, at most; the rest follows at the next.
_JOURNAL_BYTES = 4 * 1024 * 1024
#: Ended jobs in one directory.
_SHARD = 1_000

_encode_lines = msgspec.json.Encoder().encode_lines


class LocalDriver:
    """Runs tasks on this host."""

    name = "local"
    fence = 0.0
    poll_interval = (0.05, 1.0)

    def __init__(self, directory: Path, options: LocalOptions) -> None:
        self._directory = directory
        self._options = options
        self._workers: dict[str, LocalWorker] = {}

    def refusal(self, user: str) -> str | None:
        """Return why *user* may not run tasks on this host."""
        options = self._options
        if options.users is not None and user not in options.users:
            return f"{user} is not among the `users` of this cluster: ask its administrator"
        try:
            who = account(user)
        except ClusterUnreachable as error:
            return str(error)
        if os.geteuid() != 0 and not who.is_own:
            return "this server runs tasks for its own user only: start one of your own"
        if who.uid == 0 and not options.allow_root:
            return (
                "tasks of root are not run here: submit as an ordinary user,"
                " or set `allow_root = true` for this cluster in the configuration"
            )
        return None

    async def slots(self) -> int:
        """Return how many cores tasks may occupy at a time."""
        return self._options.slots

    async def submit(self, batch: Batch) -> Mapping[JobId, RemoteId]:
        """Lay the groups of *batch* before the user's worker."""
        return await asyncio.to_thread(self._submit, batch)

    async def find(self, tag: str, user: str, jobs: Sequence[JobId]) -> Mapping[JobId, RemoteId]:
        """Return those of *jobs* whose groups were laid before the worker."""
        return await asyncio.to_thread(self._find, tag, user, jobs)

    async def status(self, jobs: Collection[JobRef]) -> Mapping[RemoteId, JobReport]:
        """Read on in the journals of *jobs*, and see that their workers live."""
        return await asyncio.to_thread(self._status, jobs)

    async def withdraw(self, jobs: Collection[JobRef]) -> None:
        """Tell the workers to start no more tasks of *jobs*."""
        await asyncio.to_thread(self._stop, jobs, "withdraw")

    async def kill(self, jobs: Collection[JobRef]) -> None:
        """Tell the workers to kill what runs of *jobs*."""
        await asyncio.to_thread(self._stop, jobs, "kill")

    async def forget(self, jobs: Collection[JobRef]) -> None:
        """Put the groups of *jobs* away; their output stays readable."""
        await asyncio.to_thread(self._forget, jobs)

    async def output(self, job: JobRef, task: TaskNumber, stream: Output, limit: int) -> bytes:
        """Return the end of what *task* wrote, from the packed file of its slot."""
        return await asyncio.to_thread(self._output, job, task, stream, limit)

    def _worker(self, user: str) -> LocalWorker:
        worker = self._workers.get(user)
        if worker is None:
            who = account(user)
            worker = LocalWorker(self._directory / user, who, self._options)
            self._workers[user] = worker
        return worker

    def _submit(self, batch: Batch) -> Mapping[JobId, RemoteId]:
        worker = self._worker(batch.user)
        remote_ids = {job: _remote_id(batch.tag, place) for place, job in enumerate(batch.jobs)}
        laid: list[Path] = []
        with _nothing_happened(), worker.prepared() as groups:
            try:
                for job, orders in batch.jobs.items():
                    text = _tasks_file(batch, remote_ids[job], orders)
                    laid.append(_lay(groups, remote_ids[job], text))
                _sync(groups)
            except OSError:
                for path in laid:
                    shutil.rmtree(path, ignore_errors=True)
                raise
        # The groups are there: whatever fails from here on, the next `status` tries again.
        with contextlib.suppress(OSError):
            self._share_slots(batch.user)
            worker.poke()
        return remote_ids

    def _share_slots(self, user: str) -> None:
        """Divide the slots among the users whose workers have something to do."""
        busy = {name for name, worker in self._workers.items() if worker.is_alive()} | {user}
        for name in busy:
            self._workers[name].set_slots(max(1, self._options.slots // len(busy)))

    def _find(self, tag: str, user: str, jobs: Sequence[JobId]) -> Mapping[JobId, RemoteId]:
        worker = self._worker(user)
        found = {}
        with _nothing_happened(), acting_as(worker.account):
            for place, job in enumerate(jobs):
                remote_id = _remote_id(tag, place)
                if _group(worker.directory, remote_id) is not None:
                    found[job] = remote_id
        return found

    def _status(self, jobs: Collection[JobRef]) -> Mapping[RemoteId, JobReport]:
        reports = {}
        for user, own in _by_user(jobs):
            worker = self._worker(user)
            with _nothing_happened(), acting_as(worker.account):
                for job in own:
                    reports[job.remote_id] = _read_journal(worker.directory, job)
            if any(reports[job.remote_id].state in _LIVE for job in own):
                with _nothing_happened():
                    worker.poke(only_if_dead=True)
        return reports

    def _stop(self, jobs: Collection[JobRef], order: str) -> None:
        for user, own in _by_user(jobs):
            worker = self._worker(user)
            with _nothing_happened(), acting_as(worker.account):
                given = [_order_stop(worker.directory, job, order) for job in own]
            if any(given):
                with _nothing_happened():
                    worker.poke()

    def _forget(self, jobs: Collection[JobRef]) -> None:
        for user, own in _by_user(jobs):
            worker = self._worker(user)
            with _nothing_happened(), acting_as(worker.account):
                for job in own:
                    _put_away(worker.directory, job.remote_id)

    def _output(self, job: JobRef, task: TaskNumber, stream: Output, limit: int) -> bytes:
        worker = self._worker(job.user)
        with acting_as(worker.account):
            group = _group(worker.directory, job.remote_id)
            try:
                if group is None:
                    raise FileNotFoundError
                return _read_output(group, task, stream, limit)
            except OSError as error:
                message = f"the output of task {task} is gone"
                raise NotFound(message) from error


#: States of jobs that need a living worker.
_LIVE = {RemoteState.WAITING, RemoteState.RUNNING}


def _remote_id(tag: str, place: int) -> RemoteId:
    return RemoteId(f"{tag}.{place}")


def _by_user(jobs: Collection[JobRef]) -> Iterator[tuple[str, list[JobRef]]]:
    users: dict[str, list[JobRef]] = {}
    for job in jobs:
        users.setdefault(job.user, []).append(job)
    yield from users.items()


@contextlib.contextmanager
def _nothing_happened() -> Iterator[None]:
    """Translate the failures of file work: they leave nothing that counts."""
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        reason = "the disk is full" if full else error.strerror or str(error)
        where = f": {error.filename}" if error.filename else ""
        message = f"{reason}{where}"
        raise ClusterUnreachable(message) from error


def _tasks_file(batch: Batch, token: RemoteId, orders: Sequence[tuple[object, ...]]) -> bytes:
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


def _lay(groups: Path, name: RemoteId, text: bytes) -> Path:
    """Make the directory of a group appear, complete, in *groups*."""
    final = groups / name
    hidden = groups / f".{name}"
    shutil.rmtree(hidden, ignore_errors=True)
    hidden.mkdir(mode=0o700)
    with open(hidden / "tasks", "wb", opener=_private) as file:
        file.write(text)
        file.flush()
        os.fdatasync(file.fileno())
    hidden.rename(final)
    return final


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


def _group(directory: Path, name: RemoteId) -> Path | None:
    """Return where a group lies now."""
    for path in (directory / "groups" / name, _shelf(directory, name)):
        if path.is_dir() and not path.is_symlink():
            return path
    return None


def _read_journal(directory: Path, job: JobRef) -> JobReport:
    group = _group(directory, job.remote_id)
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


def _order_stop(directory: Path, job: JobRef, order: str) -> bool:
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


def _put_away(directory: Path, name: RemoteId) -> None:
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


def _read_output(group: Path, task: TaskNumber, stream: Output, limit: int) -> bytes:
    found = journal.extent(_read(group / "journal", 0, 64 * _JOURNAL_BYTES), task)
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
