"""What the manual and CiGri 3 promise their users: the manual's command lines, and the cases
that CiGri 3 itself was tested with."""

import asyncio
import json
import shutil

import pytest

from cigri.domain.model import ClusterName
from tests.api import face
from tests.v3_examples import MANUAL, README

CLUSTERS = [ClusterName(name) for name in ("fukushima", "tchernobyl", "my.other_cluster.fr")]
#: The clusters of the example in CiGri 3's README.
CIMENT = [ClusterName(name) for name in ("gofree", "fontaine", "froggy", "fostino")]

FRONT = (
    '{"links":[{"href":"/","rel":"self"},'
    '{"href":"/campaigns","title":"campaigns","rel":"campaigns"},'
    '{"href":"/clusters","title":"clusters","rel":"clusters"}]}\n'
)
EMPTY = '{"name":"n", "nb_jobs":0,"clusters":{"fukushima":{"exec_file":""}}}'
TWO = '{"name":"n", "nb_jobs":2,"clusters":{"fukushima":{"exec_file":"toto.sh"}}}'

needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")


@pytest.fixture
async def engine(tmp_path):
    async with face.engine(tmp_path, [*CLUSTERS, *CIMENT]) as engine:
        yield engine


@pytest.fixture
def curl(server):
    """What curl prints, with the options that the manual gives it."""

    async def call(*words, path=""):
        command = ["curl", "-s", "--unix-socket", str(server.socket), *words]
        process = await asyncio.create_subprocess_exec(
            *command, f"http://api-host:8666{path}", stdout=asyncio.subprocess.PIPE
        )
        out, _ = await process.communicate()
        assert process.returncode == 0
        return out.decode()

    return call


@pytest.fixture
async def ten(client):
    """The path of a campaign of ten tasks."""
    jdl = {"name": "test", "params": [str(n) for n in range(10)], "exec_file": "true"}
    answer = await client.post("/campaigns", json=jdl | {"clusters": {"fukushima": {}}})
    assert answer.status_code == 201, answer.text
    return answer.headers["Location"]


@needs_curl
async def test_the_manual_gets_the_links(curl):
    assert await curl() == FRONT


@needs_curl
async def test_the_manual_posts_a_campaign(curl):
    answer = json.loads(await curl("-X", "POST", "-d", EMPTY, path="/campaigns"))

    own = f"/campaigns/{answer['id']}"
    assert answer["links"][:2] == [
        {"href": own, "rel": "self"},
        {"href": "/campaigns", "rel": "parent"},
    ]
    links = '"links":[{"href":"OWN","rel":"self"},{"href":"/campaigns","rel":"parent"}'
    assert links.replace("OWN", own) in await curl(path=own)


@needs_curl
@pytest.mark.parametrize(
    ("words", "path", "line"),
    [
        ((), "", "HTTP/1.1 200 OK"),
        (("-X", "POST", "-d", TWO), "/campaigns", "HTTP/1.1 201 Created"),
        (("-X", "DELETE"), "/campaigns/1", "HTTP/1.1 202 Accepted"),
        (("-X", "PUT", "-d", "state=paused"), "/campaigns/1", "HTTP/1.1 202 Accepted"),
        (("-X", "POST", "-d", "{}"), "/campaigns", "HTTP/1.1 400 Bad Request"),
        (("-X", "PUT", "-d", "state=other"), "/campaigns/1", "HTTP/1.1 400 Bad Request"),
        ((), "/not/there", "HTTP/1.1 404 Not Found"),
    ],
)
async def test_the_manuals_return_codes(curl, ten, words, path, line):
    assert (await curl("-i", *words, path=path)).partition("\r\n")[0] == line


async def test_the_manual_may_not_delete_what_is_somebody_elses(mallory, ten):
    assert (await mallory.delete(ten)).status_code == 403


@needs_curl
@pytest.mark.parametrize(
    ("option", "pretty"),
    [
        ("?pretty", True),
        ("?pretty=true", True),
        ("?pretty=whatever", True),
        ("", False),
        ("?pretty=false", False),
    ],
)
async def test_the_manual_prints_pretty(curl, option, pretty):
    text = await curl(path=f"/{option}")

    assert json.loads(text) == json.loads(FRONT)
    assert text.endswith("}\n")
    assert (text.count("\n") > 1) is pretty


@needs_curl
@pytest.mark.parametrize(
    ("option", "numbers"),
    [
        ("", range(100)),
        ("?limit=23", range(23)),
        ("?limit=12&offset=50", range(50, 62)),
    ],
)
async def test_the_manual_lists_jobs(client, curl, option, numbers):
    jdl = {"name": "n", "nb_jobs": 120, "clusters": {"fukushima": {"exec_file": "true"}}}
    path = (await client.post("/campaigns", json=jdl)).headers["Location"]

    page = json.loads(await curl(path=f"{path}/jobs{option}"))

    assert [job["task"] for job in page["items"]] == list(numbers)


