"""
The parameters of tasks: pieces that follow each other.

Those that were given are compressed by 1,000; those that can be computed are one piece, however
many they are.
"""

import json
import zlib
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from enum import StrEnum
from functools import lru_cache
from sqlite3 import Row
from typing import NamedTuple

import msgspec

from cigri.domain import bag
from cigri.domain.model import CampaignId, Parameter
from cigri.domain.sweep import Sweep
from cigri.errors import Damaged
from cigri.store.database import Connection
from cigri.store.statements import load

sql = load("tasks")
_decode = msgspec.json.Decoder(list[str | tuple[str, ...]]).decode


class Encoding(StrEnum):
    """How the parameters of a piece are stored."""

    #: One a line, up to 1,000.
    LINES = "lines"
    #: A JSON array of up to 1,000, for those that a line cannot carry.
    JSON = "json"
    #: Each is the number of its task.
    COUNT = "count"
    #: The points of a sweep, made when they are wanted.
    SWEEP = "sweep"
    #: All are empty.
    SAME = "same"


class Piece(NamedTuple):
    """The parameters of some tasks, ready to be stored."""

    size: int
    encoding: Encoding
    data: bytes = b""
    crc: int = 0


def pack_lines(lines: bytes) -> Piece:
    """Return up to 1,000 parameters, one a line, as a piece.  May run in any thread."""
    return _packed(lines.count(b"\n") + 1, Encoding.LINES, lines)


def pack(parameters: Sequence[Parameter]) -> Piece:
    """Return up to 1,000 parameters as a piece."""
    count = len(parameters)
    if all(isinstance(parameter, str) and "\n" not in parameter for parameter in parameters):
        return _packed(count, Encoding.LINES, "\n".join(map(str, parameters)).encode())
    return _packed(count, Encoding.JSON, json.dumps(parameters, ensure_ascii=False).encode())


def pack_sweep(sweep: Sweep) -> Piece:
    """Return all the points of a sweep as one piece."""
    return _packed(sweep.total, Encoding.SWEEP, sweep.to_text().encode())


def _packed(count: int, encoding: Encoding, text: bytes) -> Piece:
    data = zlib.compress(text, 1)
    return Piece(count, encoding, data, zlib.crc32(data))


class DamagedParameters(Damaged):
    """A piece does not match its checksum; a backup may hold what was there."""


async def insert(
    tx: Connection, campaign: CampaignId, first_task: int, pieces: Iterable[Piece]
) -> int:
    """Store pieces one after the other, from task *first_task* on; return where they end."""
    rows = []
    for piece in pieces:
        if piece.size:
            rows.append((campaign, first_task, *piece))
            first_task += piece.size
    if rows:
        await tx.run_many(sql.insert_parameters, rows)
    return first_task


#: Bytes of a compressed piece that is worth remembering in plain: at most 1,000 times as many.
_SMALL = 8_192


async def of_tasks(
    db: Connection, campaign: CampaignId, numbers: Collection[int]
) -> Mapping[int, Parameter]:
    """
    Return the parameters of the tasks *numbers*.

    Raises:
        DamagedParameters: They cannot be read.
    """
    found = await db.all(sql.parameters_of, _where(campaign, numbers))
    firsts = [row["first_task"] for row in found]
    known = [_reader(row) for row in found]
    return {number: known[bisect_right(firsts, number) - 1](number) for number in numbers}


def _where(campaign: CampaignId, numbers: Collection[int]) -> Mapping[str, object]:
    return {"campaign": campaign, "ranges": bounds(numbers)}


def bounds(numbers: Collection[int]) -> str:
    """
    Return *numbers* as a JSON array of ranges, each with its first and its last.

    >>> bounds([3, 1, 2, 7])
    '[[1, 3], [7, 7]]'
    """
    return json.dumps([[item.first, item.first + item.size - 1] for item in bag.ranges(numbers)])


def _reader(row: Row) -> Callable[[int], Parameter]:
    """
    Return what tells the parameter of each task of a piece by its number.

    Raises:
        DamagedParameters: The piece is damaged.
    """
    first: int = row["first_task"]
    data: bytes = row["data"]
    if zlib.crc32(data) != row["crc"]:
        message = "stored parameters do not match their checksum: restore a backup of the database"
        raise DamagedParameters(message)
    match Encoding(row["encoding"]):
        case Encoding.COUNT:
            return str
        case Encoding.SAME:
            return _nothing
        case Encoding.SWEEP:
            sweep = _sweep(data)
            return lambda number: sweep.parameter(number - first)
        case Encoding.LINES:
            lines = _lines(data) if len(data) <= _SMALL else _split(data)
            return lambda number: lines[number - first]
        case Encoding.JSON:
            values = _decode(zlib.decompress(data))
            return lambda number: values[number - first]


def _split(data: bytes) -> list[str]:
    return zlib.decompress(data).decode().split("\n")


#: Readers turn page after page of the same tasks.
_lines = lru_cache(maxsize=8)(_split)


def _nothing(_: int) -> Parameter:
    return ""


@lru_cache(maxsize=16)
def _sweep(data: bytes) -> Sweep:
    return Sweep.from_text(zlib.decompress(data).decode())


async def damaged(db: Connection) -> list[CampaignId]:
    """Return the campaigns still to run of which a piece does not match its checksum."""
    return [CampaignId(row["campaign_id"]) for row in await db.all(sql.damaged)]
