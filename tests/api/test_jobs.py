"""Tasks over HTTP, where they are called jobs."""

import asyncio

import attrs
import pytest

from cigri.api import wire
from cigri.api.outputs import _last
from cigri.daemon import loops
from cigri.domain.attempt import Attempt
from cigri.domain.model import (
    CampaignId,
    ClusterName,
    JobId,
    RemoteId,
    Task,
    TaskId,
    TaskNumber,
    TaskState,
)
from cigri.domain.verdict import Ending
from cigri.engine.progress import Progress
from cigri.engine.supervisor import run
from tests.api.face import JDL

TASK = Task(
    id=TaskId(1007),
    campaign=CampaignId(12),
    number=TaskNumber(7),
    parameter="T=0.5 seed=7",
    state=TaskState.PENDING,
)
BARE = {name: value for name, value in JDL.items() if name != "nb_jobs"}


def attempt(number, ending, status):
    return Attempt(
        task=TASK.number,
        number=number,
        cluster=ClusterName("dahu"),
        job=JobId(number),
        remote_id=RemoteId(str(100 + number)),
        ending=ending,
        exit_status=status,
        started_at=10.0 * number,
        ended_at=10.0 * number + 5,
    )


def test_all_attempts_at_a_task_are_told_the_last_one_first():
    earlier = (attempt(2, Ending.KILLED, None), attempt(1, None, 7))
    last = {"job": JobId(3), "remote_id": RemoteId("103"), "started_at": 30.0}
    task = attrs.evolve(TASK, state=TaskState.RUNNING, earlier=earlier, **last)

    told = wire.job_details(task).executions

    assert [(each.remote_id, each.state, each.ending) for each in told] == [
        ("103", "running", None),
        ("102", "failed", "killed"),
        ("101", "failed", None),
    ]
    assert [each.start_time for each in told] == [30.0, 20.0, 10.0]
    back = attrs.evolve(task, state=TaskState.PENDING, ended_at=31.0, ending=Ending.NODE_FAILED)
    last, *_ = wire.executions(back)
    assert (last.state, last.ending) == ("failed", "node failed")
    # One that the cluster took back has none that goes on.
    assert wire.job_details(attrs.evolve(TASK, earlier=earlier)).executions == told[1:]


@pytest.mark.parametrize(
    ("state", "word"),
    [
        (TaskState.PENDING, "pending"),
        (TaskState.QUEUED, "queued"),
        (TaskState.RUNNING, "running"),
        (TaskState.SUCCEEDED, "terminated"),
        (TaskState.FAILED, "failed"),
        (TaskState.CANCELLED, "cancelled"),
    ],
)
def test_states_have_cigris_words(state, word):
    assert wire.job(attrs.evolve(TASK, state=state)).state == word


def test_a_job_is_named_after_the_first_word_of_its_parameter():
    for parameter, name in (("T=0.5 seed=7", "T=0.5"), (("a b", "c"), "a b"), ((), ""), (" ", "")):
        assert wire.job(attrs.evolve(TASK, parameter=parameter)).name == name


def test_a_duration_takes_two_ends():
    assert wire.job(attrs.evolve(TASK, started_at=5.0)).duration is None
    assert wire.job(attrs.evolve(TASK, started_at=5.0, ended_at=7.25)).duration == 2.25


async def test_jobs_are_listed_by_their_numbers(client):
    jdl = BARE | {"params": [f"p{n} x" for n in range(5)]}
    campaign = (await client.post("/campaigns", json=jdl)).headers["Location"]

    found, path = [], f"{campaign}/jobs?limit=2"
    while path:
        page = (await client.get(path)).json()
        assert (page["total"], page["limit"]) == (5, 2)
        found += page["items"]
        path = next((link["href"] for link in page["links"] if link["rel"] == "next"), None)

    assert [job["task"] for job in found] == [0, 1, 2, 3, 4]
    assert [job["name"] for job in found] == ["p0", "p1", "p2", "p3", "p4"]
    assert len({job["id"] for job in found}) == 5
    for job in found:
        assert (await client.get(job["href"])).json().items() >= job.items()
        details = (await client.get(f"/jobs/{job['id']}")).json()
        assert details.items() >= job.items()


async def test_an_offset_is_the_first_number_to_look_at(client, campaign):
    page = (await client.get(f"{campaign}/jobs?offset=2")).json()

    assert [job["task"] for job in page["items"]] == [2]


