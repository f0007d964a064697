"""What happens, told as it happens."""

import asyncio
import contextlib
import json

import attrs
import pytest

from cigri.api import newsroom, stream
from cigri.api.seats import SEATS, Seats
from cigri.domain.model import CampaignId, TaskNumber
from cigri.domain.reactions import EventCode
from cigri.store import events
from cigri.store.events import Incident
from tests.api import face


@pytest.fixture(autouse=True)
def no_pause(monkeypatch):
    monkeypatch.setattr(stream, "TICK", 0.001)


@attrs.define
class Message:
    kind: str = ""
    data: dict = attrs.field(factory=dict)
    number: int | None = None


class Listener:
    """Reads messages off an answer."""

    def __init__(self, answer):
        self.answer = answer
        self._lines = answer.aiter_lines()

    async def next(self):
        """Return the next message, a comment as an empty one; `None` at the end."""
        found, is_comment = Message(), False
        async with asyncio.timeout(10):
            async for line in self._lines:
                name, _, value = line.partition(": ")
                match name:
                    case "event":
                        found.kind = value
                    case "data":
                        found.data = json.loads(value)
                    case "id":
                        found.number = int(value)
                    case ":":
                        is_comment = True
                    case "":
                        assert found.kind or is_comment
                        return found
        return None

    async def until(self, kind):
        while (found := await self.next()) is not None:
            if found.kind == kind:
                return found
        raise AssertionError(f"the stream ended without {kind}")

    async def all(self):
        found = []
        while (each := await self.next()) is not None:
            found.append(each)
        return found


@contextlib.asynccontextmanager
async def listening(server, path, **headers):
    async with server.client() as client, client.stream("GET", path, headers=headers) as answer:
        assert answer.status_code == 200, await answer.aread()
        yield Listener(answer)


async def happen(runtime, campaign, **more):
    """Record an event of *campaign*, as the engine does."""
    values = {"code": EventCode.SUBMISSION_REJECTED, "message": "no such queue", "cluster_id": 1}
    number = None if campaign is None else CampaignId(int(campaign.rpartition("/")[2]))
    async with runtime.database.write() as tx:
        incident = Incident(**(values | {"campaign": number} | more))
        await events.record(tx, incident, runtime.now())


async def test_it_begins_with_how_things_are(server, campaign):
    async with listening(server, f"{campaign}/stream") as heard:
        progress, state = await heard.next(), await heard.next()

    assert progress.kind == "progress"
    assert progress.data["counts"]["pending"] == 3
    assert progress.data["forecast"] == {"rate": None, "eta": None}
    assert (state.kind, state.data["state"]) == ("state", "in_treatment")
    assert state.number is not None


async def test_nothing_between_may_keep_it(server, campaign):
    async with listening(server, f"{campaign}/stream") as heard:
        headers = heard.answer.headers

    assert headers["Content-Type"] == "text/event-stream"
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Accel-Buffering"] == "no"


async def test_a_change_of_state_is_told(server, client, campaign):
    async with listening(server, f"{campaign}/stream") as heard:
        await heard.until("state")
        await client.put(campaign, json={"state": "paused"})

        assert (await heard.until("state")).data["state"] == "paused"


async def test_progress_is_told(server, client, campaign, runtime):
    async with listening(server, f"{campaign}/stream") as heard:
        await heard.until("state")
        async with runtime.database.write() as tx:
            await tx.run("UPDATE campaign SET pending = 1, succeeded = 2, revision = revision + 1")

        assert (await heard.until("progress")).data["counts"]["terminated"] == 2


async def test_an_event_is_told_as_the_interface_tells_it(server, client, campaign, runtime):
    async with listening(server, f"{campaign}/stream") as heard:
        await heard.until("state")
        await happen(runtime, campaign, task=TaskNumber(2))
        told = await heard.until("event")

    assert told.data["job_id"] == 3
    assert told.data == (await client.get(f"/events/{told.number}")).json()


async def test_it_ends_with_the_campaign(server, client, campaign):
    async with listening(server, f"{campaign}/stream") as heard:
        await heard.until("state")
        await client.delete(campaign)
        rest = await heard.all()

    assert (rest[-1].kind, rest[-1].data["state"]) == ("state", "cancelled")


