"""The files of our jobs in the homes of a cluster of OAR, written and read over HTTP."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from typing import TypeVar

from cigri.clusters import node
from cigri.clusters.driver import JobRef, JobReport, Output, RemoteState
from cigri.clusters.oar.api import FINAL, OarApi
from cigri.clusters.oar.ends import OarEnd
from cigri.domain.model import RemoteId, Shape, TaskNumber
from cigri.errors import ClusterError, ClusterUnreachable, Fault, NotFound, SubmissionRejected

#: Requests at a time.
AT_ONCE = 4
#: Lines of an output that are looked at, bytes of a journal, and of one line of it.
LINES = 1000
MOST_OF_JOURNAL = 8 * 2**20
MOST_OF_LINE = 1024
#: Bytes of the output of all tasks of a slot.
MOST_OF_SLOT = 16 * 2**20
#: Seconds for which the journals of a user who has one that hangs are left alone, first and at
#: most.
REST, LONGEST_REST = 60.0, 3600.0

Found = TypeVar("Found")
Key = TypeVar("Key")


class Files:
    """What lies in the users' homes."""

    def __init__(self, api: OarApi, now: Callable[[], float] = time.monotonic) -> None:
        self._api = api
        self._slow = _Slow(now)
        #: Files that all submissions of a user share, and that are there.
        self._shared: set[tuple[str, str]] = set()
        #: Groups that were told to stop, and how.
        self._stopped: dict[RemoteId, str] = {}
        #: Submissions that were made void.
        self._void: set[str] = set()

    async def lay(self, parcel: node.Parcel, user: str) -> None:
        """Write what the jobs of a submission need, before they are created."""
        for path, data in parcel.shared.items():
            if (user, path) not in self._shared:
                await self._api.write(path, user, data)
                self._shared.add((user, path))
        for path, data in parcel.files.items():
            await self._api.write(path, user, data)

    async def void(self, tag: str, user: str) -> None:
        """Keep jobs of *tag* from starting, where a file can say so."""
        if self._api.can_write and tag not in self._void:
            await self._api.write(node.void_file(tag), user, b"void\n")
            self._void.add(tag)

    async def stop(self, job: JobRef, how: str = "withdraw") -> None:
        """Tell the worker of a group to start no more tasks, or to end at once."""
        if self._api.can_write and self._stopped.get(job.remote_id) not in {how, "kill"}:
            await self._api.write(node.stop_file(job), job.user, f"{how}\n".encode())
            self._stopped[job.remote_id] = how

    async def conclude(self, job: JobRef, end: OarEnd) -> bool:
        """
        See to what the end of a group asks for; return whether none of it runs any more.

        Its tasks go back to the bag, so what OAR has made in its stead must run none of them, and
        what that has run counts: its journal is whole when that is over.
        And where no worker could run, somebody may have removed it: it is sent again.
        """
        if end.broken:
            self._shared = {each for each in self._shared if each[0] != job.user}
        if end.moved is None:
            return True
        # Where the user has closed that directory, its worker cannot write there either.
        with suppress(SubmissionRejected):
            await self.stop(job, "kill")
        await self._api.delete([end.moved], job.user)
        look = await self._api.jobs([end.moved], job.user)
        return all(each.state in FINAL for each in look.jobs)

    async def cancel(self, job: JobRef, tasks: Collection[TaskNumber]) -> None:
        """Tell the worker of a group which tasks to leave out, besides those told before."""
        if not self._api.can_write:
            return
        path = node.cancel_file(job)
        before = await self._api.read(path, job.user, limit=MOST_OF_JOURNAL) or b""
        # Its user can write anything there.
        known = {str(task).encode() for task in job.open.values()} & frozenset(before.split())
        lines = sorted(known | {str(task).encode() for task in tasks}, key=int)
        await self._api.write(path, job.user, b"".join(b"%b\n" % line for line in lines))

    async def journals(
        self, groups: Sequence[JobRef], written: Sequence[JobRef]
    ) -> Mapping[RemoteId, JobReport]:
        """
        Return what the journals of *groups* say; only *written* may have any.

        Those that may not be read now, since their user's token has expired, are left out.
        So are those of a user with one that hangs, for a while: nobody else waits for it.
        """

        async def read(job: JobRef) -> JobReport | None:
            if self._slow.rests(job.user):
                return None
            lines = node.journal_lines(job)
            try:
                text = await self._api.read(
                    node.journal_file(job),
                    job.user,
                    tail=lines,
                    limit=min(MOST_OF_JOURNAL, lines * MOST_OF_LINE),
                )
            except SubmissionRejected:
                return None
            except ClusterUnreachable as error:
                self._slow.hung(job.user, error)
                return None
            self._slow.answered(job.user)
            # What a cluster sends beyond that is not to keep us busy.
            last = (text or b"").rsplit(b"\n", lines + 1)[-lines - 1 :]
            return node.read_journal(b"\n".join(last), job)

        self._slow.begin()
        told = await _each({job.remote_id: job for job in written}, read)
        silent = JobReport(state=RemoteState.WAITING)
        reports = {job.remote_id: told.get(job.remote_id, silent) for job in groups}
        return {number: report for number, report in reports.items() if report is not None}

    async def outputs(
        self, job: JobRef, tasks: Collection[TaskNumber], stream: Output, limit: int
    ) -> Mapping[TaskNumber, bytes]:
        """Return the ends of what *tasks* wrote, as far as they are there."""
        if job.shape is Shape.GROUP:
            return await self._of_group(job, tasks, stream, limit)
        places = {task: job.positions(task) for task in tasks}

        async def read(place: int | None) -> bytes | None:
            if place is None:
                return None
            path = node.output_file(job, place, stream)
            return await self._read(path, job.user, tail=LINES, limit=limit)

        found = await _each(places, read)
        return {task: data for task, data in found.items() if data is not None}

    async def _of_group(
        self, job: JobRef, tasks: Collection[TaskNumber], stream: Output, limit: int
    ) -> Mapping[TaskNumber, bytes]:
        path = node.journal_file(job)
        text = await self._read(path, job.user, limit=MOST_OF_JOURNAL)
        if text is None:
            return {}
        # A journal may be long, and its user may have made it so.
        places = await asyncio.to_thread(node.places_of, text, tasks)
        wanted = {place.slot: place.slot for place in places.values()}

        async def read(slot: int) -> bytes | None:
            packed = node.packed_file(job, slot, stream)
            return await self._read(packed, job.user, limit=MOST_OF_SLOT)

        packed = await _each(wanted, read)

        def cut() -> Mapping[TaskNumber, bytes]:
            found = {}
            for task in tasks:
                place = places.get(task)
                data = None if place is None else packed[place.slot]
                if data is not None:
                    with suppress(NotFound):
                        found[task] = node.cut_output(
                            text, data, task, stream, limit, is_whole=len(data) < MOST_OF_SLOT
                        )
            return found

        return await asyncio.to_thread(cut)

    async def _read(
        self, path: str, user: str, *, tail: int | None = None, limit: int
    ) -> bytes | None:
        """Return the end of a file, `None` where there is none for a user with such a token."""
        try:
            return await self._api.read(path, user, tail=tail, limit=limit)
        except SubmissionRejected:
            return None

    def forget(self, job: JobRef) -> None:
        """Remember nothing more of an ended job."""
        self._stopped.pop(job.remote_id, None)
        self._void.discard(job.tag)


