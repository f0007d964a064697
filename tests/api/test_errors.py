"""Every refusal is a problem document, and a bug tells nothing of itself."""

import pytest
from structlog.testing import capture_logs

from cigri.api.errors import STATUS
from cigri.engine.tokens import new_secret
from cigri.errors import (
    AdmissionRefused,
    CigriError,
    ClusterError,
    ClusterUnreachable,
    InvalidConfig,
    InvalidJdl,
)
from tests.api.face import JDL, OWN


def assert_problem(answer, status):
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.text.endswith("}\n")
    problem = answer.json()
    assert problem["status"] == status
    assert problem["title"]
    assert problem["type"]
    assert problem["message"] == problem["detail"]
    return problem


async def test_pages_that_do_not_exist(client):
    for path in ("/nope", "/campaigns/1/nope", "/jobs", "/toto", "/campaigns//"):
        problem = assert_problem(await client.get(path), 404)
        assert problem["message"] == f"GET {path} not found on this server"


async def test_other_methods_are_told_what_there_is(client):
    for method, path, allowed in (
        ("PATCH", "/campaigns", "GET,POST"),
        ("DELETE", "/campaigns/", "GET,POST"),
        ("POST", "/campaigns/1", "GET,PUT,DELETE"),
        ("PATCH", "/campaigns/1/", "GET,PUT,DELETE"),
        ("POST", "/", "GET"),
        ("DELETE", "/jobs/1/stdout", "GET"),
        ("GET", "/clusters/1/a/file", "DELETE"),
        ("OPTIONS", "/clusters", "GET"),
        ("PROPFIND", "/campaigns", "GET,POST"),
    ):
        answer = await client.request(method, path)
        assert_problem(answer, 405)
        assert answer.headers["Allow"] == allowed
        assert f"takes {allowed}, not {method}" in answer.json()["detail"]


async def test_head_answers_like_get_without_a_body(client, campaign):
    for path in ("/", "/campaigns", campaign, f"{campaign}/jdl", f"{campaign}/jobs", "/nope"):
        head, get = await client.head(path), await client.get(path)
        assert head.status_code == get.status_code
        assert head.headers["Content-Type"] == get.headers["Content-Type"]
        assert head.content == b""


async def test_mistakes_are_listed_with_their_places(client):
    answer = await client.post("/campaigns", content=b"[")
    problem = assert_problem(answer, 400)

    assert problem["type"] == "/docs/errors#jdl"
    assert problem["title"] == "Invalid campaign description"
    assert problem["errors"]
    assert all({"pointer", "detail"} <= set(mistake) for mistake in problem["errors"])


async def test_errors_are_pretty_too(client):
    assert "\n  " in (await client.get("/nope?pretty")).text


async def test_states_that_do_not_allow_it_are_conflicts(client, campaign):
    problem = assert_problem(await client.delete(f"{campaign}?resume"), 400)

    assert problem["type"] == "/docs/errors#conflict"


def test_every_error_of_the_project_has_a_status():
    def kinds(cls):
        return {cls}.union(*map(kinds, cls.__subclasses__()))

    def statuses(cls):
        return [STATUS[base] for base in cls.__mro__ if base in STATUS]

    found = {error: statuses(error) for error in kinds(CigriError)}

    assert found[InvalidJdl] == found[InvalidConfig] == [400]
    assert found[ClusterUnreachable] == [503]
    assert found[AdmissionRefused] == [400, 403]  # the first one counts
    assert found[ClusterError] == []  # and so 400


async def test_a_bug_is_logged_and_not_told(client, campaigns, monkeypatch):
    def bug(*_):
        raise ZeroDivisionError("the secret of the bug")

    monkeypatch.setattr(campaigns, "listing", bug)
    with capture_logs() as events:
        answer = await client.get("/campaigns")

    problem = assert_problem(answer, 500)
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text
    (crash,) = [event for event in events if event["event"] == "request.crashed"]
    assert crash["exc_info"]
    assert crash["instance"] in problem["message"]
    assert (await client.get("/clusters")).status_code == 200


async def test_a_bug_in_the_middle_of_a_stream_cuts_it(client, campaigns, campaign, monkeypatch):
    async def some():
        yield ["1", "2"]
        raise ZeroDivisionError

    async def jdl(*_):
        return {"name": "x"}, some()

    monkeypatch.setattr(campaigns, "jdl", jdl)
    with pytest.raises(Exception, match="incomplete chunked read"):
        await client.get(f"{campaign}/jdl", headers={"Accept-Encoding": "identity"})


async def test_a_token_in_a_path_is_not_logged(server, client):
    secret = new_secret()
    with capture_logs() as events:
        await client.get(f"/campaigns/{secret}")

    assert [event["path"] for event in events if "path" in event] == ["/campaigns/cig_…"]
    assert secret not in str(events)


async def test_requests_are_logged_without_what_may_be_secret(server, client):
    with capture_logs() as events:
        answer = await client.post(
            "/campaigns?state=pa55word", json=JDL, headers={"Cookie": "session=s3cret"}
        )

    assert answer.status_code == 400
    (line,) = [event for event in events if event["event"] == "request.answered"]
    assert (line["method"], line["path"], line["status"]) == ("POST", "/campaigns", 400)
    assert line["user"] == OWN
    assert "pa55word" not in str(events)
    assert "s3cret" not in str(events)


async def test_what_is_not_http_is_refused_quietly(server, client, caplog):
    for garbage in (
        b"\x16\x03\x01 hello\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: +5\r\n\r\n",
        b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 100_000 + b"\r\n",
        b"GET / HTTP/1.1\r\nHost : x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nA: \0\r\n\r\n",
    ):
        try:
            answer = await server.say(garbage)
        except ConnectionError:
            continue  # it closed before all of it was sent
        assert b" 400 " in answer.partition(b"\r\n")[0] or answer == b""
    assert (await client.get("/")).status_code == 200
    ours = ("aiohttp", "cigri")
    assert not [record for record in caplog.records if record.name.startswith(ours)]