async def test_what_was_missed_is_told_after_the_last_event_that_was_heard(
    server, campaign, runtime
):
    await happen(runtime, campaign, message="one", exit_status=1)
    async with listening(server, f"{campaign}/stream", **{"Last-Event-ID": "0"}) as heard:
        last = (await heard.until("event")).number
    await happen(runtime, campaign, message="two", exit_status=2)
    await happen(runtime, campaign, message="three", exit_status=3)

    async with listening(server, f"{campaign}/stream", **{"Last-Event-ID": str(last)}) as heard:
        messages = [(await heard.next()).data.get("message") for _ in range(2)]

    assert messages == ["two", "three"]


async def test_the_header_of_a_browser_that_comes_again_counts_more_than_its_url(
    server, campaign, runtime
):
    await happen(runtime, campaign, message="one", exit_status=1)
    await happen(runtime, campaign, message="two", exit_status=2)
    path = f"{campaign}/stream?last_event_id=0"

    async with listening(server, path) as heard:
        assert (await heard.next()).data["message"] == "one"
    async with listening(server, path, **{"Last-Event-ID": "1"}) as heard:
        assert (await heard.next()).data["message"] == "two"


async def test_more_than_one_message_holds_are_told_in_several(
    server, campaign, runtime, monkeypatch
):
    monkeypatch.setattr(newsroom, "_SOME", 2)
    for status in range(5):
        await happen(runtime, campaign, message=str(status), exit_status=status)

    async with listening(server, f"{campaign}/stream?last_event_id=0") as heard:
        found = [(await heard.until("event")).data["message"] for _ in range(5)]

    assert found == ["0", "1", "2", "3", "4"]


async def test_a_campaign_that_is_over_tells_what_was_missed_and_then_that_there_is_no_more(
    server, client, campaign, runtime
):
    await happen(runtime, campaign)
    await client.delete(campaign)

    async with listening(server, f"{campaign}/stream", **{"Last-Event-ID": "0"}) as heard:
        kinds = [each.kind for each in await heard.all()]
    again = await client.get(f"{campaign}/stream", headers={"Last-Event-ID": "2"})

    assert kinds == ["event", "event", "progress", "state"]  # its own, and that of the cancel
    # A browser would come again after any other end.
    assert again.status_code == 204


async def test_all_campaigns_of_the_caller_are_told_of_in_one_stream(
    server, client, campaign, runtime
):
    async with listening(server, "/stream") as heard:
        await client.put(campaign, json={"state": "paused"})
        paused = await heard.until("state")
        other = (await client.post("/campaigns", json=face.JDL)).json()["id"]
        begun = await heard.until("state")

    assert paused.data["state"] == "paused"
    assert begun.data == {"campaign_id": other, "state": "in_treatment", "end_time": None}


async def test_a_change_while_a_message_leaves_is_told_next(server, client, campaign):
    async with listening(server, "/stream") as heard:
        for state in ("paused", "in_treatment", "paused"):
            await client.put(campaign, json={"state": state})
            assert (await heard.until("state")).data["state"] == state


async def test_others_hear_of_their_own_campaigns_alone(
    mallory, client, campaign, runtime, monkeypatch
):
    # All of it in one look: before the campaign is theirs, it is nobody's business.
    monkeypatch.setattr(stream, "TICK", 0.2)
    async with mallory.stream("GET", "/stream") as answer:
        heard = Listener(answer)
        await happen(runtime, campaign, message="a secret")
        await client.put(campaign, json={"state": "paused"})
        await happen(runtime, None, message="the cluster is down")
        theirs = (await client.post("/campaigns", json=face.JDL)).json()["id"]
        async with runtime.database.write() as tx:
            await tx.run("UPDATE campaign SET user = 'mallory' WHERE id = :id", {"id": theirs})
        found = [await heard.until("event"), await heard.until("state")]

    assert [each.data.get("campaign_id") for each in found] == [None, theirs]
    assert found[0].data["message"] == "the cluster is down"


async def test_a_stream_of_anothers_campaign_is_refused(mallory, campaign):
    assert (await mallory.get(f"{campaign}/stream")).status_code == 403


async def test_there_is_no_stream_of_what_is_not_there(client):
    assert (await client.get("/campaigns/99/stream")).status_code == 404


@pytest.mark.parametrize("bad", ["x", "-1", "1.5", "9" * 30])
async def test_the_last_event_is_a_number(client, campaign, bad):
    path = f"{campaign}/stream"

    header = await client.get(path, headers={"Last-Event-ID": bad})
    option = await client.get(path, params={"last_event_id": bad})

    assert (header.status_code, option.status_code) == (400, 400)