async def test_the_manuals_example_is_accepted(client):
    answer = await client.post("/campaigns", content=MANUAL)

    assert answer.status_code == 201, answer.text
    assert answer.json()["total_jobs"] == 2
    names = {each["cluster_name"] for each in answer.json()["clusters"].values()}
    assert names == set(CLUSTERS)


async def test_the_example_of_the_readme_lacks_nothing_but_its_file(client):
    answer = await client.post("/campaigns", content=README)

    assert answer.status_code == 400
    assert [each["pointer"] for each in answer.json()["errors"]] == ["/param_file"]
    assert "/home/deamon/povray_params.txt" in answer.json()["message"]


async def test_the_example_of_the_readme_is_accepted(client, tmp_path):
    (tmp_path / "povray_params.txt").write_text("first.pov 1\n  second.pov 2 \n")

    answer = await client.post("/campaigns", content=README.replace("/home/deamon", str(tmp_path)))

    assert answer.status_code == 201, answer.text
    campaign = answer.json()
    assert (campaign["name"], campaign["total_jobs"]) == ("povray_demo", 2)
    assert campaign["test_mode"] == "then-wait"
    assert {each["cluster_name"] for each in campaign["clusters"].values()} == set(CIMENT)
    jdl = (await client.get(f"{answer.headers['Location']}/jdl")).json()
    assert jdl["params"] == ["first.pov 1", "second.pov 2"]
    assert jdl["clusters"]["gofree"]["max_jobs"] == 50
    assert jdl["clusters"]["froggy"]["walltime"] == "00:05:00"
    assert jdl["clusters"]["fostino"]["prologue"][3] == r"cd \$HOME"


# The cases of CiGri 3 for its own API, in their order.


@pytest.mark.parametrize("path", ["/", "/clusters"])
async def test_what_can_be_got_says_so(client, path):
    answer = await client.get(path)

    assert answer.status_code == 200
    assert answer.json()["links"]
    assert answer.headers["Allow"] == "GET"


async def test_campaigns_can_be_got_and_posted(client):
    answer = await client.get("/campaigns")

    assert answer.status_code == 200
    assert answer.json()["links"]
    assert answer.headers["Allow"] == "GET,POST"


async def test_a_campaign_has_its_fields(client, ten):
    answer = await client.get(ten)

    assert answer.status_code == 200
    campaign = answer.json()
    assert campaign["links"][0] == {"href": ten, "rel": "self"}
    assert (campaign["total_jobs"], campaign["finished_jobs"]) == (10, 0)
    assert (campaign["state"], campaign["user"]) == ("in_treatment", face.OWN)
    assert campaign["name"] == "test"
    assert campaign["submission_time"] > 1_600_000_000
    assert f"/campaigns/{campaign['id']}" == ten


async def test_the_jobs_of_a_campaign_have_their_fields(client, ten):
    jobs = (await client.get(f"{ten}/jobs")).json()

    assert jobs["total"] == len(jobs["items"]) == 10
    for job in jobs["items"]:
        assert {"href", "state", "name", "id", "parameters"} <= job.keys()
        assert (await client.get(job["href"])).json()["id"] == job["id"]


async def test_jobs_are_limited(client, ten):
    page = (await client.get(f"{ten}/jobs?limit=2&offset=2")).json()

    assert page["total"] == 10
    assert [job["task"] for job in page["items"]] == [2, 3]
    assert (page["limit"], page["offset"]) == (2, 2)


async def test_a_description_has_its_fields(client, ten):
    jdl = (await client.get(f"{ten}/jdl")).json()

    assert {"name", "clusters", "jobs_type", "params"} <= jdl.keys()
    assert jdl["params"] == [str(n) for n in range(10)]


async def test_the_usage_of_the_grid_comes_later(client):
    answer = await client.get("/gridusage?from=1&to=2")

    assert answer.status_code == 501
    assert "later version" in answer.json()["message"]
    assert answer.headers["Allow"] == "GET"


@pytest.mark.parametrize(
    "path",
    ["/toto", "/campaigns/-1", "/campaigns/toto", "{ten}/jobs/999999", "/campaigns/-1/jdl"],
)
async def test_what_cannot_be_found(client, ten, path):
    answer = await client.get(path.format(ten=ten))

    assert answer.status_code == 404
    assert answer.json()["status"] == 404
    assert answer.json()["title"] == "Not found"
    assert answer.json()["message"]


