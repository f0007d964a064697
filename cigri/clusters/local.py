"""This host as a cluster: a worker for each user, fed with groups of tasks through directories.

Worker and server only share files, so each survives the other.  All work on files runs in threads,
with the rights of the user whom the files belong to.
"""

import asyncio
import contextlib
import os
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

import attrs

from cigri.clusters import group_files
from cigri.clusters.broken_files import BrokenFiles, nothing_happened, unknown
from cigri.clusters.credentials import Credentials
from cigri.clusters.driver import Batch, Capacity, JobRef, JobReport, Output, RemoteState, Usage
from cigri.clusters.identity import account, acting_as
from cigri.clusters.local_worker import LocalWorker
from cigri.clusters.options import LocalOptions
from cigri.domain.model import JobId, RemoteId, TaskNumber
from cigri.domain.pace import Pace
from cigri.domain.scheduling.shares import level
from cigri.errors import ClusterUnreachable, NotFound, SubmissionRejected


class LocalDriver:
    """Runs tasks on this host."""

    name = "local"
    fence = 0.0
    clock_skew: float | None = None
    credentials: Credentials | None = None
    pace = Pace(quick=0.02, steady=0.15, slow=1.0)

    def __init__(self, directory: Path, options: LocalOptions) -> None:
        self._directory = directory
        self._options = options
        self.stress_limit = options.stress_limit
        self.capacity = Capacity()
        self._workers: dict[str, LocalWorker] = {}
        #: Cores that the tasks of each user which have not ended would occupy.
        self._demands: dict[str, int] = {}
        # Submitter and poller work in threads of their own.
        self._changing = threading.RLock()

    def refusal(self, user: str) -> str | None:
        """Return why *user* may not run tasks on this host."""
        options = self._options
        if options.users is not None and user not in options.users:
            return f"{user} is not among the `users` of this cluster: ask its administrator"
        try:
            who = account(user)
        except NotFound as error:
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

    async def stress(self) -> float | None:
        """Return the load of this host, of whomever it is, for each of its cores."""
        try:
            # In a container too it is the whole host's, and so are the cores.
            return os.getloadavg()[0] / (os.cpu_count() or 1)
        except OSError:
            return None

    async def usage(self) -> Usage | None:
        """Return `None`: what else runs here has no cores of its own."""
        return None

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

    async def renounce(self, tag: str, user: str) -> None:
        """Do nothing: no group appears after its server has given up on it."""

    async def forget(self, jobs: Collection[JobRef]) -> None:
        """Put the groups of *jobs* away; their output stays readable."""
        await asyncio.to_thread(self._forget, jobs)

    async def tidy(self, open_jobs: Collection[RemoteId]) -> None:
        """Put away the groups that ended unseen, and remove those that never appeared."""
        await asyncio.to_thread(self._tidy, frozenset(open_jobs))

    async def close(self) -> None:
        """Do nothing: workers go on without the server."""

    async def outputs(
        self, job: JobRef, tasks: Collection[TaskNumber], stream: Output, limit: int
    ) -> Mapping[TaskNumber, bytes]:
        """Return the ends of what *tasks* wrote, with one look at the journal of their job."""
        return await asyncio.to_thread(self._outputs, job, tasks, stream, limit)

    async def cancel(self, job: JobRef, tasks: Collection[TaskNumber]) -> None:
        """Tell the worker which tasks of *job* to kill, or to leave out."""
        await asyncio.to_thread(self._cancel, job, tasks)

    def _worker(self, user: str) -> LocalWorker:
        with self._changing:
            if user not in self._workers:
                self._workers[user] = LocalWorker(
                    self._directory / user, account(user), self._options
                )
            return self._workers[user]

    def _submit(self, batch: Batch) -> Mapping[JobId, RemoteId]:
        remote_ids = {job: _remote_id(batch.tag, place) for place, job in enumerate(batch.jobs)}
        texts = {
            remote_ids[job]: group_files.tasks_file(batch, remote_ids[job], orders)
            for job, orders in batch.jobs.items()
        }
        demand = batch.settings.cores * sum(map(len, batch.jobs.values()))
        try:
            worker = self._worker(batch.user)
            with nothing_happened(worker.account):
                groups = worker.prepare()
                # Whatever may keep the worker from new groups is found before there are any.
                self._share_slots({batch.user: demand})
                worker.poke(only_if_dead=True)
                with acting_as(worker.account):
                    group_files.hide(groups, texts)
        except (BrokenFiles, NotFound) as error:
            raise SubmissionRejected(str(error)) from error
        with unknown(), acting_as(worker.account):
            group_files.show(groups, texts)
        # The groups are there: whatever fails from here on, the next `status` tries again.
        with contextlib.suppress(OSError):
            worker.poke()
        return remote_ids

    def _share_slots(self, more: Mapping[str, int]) -> None:
        """
        Divide the slots among the users who have something to run, *more* than was known.

        Raises:
            OSError: One of those who have more cannot be told.
        """
        with self._changing:
            for user, demand in more.items():
                self._demands[user] = self._demands.get(user, 0) + demand
            share = level(self._demands.values(), self._options.slots)
            for user in self._demands:
                # What one user has made of their files must not concern another one.
                with contextlib.nullcontext() if user in more else contextlib.suppress(OSError):
                    self._worker(user).set_slots(share)

    def _find(self, tag: str, user: str, jobs: Sequence[JobId]) -> Mapping[JobId, RemoteId]:
        found = {}
        with contextlib.suppress(BrokenFiles, NotFound):
            worker = self._worker(user)
            with nothing_happened(worker.account), acting_as(worker.account):
                for place, job in enumerate(jobs):
                    remote_id = _remote_id(tag, place)
                    if group_files.locate(worker.directory, remote_id) is not None:
                        found[job] = remote_id
        return found

    def _status(self, jobs: Collection[JobRef]) -> Mapping[RemoteId, JobReport]:
        reports: dict[RemoteId, JobReport] = {}
        demands: dict[str, int] = {}
        for user, own in _by_user(jobs):
            told = {job.remote_id: self._report(job) for job in own}
            live = [job for job in own if told[job.remote_id].state in _LIVE]
            try:
                if live:
                    worker = self._worker(user)
                    with nothing_happened(worker.account):
                        worker.poke(only_if_dead=True)
                    demands[user] = sum(job.demand for job in live)
            except BrokenFiles:
                for job in live:
                    told[job.remote_id] = attrs.evolve(told[job.remote_id], state=RemoteState.LOST)
            reports.update(told)
        with self._changing:
            self._demands = demands
            self._share_slots({})
        return reports

    def _report(self, job: JobRef) -> JobReport:
        """Return what the journal of a job says; a job whose owner has broken it is lost."""
        try:
            worker = self._worker(job.user)
            with nothing_happened(worker.account), acting_as(worker.account):
                return group_files.read_journal(worker.directory, job)
        except (BrokenFiles, NotFound):
            return JobReport(state=RemoteState.LOST, running=job.running, read_to=job.read_to)

    def _stop(self, jobs: Collection[JobRef], order: str) -> None:
        for user, own in _by_user(jobs):
            # What cannot be told to the worker is lost at the next `status`.
            with contextlib.suppress(BrokenFiles, NotFound):
                worker = self._worker(user)
                with nothing_happened(worker.account), acting_as(worker.account):
                    given = [group_files.order_stop(worker.directory, job, order) for job in own]
                if any(given):
                    with nothing_happened(worker.account):
                        worker.poke()

    def _forget(self, jobs: Collection[JobRef]) -> None:
        for job in jobs:
            with contextlib.suppress(BrokenFiles, NotFound):
                worker = self._worker(job.user)
                with nothing_happened(worker.account), acting_as(worker.account):
                    group_files.put_away(worker.directory, job.remote_id)

    def _tidy(self, open_jobs: Collection[RemoteId]) -> None:
        users = sorted(self._directory.iterdir()) if self._directory.is_dir() else []
        for path in users:
            with contextlib.suppress(BrokenFiles, ClusterUnreachable, NotFound):
                worker = self._worker(path.name)
                with nothing_happened(worker.account), acting_as(worker.account):
                    group_files.tidy(worker.directory, open_jobs)

    def _outputs(
        self, job: JobRef, tasks: Collection[TaskNumber], stream: Output, limit: int
    ) -> Mapping[TaskNumber, bytes]:
        with contextlib.suppress(OSError, NotFound):
            worker = self._worker(job.user)
            with acting_as(worker.account):
                group = group_files.locate(worker.directory, job.remote_id)
                if group is not None:
                    return group_files.read_outputs(group, tasks, stream, limit)
        return {}

    def _cancel(self, job: JobRef, tasks: Collection[TaskNumber]) -> None:
        with contextlib.suppress(BrokenFiles, NotFound):
            worker = self._worker(job.user)
            with nothing_happened(worker.account), acting_as(worker.account):
                news = group_files.order_cancel(worker.directory, job.remote_id, tasks)
            if news:
                with nothing_happened(worker.account):
                    worker.poke()


#: States of jobs that need a living worker.
_LIVE = {RemoteState.WAITING, RemoteState.RUNNING}


def _remote_id(tag: str, place: int) -> RemoteId:
    return RemoteId(f"{tag}.{place}")


def _by_user(jobs: Collection[JobRef]) -> Iterator[tuple[str, list[JobRef]]]:
    users: dict[str, list[JobRef]] = {}
    for job in jobs:
        users.setdefault(job.user, []).append(job)
    yield from users.items()
