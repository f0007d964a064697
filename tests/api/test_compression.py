"""Answers in gzip."""

import gzip
import json
import zlib

import pytest

from cigri.api import compression
from tests.api import face

GZIP = {"Accept-Encoding": "gzip"}
PLAIN = {"Accept-Encoding": "identity"}
MANY = face.JDL | {"nb_jobs": 5000}


@pytest.fixture
async def many(client):
    return (await client.post("/campaigns", json=MANY)).headers["Location"]


async def raw(client, path, headers):
    """Return the answer with its body as it came over the wire."""
    async with client.stream("GET", path, headers=headers) as answer:
        return answer, b"".join([piece async for piece in answer.aiter_raw()])


@pytest.mark.parametrize(
    "page", ["/jobs?limit=20", "/jobs?limit=10000", "/jobs.csv", "/jobs.ndjson", "/jdl"]
)
async def test_it_says_the_same_in_fewer_bytes(client, many, page):
    plain, text = await raw(client, many + page, PLAIN)
    packed, data = await raw(client, many + page, GZIP)

    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in packed.headers["Vary"]
    assert "Accept-Encoding" in plain.headers["Vary"]
    assert gzip.decompress(data) == text
    assert len(data) < len(text) * 0.6


async def test_what_is_small_stays_as_it_is(client):
    answer, text = await raw(client, "/", GZIP)

    assert "Content-Encoding" not in answer.headers
    assert len(text) < compression.WORTH_IT
    assert json.loads(text)["links"]


async def test_the_length_is_that_of_what_is_sent(client, many):
    answer, data = await raw(client, f"{many}/jobs?limit=20", GZIP)

    assert int(answer.headers["Content-Length"]) == len(data)


async def test_head_tells_the_same_without_the_body(client, many):
    path = f"{many}/jobs?limit=20"
    answer, _ = await raw(client, path, GZIP)

    head = await client.head(path, headers=GZIP)

    assert head.headers["Content-Encoding"] == "gzip"
    assert head.headers["Content-Length"] == answer.headers["Content-Length"]
    assert head.content == b""


@pytest.mark.parametrize("accepted", ["", "br", "gzip;q=0", "gzip; q=0.0, *", "gzip;q=oops"])
async def test_nobody_gets_what_they_do_not_take(client, many, accepted):
    answer, _ = await raw(client, many, {"Accept-Encoding": accepted})

    assert "Content-Encoding" not in answer.headers


async def test_a_large_problem_is_compressed_too(client):
    bad = {f"x{number}": number for number in range(200)}
    answer = await client.post("/campaigns", json=bad, headers=GZIP)

    assert answer.status_code == 400
    assert answer.headers["Content-Encoding"] == "gzip"
    assert len(answer.json()["errors"]) > 50


async def test_a_stream_of_events_is_never_compressed(client, campaign):
    await client.delete(campaign)

    answer, text = await raw(client, f"{campaign}/stream", GZIP)

    assert "Content-Encoding" not in answer.headers
    assert text.startswith(b"event: ")


async def test_pieces_of_any_size_make_one_file():
    pieces = [b"", b"a", b"b" * compression._MUCH, b"c" * 10]

    async def given():
        for piece in pieces:
            yield piece

    data = b"".join([piece async for piece in compression.gzipped(given())])

    assert zlib.decompress(data, 16 + zlib.MAX_WBITS) == b"".join(pieces)
