"""Campaigns over HTTP: submitted, listed, changed, described."""

import pytest

from cigri.domain.lifecycle import CampaignEvent
from cigri.domain.model import CampaignId
from cigri.errors import Conflict
from cigri.store import campaigns
from tests.api.face import JDL, LOCAL, OWN

BARE = {name: value for name, value in JDL.items() if name != "nb_jobs"}


async def test_a_new_campaign_is_answered_whole(client):
    answer = await client.post("/campaigns", json=JDL)
    campaign = answer.json()

    assert answer.status_code == 201
    assert answer.headers["Location"] == f"/campaigns/{campaign['id']}"
    assert campaign == (await client.get(answer.headers["Location"])).json()
    assert (campaign["name"], campaign["user"]) == ("sweep", OWN)
    assert (campaign["state"], campaign["type"]) == ("in_treatment", "normal")
    assert isinstance(campaign["submission_time"], int)
    assert campaign["end_time"] is None
    assert (campaign["total_jobs"], campaign["finished_jobs"]) == (3, 0)
    assert (campaign["has_events"], campaign["open_events"]) == (False, 0)
    assert campaign["counts"]["pending"] == 3
    assert sum(campaign["counts"].values()) == 3
    assert campaign["forecast"]["eta"] is None
    (cluster,) = campaign["clusters"].values()
    assert (cluster["cluster_name"], cluster["blacklisted"]) == (LOCAL, False)
    assert {"rel": "self", "href": answer.headers["Location"]} in campaign["links"]


async def test_the_manuals_example_of_an_empty_campaign_is_over_at_once(client):
    example = {"name": "n", "nb_jobs": 0, "clusters": {"local": {"exec_file": ""}}}
    campaign = (await client.post("/campaigns", json=example)).json()

    assert campaign["state"] == "terminated"
    assert campaign["end_time"] is not None


async def test_warnings_come_with_the_campaign(client):
    quiet = (await client.post("/campaigns", json=JDL)).json()
    loud = (await client.post("/campaigns", json=JDL | {"resources": "nodes=1"})).json()

    assert "warnings" not in quiet
    assert loud["warnings"]


async def test_a_dry_run_shows_the_commands_and_stores_nothing(client):
    params = ["a 'b c'", "$HOME; rm", ["exact", "words "], "last"]
    jdl = BARE | {"params": params, "exec_file": "run.sh --fast"}
    answer = await client.post("/campaigns?dry_run=1", json=jdl)
    preview = answer.json()

    assert answer.status_code == 200
    assert preview["tasks"] == 4
    assert [command["task"] for command in preview["commands"]] == [0, 1, 3]
    assert preview["commands"][0]["argv"] == ["run.sh", "--fast", "a", "b c"]
    assert preview["commands"][0]["command"] == "run.sh --fast a 'b c'"
    assert preview["commands"][1]["command"] == "run.sh --fast '$HOME;' rm"
    assert preview["jdl"]["clusters"]["local"]["exec_file"] == "run.sh --fast"
    assert (await client.get("/campaigns?state=all")).json()["total"] == 0


async def test_a_dry_run_that_is_off_submits(client):
    for off in ("0", "false", "no"):
        assert (await client.post(f"/campaigns?dry_run={off}", json=JDL)).status_code == 201


async def test_lists_hide_what_is_over_and_count_it(client):
    first, second, third = [
        (await client.post("/campaigns", json=JDL)).headers["Location"] for _ in range(3)
    ]
    await client.delete(first)
    await client.delete(f"{second}?hold")

    async def listed(options=""):
        listing = (await client.get(f"/campaigns{options}")).json()
        return [f"/campaigns/{item['id']}" for item in listing["items"]], listing["finished"]

    assert await listed() == ([second, third], 1)
    assert await listed("?state=all") == ([first, second, third], 0)
    assert await listed("?state=cancelled,terminated") == ([first], 2)
    assert await listed("?state=paused") == ([second], 2)
    assert (await client.get("/campaigns?state=loading")).status_code == 400
    assert (await client.get("/campaigns?state=")).status_code == 400


