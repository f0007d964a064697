"""Bodies: whole, cut, compressed, damaged, endless."""

import asyncio
import gzip
import json
import select
import socket
import zlib

import attrs
import pytest
from structlog.testing import capture_logs

from tests.api.face import JDL, running

LINES = {"Content-Type": "application/vnd.cigri.lines"}
GZIP = {"Content-Encoding": "gzip"}
BARE = {name: value for name, value in JDL.items() if name != "nb_jobs"}
TEXT = json.dumps(JDL).encode()
#: A campaign of five tasks as lines.
STREAM = json.dumps(BARE).encode() + b"\n" + b"".join(b"%d\n" % n for n in range(5))
MIB = 1024 * 1024


@pytest.fixture
async def small(campaigns, settings, tmp_path):
    """A server that takes no more than 100 kB."""
    limits = attrs.evolve(settings, max_json_body=100_000, max_stream_body=100_000, patience=0.3)
    (tmp_path / "small").mkdir()
    async with running(campaigns, tmp_path / "small", limits) as server:
        yield server


async def total(client):
    return (await client.get("/campaigns?state=all")).json()["total"]


async def test_a_json_body_is_json_whatever_it_is_called(client):
    for name in ("application/json", "text/plain", "application/x-www-form-urlencoded", ""):
        answer = await client.post("/campaigns", content=TEXT, headers={"Content-Type": name})
        assert answer.status_code == 201
        assert answer.json()["total_jobs"] == 3


async def test_lines_are_one_task_each(client):
    answer = await client.post("/campaigns", content=STREAM, headers=LINES)

    assert answer.status_code == 201
    assert answer.json()["total_jobs"] == 5
    jdl = (await client.get(f"{answer.headers['Location']}/jdl")).json()
    assert jdl["params"] == ["0", "1", "2", "3", "4"]


async def test_ends_of_lines_do_not_matter(client):
    for content in (
        STREAM.rstrip(),
        STREAM.replace(b"\n", b"\n\n", 3) + b"\n\n",
        STREAM.replace(b"\n", b"\r\n"),
    ):
        answer = await client.post("/campaigns", content=content, headers=LINES)
        assert answer.json()["total_jobs"] == 5


async def test_lines_may_be_cut_anywhere(client):
    async def pieces(size):
        for start in range(0, len(STREAM), size):
            yield STREAM[start : start + size]

    for size in (1, 2, 7, 1000):
        answer = await client.post("/campaigns", content=pieces(size), headers=LINES)
        assert answer.json()["total_jobs"] == 5


async def test_bodies_may_be_gzipped(client):
    for content, headers in ((TEXT, {}), (STREAM, LINES)):
        for coding in ("gzip", "x-gzip", "GZIP"):
            packed = headers | {"Content-Encoding": coding}
            answer = await client.post(
                "/campaigns", content=gzip.compress(content), headers=packed
            )
            assert answer.status_code == 201


async def test_a_gzip_file_may_have_several_members(client):
    content = b"".join(gzip.compress(STREAM[n : n + 20]) for n in range(0, len(STREAM), 20))
    answer = await client.post("/campaigns", content=content, headers=LINES | GZIP)

    assert answer.json()["total_jobs"] == 5


