"""Requests that are answered when something has changed."""

import asyncio

import pytest

from cigri.api.seats import SEATS


async def held(server, count=1):
    """Return when *count* requests wait."""
    async with asyncio.timeout(10):
        while server.app[SEATS].count < count:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0)


async def waiting(group, server, path, **options):
    """Send a request that waits, and return the task of it once it does."""

    async def ask():
        async with server.client() as client:
            return await client.get(path, **options)

    task = group.create_task(ask())
    await held(server)
    return task


async def test_another_state_ends_the_wait(server, client, campaign):
    async with asyncio.TaskGroup() as group:
        task = await waiting(group, server, f"{campaign}?wait=state")
        await client.put(campaign, json={"state": "paused"})

    answer = task.result()
    assert answer.status_code == 200
    assert answer.json()["state"] == "paused"


async def test_another_name_is_no_other_state(server, client, campaign):
    async with asyncio.TaskGroup() as group:
        task = await waiting(group, server, f"{campaign}?wait=state")
        await client.put(campaign, json={"name": "renamed"})
        assert not task.done()
        assert server.app[SEATS].count == 1
        await client.delete(campaign)

    assert task.result().json()["state"] == "cancelled"


async def test_any_change_ends_a_wait_for_any(server, client, campaign):
    async with asyncio.TaskGroup() as group:
        task = await waiting(group, server, f"{campaign}?wait=change")
        await client.put(campaign, json={"name": "renamed"})

    assert task.result().json()["name"] == "renamed"


async def test_another_campaign_changes_nothing(server, client, campaign):
    other = await client.post("/campaigns", json=(await client.get(f"{campaign}/jdl")).json())
    async with asyncio.TaskGroup() as group:
        task = await waiting(group, server, f"{campaign}?wait=change")
        await client.delete(other.headers["Location"])
        assert server.app[SEATS].count == 1
        await client.delete(campaign)

    assert task.result().json()["state"] == "cancelled"


async def test_when_time_is_over_it_is_answered_as_it_is(client, campaign):
    answer = await client.get(f"{campaign}?wait=state&timeout=0")

    assert answer.status_code == 200
    assert answer.json()["state"] == "in_treatment"


async def test_what_is_over_has_no_other_state_to_wait_for(client, campaign):
    await client.delete(campaign)
    async with asyncio.timeout(5):
        answer = await client.get(f"{campaign}?wait=state&timeout=300")

    assert answer.json()["state"] == "cancelled"


async def test_a_change_before_the_request_is_not_missed(client, campaign):
    seen = await client.get(f"{campaign}?wait=change&timeout=0")
    await client.put(campaign, json={"name": "meanwhile"})

    async with asyncio.timeout(5):
        answer = await client.get(
            f"{campaign}?wait=change&timeout=300", headers={"If-None-Match": seen.headers["ETag"]}
        )

    assert answer.json()["name"] == "meanwhile"


async def test_when_nothing_has_changed_a_client_that_knows_it_is_told_so(client, campaign):
    seen = await client.get(f"{campaign}?wait=change&timeout=0")

    answer = await client.get(
        f"{campaign}?wait=change&timeout=0", headers={"If-None-Match": seen.headers["ETag"]}
    )

    assert (answer.status_code, answer.content) == (304, b"")


@pytest.mark.parametrize(
    "options", ["wait=end", "wait=", "wait=state&timeout=301", "wait=state&timeout=-1", "wait"]
)
async def test_what_cannot_be_waited_for_is_refused(client, campaign, options):
    assert (await client.get(f"{campaign}?{options}")).status_code == 400


async def test_there_is_nothing_to_wait_for_where_there_is_nothing(client):
    assert (await client.get("/campaigns/9?wait=state")).status_code == 404


async def test_only_a_campaign_can_be_waited_for(client, campaign):
    assert (await client.get(f"{campaign}/jobs?wait=state")).status_code == 400


async def test_who_is_not_its_owner_may_wait_for_it_too(mallory, campaign):
    answer = await mallory.get(f"{campaign}?wait=state&timeout=0")

    assert answer.json()["state"] == "in_treatment"


async def test_who_is_gone_makes_room(server, client, campaign):
    server.app[SEATS]._of_user = 2
    for _ in range(4):
        _, writer = await asyncio.open_unix_connection(str(server.socket))
        writer.write(f"GET {campaign}?wait=state&timeout=300 HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        await held(server)
        before = asyncio.all_tasks()
        writer.transport.abort()
        await client.get("/healthz")

    answer = await client.get(f"{campaign}?wait=state&timeout=0")

    assert answer.status_code == 200
    assert len(asyncio.all_tasks()) <= len(before)
