"""Whether the server lives and works."""

import contextlib

import pytest

from cigri.engine import turns, vitals
from cigri.errors import StorageFull
from tests.api import face


async def nothing():
    return 0.0


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_nobody_has_to_say_who_asks(server, path):
    async with server.over_tcp() as anybody:
        answer = await anybody.get(path)

    assert answer.status_code == 200
    assert answer.json()["status"] == "ok"
    assert answer.headers["Cache-Control"] == "no-store"


async def test_a_loop_that_hangs_makes_it_unready(client, runtime, monkeypatch):
    await runtime.turns.watched("poller local", nothing)()
    monkeypatch.setattr(turns, "PATIENCE", -1.0)

    answer = await client.get("/readyz")

    assert answer.status_code == 503
    assert answer.json() == {"status": "failed", "database": "ok", "loops": "failed"}
    assert (await client.get("/healthz")).status_code == 200


async def test_a_loop_is_late_during_its_turn_and_when_the_next_is_overdue(monkeypatch):
    told = []
    watch = turns.Turns(lambda loop, _: told.append(loop))
    monkeypatch.setattr(turns, "PATIENCE", -1.0)
    during = []

    async def cycle():
        during.extend(watch.late())
        return -10.0

    await watch.watched("one", cycle)()
    await watch.watched("rests", _rest)()

    assert during == ["one"]
    assert watch.late() == ["one"]
    assert told == ["one", "rests"]


async def _rest():
    return 100.0


async def test_a_cluster_that_is_left_alone_for_long_is_not_late(monkeypatch):
    watch = turns.Turns()

    await watch.watched("submitter local", _rest)()

    monkeypatch.setattr(turns, "PATIENCE", 0.0)
    assert watch.late() == []


async def test_what_never_wrote_tries(client, campaigns, runtime, monkeypatch):
    monkeypatch.setattr(vitals, "TRUST", 0.0)
    written = []
    runtime.database.observe(written.append)

    for _ in range(3):
        await client.get("/readyz")

    # Anybody may ask, so it does not write as often as it is asked.
    assert len(written) == 1


async def test_a_database_that_cannot_be_written_makes_it_unready(
    client, campaigns, runtime, monkeypatch
):
    @contextlib.asynccontextmanager
    async def full():
        raise StorageFull("the disk under the database is full: free some space")
        yield

    campaigns.vitals._wrote_at = -1e9
    monkeypatch.setattr(type(runtime.database), "write", lambda _: full())
    answer = await client.get("/readyz")
    again = await client.get("/readyz")
    monkeypatch.undo()

    assert answer.status_code == 503
    assert answer.json() == {"status": "failed", "database": "failed", "loops": "ok"}
    assert again.status_code == 503
    campaigns.vitals._tried_at = -1e9
    assert (await client.get("/readyz")).status_code == 200


async def test_what_was_written_lately_is_believed(client, runtime):
    await client.post("/campaigns", json=face.JDL)
    written = []
    runtime.database.observe(written.append)

    assert (await client.get("/readyz")).status_code == 200
    assert written == []
