"""Jobs as an OAR 3 lists them: shortly without their times, or with all that it knows."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Container, Iterable, Sequence

import msgspec

from cigri.clusters.oar.api import FINAL, OarEvent, OarJob, OarState
from cigri.clusters.oar.reply import Reply
from cigri.clusters.oar.v3.asking import Asking

#: Jobs that any cluster lists, and of which all else waits for the next portion.
MOST, PORTION = 200_000, 500
#: Jobs of one request that is told to list all of them: it has no upper limit of its own.
ALL = 1_000_000
#: Jobs that are asked for with all their columns at once: 0.13 ms of its time for each.
DETAILED = 1_000
#: Jobs up to which all columns are asked for at once, ended or not.
FEW = 64
#: Bytes of the numbers in an address, and what is tried when a web server before it refuses that.
ADDRESS = 30_000
SHORT_ADDRESS = 7_500
#: Seconds after which an event that the cluster has not dealt with is no reason to wait.
GRACE = 120.0

#: The end of a command, which tells which line of its array it is: a comment to every shell.
_POSITION = re.compile(r" #([1-9][0-9]*)\Z")


def numbered(lines: Sequence[str]) -> list[str]:
    """
    Return *lines* with their place, from 1, where only we look at it.

    >>> numbered(["a", "b"])
    ['a #1', 'b #2']
    """
    return [f"{line} #{place}" for place, line in enumerate(lines, 1)]


class Noted(msgspec.Struct, frozen=True, gc=False):
    """An event, as it comes with its job."""

    id: int
    type: str
    date: float = 0.0
    description: str = ""
    to_check: str = "NO"


class Item(msgspec.Struct, frozen=True, gc=False):
    """A job; what OAR does not know, or was not asked for, is left out of its answer."""

    id: int
    state: str
    name: str = ""
    user: str = ""
    exit_code: int | None = None
    start_time: float = 0.0
    stop_time: float = 0.0
    array_index: int = 0
    command: str = ""
    resubmit_job_id: int = 0
    launching_directory: str = ""
    events: Sequence[Noted] = ()

    @property
    def place(self) -> int:
        """Return which line of its array it runs, by its own words: an index may be missing."""
        found = _POSITION.search(self.command)
        return int(found[1]) if found else self.array_index

    @property
    def ours(self) -> bool:
        """Return whether CiGri sent it, without a directory: it starts in its user's home."""
        return self.command.startswith("exec sh -c ") and bool(_POSITION.search(self.command))

    @property
    def unsettled(self) -> bool:
        """Return whether the cluster may yet put another job in the place of this one."""
        return self.state == OarState.ERROR and any(
            event.type == "SWITCH_INTO_ERROR_STATE" and event.to_check == "YES"
            for event in self.events
        )

    def job(self, state: str | None = None) -> OarJob:
        """Return it as the driver sees jobs."""
        return OarJob(
            id=self.id,
            state=state or self.state,
            exit_code=self.exit_code,
            start_time=self.start_time,
            stop_time=self.stop_time,
            array_index=self.place,
        )

    def noted(self) -> list[OarEvent]:
        """Return what OAR noted about it, in the order in which it did."""
        return [
            OarEvent(
                job_id=self.id, type=event.type, description=event.description, date=event.date
            )
            for event in sorted(self.events, key=lambda event: event.id)
        ]


class _Page(msgspec.Struct):
    """The answer to a listing."""

    items: list[msgspec.Raw]


