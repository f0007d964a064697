"""Clusters of OAR that answer what nobody should, by mistake or on purpose."""

import asyncio
import gzip
import json
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import pytest

from cigri.clusters.oar import http as oar_http
from cigri.clusters.oar.api import OarApi, OarOrder
from cigri.clusters.oar.http import OarHttp
from cigri.clusters.oar.rows import MOST_WHOLE, Rows
from cigri.clusters.oar.v2.api import Oar2Api
from cigri.clusters.oar.v3.api import Oar3Api
from cigri.clusters.options import Oar2Options, Oar3Options
from cigri.errors import ClusterError, ClusterUnreachable, Fault, SubmissionRejected
from tests.clusters.test_oar_rows import Row
from tests.fakes.answering import Answer, answering, listening
from tests.fakes.oar3 import token

ORDER = OarOrder(
    user="alice",
    name="cgtest-1-000000001",
    command="exec sh -c 'true'",
    lines=["0", "1"],
    resource="/core=1,walltime=0:10:0",
    output=".cigri.log",
)
BYTES = "application/octet-stream"
DEEP = b"[" * 50_000 + b"]" * 50_000

#: What is no answer to anything; some of it was, up to a point.
NONSENSE = {
    "nothing": b"",
    "html": b"<html><body>It works!</body></html>",
    "half": b'{"items": [{"id": 1, "state": "Run',
    "deep": b'{"x": ' + DEEP + b', "items": []}',
    "deep_items": b'{"items": ' + DEEP + b"}",
    "deep_rows": b'{\n   "items" : [\n      {"id" : 1, "x" : ' + DEEP + b"\n      },\n" * 2,
    "nan": b'{"items": [{"id": NaN}]}',
    "large": b'{"items": [{"id": 1e400, "state": "Running"}]}',
    "larger": b'{"items": [{"id": ' + b"9" * 5000 + b', "state": "Running"}], "busy": 1}',
    "negative": b'{"items": [{"id": -5, "busy": -1, "state": "Running"}], "busy": -1, "id": -1}',
    "null": b"null",
    "list": b"[]",
    "items_null": b'{"items": null, "cmd_output": null}',
    "items_text": b'{"items": ["a", 1, [], {}]}',
    "unknown_states": b'{"items": [{"id": 1, "job_id": 1, "state": "\\u001b[31m"}]}',
    "times": b'{"items": [{"id": 1, "job_id": 1, "state": "Error", "start_time": -1e300}],'
    b' "api_timestamp": 1e300}',
    "latin": b'{"items": [{"id": 1, "state": "\xe9\xff"}]}',
    "binary": bytes(range(256)) * 50,
    "ids": b'{"id": 7, "cmd_output": "OAR_JOB_ID=7\\nOAR_JOB_ID=7\\n"}',
    "huge_ids": b'{"cmd_output": "OAR_JOB_ID=' + b"9" * 5000 + b'\\nOAR_JOB_ID=8\\n"}',
    "who": b'{"authenticated_user": "\\u001b[2Jroot"}',
    "events": b'{"items": [{"job_id": 1, "type": "RESUBMIT_JOB_AUTOMATICALLY", "description": "'
    + b"(new id = ((" * 2_000
    + b'"}]}',
    "message": b'{"message": "Oarsub command exited with status ' + b"9" * 5000 + b'"}',
    "stress": b'{"GLOBAL_STRESS": "nan", "items": []}',
    "index": b'{"items": [{"job_id": 0}, {"job_id": 1, "array_index": 1000000000000}]}',
}
HEADERS = {
    "": "",
    "year": "Date: Sat, 21 Nov 99999999999999999999 16:42:48 GMT\r\n",
    "zone": "Date: Sat, 21 Nov 2026 16:42:48 +99999999999999999999\r\n",
}
CALLS: dict[str, Callable[[OarApi], Awaitable[object]]] = {
    "submit": lambda api: api.submit(ORDER),
    "named": lambda api: api.named(ORDER.name, "alice"),
    "jobs": lambda api: api.jobs([1, 2, 3], "alice"),
    "events": lambda api: api.events([1, 2], "alice"),
    "delete": lambda api: api.delete([1, 2], "alice"),
    "delete_array": lambda api: api.delete_array(1, "alice"),
    "resources": lambda api: api.resources(),
    "busy": lambda api: api.busy(),
    "stress": lambda api: api.stress(),
    "read": lambda api: api.read(".cigri/a", "alice", limit=100),
    "remove": lambda api: api.remove(".cigri/a", "alice"),
}
ONLY_2: dict[str, Callable[[OarApi], Awaitable[object]]] = {
    "changed": lambda api: api.changed(1000.0, None, {1, 2}),
    "write": lambda api: api.write(".cigri/a", "alice", b"x"),
}


