import json

import httpx
import pytest

from cigri import errors
from tests.client.played import Server


def campaign(state="terminated", **counts):
    none = dict.fromkeys(("pending", "queued", "running", "terminated", "failed", "cancelled"), 0)
    return {"id": 12, "state": state, "counts": none | counts}


def test_a_read_is_repeated_while_a_known_server_is_silent():
    server = Server(campaign(), httpx.ReadError("gone"), httpx.ConnectError("no"), campaign())

    with server.client() as client:
        client.campaign(12)
        again = client.campaign(12)

    assert again["id"] == 12
    assert len(server.requests) == 4


def test_a_server_that_never_answered_is_not_waited_for():
    server = Server(httpx.ConnectError("refused"))

    with server.client() as client, pytest.raises(errors.ServerUnreachable, match="refused"):
        client.campaign(12)


def test_a_change_is_sent_once_and_its_lost_answer_is_told():
    server = Server(campaign(), httpx.ReadError("gone"))

    with server.client() as client:
        client.campaign(12)
        with pytest.raises(errors.ServerUnreachable, match="may have been carried out"):
            client.pause(12)

    assert len(server.requests) == 2


def test_a_submission_whose_answer_is_lost_is_sent_again_as_the_same():
    busy = httpx.Response(409, json={"detail": "this request is still being carried out"})
    server = Server(httpx.ReadError("gone"), busy, httpx.Response(201, json=campaign()))

    with server.client() as client:
        client.submit({"name": "x"})
        server.answers.append(httpx.Response(201, json=campaign()))
        client.submit({"name": "x"})

    keys = [request.headers["Idempotency-Key"] for request in server.requests]
    first, second, third, other = keys
    assert first == second == third != other


def test_a_stream_of_lines_cannot_be_sent_again():
    server = Server(httpx.ReadError("gone"))

    with server.client() as client, pytest.raises(errors.ServerUnreachable, match="may have been"):
        client.submit({"name": "x"}, iter(["a"]))


def test_jobs_follows_the_links_to_the_next_page():
    first = {
        "items": [{"task": 0}, {"task": 4}],
        "links": [{"rel": "next", "href": "/campaigns/12/jobs?state=failed&limit=2&offset=5"}],
    }
    server = Server(first, {"items": [{"task": 9}], "links": []})

    with server.client() as client:
        found = [job["task"] for job in client.jobs(12, state="failed")]

    assert found == [0, 4, 9]
    assert server.requests[1].url.query == b"state=failed&limit=2&offset=5"


def test_lines_are_sent_after_the_description_as_one_stream():
    server = Server(httpx.Response(201, json=campaign()))
    lines = (f"{number}" for number in range(3))

    with server.client() as client:
        client.submit({"name": "x"}, lines)

    (request,) = server.requests
    head, *rest = request.read().splitlines()
    assert json.loads(head) == {"name": "x"}
    assert rest == [b"0", b"1", b"2"]
    assert request.headers["Content-Type"] == "application/vnd.cigri.lines"
    assert request.headers["Transfer-Encoding"] == "chunked"


def test_a_description_over_several_lines_becomes_one_before_lines():
    server = Server(httpx.Response(201, json=campaign()))

    with server.client() as client:
        client.submit('{\n  "name":\n  "x\\ny"\n}', ["a"])

    head, line = server.requests[0].read().splitlines()
    assert json.loads(head) == {"name": "x\ny"}
    assert line == b"a"


def test_a_description_as_text_is_sent_as_it_is():
    server = Server(httpx.Response(201, json=campaign()))

    with server.client() as client:
        client.submit('{"name": "x",}')

    assert server.requests[0].read() == b'{"name": "x",}'


def test_wait_returns_the_campaign_when_it_has_ended():
    server = Server(campaign("in_treatment"), campaign("in_treatment"), campaign(failed=1))

    with server.client() as client:
        last = client.wait(12)

    assert last["counts"]["failed"] == 1


def test_wait_gives_up_when_the_time_is_up():
    server = Server(campaign("paused"))

    with server.client() as client, pytest.raises(TimeoutError, match="campaign 12"):
        client.wait(12, timeout=0)


def test_the_newest_campaign_of_a_user_is_the_last_of_theirs():
    newest = campaign() | {"id": 7}
    server = Server({"items": [campaign()], "total": 3}, {"items": [newest], "total": 3})

    with server.client() as client:
        assert client.newest("ann") == newest

    assert server.requests[1].url.query == b"state=all&user=ann&limit=1&offset=2"


def test_somebody_without_campaigns_has_no_newest_one():
    with Server({"items": [], "total": 0}).client() as client:
        assert client.newest("ann") is None


def test_an_error_of_the_server_is_raised():
    body = {"detail": "there is no campaign 12", "status": 404}
    server = Server(httpx.Response(404, json=body))

    with server.client() as client, pytest.raises(errors.NotFound) as caught:
        client.campaign(12)

    assert caught.value.problem == body


def job(task, parameters="a b"):
    return {
        "id": 99,
        "task": task,
        "parameters": parameters,
        "state": "failed",
        "exit_status": 2,
        "cluster": "local",
        "start_time": 1.0,
        "stop_time": 3.5,
        "duration": 2.5,
        "attempts": 1,
    }


def streamed(*jobs, breaks=False):
    """Return such tasks as a stream of lines, in pieces that end anywhere, which may break."""
    text = "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in jobs).encode()

    def pieces():
        for begin in range(0, len(text), 7):
            yield text[begin : begin + 7]
        if breaks:
            raise httpx.ReadError("gone")

    return httpx.Response(200, content=pieces())


def test_results_have_the_columns_of_the_manual():
    server = Server(streamed(job(3)))

    with server.client() as client:
        rows = list(client.results(12))

    assert rows == [
        {
            "number": 3,
            "parameter": "a b",
            "state": "failed",
            "exit_status": 2,
            "cluster": "local",
            "start": 1.0,
            "end": 3.5,
            "duration": 2.5,
            "attempts": 1,
        }
    ]


def test_the_axes_of_a_sweep_are_columns_also_where_the_stream_broke():
    server = Server(streamed(job(0), breaks=True), {"items": [job(1)], "links": []})

    with server.client() as client:
        found = list(client.results(12, ("x", "y")))

    assert [(row["number"], row["x"], row["y"]) for row in found] == [(0, "a", "b"), (1, "a", "b")]


def test_only_a_line_feed_ends_a_row():
    server = Server(streamed(job(0, "a\u2028b\x85c"), job(1)))

    with server.client() as client:
        assert [row["parameter"] for row in client.results(12)] == ["a\u2028b\x85c", "a b"]


def test_a_stream_of_results_that_breaks_goes_on_page_by_page():
    server = Server(streamed(job(0), job(1), breaks=True), {"items": [job(2)], "links": []})

    with server.client() as client:
        assert [row["number"] for row in client.results(12)] == [0, 1, 2]

    assert server.requests[1].url.path == "/campaigns/12/jobs"
    assert server.requests[1].url.params["offset"] == "2"


def test_results_of_what_is_not_there_are_refused():
    server = Server(httpx.Response(404, json={"detail": "there is no campaign 12"}))

    with server.client() as client, pytest.raises(errors.NotFound, match="no campaign 12"):
        list(client.results(12))
