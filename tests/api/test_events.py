"""Events over HTTP."""

import pytest

from cigri.domain.model import CampaignId, TaskNumber
from cigri.domain.reactions import EventCode
from cigri.store import events
from cigri.store.events import Incident


@pytest.fixture
async def happened(runtime, campaign):
    """Two events of the campaign, one of its cluster."""
    common = {"campaign": CampaignId(1), "cluster_id": 1}
    incidents = [
        Incident(
            code=EventCode.EXIT_ERROR,
            message="exit 3",
            exit_status=3,
            cause="no space left on N",
            task=TaskNumber(2),
            count=2,
            **common,
        ),
        Incident(code=EventCode.COMMAND_NOT_STARTED, message="no such file: s3cret", **common),
        Incident(code=EventCode.CLUSTER_UNREACHABLE, message="no route", cluster_id=1),
    ]
    async with runtime.database.write() as tx:
        for at, incident in enumerate(incidents):
            await events.record(tx, incident, 1000.5 + at)


@pytest.mark.usefixtures("happened")
async def test_open_events_are_listed(client, campaign):
    listing = (await client.get(f"{campaign}/events")).json()

    assert listing["total"] == len(listing["items"])
    found = {event["code"]: event for event in listing["items"]}
    third = (await client.get(f"{campaign}/jobs?offset=2")).json()["items"][0]
    assert found["EXIT_ERROR"] == {
        "id": 1,
        "class": "job",
        "code": "EXIT_ERROR",
        "state": "open",
        "message": "exit 3",
        "count": 2,
        "campaign_id": 1,
        "cluster_id": 1,
        "cluster_name": "local",
        "job_id": third["id"],
        "task": 2,
        "exit_status": 3,
        "cause": "no space left on N",
        "date_open": 1000,
        "date_update": 1000,
        "date_closed": None,
        "parent": None,
        "links": [
            {"rel": "self", "href": "/events/1"},
            {"rel": "parent", "href": "/campaigns/1/events"},
        ],
    }
    assert found["COMMAND_NOT_STARTED"]["job_id"] is None
    assert (await client.get("/events/1")).json() == found["EXIT_ERROR"]


@pytest.mark.usefixtures("happened")
async def test_events_are_paged(client, campaign):
    everything = (await client.get(f"{campaign}/events")).json()["items"]
    page = (await client.get(f"{campaign}/events?limit=1&offset=1")).json()

    assert page["items"] == everything[1:2]
    assert (page["total"], page["offset"], page["limit"]) == (len(everything), 1, 1)


@pytest.mark.usefixtures("happened")
async def test_a_campaign_shows_its_events_and_holds(client, mallory, campaign):
    own, public = await client.get(campaign), await mallory.get(campaign)

    assert (own.json()["has_events"], own.json()["open_events"]) == (True, 2)
    cluster = own.json()["clusters"]["1"]
    assert (cluster["blacklisted"], cluster["blacklist_reason"]) == (True, "no such file: s3cret")
    assert public.json()["clusters"]["1"]["blacklisted"] is True
    assert "s3cret" not in public.text


@pytest.mark.usefixtures("happened")
async def test_fixing_one_event_closes_it(client, campaign):
    answer = await client.delete("/events/2")

    assert answer.status_code == 202
    assert (answer.json()["status"], answer.json()["title"]) == (202, "Accepted")
    assert (answer.json()["closed"], answer.json()["resubmitted"]) == (1, 0)
    closed = (await client.get("/events/2")).json()
    assert closed["state"] == "closed"
    assert closed["date_closed"] is not None
    assert (await client.get(campaign)).json()["clusters"]["1"]["blacklisted"] is False


@pytest.mark.usefixtures("happened")
async def test_fixing_a_campaign_closes_all_its_events(client, campaign):
    assert (await client.delete(f"{campaign}/events")).json()["closed"] == 2
    assert (await client.get(campaign)).json()["open_events"] == 0

    every = (await client.get(f"{campaign}/events?all")).json()["items"]
    assert {"EXIT_ERROR", "COMMAND_NOT_STARTED"} <= {event["code"] for event in every}


@pytest.mark.usefixtures("happened")
async def test_the_events_of_others_are_not_shown_nor_fixed(client, mallory, campaign):
    before = (await client.get(f"{campaign}/events?all")).json()
    for method, path in (
        ("GET", "/events/1"),
        ("DELETE", "/events/1"),
        ("DELETE", "/events/1?resubmit"),
        ("DELETE", "/events/3"),
        ("GET", f"{campaign}/events"),
        ("DELETE", f"{campaign}/events"),
    ):
        assert (await mallory.request(method, path)).status_code == 403, (method, path)

    assert (await client.get(f"{campaign}/events?all")).json() == before


async def test_no_events_are_an_empty_list(client, campaign):
    listing = await client.get(f"{campaign}/events")

    assert listing.status_code == 200
    assert listing.json()["items"] == []
    for method in ("GET", "DELETE"):
        assert (await client.request(method, "/events/1")).status_code == 404
