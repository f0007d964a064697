"""The fake of OAR answers as a real OAR 2.5.9 does: recorded answers, and both side by side."""

import asyncio
import json
import sys
import time
import uuid
from urllib.parse import quote

import httpx
import pytest

from cigri.bench.fake.answers import Call
from cigri.bench.fake.calls import Calls
from cigri.bench.fake.cluster import Cluster
from cigri.bench.fake.faults import Fault, Rule
from cigri.bench.fake.model import OVER, FakeOptions, State, Why
from cigri.bench.fake_oar2 import FakeOar, own_fake, serving
from cigri.clusters.worker import carriers
from tests.testbed import oar2 as testbed

OCTETS = "application/octet-stream"
BESTEFFORT = {"type": ["besteffort"], "resource": "/core=1,walltime=0:1:0"}


class Played:
    """A fake whose clock stands still until it is moved."""

    def __init__(self, **options):
        self.time = 1_795_000_000.0
        self.cluster = Cluster(FakeOptions(**options), lambda: self.time)
        self.calls = Calls(self.cluster)

    def ask(self, method, path, body=None, *, user="alice", **more):
        path, _, query = path.partition("?")
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            more.setdefault("content_type", "application/json")
        call = Call(method=method, path=path, query=query, user=user, body=body or b"", **more)
        answer = self.calls.answer(call)
        return answer.code, answer.body

    def get(self, path, **more):
        code, body = self.ask("GET", path, **more)
        assert code == 200, body
        return json.loads(body)

    def submit(self, **order):
        code, body = self.ask("POST", "/jobs.json", {"command": "x", **order})
        assert code == 201, body
        said = json.loads(body)["cmd_output"].splitlines()
        return [int(line.partition("=")[2]) for line in said if line.startswith("OAR_JOB_ID=")]


@pytest.fixture
def played():
    return Played(cores=4)


# --- What OAR refuses, as it was recorded -----------------------------------------------------

REFUSED = [
    ({"resource": "/core=1"}, 400, "A job must have a script, a command"),
    ({"command": "x", "foobar": "1"}, 500, "status 1: Unknown option: foobar"),
    ({"command": "x", "resource": "zork,,="}, 500, "Cannot recognize the resource description"),
    ({"command": "x", "resource": "/core=1,walltime=abc"}, 500, "-- ,walltime=abc -- resource"),
    ({"command": "x", "resource": "/nosuch=1"}, 400, 'column "nosuch" does not exist'),
    ({"command": "x", "resource": "/core=1000"}, 400, "There are not enough resources"),
    ({"command": "x", "property": "foo=1 and (("}, 400, "OAR_JOB_ID=-5"),
    ({"command": "x", "type": "nonsense"}, 500, "unknown job type: nonsense"),
    ({"command": "x", "type": "besteffort,idempotent"}, 500, "unknown job type"),
    ({"command": "x", "queue": "nosuch"}, 500, "status 248"),
    ({"command": "x", "param_file": "# a\n\n"}, 400, ""),
    ({"command": "x", "name": "n" * 101}, 400, "OAR_JOB_ID=\n"),
    ({"command": "x" * 200_000}, 500, ""),
]


@pytest.mark.parametrize(("order", "code", "says"), REFUSED)
def test_an_order_that_oar_refuses_is_refused_in_its_words(order, code, says):
    played = Played(cores=4, max_body=1 << 20)

    answer, body = played.ask("POST", "/jobs.json", order)

    assert answer == code
    assert says in json.loads(body)["message"]
    assert not played.cluster.jobs


@pytest.mark.parametrize(
    ("user", "code", "says"),
    [
        ("", 401, "A suitable authentication must be done before posting jobs"),
        ("nobodyatall", 401, "Cannot get information regarding the target user"),
        ("root", 500, "status 254"),
        ("oar", 500, "root and oar users are not allowed"),
    ],
)
def test_who_may_not_submit_is_told_as_oar_does(played, user, code, says):
    answer, body = played.ask("POST", "/jobs.json", {"command": "x"}, user=user)

    assert answer == code
    assert says in json.loads(body)["message"]


def test_a_login_is_cut_to_its_first_word(played):
    played.ask("POST", "/jobs.json", {"command": "x"}, user="alice-evil")

    assert played.cluster.jobs[1].sub.user == "alice"


@pytest.mark.parametrize("accept", ["*/*", "application/json, */*"])
def test_media_and_select_look_at_the_accept_header_only(played, accept):
    assert played.ask("GET", "/media/~/x", accept=accept)[0] == 406
    assert played.ask("GET", "/select_all.json?query=FROM%20jobs", accept=accept)[0] == 406
    assert played.ask("GET", "/jobs", accept=accept)[0] == 406
    assert played.ask("GET", "/jobs.json", accept=accept)[0] == 200


