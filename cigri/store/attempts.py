"""Attempts that settled nothing, or whose end somebody has had revoked.

The last attempt of a task that is settled is in its record; these came before it.  Those of one
chunk that are recorded together are columns that compress well, as the records are.
"""

import zlib
from array import array
from collections.abc import Iterable, Mapping, Sequence
from sqlite3 import Row
from typing import NamedTuple

from cigri.domain.model import CampaignId
from cigri.domain.verdict import Ending
from cigri.store.database import Connection
from cigri.store.records import CHUNK, DamagedRecords, Records
from cigri.store.statements import load

sql = load("attempts")

#: Codes of the column `ending`: an order that stays as it is.
ENDINGS: Sequence[Ending | None] = (
    None,
    Ending.EXITED,
    Ending.WALLTIME,
    Ending.RETRIED,
    Ending.KILLED,
    Ending.NOT_STARTED,
    Ending.UNUSABLE,
    Ending.LOST,
    Ending.DELETED,
    Ending.REMOVED,
    Ending.NODE_FAILED,
    Ending.NO_DIRECTORY,
)
CODES = {ending: code for code, ending in enumerate(ENDINGS)}


class Past(NamedTuple):
    """An attempt as it is stored, by the position of its task in its chunk."""

    position: int
    number: int
    #: Of `ENDINGS`.
    ending: int
    exit_status: int
    cluster: int
    job: int
    #: The number of its remote job where the cluster has replaced that since, else 0.
    remote: int
    #: Milliseconds since the epoch, and milliseconds.
    start: int
    duration: int


_COLUMNS = ("H", "H", "B", "h", "H", "q", "q", "q", "q")
_WIDTH = sum(array(code).itemsize for code in _COLUMNS)


def of_record(items: Records, position: int, ending: Ending | None, remote: int = 0) -> Past:
    """Return the attempt that is recorded of a task."""
    return Past(
        position,
        items.attempts[position],
        CODES[ending],
        items.exit_status[position],
        items.cluster[position],
        items.job[position],
        remote,
        items.start[position],
        items.duration[position],
    )


async def remember(
    tx: Connection, campaign: CampaignId, found: Mapping[int, Sequence[Past]]
) -> None:
    """Store attempts, by chunk."""
    rows = [(campaign, chunk, _encode(past)) for chunk, past in sorted(found.items()) if past]
    if rows:
        await tx.run_many(sql.insert, rows)


async def of_chunk(db: Connection, campaign: CampaignId, chunk: int) -> list[Past]:
    """
    Return the attempts that were stored of a chunk, in the order in which they ended.

    Raises:
        DamagedRecords: They cannot be read.
    """
    where = {"campaign": campaign, "chunk": chunk}
    return [past for row in await db.all(sql.of_chunk, where) for past in _decode(row)]


def _encode(past: Sequence[Past]) -> bytes:
    columns = zip(_COLUMNS, zip(*past, strict=True), strict=True)
    return zlib.compress(b"".join(array(code, values).tobytes() for code, values in columns), 1)


def _decode(row: Row) -> Iterable[Past]:
    try:
        raw = zlib.decompress(row["data"])
    except zlib.error as error:
        raise _damaged(row) from error
    count, rest = divmod(len(raw), _WIDTH)
    if rest:
        raise _damaged(row)
    columns, offset = [], 0
    for code in _COLUMNS:
        column = array(code)
        end = offset + column.itemsize * count
        column.frombytes(raw[offset:end])
        columns.append(column)
        offset = end
    return map(Past._make, zip(*columns, strict=True))


def _damaged(row: Row) -> DamagedRecords:
    message = (
        f"what became of earlier attempts at the tasks from {row['chunk'] * CHUNK} on is damaged:"
        " restore a backup of the database"
    )
    return DamagedRecords(message)