class _Slow:
    """The users whose journals hang, which they can bring about themselves."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        #: Until when nothing of them is read, and for how long that is.
        self._rests: dict[str, tuple[float, float]] = {}
        #: Who has hung in this cycle.
        self._hang: set[str] = set()

    def begin(self) -> None:
        """Say that a new cycle begins."""
        self._hang.clear()

    def rests(self, user: str) -> bool:
        """Return whether nothing of a user's is to be read now."""
        return user in self._rests and self._now() < self._rests[user][0]

    def answered(self, user: str) -> None:
        """Say that a journal of a user's could be read."""
        self._rests.pop(user, None)

    def hung(self, user: str, error: ClusterUnreachable) -> None:
        """
        Let a user rest whose journal did not come in time.

        Raises:
            ClusterUnreachable: It is the cluster that hangs, or something else.
        """
        self._hang.add(user)
        if error.fault is not Fault.TIMEOUT or len(self._hang) > 1:
            raise error
        until, last = self._rests.get(user, (0.0, 0.0))
        if self._now() >= until:
            last = min(max(REST, 2 * last), LONGEST_REST)
            self._rests[user] = (self._now() + last, last)


async def _each(
    items: Mapping[Key, object], ask: Callable[..., Awaitable[Found]]
) -> Mapping[Key, Found]:
    """
    Return what *ask* finds for each of *items*, a few at a time.

    Raises:
        ClusterError: The first that one of them raised.
    """
    gate = asyncio.Semaphore(AT_ONCE)
    found: dict[Key, Found] = {}

    async def one(key: Key, item: object) -> None:
        async with gate:
            found[key] = await ask(item)

    try:
        async with asyncio.TaskGroup() as group:
            for key, item in items.items():
                group.create_task(one(key, item))
    except* ClusterError as errors:
        raise errors.exceptions[0] from None
    return found