WHO = Answer('{"authenticated_user": "alice"}')


def apis(url: str, timeout: float = 5.0) -> list[OarApi]:
    tokens = {"alice": token("alice")}
    return [
        Oar2Api(Oar2Options(url=url, timeout=timeout)),
        Oar3Api(Oar3Options(url=url, timeout=timeout), tokens.get, pauses=()),
    ]


KINDS = ("application/json", "text/html", BYTES)


@pytest.mark.parametrize("nonsense", NONSENSE)
async def test_nonsense_is_an_error_of_the_cluster_and_no_crash(nonsense: str) -> None:
    """Anything else would be taken for a bug, and end the server after a few cycles."""
    answers = [
        Answer(NONSENSE[nonsense], status, kind) for status in (200, 201, 500) for kind in KINDS
    ]
    told: list[str] = []
    async with answering(*answers) as server:
        for api in apis(server.url):
            for answer in answers:
                for call in (CALLS | ONLY_2 if api.can_write else CALLS).values():
                    # Before the cluster went mad it knew whom we speak for.
                    server.plan = [WHO, answer] if answer.status == 201 else [answer]
                    told.append(await said(call(api)))
            await api.close()

    assert all(text.isprintable() and len(text) < 2000 for text in told)


async def said(call: Awaitable[object]) -> str:
    """Return with what a request fails."""
    try:
        await call
    except ClusterError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("header", HEADERS)
async def test_a_date_that_is_none_is_passed_over(header: str) -> None:
    async with answering(Answer(headers=HEADERS[header])) as server:
        of = OarHttp(Oar2Options(url=server.url))
        reply = await of.get("/version.json", user=None)
        await of.close()

    assert reply.sent_at == 0.0


async def test_what_is_packed_is_not_unpacked() -> None:
    """64 KiB of a bomb in a bomb are 64 GiB."""
    bomb = gzip.compress(gzip.compress(bytes(20_000_000)))
    packed = Answer(bomb, headers="Content-Encoding: gzip, gzip\r\n")
    async with answering(packed) as server:
        of = OarHttp(Oar2Options(url=server.url))
        with pytest.raises(ClusterUnreachable, match="packed") as caught:
            await of.get("/version.json", user=None)
        await of.close()

    assert caught.value.fault is Fault.GARBLED
    headers = {name.lower(): value for name, value in server.asked[0].headers.items()}
    assert headers["accept-encoding"] == "identity"