async def test_jobs_are_found_by_their_state(client, campaign):
    async def found(state):
        page = (await client.get(f"{campaign}/jobs?state={state}")).json()
        return page["total"], [job["task"] for job in page["items"]]

    assert await found("pending") == (3, [0, 1, 2])
    for state in ("queued", "running", "terminated", "succeeded", "failed", "event"):
        assert await found(state) == (0, [])
    assert (await client.get(f"{campaign}/jobs?state=remote_waiting")).status_code == 400


async def test_a_job_of_another_campaign_is_not_found(client, campaign):
    other = (await client.post("/campaigns", json=JDL)).headers["Location"]
    (job, *_) = (await client.get(f"{other}/jobs")).json()["items"]

    assert (await client.get(f"{campaign}/jobs/{job['id']}")).status_code == 404


async def test_a_job_that_has_not_started_has_no_output(client, campaign):
    assert (await client.get("/jobs/1/stdout")).status_code == 404


@pytest.mark.parametrize(
    ("output", "lines", "shown"),
    [
        (b"", None, b""),
        (b"", 3, b""),
        (b"a\nb\nc\n", None, b"a\nb\nc\n"),
        (b"a\nb\nc\n", 0, b""),
        (b"a\nb\nc\n", 1, b"c\n"),
        (b"a\nb\nc", 1, b"c"),
        (b"a\nb\nc\n", 3, b"a\nb\nc\n"),
        (b"a\nb\nc\n", 10**17, b"a\nb\nc\n"),
        (b"\n\n\n", 2, b"\n\n"),
    ],
)
def test_the_last_lines_are_shown(output, lines, shown):
    assert _last(output, lines) == (shown, False)


def test_a_long_output_is_shown_from_a_whole_line_on():
    long = b"".join(b"line %d\n" % n for n in range(200_000))
    shown, is_cut = _last(long, None)

    assert is_cut
    assert shown.startswith(b"line ")
    assert long.endswith(shown)
    assert len(shown) > 1_000_000
    assert _last(long, 2) == (b"line 199998\nline 199999\n", False)
    assert _last(b"x" * 2_000_000, None)[1]


@pytest.mark.e2e
async def test_what_tasks_did_is_told(client, runtime):
    script = 'echo "out $0"; printf "err\\377\\n" >&2; exit $0'
    jdl = BARE | {"exec_file": "sh -c", "params": [[script, "0"], [script, "3"]]}
    campaign = (await client.post("/campaigns", json=jdl)).headers["Location"]
    stop = asyncio.Event()
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        group.create_task(run(loops(runtime, Progress()), stop))
        while (await client.get(campaign)).json()["state"] != "terminated":
            pass
        stop.set()

    good, bad = (await client.get(f"{campaign}/jobs")).json()["items"]
    assert (good["state"], good["exit_status"], good["attempts"]) == ("terminated", 0, 1)
    assert (bad["state"], bad["exit_status"], bad["cluster"]) == ("failed", 3, "local")
    assert good["duration"] >= 0
    out = await client.get(f"/jobs/{good['id']}/stdout")
    err = await client.get(f"/jobs/{good['id']}/stderr")
    assert out.json() == {"output": "out 0\n", "truncated": False}
    assert err.json()["output"] == "err\N{REPLACEMENT CHARACTER}\n"
    raw = await client.get(f"/jobs/{good['id']}/stderr", headers={"Accept": "text/plain"})
    assert raw.content == b"err\xff\n"
    assert raw.headers["Content-Type"] == "text/plain"
    (event,) = (await client.get(f"{campaign}/events")).json()["items"]
    assert (event["job_id"], event["task"], event["exit_status"]) == (bad["id"], 1, 3)
    assert event["cluster_id"] == 1
    fixed = (await client.delete(f"/events/{event['id']}?resubmit")).json()
    assert (fixed["closed"], fixed["resubmitted"]) == (1, 1)
    assert (await client.get(campaign)).json()["counts"]["pending"] == 1


async def test_long_pages_are_whole(client):
    jdl = JDL | {"nb_jobs": 4321}
    campaign = (await client.post("/campaigns", json=jdl)).headers["Location"]
    for limit, numbers in (
        (10_000, range(5, 4321)),
        (2000, range(5, 2005)),
        (4316, range(5, 4321)),
    ):
        page = (await client.get(f"{campaign}/jobs?offset=5&limit={limit}")).json()
        assert [job["task"] for job in page["items"]] == list(numbers)
        rels = [link["rel"] for link in page["links"]]
        assert rels == (["self", "next"] if limit == 2000 else ["self"])