def test_a_body_over_the_limit_is_an_html_error_and_nothing_is_created(played):
    code, body = played.ask("POST", "/jobs.json", {"command": "x", "param_file": "a\n" * 70_000})

    assert (code, body[:9]) == (500, b"<!DOCTYPE")
    assert not played.cluster.jobs


# --- Submission ----------------------------------------------------------------------------------


def test_comments_and_blank_lines_of_a_parameter_file_make_no_job(played):
    ids = played.submit(param_file="a 1\n\n  \nb '#' 2\n# c\n")

    assert [played.cluster.jobs[number].command for number in ids] == ["x a 1", "x b '"]


def test_one_line_makes_an_ordinary_job(played):
    code, body = played.ask("POST", "/jobs.json", {"command": "x", "param_file": "only\n"})

    assert code == 201
    assert "OAR_ARRAY_ID" not in json.loads(body)["cmd_output"]


def test_ids_may_have_gaps():
    assert Played(cores=4, id_step=3).submit(param_file="a\nb\nc\n") == [1, 4, 7]


# --- What happens to jobs -----------------------------------------------------------------------


def test_jobs_run_when_cores_are_free_and_end_in_time():
    played = Played(cores=2, durations=(1.0, 3.0))
    ids = played.submit(param_file="a\nb\nc\n")

    played.time += 2
    rows = played.get("/jobs/table.json?ids=" + ":".join(map(str, ids)))["items"]

    assert [row["state"] for row in rows] == ["Running", "Terminated", "Running"]
    began = int(played.time) - 2
    assert [row["start_time"] - began for row in rows] == [0, 0, 1]
    assert [row["exit_code"] for row in rows] == [None, 0, None]


def test_a_job_of_many_cores_waits_for_all_of_them():
    played = Played(cores=4, durations=(1.0,))
    played.submit(resource="/core=3,walltime=0:1:0")
    played.submit(resource="/nodes=1/core=2,walltime=0:1:0")

    assert [job.state for job in played.cluster.jobs.values()] == [State.RUNNING, State.WAITING]


def test_a_job_longer_than_its_walltime_is_killed_with_the_events_that_say_so():
    played = Played(cores=1, durations=(100.0,))
    played.submit(resource="/core=1,walltime=0:0:8")
    played.time += 9

    job = played.get("/jobs/1.json")

    assert (job["state"], job["exit_code"]) == ("Error", None)
    assert {"WALLTIME", "FRAG_JOB_REQUEST", "SEND_KILL_JOB"} <= {e["type"] for e in job["events"]}


def test_a_deleted_job_that_waited_never_started():
    played = Played(cores=1)
    first, second = played.submit(param_file="a\nb\n")

    assert played.ask("DELETE", f"/jobs/{second}.json")[0] == 202
    job = played.get(f"/jobs/{second}.json")

    assert (job["state"], job["start_time"], job["stop_time"]) == ("Error", 0, 0)
    assert [event["type"] for event in job["events"]] == ["FRAG_JOB_REQUEST"]
    assert played.ask("DELETE", f"/jobs/{second}.json")[0] == 400
    assert played.ask("DELETE", f"/jobs/{first}.json", user="bob")[0] == 400
    assert played.ask("DELETE", "/jobs/99.json")[0] == 400


def test_one_job_that_was_deleted_before_makes_the_deletion_of_its_array_an_error(played):
    ids = played.submit(param_file="a\nb\n", resource="/core=1,walltime=0:1:0")
    played.ask("DELETE", f"/jobs/{ids[0]}.json")

    assert played.ask("POST", f"/jobs/array/{ids[0]}/deletions/new.json")[0] == 400
    assert {job.state for job in played.cluster.jobs.values()} == {State.ERROR}


def test_a_besteffort_job_that_oar_submits_again_has_a_new_id_and_its_old_index(played):
    ids = played.submit(param_file="a\nb\n", type=["besteffort", "idempotent"])
    played.cluster.kill(played.cluster.jobs[ids[1]], Why.RESUBMITTED)
    played.time += 0.1

    again = played.get("/jobs/3.json")
    said = [event["description"] for event in played.get("/jobs/2.json")["events"]]

    assert (again["resubmit_job_id"], again["array_id"], again["array_index"]) == (2, 1, 2)
    assert any("(new id = 3)" in text for text in said)


def test_a_look_back_lists_what_ended_runs_or_is_new():
    played = Played(cores=1, durations=(1.0, 1.0, 100.0))
    old = played.submit(param_file="a\nb\nc\nd\n", resource="/core=1,walltime=1:0:0")
    played.time += 10

    since = int(played.time) - 8
    shown = played.get(f"/jobs/table.json?from={since}&limit=0&user=alice")["items"]

    # The first had ended before, the last one waits and was submitted before.
    assert [(row["id"], row["state"]) for row in shown] == [(old[1], "Running")]


