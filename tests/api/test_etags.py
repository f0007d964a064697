"""What a client has already is not sent again."""

import pytest

from cigri.api import etags
from cigri.api.operation import operations
from cigri.api.tables import TABLES
from tests.api import face

PAGES = [
    "/campaigns",
    "{campaign}",
    "{campaign}/jobs",
    "{campaign}/jobs.csv",
    "{campaign}/jobs.ndjson",
    "{campaign}/events",
    "{campaign}/jdl",
]


def having(answer):
    return {"If-None-Match": answer.headers["ETag"]}


@pytest.mark.parametrize("page", PAGES)
async def test_an_answer_that_has_not_changed_is_not_sent_again(client, campaign, page):
    path = page.format(campaign=campaign)
    first = await client.get(path)

    second = await client.get(path, headers=having(first))

    assert first.status_code == 200
    assert (second.status_code, second.content) == (304, b"")
    assert second.headers["ETag"] == first.headers["ETag"]
    assert second.headers["Cache-Control"] == "private, no-cache"
    assert {"Accept", "Accept-Encoding", "Authorization"} <= set(first.headers["Vary"].split(", "))


@pytest.mark.parametrize("page", PAGES)
async def test_a_change_makes_it_another_answer(client, campaign, page):
    path = page.format(campaign=campaign)
    first = await client.get(path)
    await client.put(campaign, json={"name": "renamed"})

    second = await client.get(path, headers=having(first))

    assert second.status_code == 200
    assert second.headers["ETag"] != first.headers["ETag"]


async def test_a_304_costs_one_row(client, campaign, runtime):
    first = await client.get(campaign)
    statements = []
    async with runtime.database.read():
        pass
    for reader in runtime.database._idle:
        reader.set_trace_callback(statements.append)

    answer = await client.get(campaign, headers=having(first))

    for reader in runtime.database._idle:
        reader.set_trace_callback(None)
    assert answer.status_code == 304
    reads = [text for text in statements if text.startswith("SELECT")]
    assert len(reads) == 1, reads
    assert "WHERE id = " in reads[0]


async def test_the_list_of_campaigns_changes_with_any_of_them(client, campaign):
    first = await client.get("/campaigns")
    await client.post("/campaigns", json=face.JDL)

    assert (await client.get("/campaigns", headers=having(first))).status_code == 200


async def test_a_campaign_that_is_forgotten_is_missed_in_the_list(client, campaign):
    await client.delete(campaign)
    first = await client.get("/campaigns?state=all")
    assert (await client.delete(f"{campaign}?purge")).status_code == 202

    second = await client.get("/campaigns?state=all", headers=having(first))

    assert second.status_code == 200
    assert second.json()["items"] == []


async def test_another_campaign_changes_nothing(client, campaign):
    first = await client.get(campaign)
    await client.post("/campaigns", json=face.JDL)

    assert (await client.get(campaign, headers=having(first))).status_code == 304


async def test_a_cluster_on_hold_is_a_change_of_its_campaigns(client, campaign, runtime):
    first = await client.get(campaign)
    async with runtime.database.write() as tx:
        await tx.run("UPDATE cluster SET hold_reason = 'down', hold_since = 1")

    second = await client.get(campaign, headers=having(first))

    assert second.status_code == 200
    assert second.json()["clusters"]["1"]["blacklisted"] is True


async def test_of_a_campaign_that_is_over_too(client, campaign, runtime):
    await client.delete(campaign)
    first = await client.get(campaign)
    async with runtime.database.write() as tx:
        await tx.run("UPDATE cluster SET hold_reason = 'down', hold_since = 1")

    assert (await client.get(campaign, headers=having(first))).status_code == 200


@pytest.mark.parametrize(
    "header", ["*", 'W/"other", {tag}', "{tag},{tag}"], ids=["any", "one of two", "no space"]
)
async def test_any_of_the_tags_will_do(client, campaign, header):
    tag = (await client.get(campaign)).headers["ETag"]

    answer = await client.get(campaign, headers={"If-None-Match": header.format(tag=tag)})

    assert answer.status_code == 304


@pytest.mark.parametrize("header", ['"0"', "W/", ""])
async def test_another_tag_will_not(client, campaign, header):
    assert (await client.get(campaign, headers={"If-None-Match": header})).status_code == 200


async def test_two_ways_to_ask_are_two_answers(client, campaign):
    plain = await client.get(campaign)

    pretty = await client.get(campaign, params={"pretty": ""}, headers=having(plain))
    list_ = await client.get(f"{campaign}/jobs")
    file = await client.get(f"{campaign}/jobs", headers={"Accept": "text/csv"} | having(list_))

    assert pretty.status_code == 200
    assert file.status_code == 200
    assert file.headers["Content-Type"].startswith("text/csv")


async def test_what_others_may_see_is_another_answer(client, mallory, campaign):
    ours = await client.get(campaign)

    theirs = await mallory.get(campaign, headers=having(ours))

    assert theirs.status_code == 200
    assert theirs.json()["tags"] is None


async def test_no_tag_opens_what_is_not_for_them(client, mallory, campaign):
    ours = await client.get(f"{campaign}/jobs")

    theirs = await mallory.get(f"{campaign}/jobs", headers=having(ours) | {"If-None-Match": "*"})

    assert theirs.status_code == 403
    assert "ETag" not in theirs.headers


async def test_what_is_not_there_has_no_version(client):
    answer = await client.get("/campaigns/77", headers={"If-None-Match": "*"})

    assert answer.status_code == 404
    assert "ETag" not in answer.headers


async def test_a_forecast_is_as_good_as_the_minute(client, campaign, campaigns, monkeypatch):
    first = await client.get(campaign)
    later = campaigns.now() + 61
    monkeypatch.setattr(campaigns, "now", lambda: later)

    running = await client.get(campaign, headers=having(first))
    await client.delete(campaign)
    over = await client.get(campaign)
    monkeypatch.setattr(campaigns, "now", lambda: later + 3600)

    assert running.status_code == 200
    assert (await client.get(campaign, headers=having(over))).status_code == 304


async def test_another_process_knows_nothing_of_the_tags_of_this_one(
    client, campaign, campaigns, settings, tmp_path
):
    first = await client.get(campaign)
    (tmp_path / "next").mkdir()
    async with (
        face.running(campaigns, tmp_path / "next", settings) as server,
        server.client() as other,
    ):
        assert (await other.get(campaign, headers=having(first))).status_code == 200


def test_every_page_with_a_version_is_a_page():
    """A path that is misspelt in the table would have no version, and nobody would see."""
    known = {each.path for each in operations(TABLES) if each.method == "GET"}

    assert set(etags._OF_CAMPAIGN) <= known