async def test_a_campaign_is_posted(client):
    answer = await client.post("/campaigns", content=TWO)

    assert answer.status_code == 201
    campaign = answer.json()
    assert answer.headers["Location"] == f"/campaigns/{campaign['id']}"
    assert campaign["links"]


async def test_jobs_are_posted(client, ten):
    answer = await client.post(f"{ten}/jobs", json=["a", "b", "c", "d"])

    assert answer.status_code == 201
    assert answer.headers["Location"] == ten
    assert answer.json()["total_jobs"] == 14


async def test_nobody_posts_without_a_name(server):
    async with server.over_tcp() as stranger:
        assert (await stranger.post("/campaigns", content=TWO)).status_code == 401


async def test_jobs_are_not_posted_to_what_is_not_there(client):
    assert (await client.post("/campaigns/-1/jobs", json=["a"])).status_code == 404


async def test_jobs_are_not_posted_to_somebody_elses(mallory, ten):
    assert (await mallory.post(f"{ten}/jobs", json=["a"])).status_code == 403


async def test_a_campaign_is_put(client, ten):
    answer = await client.put(ten, data={"name": "toto", "state": "paused"})

    assert answer.status_code == 202
    campaign = (await client.get(ten)).json()
    assert (campaign["name"], campaign["state"]) == ("toto", "paused")


async def test_what_is_not_there_is_not_put(client):
    assert (await client.put("/campaigns/-1", data={"name": "toto"})).status_code == 404


async def test_what_is_somebody_elses_is_not_put(mallory, ten):
    assert (await mallory.put(ten, data={"name": "toto"})).status_code == 403


async def test_a_campaign_is_deleted(client, ten):
    answer = await client.delete(ten)

    assert answer.status_code == 202
    assert (await client.get(ten)).json()["state"] == "cancelled"


async def test_what_is_not_there_is_not_deleted(client):
    assert (await client.delete("/campaigns/-1")).status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/tokens", '{"cluster_id": 1, "token": "Blah"}'),
        ("POST", "/tokens", "cluster_id=1&token=Blah"),
        ("DELETE", "/tokens/1", None),
    ],
)
async def test_no_cluster_takes_tokens(client, method, path, body):
    answer = await client.request(method, path, content=body)

    assert answer.status_code == 403
    assert "does not take tokens" in answer.json()["message"]


async def test_there_are_no_tokens_of_clusters(client):
    assert (await client.get("/tokens")).json()["items"] == []


# What clients of CiGri 3 rely on beside that.


async def test_a_rule_of_admission_says_that_it_is_one(mallory):
    jdl = json.loads(TWO) | {"type": "normal"}

    answer = await mallory.post("/campaigns", json=jdl)

    assert answer.status_code == 400
    assert answer.json()["title"] == "Admission rule error"
    assert "ask " in answer.json()["message"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/notifications"),
        ("POST", "/notifications/mail"),
        ("POST", "/notifications/jabber"),
        ("DELETE", "/notifications/mail?identity=x"),
    ],
)
async def test_notifications_come_later(client, method, path):
    answer = await client.request(method, path, content=b'{"identity": "x"}')

    assert answer.status_code == 501
    assert "later version" in answer.json()["message"]


@pytest.mark.parametrize(
    ("first", "again", "state"),
    [
        ("?hold=1", "?hold=1", "paused"),
        (None, "?resume=1", "in_treatment"),
        ("", "", "cancelled"),
        ("", "?hold=1", "cancelled"),
    ],
)
async def test_what_its_state_does_not_allow_is_a_bad_request(client, ten, first, again, state):
    if first is not None:
        assert (await client.delete(f"{ten}{first}")).status_code == 202

    answer = await client.delete(f"{ten}{again}")

    assert answer.status_code == 400
    assert answer.json()["message"]
    assert (await client.get(ten)).json()["state"] == state


@pytest.mark.parametrize("body", ["name=toto&_method=put", "_method=PUT&name=toto"])
async def test_a_form_may_stand_for_another_method(client, ten, body):
    form = {"Content-Type": "application/x-www-form-urlencoded"}

    answer = await client.post(ten, content=body, headers=form)

    assert answer.status_code == 202
    assert (await client.get(ten)).json()["name"] == "toto"


@pytest.mark.parametrize(
    ("path", "headers"),
    [("?_method=delete", {}), ("", {"X-HTTP-Method-Override": "DELETE"})],
)
async def test_so_may_a_url_and_a_header(client, ten, path, headers):
    assert (await client.post(f"{ten}{path}", headers=headers)).status_code == 202
    assert (await client.get(ten)).json()["state"] == "cancelled"