@pytest.mark.parametrize("size", [-1, 0, 1, 256 * 1024, 700_000])
async def test_gzipped_bodies_of_any_size_arrive_whole(client, size):
    params = ["x" * 999] * ((256 * 1024 + size) // 1002)
    content = json.dumps(BARE | {"params": params}, separators=(",", ":")).encode()
    content += b" " * (256 * 1024 + size - len(content))
    answer = await client.post("/campaigns", content=gzip.compress(content), headers=GZIP)

    assert answer.json()["total_jobs"] == len(params)


BROKEN = {
    "not gzip": TEXT,
    "nothing": b"",
    "zlib": zlib.compress(TEXT),
    "cut": gzip.compress(TEXT)[:-9],
    "no checksum": gzip.compress(TEXT)[:-4],
    "wrong checksum": gzip.compress(TEXT)[:-8] + b"\0" * 8,
    "something after it": gzip.compress(TEXT) + b"something",
    "damaged": gzip.compress(TEXT)[:15] + b"\xff" * 20 + gzip.compress(TEXT)[35:],
}


async def test_damaged_gzip_is_a_mistake_of_the_client(client):
    for name, content in BROKEN.items():
        for headers in (GZIP, GZIP | LINES):
            answer = await client.post("/campaigns", content=content, headers=headers)
            assert answer.status_code == 400, name
            assert "gzip" in answer.json()["message"]
    assert await total(client) == 0


async def test_other_encodings_are_refused_by_name(client):
    for coding in ("br", "deflate", "zstd", "gzip, gzip", "rot13", "gzip;q=1"):
        headers = {"Content-Encoding": coding}
        answer = await client.post("/campaigns", content=TEXT, headers=headers)
        assert answer.status_code == 415
        assert coding in answer.json()["message"]
        assert answer.headers["Accept-Encoding"] == "gzip"


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
async def test_bodies_over_the_limit_are_refused(small, packed):
    content = STREAM + b"1\n" * 100_000
    content = gzip.compress(content) if packed else content
    coding = GZIP if packed else {}

    async def pieces():
        yield content

    async with small.client() as client:
        for headers in (coding, coding | LINES):
            for sent in (content, pieces()):
                answer = await client.post("/campaigns", content=sent, headers=headers)
                assert answer.status_code == 413
                assert "limit of 100000 bytes" in answer.json()["message"]
        assert await total(client) == 0


async def test_a_bomb_is_refused_and_the_server_goes_on(small):
    bomb = gzip.compress(b"\0" * 60 * MIB)
    assert len(bomb) < 100_000
    async with small.client() as client:
        answer = await client.post("/campaigns", content=bomb, headers=GZIP)
        assert answer.status_code == 413
        assert (await client.get("/campaigns")).status_code == 200


async def test_a_body_that_announces_too_much_is_refused_before_it_is_sent(small):
    answer = await small.say(
        b"POST /campaigns HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000000\r\n"
        b"Expect: 100-continue\r\nConnection: close\r\n\r\n"
    )

    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"100 Continue" not in answer


async def test_a_client_that_asks_is_told_to_continue(small):
    head = f"POST /campaigns HTTP/1.1\r\nHost: x\r\nContent-Length: {len(TEXT)}\r\n"
    answer = await small.say(
        head.encode() + b"Expect: 100-continue\r\nConnection: close\r\n\r\n", TEXT
    )

    assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 ")


async def test_other_expectations_are_refused(small):
    answer = await small.say(
        b"POST /campaigns HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n"
        b"Expect: a-miracle\r\nConnection: close\r\n\r\n"
    )

    assert answer.startswith(b"HTTP/1.1 417 ")
    assert b"problem+json" in answer


async def test_a_body_that_stops_is_given_up(small):
    answer = await small.say(
        b"POST /campaigns HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\nConnection: close\r\n\r\n{"
    )

    assert answer.startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize("begun", [b"GET /campaigns HTTP/1.1\r\nHost", b""])
async def test_half_a_request_is_given_up(small, begun):
    async with asyncio.timeout(10):
        assert await small.say(begun) == b""


@pytest.mark.parametrize("headers", ["", "Content-Type: application/vnd.cigri.lines\r\n"])
@pytest.mark.parametrize("framing", ["Content-Length: 100000", "Transfer-Encoding: chunked"])
async def test_a_client_that_vanishes_in_the_middle_leaves_nothing(
    server, runtime, headers, framing
):
    _, writer = await asyncio.open_unix_connection(str(server.socket))
    with capture_logs() as events:
        writer.write(f"POST /campaigns HTTP/1.1\r\nHost: x\r\n{headers}{framing}\r\n\r\n".encode())
        writer.write(f"{len(STREAM):x}\r\n".encode() if "chunked" in framing else b"")
        writer.write(STREAM)
        await writer.drain()
        writer.close()
        async with asyncio.timeout(10), server.client() as other:
            while not any(event.get("method") == "POST" for event in events):
                await other.get("/")

    async with runtime.database.read() as db:
        assert await db.all("SELECT * FROM campaign") == []


async def test_damaged_chunks_are_a_mistake_of_the_client(server, client):
    for chunk in (b"zz\r\n", b"-1\r\n", b"5;\r\nabc", b"ffffffffffffffffff\r\n"):
        answer = await server.say(
            b"POST /campaigns HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
            b"Connection: close\r\n\r\n1\r\n{\r\n" + chunk + b"\r\n0\r\n\r\n"
        )
        assert b" 400 " in answer.partition(b"\r\n")[0]
    assert await total(client) == 0


async def test_a_first_line_without_an_end_is_refused(client):
    answer = await client.post("/campaigns", content=b"x" * 3 * MIB, headers=LINES)

    assert answer.status_code == 413
    assert "the first line" in answer.json()["message"]


async def test_an_empty_body_is_no_campaign(client):
    for headers in ({}, LINES):
        assert (await client.post("/campaigns", headers=headers)).status_code == 400


async def test_a_client_that_reads_nothing_is_given_up(small):
    jdl = BARE | {"params": ["x" * 1000] * 90}
    ask = b"GET /campaigns/1/jdl HTTP/1.1\r\nHost: x\r\n\r\n"
    async with small.client() as client:
        await client.post("/campaigns", json=jdl)
    with socket.socket(socket.AF_UNIX) as stuck:
        stuck.setblocking(False)
        stuck.connect(str(small.socket))
        stuck.send(ask * 20)
        hang_up = select.poll()
        hang_up.register(stuck, 0)

        assert await asyncio.to_thread(hang_up.poll, 10_000) == [(stuck.fileno(), select.POLLHUP)]