# --- Lists --------------------------------------------------------------------------------------


@pytest.mark.parametrize("query", ["ids=abc", "limit=abc", "from=x", "ids=99"])
def test_a_filter_that_is_nonsense_finds_nothing(played, query):
    played.submit()

    assert played.get(f"/jobs/table.json?{query}")["items"] == []


def test_a_list_ends_at_500_unless_asked_otherwise(played):
    played.submit(param_file="a\n" * 600)
    ids = "ids=" + ":".join(map(str, range(1, 601)))

    assert len(played.get(f"/jobs/table.json?{ids}")["items"]) == 500
    assert len(played.get(f"/jobs/table.json?{ids}&limit=0")["items"]) == 600
    assert played.get(f"/jobs/table.json?{ids}&limit=10&offset=595")["items"][0]["id"] == 596
    assert played.get("/select_all.json?query=FROM%20jobs&limit=0")["items"] == []


def test_a_query_without_rows_is_an_error(played):
    query = quote("FROM event_logs WHERE job_id IN (1, 2)")

    assert played.ask("GET", f"/select_all.json?query={query}")[0] == 500


def test_a_query_may_choose_its_columns(played):
    played.submit()
    inner = "SELECT job_id, state FROM jobs WHERE job_id IN (1, 7) UNION ALL SELECT 0, ''"
    path = f"/select_all.json?query={quote(f'FROM ({inner}) AS found')}"

    found = played.get(path)["items"]

    assert found == [{"job_id": 1, "state": "Running"}, {"job_id": 0, "state": ""}]


def test_jobs_are_found_by_their_name(played):
    played.submit(name="tag-1", param_file="a\nb\n")
    played.submit(name="tag-2")
    query = quote("FROM jobs WHERE job_name='tag-1' AND job_user = 'alice'")

    found = played.get(f"/select_all.json?query={query}")["items"]

    assert [(job["job_id"], job["array_index"]) for job in found] == [(1, 1), (2, 2)]


# --- Files --------------------------------------------------------------------------------------


def test_files_are_written_once_unless_forced_and_read_from_their_end(played):
    def write(path, data):
        return played.ask("POST", path, data, content_type=OCTETS)[0]

    assert write("/media/~/d/f", b"one\ntwo\nthree") == 201
    assert write("/media/~/d/f", b"again") == 403
    assert played.ask("GET", "/media/~/d/f?tail=2") == (200, b"two\nthree")
    assert played.ask("GET", "/media/home/alice/d/f", user="bob")[0] == 403
    assert played.ask("GET", "/media/~/d")[0] == 404
    assert [row["name"] for row in played.get("/media/ls/~/d")["items"]] == ["f"]
    assert played.ask("DELETE", "/media/~/d")[0] == 204
    assert played.ask("GET", "/media/~/d/f")[0] == 404


def test_a_path_that_a_shell_would_run_is_run_and_noted(played):
    assert b"uid=" in played.ask("GET", "/media/home/alice/x;id")[1]
    assert played.calls.media.shell == ["/home/alice/x;id"]


# --- The process and its faults -----------------------------------------------------------------

DONE = {
    Fault.HTML: 0,
    Fault.HTML_AFTER: 1,
    Fault.DATABASE: 0,
    Fault.DENIED: 0,
    Fault.EXECUTOR: 1,
    Fault.RESET: 0,
    Fault.RESET_AFTER: 1,
    Fault.HALF: 1,
    Fault.HANG: 0,
    Fault.HANG_AFTER: 1,
    Fault.GARBLED: 0,
}


@pytest.mark.parametrize(("fault", "made"), DONE.items())
async def test_a_fault_does_or_does_not_what_was_asked_and_hits_as_often_as_told(fault, made):
    fake = FakeOar(FakeOptions(cores=1))
    fake.faults = [Rule(fault=fault, kinds=("submit",), times=1)]
    headers = {"X_REMOTE_IDENT": "alice", "Accept": "application/json"}
    async with serving(fake) as url, httpx.AsyncClient(headers=headers, timeout=0.3) as client:
        try:
            answer = await client.post(f"{url}/jobs.json", json={"command": "x"})
            failed = answer.status_code != 201
        except httpx.HTTPError:
            failed = True

        assert failed
        assert len(fake.cluster.jobs) == made
        answer = await client.post(f"{url}/jobs.json", json={"command": "x"})
        assert answer.status_code == 201


