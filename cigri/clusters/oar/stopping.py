"""Ends jobs of OAR, or keeps them from starting, with few requests."""

from collections.abc import Callable, Collection, Mapping, Sequence

from cigri.clusters.driver import JobRef
from cigri.clusters.oar.api import OarApi
from cigri.clusters.oar.files import Files
from cigri.clusters.oar.watch import Watch
from cigri.domain.model import Shape, TaskNumber
from cigri.domain.remote_ids import split_ids

#: Jobs of an array that are deleted one by one; more are deleted with the whole array.
FEW = 5
#: Waiting jobs of an array that also runs, deleted in one cycle; the others find it void.
MOST_DELETIONS = 20
#: Seconds after which a deletion that has shown no effect is asked for again.
AGAIN = 60.0


class Stopping:
    """Remembers what was asked, so that it is not asked for in every cycle."""

    def __init__(self, api: OarApi, watch: Watch, files: Files, now: Callable[[], float]) -> None:
        self._api = api
        self._watch = watch
        self._files = files
        self._now = now
        #: What OAR was asked to delete, and when.
        self._deleted: dict[int, float] = {}

    async def withdraw(self, job: JobRef) -> None:
        """Delete what waits; what runs of a group, or starts of an array, is told by a file."""
        ids = list(filter(None, open_ids(job).values()))
        waiting = [number for number in ids if self._watch.waits(number)]
        if len(waiting) == len(ids):
            await self._delete(job, ids)
        elif job.shape is Shape.GROUP:
            await self._files.stop(job)
        else:
            await self._files.void(job.tag, job.user)
            await self._delete(job, waiting[:MOST_DELETIONS], one_by_one=True)

    async def kill(self, job: JobRef) -> None:
        """Delete a job."""
        await self._delete(job, list(filter(None, open_ids(job).values())))

    async def cancel(self, job: JobRef, tasks: Collection[TaskNumber]) -> None:
        """Delete the remote jobs of *tasks*, or tell the worker of their group."""
        if job.shape is Shape.GROUP and self._api.can_write:
            await self._files.cancel(job, tasks)
        elif job.shape is Shape.GROUP:
            # Its worker cannot be told anything: the others run again.
            await self.kill(job)
        else:
            ids = open_ids(job)
            wanted = [ids.get(place) for place, task in job.open.items() if task in tasks]
            await self._delete(job, list(filter(None, wanted)), one_by_one=True)

    async def _delete(self, job: JobRef, ids: Sequence[int], *, one_by_one: bool = False) -> None:
        """Delete remote jobs that are open, with few requests, and not again every cycle."""
        now = self._now()
        self._deleted = {n: at for n, at in self._deleted.items() if now - at < AGAIN}
        ids = [number for number in ids if number not in self._deleted]
        if not ids:
            return
        array = None if one_by_one or len(ids) <= FEW else _array(job)
        if array is not None:
            await self._api.delete_array(array, job.user)
        else:
            await self._api.delete(ids, job.user)
        self._deleted.update(dict.fromkeys(ids, now))


def open_ids(job: JobRef) -> Mapping[int, int | None]:
    """Return the remote jobs of what has not ended of *job*, by position; of a group its one."""
    if job.shape is Shape.GROUP:
        return {0: int(job.remote_id)}
    ids = split_ids(job.remote_id)
    return {place: ids[place] if place < len(ids) else None for place in job.open}


def _array(job: JobRef) -> int | None:
    """Return the number of the array that *job* is, if it is a whole one and that can be told."""
    ids = split_ids(job.remote_id)
    # The first may have been replaced by a job that OAR made later; its number was the array's.
    return ids[0] if None not in ids and ids[0] == min(filter(None, ids)) else None