async def test_lists_are_paged_without_gaps(client):
    for _ in range(5):
        await client.post("/campaigns", json=JDL)

    found, path = [], "/campaigns?limit=2&state=in_treatment"
    while path:
        page = (await client.get(path)).json()
        assert page["total"] == 5
        found += [item["id"] for item in page["items"]]
        path = next((link["href"] for link in page["links"] if link["rel"] == "next"), None)

    assert found == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("content", "options"),
    [
        (b'{"state": "paused", "name": "other"}', ""),
        (b"state=paused&name=other", ""),
        (b"name=other", "?state=paused"),
        (b"", "?state=paused&name=other"),
    ],
    ids=["json", "form", "both", "url"],
)
async def test_a_campaign_is_renamed_and_paused(client, campaign, content, options):
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = await client.put(f"{campaign}{options}", content=content, headers=form)

    assert answer.status_code == 202
    assert (answer.json()["state"], answer.json()["name"]) == ("paused", "other")
    assert (await client.get(campaign)).json() == answer.json()


BAD_CHANGES = [
    b"",
    b"{}",
    b"{",
    b"[]",
    b'{"state": "running"}',
    b'{"state": null}',
    b'{"state": true}',
    b'{"sate": "paused"}',
    b'{"user": "eve", "name": "x"}',
    b'{"name": 12}',
    b'{"name": ""}',
    b'{"name": "a\\u0000b"}',
    b'{"name": "a\\ud800b"}',
    b'{"name": "\xff"}',
    b'{"name": {"a": {"a": ' + b"[" * 100_000,
    b"colour=red",
    b"state=terminated",
    b"\xff\xfe",
]


async def test_other_changes_are_refused_and_change_nothing(client, campaign):
    before = (await client.get(campaign)).json()

    for content in BAD_CHANGES:
        answer = await client.put(campaign, content=content)
        assert answer.status_code == 400, content
        assert answer.json()["errors"]
    assert (await client.get(campaign)).json() == before


async def test_a_change_that_is_too_long_is_refused(client, campaign):
    assert (await client.put(campaign, content=b"name=" + b"x" * 2_000_000)).status_code == 413


async def test_the_old_way_to_pause_resume_and_cancel(client, campaign):
    number = campaign.rpartition("/")[2]
    for option, done, state in (
        ("?hold=1", "paused", "paused"),
        ("?resume=1", "resumed", "in_treatment"),
        ("", "cancelled", "cancelled"),
    ):
        answer = await client.delete(f"{campaign}{option}")
        assert answer.status_code == 202
        assert answer.json() == {
            "status": 202,
            "title": "Accepted",
            "message": f"Campaign {number} {done}",
        }
        assert (await client.get(campaign)).json()["state"] == state

    assert (await client.delete(campaign)).status_code == 400
    assert (await client.delete(f"{campaign}?hold&resume")).status_code == 400
    purged = await client.delete(f"{campaign}?purge=1")
    assert (purged.status_code, purged.json()["message"]) == (202, f"Campaign {number} purged")
    assert (await client.get(campaign)).status_code == 404


async def test_what_is_not_there_is_not_found(client):
    for method, path in (
        ("GET", "/campaigns/7"),
        ("GET", "/campaigns/7/jdl"),
        ("GET", "/campaigns/7/jobs"),
        ("GET", "/campaigns/7/events"),
        ("PUT", "/campaigns/7?state=paused"),
        ("DELETE", "/campaigns/7"),
        ("DELETE", "/campaigns/7/events"),
    ):
        assert (await client.request(method, path)).status_code == 404, path


async def test_the_description_comes_back_with_its_parameters(client):
    for params in (
        [],
        ["a"],
        ["two words", "quoted"],
        [["x", "y z"], "plain", 'a "quote"', "\\", "\N{LATIN SMALL LETTER E WITH ACUTE}\u202e"],
        [str(n) for n in range(2001)],
    ):
        answer = await client.post("/campaigns", json=BARE | {"params": params})
        path = f"{answer.headers['Location']}/jdl"
        plain, pretty = await client.get(path), await client.get(f"{path}?pretty")
        assert plain.json()["params"] == params
        assert plain.json() == pretty.json()
        assert plain.text.count("\n") == 1
        assert '\n  "params": [\n' in pretty.text
        assert pretty.text.endswith("\n  ]\n}\n")