async def test_jobs_really_run_where_their_homes_are_given(tmp_path):
    (tmp_path / "alice").mkdir()
    fake = FakeOar(FakeOptions(cores=2, homes=tmp_path))
    order = {"command": "sh -c 'echo $OAR_ARRAY_INDEX >got.$0; exit $0'", "param_file": "0\n3\n"}
    headers = {"X_REMOTE_IDENT": "alice", "Accept": "application/json"}
    async with serving(fake) as url, httpx.AsyncClient(headers=headers) as client:
        await client.post(f"{url}/jobs.json", json=order)
        while fake.cluster.finished < 2:  # noqa: ASYNC110 # a fake has no bell
            await asyncio.sleep(0.01)
        rows = (await client.get(f"{url}/jobs/table.json?ids=1:2")).json()["items"]
        written = (await client.get(f"{url}/media/~/got.3")).text

    assert [row["exit_code"] for row in rows] == [0, 768]
    assert written == "2\n"


async def test_nothing_of_a_job_survives_its_end(tmp_path):
    """As what a worker runs, which leaves its process group."""
    (tmp_path / "alice").mkdir()
    fake = FakeOar(FakeOptions(cores=1, homes=tmp_path))
    begun = tmp_path / "alice" / "begun"
    text = "import os, time; os.fork() or (os.setsid(), open('begun', 'w')); time.sleep(600)"
    order = {"command": f'exec {sys.executable} -c "{text}"'}
    headers = {"X_REMOTE_IDENT": "alice", "Accept": "application/json"}
    async with serving(fake) as url, httpx.AsyncClient(headers=headers) as client:
        await client.post(f"{url}/jobs.json", json=order)
        while not begun.exists():  # noqa: ASYNC110 # a fake has no bell
            await asyncio.sleep(0.01)
        fake.kill([1], Why.BESTEFFORT)
        left = carriers(f"OAR_NODEFILE={tmp_path}/nodes.1".encode())

    assert left == []


@pytest.mark.e2e
def test_it_runs_in_a_process_of_its_own():
    with own_fake(FakeOptions(cores=3, durations=(0.5,))) as fake:
        assert httpx.get(f"{fake.url}/resources.json").json()["total"] == 3
        assert fake.tell("counts")["requests"] == {"resources": 1}


# --- Side by side -------------------------------------------------------------------------------


def shape(value):
    """Return the names in a JSON value with the kinds of what they name, and no value."""
    if isinstance(value, dict):
        return {name: shape(each) for name, each in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return "number" if isinstance(value, int) else type(value).__name__


class Real:
    """The real OAR, asked like a played one."""

    def __init__(self, url):
        self.url = url

    def ask(self, method, path, body=None, *, user="alice", content_type=None, **_):
        headers = {"X_REMOTE_IDENT": user, "Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = content_type or "application/json"
            body = body if isinstance(body, bytes) else json.dumps(body).encode()
        answer = httpx.request(
            method, self.url + path, content=body, headers=headers, timeout=30.0
        )
        return answer.status_code, answer.content


def side_by_side(both, *request, **more):
    """Ask both, assert that code and shape of the answers are the same, and return them."""
    answers = [each.ask(*request, **more) for each in both]
    codes = [code for code, _ in answers]
    assert codes[0] == codes[1], answers
    if not answers[0][1].startswith(b"{"):
        return [body for _, body in answers]
    told = [json.loads(body) for _, body in answers]
    shapes = [shape(each) for each in told]
    for each in shapes:
        each.pop("links", None)  # a link more or less
    assert shapes[0] == shapes[1]
    return told


@pytest.mark.oar
def test_the_real_one_answers_in_the_same_shape(oar2):
    played = Played(cores=16)
    both = [played, Real(testbed.URL)]
    name = f"same-{uuid.uuid4().hex[:12]}"

    for path in ("version", "whoami", "stress_factor", "resources/full", "nosuch"):
        side_by_side(both, "GET", f"/{path}.json")
    for order, code, _ in REFUSED[:-1]:
        assert [each.ask("POST", "/jobs.json", order)[0] for each in both] == [code, code]
    order = {"command": "sleep", "param_file": "0\n0\n", "name": name, **BESTEFFORT}
    first = [each["id"] for each in side_by_side(both, "POST", "/jobs.json", order)]
    while any(
        job["state"] not in OVER for job in oar2.get(f"jobs.json?array={first[1]}")["items"]
    ):
        time.sleep(0.5)
    played.time += 5
    for path in (
        "/jobs/table.json?ids={}",
        "/jobs.json?ids={}",
        "/jobs/{}.json",
        "/jobs/table.json?array={}&limit=1",
        "/jobs/table.json?ids=abc",
    ):
        answers = [
            each.ask("GET", path.format(number)) for each, number in zip(both, first, strict=True)
        ]
        fake, real = (json.loads(body) for _, body in answers)
        assert answers[0][0] == answers[1][0]
        assert shape(fake).keys() == shape(real).keys()
        if fake.get("items"):
            assert shape(fake["items"]) == shape(real["items"]), path
