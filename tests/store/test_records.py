"""The columns in which the ends of tasks are stored."""

import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cigri.domain.model import CampaignId
from cigri.store import tasks
from cigri.store.database import open_database
from cigri.store.records import CHUNK, DamagedRecords, Record, Records

record = st.builds(
    Record,
    state=st.integers(0, 4),
    exit_status=st.integers(-64, 255),
    attempts=st.integers(0, 65_535),
    cluster=st.integers(0, 65_535),
    job=st.integers(0, 2**62),
    start=st.integers(0, 2**42),
    duration=st.integers(0, 2**40),
)


@given(st.dictionaries(st.integers(0, CHUNK - 1), record, max_size=20))
def test_what_is_encoded_is_decoded(given_: dict[int, Record]) -> None:
    records = Records()
    for position, values in given_.items():
        for name, value in values._asdict().items():
            getattr(records, name)[position] = value

    decoded = Records.decode(records.encode())

    assert all(decoded[position] == values for position, values in given_.items())
    assert decoded.count(0) == records.count(0)


def flipped(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 0xFF]) + data[middle + 1 :]


@pytest.mark.parametrize(
    "damage",
    [flipped, lambda _: b"", lambda data: data[:-5], lambda _: zlib.compress(b"too short")],
)
def test_damage_is_noticed(damage: Callable[[bytes], bytes]) -> None:
    with pytest.raises(DamagedRecords):
        Records.decode(damage(Records().encode()))


async def test_damage_is_told_with_its_place(tmp_path: Path) -> None:
    async with open_database(tmp_path / "cigri.db") as database, database.write() as tx:
        await tx.run("PRAGMA defer_foreign_keys = ON")
        await tx.run("INSERT INTO task_chunk VALUES (7, 2, x'00', 0, 0)")

        with pytest.raises(DamagedRecords, match=r"tasks 2000 to 2999 of campaign 7 .*backup"):
            await tasks.read_records(tx, CampaignId(7), [2])
        await tx.run("DELETE FROM task_chunk")


def test_ordinary_records_are_small() -> None:
    records = Records()
    for position in range(CHUNK):
        records.state[position] = 2
        records.attempts[position] = 1
        records.job[position] = 17
        records.cluster[position] = 1
        records.start[position] = 1_790_000_000_000 + position // 2
        records.duration[position] = 1 + position % 3

    assert len(records.encode()) < 2 * CHUNK
