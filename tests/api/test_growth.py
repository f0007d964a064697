"""Campaigns that grow, go on, are explained, and lose single tasks."""

import pytest

from cigri.api.body import LINES
from tests.api.face import JDL


@pytest.mark.parametrize(
    ("headers", "content"),
    [
        ({}, b'["a", ["b", "c d"]]'),
        ({}, b' ["a", 1]\r\n\n'),
        ({"Content-Type": "application/x-www-form-urlencoded"}, b'["a", ["b", "c d"]]'),
        ({"Content-Type": LINES}, b"a\n'b' c\n"),
        ({"Content-Type": "text/plain"}, b"a\n'b' c"),
        ({"Content-Type": "text/plain; charset=utf-8"}, b' \n["a", ["b", "c d"]]\n'),
        ({"Content-Type": "application/x-ndjson"}, b'"a"\r\n\n["b", "c d"]'),
        ({"Content-Type": "application/x-ndjson"}, b'\n 1\n"a\\n"\n\n'),
    ],
)
async def test_tasks_are_added(client, campaign, headers, content):
    answer = await client.post(f"{campaign}/jobs", content=content, headers=headers)

    assert answer.status_code == 201, answer.text
    assert answer.headers["Location"] == campaign
    assert answer.json()["total_jobs"] == 5
    jobs = (await client.get(f"{campaign}/jobs?offset=3")).json()["items"]
    assert [job["task"] for job in jobs] == [3, 4]
    for job in jobs:
        assert (await client.get(f"/jobs/{job['id']}")).json()["task"] == job["task"]


@pytest.mark.parametrize("content", [b"", b"{}", b'"a"', b"[1, {}]", b"[", b'["a\\u0000"]'])
async def test_what_is_no_list_of_parameters_adds_nothing(client, campaign, content):
    answer = await client.post(f"{campaign}/jobs", content=content)

    assert answer.status_code == 400
    assert answer.json()["errors"]
    assert (await client.get(campaign)).json()["total_jobs"] == 3


async def test_lines_of_json_may_be_cut_anywhere(client, campaign):
    async def pieces():
        for byte in b'"a  b"\n \n\t["c",  " "]\r\n':
            yield bytes([byte])

    headers = {"Content-Type": "application/x-ndjson"}
    answer = await client.post(f"{campaign}/jobs", content=pieces(), headers=headers)

    assert answer.status_code == 201, answer.text
    jobs = (await client.get(f"{campaign}/jobs?offset=3")).json()["items"]
    assert [job["parameters"] for job in jobs] == ["a  b", ["c", " "]]


@pytest.mark.parametrize("media", ["application/x-www-form-urlencoded", "application/x-what"])
async def test_lines_that_came_as_something_else_learn_how_to_come(client, campaign, media):
    answer = await client.post(
        f"{campaign}/jobs", content=b"a\nb\n", headers={"Content-Type": media}
    )

    assert answer.status_code == 400
    assert LINES in answer.json()["errors"][0]["hint"]


@pytest.mark.parametrize("content", [b'"a"\nb\n', b"{}\n", b'["a",\n"b"]\n', b'["a"\n', b"]\n["])
async def test_lines_of_json_that_are_no_parameters_add_nothing(client, campaign, content):
    headers = {"Content-Type": "application/x-ndjson"}
    answer = await client.post(f"{campaign}/jobs", content=content, headers=headers)

    assert answer.status_code == 400
    assert (await client.get(campaign)).json()["total_jobs"] == 3


async def test_nothing_is_added_to_a_cancelled_campaign(client, campaign):
    await client.delete(campaign)

    answer = await client.post(f"{campaign}/jobs", json=["a"])

    assert answer.status_code == 400
    assert "cancelled" in answer.json()["message"]


async def test_a_terminated_campaign_goes_on(client):
    path = (await client.post("/campaigns", json=JDL | {"nb_jobs": 0})).headers["Location"]
    assert (await client.get(path)).json()["state"] == "terminated"

    answer = await client.post(f"{path}/jobs", json=["a", "b"])

    assert (answer.status_code, answer.json()["state"]) == (201, "in_treatment")
    assert answer.json()["end_time"] is None


