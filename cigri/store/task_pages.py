"""Pages of tasks, by their numbers.

A page costs what it shows: the chunks that it touches and the campaign's open jobs.  A page of
those tasks alone that somebody looks for may have to look at more than it shows; it stops after
so many, and says where to go on.
"""

import asyncio
from collections.abc import Callable, Collection, Iterator, Mapping
from sqlite3 import Row

import attrs

from cigri.domain.attempt import Attempt
from cigri.domain.model import CampaignId, Task, TaskId, TaskState
from cigri.domain.selection import FINISHED, Selection
from cigri.errors import NotFound
from cigri.store import executions, parameters, records, spans
from cigri.store.database import Connection
from cigri.store.records import CHUNK, NO_STATUS, Records
from cigri.store.statements import load
from cigri.store.task_view import IN_FLIGHT, Held, View

sql = load("tasks")

#: Chunks that one page looks at in any case, and seconds after which it looks at no more.
LEAST_CHUNKS = 16
MOST_SECONDS = 0.025


@attrs.frozen(kw_only=True)
class Page:
    """Some tasks of a campaign."""

    tasks: list[Task]
    #: The number from which to go on, `None` at the end.
    following: int | None


async def page(
    db: Connection,
    campaign: CampaignId,
    *,
    first: int,
    limit: int,
    selection: Selection = Selection(),  # noqa: B008 - it is frozen
) -> Page:
    """
    Return up to *limit* tasks of those wanted, from number *first* on.

    A page may be short, or even empty, and yet not the last: it says.

    Raises:
        NotFound: There is no such campaign.
        DamagedParameters, DamagedRecords: What is stored cannot be read.
    """
    view = await View.of(db, campaign)
    if selection.is_all:
        end = min(first + limit, view.total)
        numbers = range(first, end)
        known = await view.records(db, numbers)
        found = await view.tasks(db, numbers, view.held(first, end), known)
        return Page(tasks=found, following=end if first <= end < view.total else None)
    return await _Search(db, view, selection, first).page(limit)


async def task(db: Connection, task_id: TaskId) -> Task:
    """
    Return a task by its id, with all attempts at it.

    Raises:
        NotFound: There is none.
        DamagedParameters, DamagedRecords: What is stored cannot be read.
    """
    place = await spans.locate(db, task_id)
    for found in (await page(db, place.campaign, first=place.number, limit=1)).tasks:
        ended = await executions.of_task(db, place.campaign, place.number)
        earlier = [each for each in reversed(ended) if not _is_last(found, each)]
        ending = next((each.ending for each in ended if _is_last(found, each)), None)
        return attrs.evolve(found, earlier=tuple(earlier), ending=ending)
    # It stood by in a campaign without an end that was ended before.
    message = f"there is no job {task_id}"
    raise NotFound(message)


def _is_last(task: Task, attempt: Attempt) -> bool:
    """Return whether an attempt is the one that a task itself tells of."""
    return (attempt.job, attempt.started_at) == (task.job, task.started_at)


class _Search:
    """Looks through a campaign, chunk by chunk, where there may be what is wanted."""

    def __init__(self, db: Connection, view: View, selection: Selection, first: int) -> None:
        self._db = db
        self._view = view
        self._selection = selection
        self._first = first
        self._held = view.held(first, view.total)
        self._cluster = next(
            (id_ for id_, name in view.cluster_names.items() if name == selection.cluster), None
        )

    async def page(self, limit: int) -> Page:
        """Return the next *limit* tasks that are wanted, or as many as there are nearby."""
        found: list[int] = []
        known: dict[int, Records] = {}
        following = None
        now = asyncio.get_running_loop().time
        deadline = now() + MOST_SECONDS
        for looked, chunk in enumerate(await self._candidates()):
            if looked >= LEAST_CHUNKS and now() >= deadline:
                following = max(self._first, chunk * CHUNK)
                break
            numbers = range(
                max(self._first, chunk * CHUNK), min((chunk + 1) * CHUNK, self._view.total)
            )
            read = await self._view.records(self._db, numbers[:1])
            known.update(read)
            found += await self._wanted(numbers, read.get(chunk))
            if len(found) > limit:
                following = found[limit]
                break
            # There may be many chunks without what is looked for; others want their turn.
            await asyncio.sleep(0)
        tasks = await self._view.tasks(self._db, found[:limit], self._held, known)
        return Page(tasks=tasks, following=following)

    async def _candidates(self) -> Iterator[int]:
        """Return the chunks in which there may be tasks that are wanted, in order."""
        start = self._first // CHUNK
        where = {"campaign": self._view.row["id"], "first": start}
        tallies = {item["chunk"]: item for item in await self._db.all(sql.tallies, where)}
        held = {number // CHUNK for number in self._held}
        tests = self._tests(tallies, held)
        every = range(start, -(-self._view.total // CHUNK))
        return (chunk for chunk in every if all(test(chunk) for test in tests))

    def _tests(self, tallies: Mapping[int, Row], held: set[int]) -> list[Callable[[int], bool]]:
        """Return what a chunk must fulfil to be worth a look."""
        tests: list[Callable[[int], bool]] = []
        wanted = self._selection
        states = [state for state in wanted.states if self._view.row[state]]
        if wanted.states:
            tests.append(lambda chunk: any(_may_be(s, chunk, tallies, held) for s in states))
        if wanted.exit_status is not None:
            tests.append(tallies.__contains__)
        elif wanted.cluster is not None:
            tests.append(lambda chunk: chunk in tallies or chunk in held)
        return tests

    async def _wanted(self, numbers: range, items: Records | None) -> list[int]:
        """Return which of the tasks of one chunk are wanted."""
        likely = self._likely(numbers, items)
        found = [n for n in likely if self._fits(n, self._held.get(n), items)]
        if not self._selection.text or not found:
            return found
        given = await parameters.of_tasks(self._db, self._view.row["id"], found)
        return [number for number in found if self._selection.reads(given[number])]

    def _likely(self, numbers: range, items: Records | None) -> Collection[int]:
        """Return *numbers* without those whose record rules them out, at a tenth of the cost."""
        wanted, before = self._selection, numbers.start - numbers.start % CHUNK
        if items is None:
            return numbers
        if wanted.exit_status is not None:
            statuses = items.exit_status
            return [n for n in numbers if statuses[n - before] == wanted.exit_status]
        if wanted.states and wanted.states <= FINISHED:
            codes = {code for code, state in records.STATES.items() if state in wanted.states}
            states = items.state
            return [n for n in numbers if states[n - before] in codes]
        return numbers

    def _fits(self, number: int, held: Held | None, items: Records | None) -> bool:
        wanted = self._selection
        state = self._view.state(number, held, items)
        if wanted.states and state not in wanted.states:
            return False
        if wanted.cluster is None and wanted.exit_status is None:
            return True
        position = number % CHUNK
        cluster = status = None
        if held is not None and state in IN_FLIGHT:
            cluster = held.job.cluster_id
        elif items is not None and items.job[position]:
            cluster, status = items.cluster[position], items.exit_status[position]
        if wanted.cluster is not None and (cluster is None or cluster != self._cluster):
            return False
        return wanted.exit_status is None or status == wanted.exit_status != NO_STATUS


def _may_be(state: TaskState, chunk: int, tallies: Mapping[int, Row], held: set[int]) -> bool:
    """Return whether tasks in *state* may be in a chunk."""
    if state in IN_FLIGHT:
        return chunk in held
    tally = tallies.get(chunk)
    if state in FINISHED:
        return tally is not None and tally[state] > 0
    return tally is None or tally["succeeded"] + tally["failed"] < CHUNK
