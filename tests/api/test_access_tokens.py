"""Bearer tokens over REST: made, listed, used and revoked, and never shown again."""

import io
import logging

import attrs
import pytest
import structlog

from cigri.domain.access import TokenScope
from cigri.engine import tokens as engine_tokens
from cigri.log import configure
from tests.api.face import BEARER, JDL, OWN

PATH = "/access_tokens"


async def made(client, **wanted):
    answer = await client.post(PATH, json={"name": "ci"} | wanted)
    assert answer.status_code == 201, answer.text
    return answer.json()


def over_tcp(server, token):
    return server.over_tcp(Authorization=f"Bearer {token}")


async def test_a_token_is_shown_once_and_then_known_by_its_beginning(server, client, campaigns):
    answer = await client.post(PATH, json={"name": "ci", "scope": "read", "days": 3})
    body = answer.json()
    secret = body["token"]

    assert answer.headers["Location"] == f"{PATH}/{body['id']}"
    assert answer.headers["Cache-Control"] == "no-store"
    assert secret.startswith(body["prefix"])
    assert len(secret) == len("cig_") + 43
    assert body["expires_at"] - body["created_at"] == 3 * 86_400
    async with over_tcp(server, secret) as tcp:
        listed = await tcp.get(PATH)
    assert secret not in listed.text
    (item,) = listed.json()["items"]
    assert (item["name"], item["scopes"], item["state"]) == ("ci", ["read"], "valid")
    assert item["last_used_at"] >= item["created_at"]


async def test_two_tokens_are_never_alike(client):
    assert len({(await made(client))["token"] for _ in range(3)}) == 3


async def test_only_a_digest_is_stored(client, runtime):
    secret = (await made(client))["token"]
    await runtime.database.backup(runtime_copy := runtime.database._path.with_name("copy.db"))

    assert secret.encode() not in runtime_copy.read_bytes()
    assert engine_tokens.digest_of(secret) in runtime_copy.read_bytes()


async def test_a_token_stands_for_its_user(server, client):
    token = (await made(client))["token"]
    async with over_tcp(server, token) as tcp:
        assert (await tcp.post("/campaigns", json=JDL)).json()["user"] == OWN


async def test_revoking_takes_effect_at_once(server, client):
    body = await made(client)
    async with over_tcp(server, body["token"]) as tcp:
        assert (await tcp.get("/campaigns")).status_code == 200
        revoked = await client.delete(f"{PATH}/{body['id']}")
        refused = await tcp.get("/campaigns")

    assert revoked.json()["state"] == "revoked"
    assert refused.status_code == 401
    assert 'error="invalid_token"' in refused.headers["WWW-Authenticate"]
    assert "is revoked" in refused.json()["message"]
    again = await client.delete(f"{PATH}/{body['id']}")
    assert again.json()["revoked_at"] == revoked.json()["revoked_at"]


async def test_a_missing_scope_is_named(server, client):
    token = (await made(client, scope="read"))["token"]
    async with over_tcp(server, token) as tcp:
        refused = await tcp.post("/campaigns", json=JDL)

    assert refused.status_code == 403
    assert "good for read, and submit is needed" in refused.json()["message"]
    assert 'error="insufficient_scope"' in refused.headers["WWW-Authenticate"]


@pytest.mark.parametrize(
    ("wanted", "pointer", "detail"),
    [
        ({}, "/", "name"),
        ({"name": ""}, "/name", "empty"),
        ({"name": "x" * 65}, "/name", "longer than 64 characters"),
        ({"name": "a\x1b[2J"}, "/name", "cannot be seen"),
        ({"name": "a", "scope": "root"}, "/scope", "root"),
        ({"name": "a", "days": 0}, "/days", ">= 1"),
        ({"name": "a", "days": 366}, "/days", "more than 365"),
        ({"name": "a", "days": 1, "never": True}, "/never", "exclude each other"),
        ({"name": "a", "user": "bob"}, "/user", "unknown field"),
    ],
)
async def test_what_is_no_token_is_refused(client, wanted, pointer, detail):
    answer = await client.post(PATH, json=wanted)

    assert answer.status_code == 400
    (mistake,) = answer.json()["errors"]
    assert mistake["pointer"].rstrip("/") == pointer.rstrip("/")
    assert detail in mistake["detail"]


