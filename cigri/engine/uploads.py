"""Brings the parameters of a new campaign into the store, or only looks at them.

Compression runs in threads beside the reading, so that the event loop never stops for long and a
million parameters are never all in memory.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence

import attrs

from cigri.domain.lines import LineParameters
from cigri.domain.model import CampaignId, CampaignSpec, Parameter
from cigri.domain.parameters import parameters
from cigri.errors import TooLarge
from cigri.store import parameters as stored
from cigri.store.database import Database

#: Chunks that are compressed and stored together.
BATCH = 12
#: Batches that are compressed at a time: zlib does not hold Python's lock.
PACKERS = 2

#: Up to 1,000 parameters: lines of text, or values.
Chunk = bytes | list[Parameter]


async def chunks(
    spec: CampaignSpec, lines: AsyncIterator[bytes] | None, limit: int
) -> AsyncIterator[Chunk]:
    """
    Yield the parameters of a campaign that gives them, by 1,000.

    Raises:
        InvalidJdl: One of them is none, or there are more than *limit*.
    """
    if lines is not None:
        splitter = LineParameters(limit=limit)
        async for block in lines:
            for text in splitter.feed(block):
                yield text
        for text in splitter.finish():
            yield text
    elif spec.params is not None:
        for values in parameters(spec.params, limit=limit):
            if values:
                yield values
            # A slice takes a fraction of a millisecond; others want their turn.
            await asyncio.sleep(0)


def size(chunk: Chunk) -> int:
    """Return how many parameters are in a chunk."""
    return chunk.count(b"\n") + 1 if isinstance(chunk, bytes) else len(chunk)


async def store(database: Database, campaign: CampaignId, source: AsyncIterator[Chunk]) -> int:
    """Store the chunks of *source* for a campaign that nobody sees yet; return how many tasks."""
    loop = asyncio.get_running_loop()
    total = number = 0
    packing: deque[asyncio.Future[list[stored.Packed]]] = deque()
    async for batch in _batches(source):
        total += sum(map(size, batch))
        packing.append(loop.run_in_executor(None, _pack, batch))
        if len(packing) > PACKERS:
            number += await _write(database, campaign, number, await packing.popleft())
    while packing:
        number += await _write(database, campaign, number, await packing.popleft())
    return total


async def _batches(source: AsyncIterator[Chunk]) -> AsyncIterator[list[Chunk]]:
    batch: list[Chunk] = []
    async for chunk in source:
        batch.append(chunk)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _pack(batch: Sequence[Chunk]) -> list[stored.Packed]:
    return [
        stored.pack_lines(chunk) if isinstance(chunk, bytes) else stored.pack(chunk)
        for chunk in batch
    ]


async def _write(
    database: Database, campaign: CampaignId, number: int, packed: Sequence[stored.Packed]
) -> int:
    async with database.write() as tx:
        await stored.insert(tx, campaign, number, packed)
    return len(packed)


@attrs.frozen(kw_only=True)
class Glance:
    """How many tasks there would be, and the first two and the last of them."""

    tasks: int
    samples: tuple[tuple[int, Parameter], ...]


async def glance(spec: CampaignSpec, lines: AsyncIterator[bytes] | None, limit: int) -> Glance:
    """Look at the parameters of a campaign without storing any."""
    if spec.nb_jobs is not None:
        ends = sorted(
            {*range(min(2, spec.nb_jobs)), *range(max(0, spec.nb_jobs - 1), spec.nb_jobs)}
        )
        return Glance(tasks=spec.nb_jobs, samples=tuple((n, str(n)) for n in ends))
    total = 0
    found: dict[int, Parameter] = {}
    last: Chunk = []
    async for chunk in chunks(spec, lines, limit):
        if not total:
            found = dict(enumerate(_values(chunk)[:2]))
        total += size(chunk)
        last = chunk
    if total:
        found[total - 1] = _values(last)[-1]
    return Glance(tasks=total, samples=tuple(found.items()))


def _values(chunk: Chunk) -> Sequence[Parameter]:
    return chunk.decode().split("\n") if isinstance(chunk, bytes) else chunk


def check_count(tasks: int, limit: int) -> None:
    """
    Check the number of tasks of a campaign.

    Raises:
        TooLarge: There are more than the configuration allows.
    """
    if tasks > limit:
        message = f"{tasks} tasks, at most {limit} are allowed here: split the campaign"
        raise TooLarge(message)