async def test_a_cookie_of_one_user_does_not_speak_for_the_next() -> None:
    async with answering(Answer(headers="Set-Cookie: session=alice; Path=/\r\n")) as server:
        of = OarHttp(Oar2Options(url=server.url))
        await of.get("/whoami.json", user="alice")
        await of.get("/whoami.json", user="bob")
        await of.close()

    assert not any("cookie" in map(str.lower, asked.headers) for asked in server.asked)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_nothing_is_sent_to_where_a_redirection_points(status: int, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("secret")
    async with answering(Answer()) as thief:
        moved = Answer(b"", status, headers=f"Location: {thief.url}/x\x9b31m\r\n")
        async with answering(moved) as server:
            basic = Oar2Options(
                url=server.url,
                auth="basic",
                basic_user="cigri",
                password_file=tmp_path / "password",
            )
            of = OarHttp(basic)
            for method in ("GET", "POST", "DELETE"):
                reply = await of.send(method, "/jobs", user="alice", token="t.t.t")
            await of.close()

    assert str(of.failed(reply)).isprintable()
    assert len(server.asked) == 3
    assert not thief.asked


@pytest.mark.parametrize("slow", [False, True], ids=["long", "slow"])
async def test_a_file_without_end_is_its_users_own(
    slow: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who lays such a file in the place of a journal must not have the cluster held for all."""
    monkeypatch.setattr(oar_http, "MOST_ROWS", 200_000)
    listing = b'HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n{"items": []}'
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {BYTES}\r\nTransfer-Encoding: chunked\r\n\r\n"

    async def send(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while b"/media" not in await reader.readuntil(b"\r\n\r\n"):
            writer.write(listing)
        writer.write(head.encode())
        while True:
            writer.write(b"1\r\nx\r\n" if slow else b"1000\r\n" + b"x" * 4096 + b"\r\n")
            await writer.drain()
            await asyncio.sleep(0.05 if slow else 0)

    async with listening(send) as port:
        for api in apis(f"http://127.0.0.1:{port}", timeout=0.4):
            with pytest.raises(SubmissionRejected, match="does not end"):
                await api.read(".cigri/a", "alice", limit=100)
            await api.close()


def fed(rows: Rows[Row], piece: bytes) -> int:
    """Feed *piece* until it is too much; return how often."""
    for count in range(1000):
        try:
            rows.feed(piece)
        except ValueError:
            return count
    pytest.fail("it is never too much")


def test_rows_that_cannot_be_are_not_kept() -> None:
    row = b'      {\n         "id" : 1,\n         "state" : "Running"\n      },\n'
    rows = Rows(Row, most=1000)
    rows.feed(b'{\n   "items" : [\n')

    assert fed(rows, row * 1000) < 30

    assert len(rows.taken) < 20_000


def test_a_listing_of_another_layout_is_held_up_to_a_point() -> None:
    rows = Rows(Row, most=1000)

    fed(rows, b" " * 65_536)

    assert len(rows.rest) <= MOST_WHOLE + 65_536


JOBS = [
    {"id": number, "job_id": number, "state": "Running", "start_time": 1.0, "command": "x" * 300}
    for number in range(40_000)
]
LARGE = {
    "as OAR 2.5": json.dumps({"items": JOBS}, indent=3, separators=(",", " : ")).encode(),
    "compact": json.dumps({"items": JOBS}).encode(),
    "millions": b'{"items": [' + b'{"id":1,"state":"R"},' * 1_000_000 + b'{"id":1,"state":"R"}]}',
    "other things": b'{"items": [], "x": [' + b"1," * 10_000_000 + b"1]}",
    "spaces": b" " * 50_000_000,
}


async def longest_pause(work: Awaitable[object]) -> float:
    """Return for how many seconds of processor time nothing else could run, at most."""
    pauses = [0.0]

    async def tick() -> None:
        last = time.thread_time()
        while True:
            await asyncio.sleep(0)
            pauses.append(time.thread_time() - last)
            last = time.thread_time()

    ticking = asyncio.create_task(tick())
    with suppress(ClusterError):
        await work
    await asyncio.sleep(0)
    ticking.cancel()
    return max(pauses)


@pytest.mark.parametrize("large", LARGE)
async def test_a_large_answer_keeps_nobody_else_waiting(large: str) -> None:
    """All clusters and the API share one loop: 13 s and 13 GB it was for the millions."""
    async with answering(Answer(LARGE[large])) as server:
        old, new = apis(server.url, timeout=30.0)
        for call in (
            old.changed(100.0, None, range(40_000)),
            new.jobs(range(1_000), "alice"),
            new.jobs(range(40_000), "alice"),
        ):
            assert await longest_pause(call) < 0.7
        await old.close()
        await new.close()