async def test_who_is_no_administrator_makes_no_token_of_one(mallory):
    assert (await mallory.post(PATH, json={"name": "a", "scope": "admin"})).status_code == 403
    assert (await mallory.post(PATH, json={"name": "a", "never": True})).status_code == 403
    assert (await mallory.get(PATH, params={"all": "1"})).status_code == 403
    assert (await mallory.get(PATH)).json()["total"] == 0


async def test_tokens_of_others_are_theirs_but_for_administrators(client, mallory):
    own, other = await made(client), await made(mallory)

    assert (await mallory.delete(f"{PATH}/{own['id']}")).status_code == 403
    users = {item["user"] for item in (await client.get(f"{PATH}?all")).json()["items"]}
    assert users == {OWN, "mallory"}
    assert (await client.delete(f"{PATH}/{other['id']}")).json()["state"] == "revoked"


async def test_a_token_makes_none_that_outlives_it(server, client):
    token = (await made(client, scope="admin", days=2))["token"]
    async with over_tcp(server, token) as tcp:
        assert (await tcp.post(PATH, json={"name": "b", "days": 3})).status_code == 400
        assert (await tcp.post(PATH, json={"name": "b", "never": True})).status_code == 403
        assert (await made(tcp, days=1))["scope"] == "submit"
        by_default = await made(tcp)
    assert by_default["expires_at"] - by_default["created_at"] <= 2 * 86_400


async def test_who_has_too_many_must_revoke_some(client, monkeypatch):
    monkeypatch.setattr(engine_tokens, "MOST", 2)
    first, _ = await made(client), await made(client)

    assert (await client.post(PATH, json={"name": "c"})).status_code in {400, 409}
    await client.delete(f"{PATH}/{first['id']}")
    await made(client)


async def test_on_the_socket_a_token_may_narrow_and_changes_nobody(client, mallory):
    own, read = await made(client), await made(mallory, scope="read")

    def with_(body):
        return {"Authorization": f"Bearer {body['token']}"}

    assert (await mallory.get("/campaigns", headers=with_(read))).status_code == 200
    assert (await mallory.post("/campaigns", json=JDL, headers=with_(read))).status_code == 403
    assert (await mallory.get("/campaigns", headers=with_(own))).status_code == 403
    assert (await mallory.get("/campaigns", headers=BEARER)).status_code == 403
    assert (await mallory.get("/campaigns", headers={"Authorization": "x"})).status_code == 401


async def test_a_token_in_the_url_is_refused(server, client):
    token = (await made(client))["token"]
    async with over_tcp(server, token) as tcp:
        assert (await tcp.get(f"/campaigns?token={token}")).status_code == 400


@pytest.fixture
def logged():
    """Everything that is logged, also what is of no interest."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    stream = io.StringIO()
    configure("debug", stream)
    yield stream
    root.handlers = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


async def test_no_token_is_ever_logged(logged, server, client):
    token = (await made(client, scope="read"))["token"]
    async with over_tcp(server, token) as tcp:
        await tcp.get("/campaigns")
        await tcp.post(PATH, json={"name": token})
        await tcp.get(f"/campaigns?token={token}")
        await tcp.get("/campaigns", headers=[("Authorization", f"Bearer {token}")] * 2)
    async with over_tcp(server, token + "x") as tcp:
        await tcp.get(f"/no/such?access_token={token}")

    text = logged.getvalue()
    assert "token.created" in text
    assert '"status": 401' in text
    assert token not in text


async def test_use_is_noted_once_a_minute(campaigns, runtime):
    clock = [1_000_000.0]
    tokens = engine_tokens.Tokens(attrs.evolve(runtime, now=lambda: clock[0]))
    new = await tokens.create("ann", name="t", scope=TokenScope.READ, until=None)
    used = []
    for seconds in (0, 30, 59, 60, 61, 121):
        clock[0] = 1_000_000.0 + seconds
        await tokens.recognise(new.secret)
        (kept,) = await tokens.listing("ann")
        used.append(kept.used_at - 1_000_000.0)

    assert used == [0, 0, 0, 60, 60, 121]


async def test_tokens_that_ended_long_ago_are_forgotten(campaigns, runtime):
    clock = [1_000_000.0]
    tokens = engine_tokens.Tokens(attrs.evolve(runtime, now=lambda: clock[0]))
    await tokens.create("ann", name="old", scope=TokenScope.READ, until=1_000_001.0)
    await tokens.create("ann", name="kept", scope=TokenScope.READ, until=None)
    clock[0] += 91 * 86_400
    await tokens.create("ann", name="new", scope=TokenScope.READ, until=None)

    assert [token.name for token in await tokens.listing("ann")] == ["kept", "new"]
