"""All tasks as a file."""

import asyncio
import csv
import io
import json
from collections import Counter

import pytest

from cigri.domain.model import CampaignId
from cigri.store import records, tasks
from cigri.store.records import Records
from tests.api import face

CSV = {"Accept": "text/csv"}
NDJSON = {"Accept": "application/x-ndjson"}
HEADING = (
    "id,task,parameters,state,exit_status,cluster,attempts,start_time,stop_time,duration,"
    "cigri_job_id,remote_id"
)

#: Parameters that a careless writer of CSV would break.
ODD = ["plain", 'with "quotes"', "a, b", "=1+1", "é ☃", "", ["two", "words, here"], " spaces "]


@pytest.fixture
async def odd(client):
    jdl = {"name": "odd", "exec_file": "echo", "clusters": {"local": {}}, "params": ODD}
    answer = await client.post("/campaigns", json=jdl)
    assert answer.status_code == 201, answer.text
    return answer.headers["Location"]


@pytest.fixture
async def mixed(client, runtime):
    """A campaign of 2,500 tasks: the first ten of each thousand have ended, every other well."""
    answer = await client.post("/campaigns", json=face.JDL | {"nb_jobs": 2500})
    campaign = CampaignId(answer.json()["id"])
    found = Records()
    for place in range(10):
        found.state[place] = records.FAILED if place % 2 else records.SUCCEEDED
        found.exit_status[place] = place % 2 * 3
        found.attempts[place], found.cluster[place], found.job[place] = 1, 1, 1
        found.start[place], found.duration[place] = 1_700_000_000_500, 1250
    async with runtime.database.write() as tx:
        await tasks.write_records(tx, campaign, dict.fromkeys(range(3), found))
        await tx.run("UPDATE campaign SET pending = pending - 30, succeeded = 15, failed = 15")
    return answer.headers["Location"]


def rows(answer):
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.text, newline="")))


def lines(answer):
    assert answer.status_code == 200, answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


async def test_a_table_has_a_heading_and_a_row_for_each_task(client, mixed):
    answer = await client.get(f"{mixed}/jobs.csv")

    assert answer.text.partition("\r\n")[0] == HEADING
    found = rows(answer)
    assert [int(row["task"]) for row in found] == list(range(2500))
    assert found[1] == {
        "id": found[1]["id"],
        "task": "1",
        "parameters": "1",
        "state": "failed",
        "exit_status": "3",
        "cluster": "local",
        "attempts": "1",
        "start_time": "1700000000.5",
        "stop_time": "1700000001.75",
        "duration": "1.25",
        "cigri_job_id": found[1]["id"],
        "remote_id": "",
    }


async def test_lines_say_what_the_list_says(client, mixed):
    listed = (await client.get(f"{mixed}/jobs?limit=2500")).json()["items"]

    found = lines(await client.get(f"{mixed}/jobs.ndjson?fields=id,name,href,task,parameters"))
    more = lines(await client.get(f"{mixed}/jobs.ndjson"))

    assert len(listed) == 2500
    assert found == [{name: job[name] for name in found[0]} for job in listed]
    assert more == [{name: job[name] for name in more[0]} for job in listed]


async def test_both_can_be_asked_for_as_a_form_of_the_list(client, mixed):
    table = await client.get(f"{mixed}/jobs", headers=CSV)
    lines_ = await client.get(f"{mixed}/jobs", headers=NDJSON)

    assert table.content == (await client.get(f"{mixed}/jobs.csv")).content
    assert lines_.content == (await client.get(f"{mixed}/jobs.ndjson")).content
    assert table.headers["Content-Type"] == "text/csv"
    assert lines_.headers["Content-Type"] == "application/x-ndjson"


@pytest.mark.parametrize(
    "accepted", ["application/json", "*/*", "application/json, text/csv", "text/html"]
)
async def test_everybody_else_gets_the_list(client, mixed, accepted):
    answer = await client.get(f"{mixed}/jobs", headers={"Accept": accepted})

    assert answer.headers["Content-Type"].startswith("application/json")


async def test_every_parameter_comes_back_as_it_was(client, odd):
    table = rows(await client.get(f"{odd}/jobs.csv"))
    found = lines(await client.get(f"{odd}/jobs.ndjson"))

    assert [row["parameters"] for row in table] == [
        json.dumps(each, separators=(",", ":")) if isinstance(each, list) else each for each in ODD
    ]
    assert [line["parameters"] for line in found] == ODD


