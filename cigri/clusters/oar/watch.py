"""Which of the open jobs of a cluster to ask for, with one request at a time."""

from collections.abc import Callable, Collection, Mapping, Sequence

import attrs

from cigri.clusters.oar.api import FINAL, QUEUED, OarApi, OarJob

#: Seconds by which a window overlaps the one before: a job is listed under the second of its end,
#: and a moment after it.
MARGIN = 3.0
#: Seconds after which a job of which nothing was heard is asked for by its number.
SILENCE = 60.0
#: Seconds between two such questions, for which a window is left out.
REST = 30.0
#: Seconds after which a job that is missing is lost.
GRACE = 60.0

_NEVER = float("-inf")


@attrs.frozen(kw_only=True)
class Seen:
    """What a look has shown; a job that is not in it is as it was."""

    jobs: Mapping[int, OarJob]
    #: Jobs that the cluster has not known for long enough.
    lost: Collection[int]
    #: The cluster's time, 0 where it does not tell.
    at: float


class Watch:
    """
    Remembers when each job was last heard of, and asks accordingly.

    Few jobs are asked for by their numbers.  Of many, a window lists what runs and what has ended
    since the last one; it leaves out those that were deleted before they started, and those whose
    end came to be known late.  They are noticed by the silence about them, or because they had
    cores and vanish, and asked for by number instead of the next window.
    """

    def __init__(self, api: OarApi, now: Callable[[], float]) -> None:
        self._api = api
        self._now = now
        self._heard: dict[int, float] = {}
        #: Those that had cores when last listed.
        self._live: set[int] = set()
        self._vanished: set[int] = set()
        self._missing: dict[int, float] = {}
        #: Jobs that wait, as far as is known.
        self._queued: set[int] = set()
        #: From when on, by the cluster's clock, nothing was seen in a window.
        self._since = 0.0
        self._was_by_number = False
        self._asked_at = _NEVER

    def expect(self, ids: Collection[int]) -> None:
        """Say that these jobs were just created: the next window shows them."""
        for number in ids:
            self._heard[number] = self._now()
        self._queued.update(ids)

    def waits(self, number: int) -> bool:
        """Return whether a job had no cores when it was last heard of."""
        return number in self._queued

    async def look(self, ids: Sequence[int], user: str, *, only_one: bool) -> Seen:
        """
        Return what is new about *ids*, ascending, with one request.

        Args:
            ids: All jobs that are open.
            user: One of those whose jobs they are.
            only_one: Whether all are that user's.
        """
        self._forget(frozenset(ids))
        now = self._now()
        if self._api.room(ids) >= len(ids):
            return await self._by_number(ids, user, now)
        doubtful = self._doubtful(ids, now)
        if doubtful or not self._since:
            some = doubtful or ids
            return await self._by_number(sorted(some[: self._api.room(some)]), user, now)
        return await self._window(user if only_one else None, now)

    async def _by_number(self, ids: Sequence[int], user: str, now: float) -> Seen:
        look = await self._api.jobs(ids, user)
        self._since = self._since or look.server_time
        self._was_by_number, self._asked_at = True, now
        wanted = frozenset(ids)
        # Whatever else is told is about other people's jobs.
        found = {job.id: job for job in look.jobs if job.id in wanted}
        for number in ids:
            if number in found:
                self._missing.pop(number, None)
            else:
                self._missing.setdefault(number, now)
            # A missing one is asked for again when its turn comes.
            self._heard[number] = now
        self._vanished.difference_update(ids)
        self._note(found)
        lost = [n for n in ids if n in self._missing and now - self._missing[n] >= GRACE]
        return Seen(jobs=found, lost=lost, at=look.server_time)

    async def _window(self, user: str | None, now: float) -> Seen:
        wanted = self._heard.keys()
        look = await self._api.changed(self._since - MARGIN, user, wanted)
        if look.server_time:
            self._since = look.server_time
        self._was_by_number = False
        found = {job.id: job for job in look.jobs if job.id in wanted}
        for number in found:
            self._heard[number] = now
            self._missing.pop(number, None)
        self._vanished |= self._live - found.keys()
        self._vanished -= found.keys()
        self._note(found)
        return Seen(jobs=found, lost=(), at=look.server_time)

    def _note(self, found: Mapping[int, OarJob]) -> None:
        for number, job in found.items():
            if job.state in QUEUED:
                self._queued.add(number)
                self._live.discard(number)
            else:
                self._queued.discard(number)
                if job.state in FINAL:
                    self._live.discard(number)
                else:
                    self._live.add(number)
        self._live -= self._vanished

    def _doubtful(self, ids: Sequence[int], now: float) -> list[int]:
        """Return what to ask for by number now, the most doubtful first; nothing for a window."""
        if self._was_by_number and self._since:
            return []
        unheard = any(self._heard[number] == _NEVER for number in ids)
        rested = unheard or now - self._asked_at >= REST
        if not self._vanished and not rested:
            return []
        silent = [n for n in ids if now - self._heard[n] >= SILENCE and n not in self._vanished]
        silent.sort(key=self._heard.__getitem__)
        return [*sorted(self._vanished), *silent]

    def _forget(self, ids: frozenset[int]) -> None:
        """Drop what is remembered of jobs that are not open any more; note those that are new."""
        for gone in [number for number in self._heard if number not in ids]:
            del self._heard[gone]
            self._missing.pop(gone, None)
        for number in ids:
            # After a start nothing is known of what has happened before.
            self._heard.setdefault(number, _NEVER)
        self._live &= ids
        self._queued &= ids
        self._vanished &= ids