@pytest.mark.parametrize("method", ["GET", "PATCH", "POST", "x"])
async def test_only_for_the_methods_that_change_it(client, ten, method):
    assert (await client.post(f"{ten}?_method={method}")).status_code == 400
    assert (await client.post(ten)).status_code == 405
    assert (await client.get(ten)).json()["state"] == "in_treatment"


async def test_a_method_that_stands_for_another_needs_the_same_rights(mallory, client, ten):
    assert (await mallory.post(f"{ten}?_method=delete")).status_code == 403
    assert (await client.post("/campaigns?_method=delete", content=TWO)).status_code == 400


@pytest.mark.parametrize(("prefix", "base"), [("/api", "/api"), ("v1/cigri/", "/v1/cigri")])
async def test_links_begin_where_the_proxy_says(client, ten, prefix, base):
    client.headers["X-Cigri-Api-Path-Prefix"] = prefix

    hrefs = [
        (await client.get("/")).json()["links"][0]["href"],
        (await client.get("/clusters")).json()["items"][0]["links"][0]["href"],
        (await client.get(ten)).json()["links"][0]["href"],
        (await client.get(f"{ten}/jobs?limit=1")).json()["links"][1]["href"],
        (await client.get(f"{ten}/jobs?limit=1")).links["next"]["url"],
        (await client.get(f"{ten}/jobs")).json()["items"][0]["href"],
        (await client.post("/campaigns", content=TWO)).headers["Location"],
    ]

    assert [href for href in hrefs if not href.startswith(f"{base}/")] == []


@pytest.mark.parametrize(
    "prefix",
    [
        "https://evil.example",
        "//evil.example",
        "/a/../b",
        "/a\u00e9",
        "/a b",
        '/"><script>',
        "/a?b",
        "/" + "a" * 300,
        "javascript:alert(1)",
    ],
)
async def test_links_begin_nowhere_else(client, prefix):
    answer = await client.get("/", headers=[(b"X-Cigri-Api-Path-Prefix", prefix.encode())])

    assert answer.status_code == 400
    assert prefix not in answer.text


async def test_the_last_page_has_no_next_one_and_none_skips_a_row(client, ten):
    found, path = [], f"{ten}/jobs?limit=3"
    while path:
        answer = await client.get(path)
        page = answer.json()
        found += [job["task"] for job in page["items"]]
        path = next((link["href"] for link in page["links"] if link["rel"] == "next"), None)
        assert path == (answer.links["next"]["url"] if "next" in answer.links else None)

    assert found == list(range(10))
    assert answer.links["prev"]["url"] == f"{ten}/jobs?limit=3&offset=6"
    assert answer.links["first"]["url"] == f"{ten}/jobs?limit=3&offset=0"


async def test_a_campaign_without_events_has_an_empty_list(client, ten):
    for path in (f"{ten}/events", "/events", f"{ten}/events?all=1", f"{ten}/jobs/finished"):
        answer = await client.get(path)
        assert (answer.status_code, answer.json()["items"]) == (200, []), path


async def test_statistics_are_numbers(client, ten):
    stats = (await client.get(f"{ten}/stats")).json()

    assert list(stats) == [
        "average_jobs_duration",
        "stddev_jobs_duration",
        "jobs_throughput",
        "remaining_time",
        "failures_rate",
        "resubmit_rate",
    ]
    assert stats["jobs_throughput"] == stats["failures_rate"] == 0
    assert (await client.get("/campaigns/77/stats")).status_code == 404


async def test_a_cluster_tells_what_it_told(client):
    cluster = (await client.get("/clusters/1")).json()

    assert cluster["name"] == "fukushima"
    assert cluster["blacklisted"] is cluster["under_stress"] is False
    value, limit = cluster["stress_factor"].split("/")
    assert float(value) >= 0
    assert limit == "-"
    assert {"batch", "ssh_host", "resource_unit", "power", "properties", "enabled"} <= set(cluster)


async def test_no_file_of_a_cluster_is_deleted(client, mallory, tmp_path):
    precious = tmp_path / "precious"
    precious.touch()

    for one in (client, mallory):
        answer = await one.delete(f"/clusters/fukushima{precious}")
        assert answer.status_code == 501
        assert "delete them there" in answer.json()["message"]
    assert precious.exists()


async def test_a_job_that_was_not_sent_is_unknown_to_its_cluster(client, ten):
    job = (await client.get(f"{ten}/jobs")).json()["items"][0]["id"]

    assert (await client.get(f"/jobs/{job}")).json()["executions"] == []
    for what in ("cinfos", "stdout", "stderr"):
        assert (await client.get(f"/jobs/{job}/{what}")).status_code == 404