async def test_a_count_comes_back_as_the_parameters_it_stands_for(client, campaign):
    assert (await client.get(f"{campaign}/jdl")).json()["params"] == ["0", "1", "2"]


async def test_a_description_that_came_back_can_be_submitted_again(client, campaign):
    jdl = (await client.get(f"{campaign}/jdl")).json()
    again = await client.post("/campaigns", json=jdl)

    assert again.status_code == 201, again.text
    assert (await client.get(f"{again.headers['Location']}/jdl")).json() == jdl


BOMBS = {
    "deep arrays": b"[" * 100_000,
    "deep objects": b'{"name":' * 100_000,
    "deep parameters": b'{"params":' + b"[" * 100_000,
    "endless integer": b'{"name":"x","nb_jobs":' + b"9" * 1_000_000 + b"}",
    "2 to the 63": b'{"name":"x","nb_jobs":9223372036854775808}',
    "NaN": b'{"name":"x","nb_jobs":NaN}',
    "infinity": b'{"name":"x","nb_jobs":1e400}',
    "lone surrogate": b'{"name":"\\ud800"}',
    "NUL": b'{"name":"a\\u0000b"}',
    "not UTF-8": b'{"name":"\xff"}',
    "twice": b'{"name":"a","name":"b"}',
    "a million keys": b"{" + b",".join(b'"k%d":1' % n for n in range(1_000_000)) + b"}",
    "a text": b'"name"',
    "nothing": b"null",
}


@pytest.mark.parametrize(
    "tasks",
    [
        {"param_grid": {"T": "0:1:3", "seed": "1..2"}},
        {"param_grid": {"T": ["a b", "c"]}, "params": ["--temp {T}"]},
        {"param_zip": {"T": [1], "seed": [2]}},
        {"jobs_type": "desktop_computing"},
        {"jobs_type": "desktop_computing", "nb_jobs": 3},
    ],
)
async def test_a_campaign_that_needs_no_list_of_parameters_shows_none(client, tasks):
    given = {key: value for key, value in JDL.items() if key != "nb_jobs"} | tasks
    answer = await client.post("/campaigns", json=given)

    jdl = (await client.get(f"{answer.headers['Location']}/jdl")).json()

    assert jdl.keys() == {"name", "clusters", "jobs_type", *tasks}
    again = await client.post("/campaigns", json=jdl)
    assert (await client.get(f"{again.headers['Location']}/jdl")).json() == jdl


async def test_bombs_are_mistakes_of_the_client(client):
    for name, bomb in BOMBS.items():
        for headers in ({}, {"Content-Type": "application/vnd.cigri.lines"}):
            answer = await client.post("/campaigns", content=bomb, headers=headers)
            assert answer.status_code in {400, 413}, name
            assert len(answer.content) < 1_000_000, name
    assert (await client.get("/campaigns?state=all")).json()["total"] == 0


async def test_a_change_is_made_whole_or_not_at_all(client, campaign):
    before = (await client.get(campaign)).json()

    bad_name = await client.put(campaign, json={"state": "paused", "name": ""})
    bad_state = await client.put(campaign, json={"state": "in_treatment", "name": "new"})

    assert (bad_name.status_code, bad_state.status_code) == (400, 400)
    assert (await client.get(campaign)).json() == before


async def test_a_bad_name_is_a_mistake_of_the_request(client, campaign):
    problem = (await client.put(campaign, json={"name": ""})).json()

    assert problem["title"] == "Invalid request"
    assert problem["detail"].startswith("The request has 1 mistake: /name: ")


async def test_what_a_campaign_cannot_be_is_said_in_words(client, campaign, runtime):
    number = int(campaign.rpartition("/")[2])
    await client.delete(campaign)

    for change, word in (
        ("?hold", ": there is nothing to pause"),
        ("?resume", " for good: submit it again"),
        ("", " already"),
    ):
        detail = (await client.delete(f"{campaign}{change}")).json()["detail"]
        assert detail == f"campaign {number} is cancelled{word}"
    async with runtime.database.write() as tx:
        with pytest.raises(Conflict, match="is cancelled for good"):
            await campaigns.happen(tx, CampaignId(number), CampaignEvent.REOPENED, 0.0)
