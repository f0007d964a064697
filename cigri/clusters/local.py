"""This host as a cluster: a worker for each user, fed with groups of tasks through directories.

Worker and server only share files, so each survives the other.  All work on files runs in threads,
with the rights of the user whom the files belong to.
"""

import asyncio
import contextlib
import errno
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from cigri.clusters import group_files
from cigri.clusters.driver import Batch, JobRef, JobReport, Output, RemoteState
from cigri.clusters.identity import account, acting_as
from cigri.clusters.local_worker import LocalWorker
from cigri.clusters.options import LocalOptions
from cigri.domain.model import JobId, RemoteId, TaskNumber
from cigri.errors import ClusterUnreachable, NotFound, SubmissionUnknown


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
        texts = {
            remote_ids[job]: group_files.tasks_file(batch, remote_ids[job], orders)
            for job, orders in batch.jobs.items()
        }
        with _nothing_happened(), worker.prepared() as groups:
            group_files.hide(groups, texts)
        with _unknown(), acting_as(worker.account):
            group_files.show(groups, texts)
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
                if group_files.locate(worker.directory, remote_id) is not None:
                    found[job] = remote_id
        return found

    def _status(self, jobs: Collection[JobRef]) -> Mapping[RemoteId, JobReport]:
        reports = {}
        for user, own in _by_user(jobs):
            worker = self._worker(user)
            with _nothing_happened(), acting_as(worker.account):
                for job in own:
                    reports[job.remote_id] = group_files.read_journal(worker.directory, job)
            if any(reports[job.remote_id].state in _LIVE for job in own):
                with _nothing_happened():
                    worker.poke(only_if_dead=True)
        return reports

    def _stop(self, jobs: Collection[JobRef], order: str) -> None:
        for user, own in _by_user(jobs):
            worker = self._worker(user)
            with _nothing_happened(), acting_as(worker.account):
                given = [group_files.order_stop(worker.directory, job, order) for job in own]
            if any(given):
                with _nothing_happened():
                    worker.poke()

    def _forget(self, jobs: Collection[JobRef]) -> None:
        for user, own in _by_user(jobs):
            worker = self._worker(user)
            with _nothing_happened(), acting_as(worker.account):
                for job in own:
                    group_files.put_away(worker.directory, job.remote_id)

    def _output(self, job: JobRef, task: TaskNumber, stream: Output, limit: int) -> bytes:
        worker = self._worker(job.user)
        with acting_as(worker.account):
            group = group_files.locate(worker.directory, job.remote_id)
            try:
                if group is None:
                    raise FileNotFoundError
                return group_files.read_output(group, task, stream, limit)
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
def _unknown() -> Iterator[None]:
    """Translate a failure after which some groups may be there."""
    try:
        yield
    except OSError as error:
        raise SubmissionUnknown(str(error)) from error


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