@pytest.mark.parametrize(
    ("wanted", "count"),
    [
        ("state=failed", 15),
        ("state=failed,terminated", 30),
        ("state=pending", 2470),
        ("state=running", 0),
        ("exit=3", 15),
        ("exit=0", 15),
        ("exit=-9", 0),
        ("cluster=local", 30),
        ("q=200", 13),
        ("q=nowhere", 0),
        ("state=failed&exit=0", 0),
        ("state=failed&cluster=local&exit=3&q=1", 7),
    ],
)
async def test_it_holds_what_the_list_with_the_same_filters_holds(client, mixed, wanted, count):
    listed = (await client.get(f"{mixed}/jobs?limit=2500&{wanted}")).json()["items"]

    table = rows(await client.get(f"{mixed}/jobs.csv?{wanted}"))
    found = lines(await client.get(f"{mixed}/jobs.ndjson?{wanted}"))

    numbers = [job["task"] for job in listed]
    assert len(numbers) == count
    assert [int(row["task"]) for row in table] == numbers
    assert [line["task"] for line in found] == numbers


async def test_columns_come_in_the_order_in_which_they_are_named(client, odd):
    answer = await client.get(f"{odd}/jobs.csv?fields=state,task")

    assert answer.text.splitlines()[:2] == ["state,task", "pending,0"]


async def test_a_campaign_without_tasks_is_a_heading(client):
    made = await client.post("/campaigns", json=face.JDL | {"nb_jobs": 0})
    path = made.headers["Location"]

    assert (await client.get(f"{path}/jobs.csv")).text == HEADING + "\r\n"
    assert (await client.get(f"{path}/jobs.ndjson")).text == ""


@pytest.mark.parametrize(
    "options",
    ["fields=nothing", "fields=", "limit=5", "offset=1", "state=lost", "exit=x", "fields=id,id"],
)
@pytest.mark.parametrize("how", [".csv", ".ndjson"])
async def test_what_it_does_not_know_is_refused_before_it_begins(client, odd, how, options):
    assert (await client.get(f"{odd}/jobs{how}?{options}")).status_code == 400


async def test_it_is_for_the_owner(mallory, odd):
    for path, accepted in ((".csv", {}), (".ndjson", {}), ("", CSV), ("", NDJSON)):
        answer = await mallory.get(f"{odd}/jobs{path}", headers=accepted)
        assert answer.status_code == 403


async def test_there_is_none_of_what_is_not_there(client):
    assert (await client.get("/campaigns/9/jobs.csv")).status_code == 404


async def test_it_comes_as_a_file(client, odd):
    answer = await client.get(f"{odd}/jobs.csv")

    name = odd.rpartition("/")[2]
    assert answer.headers["Content-Disposition"] == f'attachment; filename="campaign-{name}.csv"'


async def test_damage_ends_the_file_where_the_client_can_see_it(client, server, mixed, runtime):
    async with runtime.database.write() as tx:
        await tx.run("UPDATE task_chunk SET data = x'00' WHERE chunk = 2")

    answer = await server.say(
        f"GET {mixed}/jobs.csv HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()
    )

    assert answer.startswith(b"HTTP/1.1 200")
    # The end of a chunked body is missing.
    assert not answer.endswith(b"0\r\n\r\n")


async def test_others_are_served_while_it_is_read(client, server, mixed):
    """A reader that stops in the middle keeps nobody waiting, writers neither."""
    reader, writer = await asyncio.open_unix_connection(str(server.socket), limit=1024)
    writer.write(f"GET {mixed}/jobs.csv HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    await reader.readline()

    async with asyncio.timeout(5):
        assert (await client.put(mixed, json={"name": "meanwhile"})).status_code == 202
        assert (await client.get(f"{mixed}/jobs")).status_code == 200
    writer.close()


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
async def test_a_client_that_reads_quickly_leaves_others_their_turn(
    client, campaigns, campaign, monkeypatch, encoding
):
    turns, seen = 0, Counter()

    async def others():
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async def many():
        for _ in range(100):
            seen[turns] += 1
            yield ["x"]

    async def jdl(*_):
        return {"name": "x"}, many()

    monkeypatch.setattr(campaigns, "jdl", jdl)
    busy = asyncio.create_task(others())
    await client.get(f"{campaign}/jdl", headers={"Accept-Encoding": encoding})
    busy.cancel()

    assert max(seen.values()) <= 2