async def test_what_waits_for_no_test_does_not_go(client, campaign):
    answer = await client.post(f"{campaign}/go")

    assert answer.status_code == 400
    assert answer.json()["type"] == "/docs/errors#conflict"


async def test_a_campaign_says_why_it_waits(client, mallory, campaign):
    await client.delete(f"{campaign}?hold")

    answer = await client.get(f"{campaign}/explain")

    (why,) = answer.json()["clusters"]
    assert list(why) == ["cluster", "code", "reason", "remedy"]
    assert (why["cluster"], why["code"]) == ("local", "paused")
    assert (await mallory.get(f"{campaign}/explain")).status_code == 403


async def test_one_task_is_cancelled(client, mallory, campaign):
    job = (await client.get(f"{campaign}/jobs")).json()["items"][1]
    assert (await mallory.delete(f"/jobs/{job['id']}")).status_code == 403

    answer = await client.delete(f"/jobs/{job['id']}")

    assert answer.status_code == 202
    assert answer.json()["message"] == f"Job {job['id']} cancelled"
    states = [each["state"] for each in (await client.get(f"{campaign}/jobs")).json()["items"]]
    assert states == ["pending", "cancelled", "pending"]
    assert (await client.delete(f"/jobs/{job['id']}")).status_code == 400
    assert (await client.delete("/jobs/999")).status_code == 404


@pytest.mark.parametrize("cluster", ['"local"', "1", '"1"'])
async def test_an_administrator_stops_a_cluster(client, mallory, campaign, cluster):
    body = f'{{"class": "cluster", "code": "CLUSTER_MANUALLY_DISABLED", "cluster_id": {cluster}}}'
    assert (await mallory.post("/events", content=body)).status_code == 403

    answer = await client.post("/events", content=body)

    assert answer.status_code == 201, answer.text
    event = answer.json()
    assert (event["class"], event["state"], event["cluster_name"]) == ("cluster", "open", "local")
    assert answer.headers["Location"] == f"/events/{event['id']}"
    for path in ("/events", f"{campaign}/events"):
        assert (await client.get(path)).json()["items"] == [event]
    assert (await client.get("/clusters/1")).json()["blacklisted"] is True
    assert (await client.delete(answer.headers["Location"])).status_code == 202
    assert (await client.get("/events")).json()["items"] == []
    assert (await client.get("/clusters/1")).json()["blacklisted"] is False


async def test_an_administrator_marks_a_job(client, campaign):
    form = "class=job&code=MANUAL_EVENT&job_id=2&message=look+at+it"

    event = (await client.post("/events", content=form)).json()

    assert (event["job_id"], event["message"]) == (2, "look at it")
    assert event["campaign_id"] == 1
    assert (await client.get(campaign)).json()["has_events"] is True


@pytest.mark.parametrize(
    ("body", "status", "pointer"),
    [
        ('{"code": "NO_SUCH"}', 400, "/code"),
        ('{"cluster_id": 1}', 400, ""),
        ('{"code": "CLUSTER_MANUALLY_DISABLED"}', 400, "/cluster_id"),
        ('{"code": "MANUAL_EVENT"}', 400, "/campaign_id"),
        ('{"code": "MANUAL_EVENT", "job_id": "x"}', 400, "/job_id"),
        ('{"code": "MANUAL_EVENT", "jobid": 1}', 400, "/jobid"),
        ('{"code": "MANUAL_EVENT", "state": "closed", "job_id": 1}', 400, "/state"),
        ('{"code": "MANUAL_EVENT", "job_id": 99}', 404, None),
        ('{"code": "CLUSTER_MANUALLY_DISABLED", "cluster_id": 99}', 404, None),
    ],
)
async def test_events_that_cannot_be_made(client, campaign, body, status, pointer):
    answer = await client.post("/events", content=body)

    assert answer.status_code == status, answer.text
    if pointer is not None:
        assert answer.json()["errors"][0]["pointer"] == pointer
    assert (await client.get("/events")).json()["total"] == 0


@pytest.mark.parametrize("name", ["job_id", "campaign_id"])
@pytest.mark.parametrize("number", [-1, 2**63, 10**30])
async def test_an_event_about_a_number_that_nothing_has_is_refused(client, name, number):
    answer = await client.post("/events", json={"code": "MANUAL_EVENT", name: number})

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, f"/{name}")
