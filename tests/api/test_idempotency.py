"""A POST that is sent again is carried out once."""

import asyncio
import gzip
import json
import uuid

import pytest

from cigri.api import body
from cigri.store import replies
from tests.api import face

REPLAYED = "Idempotency-Replayed"


def key(text=None):
    return {"Idempotency-Key": text or str(uuid.uuid4())}


async def total(client):
    return (await client.get("/campaigns?state=all")).json()["total"]


async def test_the_same_request_is_answered_the_same_and_submits_once(client):
    named = key()

    first = await client.post("/campaigns", json=face.JDL, headers=named)
    second = await client.post("/campaigns", json=face.JDL, headers=named)

    assert (first.status_code, second.status_code) == (201, 201)
    assert second.content == first.content
    assert second.headers["Location"] == first.headers["Location"]
    assert REPLAYED not in first.headers
    assert second.headers[REPLAYED] == "true"
    assert await total(client) == 1


async def test_without_a_key_two_requests_are_two_campaigns(client):
    await client.post("/campaigns", json=face.JDL)
    await client.post("/campaigns", json=face.JDL)

    assert await total(client) == 2


async def test_two_keys_are_two_campaigns(client):
    await client.post("/campaigns", json=face.JDL, headers=key("a"))
    await client.post("/campaigns", json=face.JDL, headers=key("b"))

    assert await total(client) == 2


async def test_the_same_body_in_gzip_is_the_same_request(client):
    text, named = json.dumps(face.JDL).encode(), key()
    packed = named | {"Content-Encoding": "gzip"}

    first = await client.post("/campaigns", content=text, headers=named)
    second = await client.post("/campaigns", content=gzip.compress(text), headers=packed)

    assert second.content == first.content
    assert second.headers[REPLAYED] == "true"


async def test_lines_are_compared_to_the_last_byte(client):
    head = json.dumps({"name": "lines", "exec_file": "echo", "clusters": {"local": {}}}).encode()
    lines = {"Content-Type": "application/vnd.cigri.lines"} | key()
    text = head + b"\n" + b"".join(b"%d\n" % number for number in range(5000))

    first = await client.post("/campaigns", content=text, headers=lines)
    again = await client.post("/campaigns", content=text, headers=lines)
    other = await client.post("/campaigns", content=text[:-2] + b"7\n", headers=lines)

    assert first.status_code == 201, first.text
    assert again.content == first.content
    assert other.status_code == 422
    assert await total(client) == 1


@pytest.mark.parametrize(
    "request_",
    [
        {"url": "/campaigns", "json": face.JDL | {"name": "other"}},
        {"url": "/campaigns?pretty", "json": face.JDL},
    ],
    ids=["other body", "other URL"],
)
async def test_a_key_is_not_good_for_another_request(client, request_):
    await client.post("/campaigns", json=face.JDL, headers=key("mine"))

    refusal = await client.post(**request_, headers=key("mine"))

    assert refusal.status_code == 422
    assert "another request" in refusal.json()["detail"]
    assert await total(client) == 1


async def test_a_key_is_not_good_for_another_method(client, campaign):
    def named(method):
        return key("mine") | {"X-HTTP-Method-Override": method}

    await client.post(f"{campaign}?state=paused", headers=named("PUT"))
    refusal = await client.post(f"{campaign}?state=paused", headers=named("DELETE"))

    assert refusal.status_code == 422
    assert (await client.get(campaign)).json()["state"] == "paused"


async def test_keys_of_different_users_have_nothing_to_do_with_each_other(client, runtime):
    await client.post("/campaigns", json=face.JDL, headers=key("mine"))
    async with runtime.database.write() as tx:
        await tx.run("UPDATE idempotency_key SET user = 'mallory'")

    ours = await client.post("/campaigns", json=face.JDL, headers=key("mine"))

    assert (ours.status_code, REPLAYED in ours.headers) == (201, False)
    assert await total(client) == 2


async def test_while_the_first_is_being_answered_the_second_is_told_to_wait(client, server):
    named, sent = key(), asyncio.Event()

    async def slowly():
        yield json.dumps(face.JDL).encode()
        sent.set()
        await meanwhile.wait()

    meanwhile = asyncio.Event()
    async with asyncio.TaskGroup() as group, server.client() as other:
        first = group.create_task(client.post("/campaigns", content=slowly(), headers=named))
        await sent.wait()
        second = await _until(409, lambda: other.post("/campaigns", json=face.JDL, headers=named))
        meanwhile.set()

    assert second.headers["Retry-After"] == "1"
    assert (await first).status_code == 201
    assert await total(client) == 1


