"""Brings the parameters of tasks into the store, or only looks at them.

Compression runs in threads beside the reading, so that the event loop never stops for long and a
million parameters are never all in memory.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence

import attrs

from cigri.domain.lines import LineParameters
from cigri.domain.model import CampaignId, JobsType, Parameter
from cigri.domain.parameters import parameters
from cigri.domain.spec import CampaignSpec
from cigri.errors import TooLarge
from cigri.store import parameters as stored
from cigri.store.database import Database
from cigri.store.growth import STOCK

#: Chunks that are compressed and stored together.
BATCH = 12
#: Batches that are compressed at a time: zlib does not hold Python's lock.
PACKERS = 2

#: Up to 1,000 parameters: lines of text, or values.
Chunk = bytes | list[Parameter]


def whole(spec: CampaignSpec) -> stored.Piece | None:
    """
    Return all the parameters of a campaign that need not be given one by one, else `None`.

    Those of an endless one are its first stock.
    """
    if spec.endless:
        return stored.Piece(STOCK, stored.Encoding.SAME)
    if spec.nb_jobs is not None:
        alike = spec.jobs_type is JobsType.DESKTOP_COMPUTING
        return stored.Piece(spec.nb_jobs, stored.Encoding.SAME if alike else stored.Encoding.COUNT)
    return None if spec.sweep is None else stored.pack_sweep(spec.sweep)


async def of_lines(
    blocks: AsyncIterator[bytes], limit: int | None = None, *, stripped: bool = False
) -> AsyncIterator[Chunk]:
    """
    Yield the parameters in blocks of lines, by 1,000; *stripped* of white space at their ends.

    Raises:
        InvalidJdl: One of them is none, or there are more than *limit*.
    """
    splitter = LineParameters(limit=limit, stripped=stripped)
    async for block in blocks:
        for text in splitter.feed(block):
            yield text
    for text in splitter.finish():
        yield text


async def of_array(array: bytes | memoryview, limit: int | None = None) -> AsyncIterator[Chunk]:
    """
    Yield the parameters in a JSON array, by 1,000.

    Raises:
        InvalidJdl: One of them is none, or there are more than *limit*.
    """
    for values in parameters(array, limit=limit):
        if values:
            yield values
        # A slice takes a fraction of a millisecond; others want their turn.
        await asyncio.sleep(0)


def size(chunk: Chunk) -> int:
    """Return how many parameters are in a chunk."""
    return chunk.count(b"\n") + 1 if isinstance(chunk, bytes) else len(chunk)


async def store(
    database: Database, campaign: CampaignId, source: AsyncIterator[Chunk], first: int = 0
) -> int:
    """
    Store the chunks of *source* as the parameters of a campaign from task *first* on.

    Nobody sees them yet.  Returns how many tasks they are.
    """
    loop = asyncio.get_running_loop()
    end = first
    packing: deque[asyncio.Future[list[stored.Piece]]] = deque()
    async for batch in _batches(source):
        packing.append(loop.run_in_executor(None, _pack, batch))
        if len(packing) > PACKERS:
            end = await _write(database, campaign, end, await packing.popleft())
    while packing:
        end = await _write(database, campaign, end, await packing.popleft())
    return end - first


async def _batches(source: AsyncIterator[Chunk]) -> AsyncIterator[list[Chunk]]:
    batch: list[Chunk] = []
    async for chunk in source:
        batch.append(chunk)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _pack(batch: Sequence[Chunk]) -> list[stored.Piece]:
    return [
        stored.pack_lines(chunk) if isinstance(chunk, bytes) else stored.pack(chunk)
        for chunk in batch
    ]


async def _write(
    database: Database, campaign: CampaignId, first: int, pieces: Sequence[stored.Piece]
) -> int:
    async with database.write() as tx:
        return await stored.insert(tx, campaign, first, pieces)


@attrs.frozen(kw_only=True)
class Samples:
    """How many tasks there would be, 0 for no end of them, and the first two and the last."""

    tasks: int
    samples: tuple[tuple[int, Parameter], ...]


async def sampled(spec: CampaignSpec, source: AsyncIterator[Chunk]) -> Samples:
    """Look at the parameters of a campaign without storing any; *source* gives them one by one."""
    piece = whole(spec)
    if piece is not None:
        count = 1 if spec.endless else piece.size
        numbers = [n for n in sorted({0, 1, count - 1}) if 0 <= n < count]
        samples = tuple((number, _sample(spec, number)) for number in numbers)
        return Samples(tasks=0 if spec.endless else count, samples=samples)
    total = 0
    found: dict[int, Parameter] = {}
    last: Chunk = []
    async for chunk in source:
        if not total:
            found = dict(enumerate(values(chunk)[:2]))
        total += size(chunk)
        last = chunk
    if total:
        found[total - 1] = values(last)[-1]
    return Samples(tasks=total, samples=tuple(found.items()))


def values(chunk: Chunk) -> Sequence[Parameter]:
    """Return the parameters in a chunk."""
    return chunk.decode().split("\n") if isinstance(chunk, bytes) else chunk


def _sample(spec: CampaignSpec, number: int) -> Parameter:
    if spec.sweep is not None:
        return spec.sweep.parameter(number)
    return "" if spec.jobs_type is JobsType.DESKTOP_COMPUTING else str(number)


def check_count(tasks: int, limit: int) -> None:
    """
    Check the number of tasks of a campaign.

    Raises:
        TooLarge: There are more than the configuration allows.
    """
    if tasks > limit:
        message = f"{tasks} tasks, at most {limit} are allowed here: split the campaign"
        raise TooLarge(message)
