"""`jobs`, on answers that are played: pages with a filter may be short and yet not the last."""

import pytest

JOB = {
    "parameters": "a",
    "state": "failed",
    "exit_status": 1,
    "cluster": "local",
    "attempts": 1,
    "start_time": None,
    "duration": None,
}
FIRST = "/campaigns/34/jobs?offset=0&limit={}&exit=1"


def page(*tasks, following=None):
    links = [] if following is None else [{"rel": "next", "href": following}]
    return {"items": [JOB | {"task": task} for task in tasks], "links": links}


@pytest.fixture
def paged(played):
    """A server whose first page is empty, and the second is short."""

    def play(limit):
        played.answers = {
            f"GET {FIRST.format(limit)}": page(following="/two"),
            "GET /two": page(1000, 1001, following="/three"),
            "GET /three": page(2002, 2003),
        }
        return played

    return play


@pytest.mark.parametrize(
    ("limit", "listed", "more"),
    [
        (1, ["1000"], ["more: --first 1001"]),
        (2, ["1000", "1001"], ["more: --first 1002"]),
        (3, ["1000", "1001", "2002"], ["more: --first 2003"]),
        (4, ["1000", "1001", "2002", "2003"], []),
        (9, ["1000", "1001", "2002", "2003"], []),
    ],
)
def test_pages_are_followed_until_there_is_what_was_asked_for(paged, cigri, limit, listed, more):
    paged(limit)

    table = cigri("jobs", 34, "--exit", 1, "--limit", limit)
    ids = cigri("jobs", 34, "--exit", 1, "--limit", limit, "-o", "ids")

    lines = table.out.splitlines()[1:]
    assert [line.split()[0] for line in lines if "more" not in line] == listed, table.err
    assert [line for line in lines if "more" in line] == more
    assert ids.out.split() == listed


def test_no_more_pages_are_asked_for_than_needed(paged, cigri):
    server = paged(2)

    cigri("jobs", 34, "--exit", 1, "--limit", 2)

    assert [path for _, path, *_ in server.requests] == [FIRST.format(2), "/two"]


def test_json_is_one_page_as_it_comes(paged, cigri):
    server = paged(4)

    cigri("jobs", 34, "--exit", 1, "--limit", 4, "-o", "json")

    assert len(server.requests) == 1


def test_no_task_is_said_after_the_last_page_alone(played, cigri):
    played.answers = {f"GET {FIRST.format(100)}": page(following="/two"), "GET /two": page()}

    assert cigri("jobs", 34, "--exit", 1).out == "no task\n"
    assert len(played.requests) == 2


@pytest.mark.parametrize("options", [[], ["-o", "ids"], ["-o", "json"]])
def test_a_cluster_that_the_campaign_has_not_is_said(played, cigri, options):
    detail = "the campaign is not on 'second'"
    mistake = {"pointer": "?cluster", "detail": detail, "hint": "it is on local, other"}
    problem = {"type": "/docs/errors#request", "status": 400, "detail": "x", "errors": [mistake]}
    played.answers["GET /campaigns/34/jobs?offset=0&limit=100&cluster=second"] = (400, problem)

    ended = cigri("jobs", 34, "--cluster", "second", *options)

    assert (ended.code, ended.out) == (3, "")
    error, _, attempt = ended.err.splitlines()
    assert error == f"error: {detail} (it is on local, other)"
    assert attempt == "try:   cigri stat 34 shows its clusters"


ATTEMPT = {
    "cluster": "dahu",
    "remote_id": "101",
    "state": "failed",
    "exit_status": None,
    "start_time": 0.0,
    "stop_time": 90.0,
    "ending": None,
}


@pytest.fixture
def one_task(played):
    """A server with task 7, whose number is 1007, and the attempts at it."""

    def play(*attempts):
        task = JOB | {"task": 7, "id": 1007}
        played.answers = {
            "GET /campaigns/34/jobs?offset=7&limit=1": {"items": [task], "links": []},
            "GET /jobs/1007": task | {"executions": [ATTEMPT | one for one in attempts]},
        }
        return played

    return play


@pytest.mark.parametrize(
    ("attempt", "told"),
    [
        ({"exit_status": 3}, "1m30     3  itself"),
        ({"exit_status": 66, "ending": "-"}, "1m30    66  itself"),
        ({"ending": "killed"}, "1m30        the cluster, or a cancel"),
        ({"ending": "deleted"}, "1m30        somebody, on the cluster"),
        ({"ending": "node failed"}, "1m30        node failed"),
        ({}, "1m30        see its event"),
        ({"state": "running", "stop_time": None}, "running"),
        ({"state": "queued", "start_time": None, "stop_time": None}, "queued"),
    ],
)
def test_an_attempt_tells_who_ended_it(one_task, cigri, attempt, told):
    one_task(attempt)

    head, names, row = cigri("jobs", 34, 7).out.splitlines()

    assert head == "Task 7  failed  a"
    assert names.split() == [
        "ATTEMPT",
        "CLUSTER",
        "JOB",
        "START",
        "DURATION",
        "EXIT",
        "ENDED",
        "BY",
    ]
    assert row.split()[:3] == ["1", "dahu", "101"]
    assert row.endswith(told)


def test_attempts_are_numbered_from_the_first_and_the_last_is_above(one_task, cigri):
    one_task({"remote_id": "102"}, {"remote_id": "101"})

    rows = cigri("jobs", 34, 7).out.splitlines()[2:]

    assert [row.split()[:3] for row in rows] == [["2", "dahu", "102"], ["1", "dahu", "101"]]


def test_a_task_that_never_started_has_no_attempt(one_task, cigri):
    one_task()

    assert cigri("jobs", 34, 7).out.splitlines()[1:] == ["no attempt"]
    assert cigri("jobs", 34, 7, "-o", "ids").out == "7\n"


def test_one_task_is_not_chosen_among_all(one_task, cigri):
    one_task({})

    ended = cigri("jobs", 34, 7, "--state", "failed")

    assert ended.code == 2
    assert "the other options choose among all" in ended.err


def test_a_task_that_is_not_there_is_said(played, cigri):
    played.answers["GET /campaigns/34/jobs?offset=8&limit=1"] = page()

    ended = cigri("jobs", 34, 8)

    assert (ended.code, ended.err.splitlines()[0]) == (3, "error: campaign 34 has no task 8")