class Listing:
    """
    Looks at jobs.

    Args:
        asking: The API.
        clock: Seconds of a clock that only runs forward.
    """

    def __init__(self, asking: Asking, clock: Callable[[], float]) -> None:
        self._asking = asking
        self._clock = clock
        self._address = ADDRESS
        #: When a running job has started, which is told in details only.
        self._starts: dict[int, float] = {}
        #: Since when a job is seen in Error without being settled.
        self._unsettled: dict[int, float] = {}
        #: What was noted about the jobs that the last look found in Error.
        self.noted: dict[int, list[OarEvent]] = {}

    async def all(self, query: str) -> Sequence[Item]:
        """Return the jobs of a query."""
        return await self._read(await self._asking.ask("GET", f"/jobs?{query}&limit={ALL}"))

    async def details(self, ids: Sequence[int]) -> list[Item]:
        """Return all that is known of those of *ids* that exist."""
        return [item async for item in self._some(ids, "&details=1", DETAILED)]

    async def look(self, ids: Sequence[int]) -> list[Item]:
        """Return those of *ids* that exist, with their times; as they are, but for the unsettled.

        One that is unsettled comes as `toError`, and is looked at again.
        """
        found = {item.id: item for item in await self._states(ids)}
        if len(ids) > FEW:
            told = [number for number, item in found.items() if self._asks_more(item)]
            told += [number for number in ids if number not in found]
            found.update((item.id, item) for item in await self.details(told))
        self._starts = {
            number: item.start_time or self._starts.get(number, 0.0)
            for number, item in found.items()
            if item.state not in FINAL
        }
        self.noted = {
            item.id: item.noted() for item in found.values() if item.state == OarState.ERROR
        }
        return [self._settled(found[number]) for number in ids if number in found]

    async def _states(self, ids: Sequence[int]) -> Sequence[Item]:
        if len(ids) <= FEW:
            return await self.details(ids)
        if len(ids) > DETAILED:
            # All that lives at once; what is not among them has ended, and is looked at.
            wanted = frozenset(ids)
            return [item for item in await self.all("") if item.id in wanted]
        return [item async for item in self._some(ids, "", len(ids))]

    def _asks_more(self, item: Item) -> bool:
        running = item.state in (OarState.RUNNING, OarState.FINISHING)
        return item.state in FINAL or (running and not self._starts.get(item.id))

    def _settled(self, item: Item) -> Item:
        if item.unsettled:
            since = self._unsettled.setdefault(item.id, self._clock())
            if self._clock() - since < GRACE:
                return msgspec.structs.replace(item, state=OarState.TO_ERROR.value)
        self._unsettled.pop(item.id, None)
        start = item.start_time or self._starts.get(item.id, 0.0)
        return (
            item if start == item.start_time else msgspec.structs.replace(item, start_time=start)
        )

    async def _some(self, ids: Sequence[int], more: str, most: int) -> AsyncIterator[Item]:
        rest = list(ids)
        while rest:
            share = rest[: self._room(rest, most)]
            numbers = "&".join(f"job_ids={number}" for number in share)
            path = f"/jobs?{numbers}{more}&limit={ALL}"
            reply = await self._asking.ask("GET", path)
            if reply.status in (400, 414, 431) and self._address > SHORT_ADDRESS:
                self._address = SHORT_ADDRESS
                continue
            for item in await self._read(reply, frozenset(share)):
                yield item
            rest = rest[len(share) :]

    async def _read(self, reply: Reply, wanted: Container[int] | None = None) -> list[Item]:
        """Return the jobs of a listing that are *wanted*, and let others run meanwhile."""
        rows = self._asking.read(reply, _Page).items
        if len(rows) > MOST:
            raise self._asking.http.failed(reply)
        found: list[Item] = []
        for begin in range(0, len(rows), PORTION):
            text = b"".join((b"[", b",".join(rows[begin : begin + PORTION]), b"]"))
            items = self._asking.read(reply._replace(body=text), list[Item])
            found += items if wanted is None else [item for item in items if item.id in wanted]
            await asyncio.sleep(0)
        return found

    def _room(self, ids: Iterable[int], most: int) -> int:
        """Return how many of *ids* one address can name."""
        bytes_left = self._address
        count = 0
        for number in ids:
            bytes_left -= len(f"job_ids={number}&")
            if bytes_left < 0 or count == most:
                break
            count += 1
        return max(1, count)