async def _until(status, ask):
    async with asyncio.timeout(10):
        while (answer := await ask()).status_code != status:
            assert answer.status_code != 201, "it was submitted beside the first"
    return answer


@pytest.mark.parametrize("status", [400, 413])
async def test_a_refusal_does_not_use_up_the_key(client, status):
    bad = b"{" if status == 400 else b" " * (body.MAX_DESCRIPTION + 1)
    lines = {"Content-Type": body.LINES} | key("mine")
    refusal = await client.post("/campaigns", content=bad, headers=lines)

    answer = await client.post("/campaigns", json=face.JDL, headers=key("mine"))

    assert refusal.status_code == status
    assert answer.status_code == 201


async def test_a_dry_run_takes_no_notice_of_keys(client):
    dry = await client.post("/campaigns?dry_run=1", json=face.JDL, headers=key("mine"))
    real = await client.post("/campaigns", json=face.JDL, headers=key("mine"))

    assert (dry.status_code, real.status_code) == (200, 201)


async def test_a_dry_run_that_is_none_submits_once(client):
    for _ in range(2):
        answer = await client.post("/campaigns?dry_run=0", json=face.JDL, headers=key("mine"))
        assert answer.status_code == 201

    assert await total(client) == 1


@pytest.mark.parametrize("bad", ["", "two words", "x" * 256, "tab\there", "é"])
async def test_a_key_is_one_bounded_word(client, bad):
    named = {"Idempotency-Key": bad.encode()}

    assert (await client.post("/campaigns", json=face.JDL, headers=named)).status_code == 400
    assert await total(client) == 0


async def test_two_keys_at_once_are_refused(client):
    twice = [("Idempotency-Key", "a"), ("Idempotency-Key", "b")]

    assert (await client.post("/campaigns", json=face.JDL, headers=twice)).status_code == 400


async def test_after_a_day_a_key_is_new_and_the_old_answer_is_gone(client, runtime, campaigns):
    await client.post("/campaigns", json=face.JDL, headers=key("mine"))
    async with runtime.database.write() as tx:
        await tx.run("UPDATE idempotency_key SET at = at - 86401")

    again = await client.post("/campaigns", json=face.JDL, headers=key("mine"))
    await client.post("/campaigns", json=face.JDL, headers=key("another"))

    assert REPLAYED not in again.headers
    assert await total(client) == 3
    async with runtime.database.read() as db:
        rows = await db.all("SELECT key FROM idempotency_key ORDER BY key")
    assert [row["key"] for row in rows] == ["another", "mine"]


async def test_old_answers_are_deleted_when_a_new_one_is_kept(client, runtime):
    await client.post("/campaigns", json=face.JDL, headers=key("old"))
    async with runtime.database.write() as tx:
        await tx.run("UPDATE idempotency_key SET at = at - :age", {"age": replies.LIFETIME + 1})

    await client.post("/campaigns", json=face.JDL, headers=key("new"))

    async with runtime.database.read() as db:
        (row,) = await db.all("SELECT key FROM idempotency_key")
    assert row["key"] == "new"


async def test_a_server_that_dies_before_it_answers_does_not_submit_twice(
    client, campaigns, settings, tmp_path, monkeypatch
):
    """The campaign and the answer to its key are on disk, nothing has been sent; then a kill."""
    named = key()
    submit = campaigns.submit

    async def and_die(*given, **named):
        await submit(*given, **named)
        raise OSError("killed here")

    monkeypatch.setattr(campaigns, "submit", and_die)
    first = await client.post("/campaigns", json=face.JDL, headers=named)
    monkeypatch.undo()
    (tmp_path / "next").mkdir()
    async with (
        face.running(campaigns, tmp_path / "next", settings) as server,
        server.client() as later,
    ):
        second = await later.post("/campaigns", json=face.JDL, headers=named)

    assert first.status_code == 500
    assert second.status_code == 201
    assert second.headers[REPLAYED] == "true"
    assert second.json()["total_jobs"] == 3
    assert await total(client) == 1


async def test_a_campaign_and_its_answer_are_stored_together_or_not_at_all(
    client, runtime, monkeypatch
):
    async def full(*_):
        raise OSError("no answer can be kept")

    monkeypatch.setattr(replies, "put", full)
    answer = await client.post("/campaigns", json=face.JDL, headers=key("mine"))
    monkeypatch.undo()

    assert answer.status_code == 500
    assert await total(client) == 0
    assert (await client.post("/campaigns", json=face.JDL, headers=key("mine"))).status_code == 201
