"""The parameters of tasks: compressed chunks of 1,000, or no rows at all for a count."""

import json
import zlib
from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec

from cigri.domain.model import CampaignId, Parameter
from cigri.errors import CigriError
from cigri.store.database import Connection
from cigri.store.records import CHUNK
from cigri.store.statements import load

sql = load("tasks")
_decode = msgspec.json.Decoder(list[str | tuple[str, ...]]).decode

Packed = tuple[str, bytes, int]


def pack_lines(lines: bytes) -> Packed:
    """Return 1,000 parameters, one a line, as a chunk to store.  May run in any thread."""
    return _packed("lines", lines)


def pack(parameters: Sequence[Parameter]) -> Packed:
    """Return up to 1,000 parameters as a chunk to store."""
    if all(isinstance(parameter, str) and "\n" not in parameter for parameter in parameters):
        return _packed("lines", "\n".join(map(str, parameters)).encode())
    return _packed("json", json.dumps(parameters, ensure_ascii=False).encode())


def _packed(encoding: str, text: bytes) -> Packed:
    data = zlib.compress(text, 1)
    return encoding, data, zlib.crc32(data)


class DamagedParameters(CigriError):
    """A chunk does not match its checksum; a backup may hold what was there."""


def unpack(encoding: str, data: bytes, crc: int) -> Sequence[Parameter]:
    """
    Return the parameters of a chunk.

    Raises:
        DamagedParameters: The chunk is damaged.
    """
    if zlib.crc32(data) != crc:
        message = "stored parameters do not match their checksum: restore a backup of the database"
        raise DamagedParameters(message)
    text = zlib.decompress(data)
    return text.decode().split("\n") if encoding == "lines" else _decode(text)


async def insert(
    tx: Connection, campaign: CampaignId, first_chunk: int, packed: Iterable[Packed]
) -> None:
    """Store chunks, the first of them as number *first_chunk*."""
    rows = [(campaign, first_chunk + place, *chunk) for place, chunk in enumerate(packed)]
    await tx.run_many(sql.insert_parameters, rows)


async def of_tasks(
    db: Connection, campaign: CampaignId, has_chunks: int, numbers: Collection[int]
) -> Mapping[int, Parameter]:
    """Return the parameters of the tasks *numbers*."""
    if not has_chunks:
        return {number: str(number) for number in numbers}
    wanted = sorted({number // CHUNK for number in numbers})
    rows = await db.all(sql.parameters_of, {"campaign": campaign, "chunks": json.dumps(wanted)})
    chunks = {row["chunk"]: unpack(row["encoding"], row["data"], row["crc"]) for row in rows}
    return {number: chunks[number // CHUNK][number % CHUNK] for number in numbers}


async def damaged(db: Connection) -> list[CampaignId]:
    """Return the campaigns still to run of which a chunk does not match its checksum."""
    return [CampaignId(row["campaign_id"]) for row in await db.all(sql.damaged)]