async def test_silence_is_broken_by_a_comment(server, campaign, monkeypatch):
    monkeypatch.setattr(stream, "HEARTBEAT", 0.01)
    async with listening(server, f"{campaign}/stream") as heard:
        await heard.until("state")

        assert (await heard.next()) == Message()


async def test_nobody_keeps_too_many_open(campaigns, settings, tmp_path, campaign):
    (tmp_path / "few").mkdir()
    async with face.running(campaigns, tmp_path / "few", settings) as server:
        server.app[SEATS]._of_user = 1
        async with listening(server, "/stream"), server.client() as client:
            refusal = await client.get(f"{campaign}/stream")
            waiting = await client.get(f"{campaign}?wait=state")

    assert (refusal.status_code, waiting.status_code) == (429, 429)
    assert refusal.headers["Retry-After"]
    assert "1 streams" in refusal.json()["detail"]


def test_a_seat_that_was_left_is_free():
    seats = Seats(of_user=1, of_all=2)
    for _ in range(3):
        with seats.taken("ann"):
            assert seats.count == 1

    assert seats.count == 0


async def test_a_server_that_stops_waits_for_no_listener(campaigns, settings, tmp_path, campaign):
    loop = asyncio.get_running_loop()
    (tmp_path / "brief").mkdir()
    async with contextlib.AsyncExitStack() as stack:
        running = face.running(campaigns, tmp_path / "brief", settings)
        server = await stack.enter_async_context(running)
        async with listening(server, "/stream") as heard, server.client() as client:
            async with asyncio.TaskGroup() as group:
                wait = group.create_task(client.get(f"{campaign}?wait=state"))
                while server.app[SEATS].count < 2:  # noqa: ASYNC110 - nobody tells
                    await asyncio.sleep(0)
                began = loop.time()
                await stack.aclose()
                took = loop.time() - began
            assert await heard.all() == []

    assert took < 0.9
    assert (await wait).status_code == 200


async def test_listeners_share_what_one_of_them_had_read(server, client, campaign, runtime):
    async with contextlib.AsyncExitStack() as stack:
        path = f"{campaign}/stream"
        many = [await stack.enter_async_context(listening(server, path)) for _ in range(10)]
        for heard in many:
            await heard.until("state")
        reads = []
        for reader in runtime.database._idle:
            reader.set_trace_callback(reads.append)
        await client.put(campaign, json={"state": "paused"})
        for heard in many:
            await heard.until("state")
        for reader in runtime.database._idle:
            reader.set_trace_callback(None)

    of_events = [text for text in reads if "FROM event" in text]
    assert len(of_events) <= 2, of_events


@pytest.fixture
async def impatient(campaigns, settings, tmp_path):
    """A server that waits for no reader."""
    (tmp_path / "slow").mkdir()
    hasty = attrs.evolve(settings, patience=0.05)
    async with face.running(campaigns, tmp_path / "slow", hasty) as server:
        yield server


async def test_a_listener_that_reads_nothing_is_cut_and_costs_nothing(
    impatient, client, campaign, monkeypatch
):
    huge = b"event: x\ndata: %s\n\n" % (b"." * 10**7)
    monkeypatch.setattr(newsroom, "message", lambda *_: huge)
    seats = impatient.app[SEATS]
    reader, writer = await asyncio.open_unix_connection(str(impatient.socket), limit=256)
    writer.write(f"GET {campaign}/stream HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    await reader.readline()
    assert seats.count == 1

    async with asyncio.timeout(10):
        while seats.count:
            await client.put(campaign, json={"name": "again"})
    writer.close()


async def test_what_is_kept_for_the_next_listener_is_bounded(server, client, campaign, runtime):
    room = server.app[newsroom.NEWSROOM]
    incidents = [
        Incident(
            code=EventCode.EXIT_ERROR,
            campaign=CampaignId(1),
            cluster_id=1,
            message="x" * 9_000,
            task=TaskNumber(0),
            exit_status=n,
        )
        for n in range(1, 60)
    ]
    async with runtime.database.write() as tx:
        for incident in incidents:
            await events.record(tx, incident, 1000.0)

    for number in range(100):
        await room.events(CampaignId(1), 0, f"/base/{number}")

    kept = sum(len(told.text) for _, found in room._events.values() for told in found)
    assert 0 < kept <= newsroom._MOST_BYTES
