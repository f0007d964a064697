"""The columns in which the ends of tasks are stored."""

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cigri.store.records import CHUNK, Record, Records

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


def test_damage_is_noticed() -> None:
    data = bytearray(Records().encode())
    data[len(data) // 2] ^= 0xFF

    with pytest.raises((zlib.error, ValueError)):
        Records.decode(bytes(data))


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
