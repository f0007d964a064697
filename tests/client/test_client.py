import json

import httpx
import pytest

from cigri import errors
from cigri.client import Client


def campaign(state="terminated", **counts):
    none = dict.fromkeys(("pending", "queued", "running", "terminated", "failed", "cancelled"), 0)
    return {"id": 12, "state": state, "counts": none | counts}


class Server:
    """Plays a list of answers and keeps the requests; an exception is a connection that breaks."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.requests = []

    def __call__(self, request):
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, httpx.Response) else httpx.Response(200, json=answer)

    def client(self):
        transport = httpx.MockTransport(self)
        return Client(http=httpx.Client(transport=transport, base_url="http://localhost"))


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
            client.submit({"name": "x"})

    assert len(server.requests) == 2


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


def test_the_newest_campaign_of_a_user_is_found_behind_those_of_others():
    others = [{"id": number, "user": "bob"} for number in range(100)]
    server = Server(
        {"items": [], "total": 150},
        {"items": others},
        {"items": [{"id": 1, "user": "ann"}, {"id": 2, "user": "ann"}, {"id": 3, "user": "bob"}]},
    )

    with server.client() as client:
        newest = client.newest("ann")

    assert newest is not None
    assert newest["id"] == 2
    assert server.requests[2].url.query == b"state=all&offset=0&limit=50"


def test_an_error_of_the_server_is_raised():
    body = {"detail": "there is no campaign 12", "status": 404}
    server = Server(httpx.Response(404, json=body))

    with server.client() as client, pytest.raises(errors.NotFound) as caught:
        client.campaign(12)

    assert caught.value.problem == body


def test_results_have_the_columns_of_the_manual():
    job = {
        "id": 99,
        "task": 3,
        "parameters": "a b",
        "state": "failed",
        "exit_status": 2,
        "cluster": "local",
        "start_time": 1.0,
        "stop_time": 3.5,
        "duration": 2.5,
        "attempts": 1,
    }
    server = Server({"items": [job], "links": []})

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
