"""The tokens by which clusters know their users, over REST, as CiGri 3's tests ask for them."""

import pytest

from cigri.clusters.credentials import FileCredentials
from cigri.domain.access import TokenScope
from tests.api import face
from tests.clusters.test_credentials import jwt


@pytest.fixture
def tokens(runtime, tmp_path):
    """The tokens of the one cluster, which takes some."""
    kept = FileCredentials(tmp_path / "cluster")
    runtime.sites[face.LOCAL].driver.credentials = kept
    return kept


async def items(client):
    return (await client.get("/tokens")).json()["items"]


@pytest.mark.parametrize(
    "body",
    [
        {"content": '{"cluster_id": 1, "token": "Blah"}'},
        {"content": '{"cluster_id": "local", "token": "Bearer Blah"}'},
        {"data": {"cluster_id": "1", "token": "Blah"}},
    ],
)
async def test_a_token_is_registered_shown_and_removed(client, tokens, body):
    for _ in range(2):
        answer = await client.post("/tokens", **body)
        assert (answer.status_code, answer.json()["message"]) == (201, "Token registered")
    listed = await client.get("/tokens")
    (item,) = listed.json()["items"]

    assert tokens.token(face.OWN) == "Blah"
    assert listed.headers["Cache-Control"] == "no-store"
    assert (item["cluster_id"], item["cluster_name"], item["login"]) == (1, "local", face.OWN)
    assert (item["cluster_login"], item["expires_at"]) == ("Bearer Blah", None)

    assert (await client.delete("/tokens/1")).status_code == 202
    assert await items(client) == []
    again = await client.delete("/tokens/local")
    assert again.status_code == 404
    assert "has no token on local" in again.json()["message"]


async def test_a_token_says_when_it_ends(client, tokens):
    token = jwt(user=face.OWN, exp=4_000_000_000)

    answer = await client.post("/tokens", json={"cluster_id": 1, "token": token})

    assert answer.status_code == 201
    assert [item["expires_at"] for item in await items(client)] == [4_000_000_000]


async def test_everybody_has_tokens_of_their_own(client, mallory, tokens):
    await client.post("/tokens", json={"cluster_id": 1, "token": "ours"})

    assert await items(mallory) == []
    assert (await mallory.delete("/tokens/1")).status_code == 404
    await mallory.post("/tokens", json={"cluster_id": 1, "token": "theirs"})

    assert [item["cluster_login"] for item in await items(client)] == ["Bearer ours"]
    assert [item["cluster_login"] for item in await items(mallory)] == ["Bearer theirs"]


async def test_who_may_only_look_does_not_see_the_secret(client, server, campaigns, tokens):
    await client.post("/tokens", json={"cluster_id": 1, "token": "Blah"})
    seen = {}
    for scope in (TokenScope.READ, TokenScope.SUBMIT):
        made = await campaigns.tokens.create(face.OWN, name="t", scope=scope, until=None)
        async with server.over_tcp(Authorization=f"Bearer {made.secret}") as other:
            (seen[scope],) = await items(other)

    assert seen[TokenScope.SUBMIT]["cluster_login"] == "Bearer Blah"
    assert "Blah" not in str(seen[TokenScope.READ])


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({"cluster_id": 1, "token": "a b"}, 400, "not a token"),
        ({"cluster_id": 1, "token": jwt(user="somebody")}, 400, "there you are"),
        ({"cluster_id": 1, "token": jwt(exp=1)}, 400, "it has ended"),
        ({"cluster_id": 1}, 400, "token"),
        ({"cluster_id": 7, "token": "Blah"}, 404, "no cluster '7'"),
    ],
)
async def test_what_is_refused(client, tokens, body, status, words):
    answer = await client.post("/tokens", json=body)

    assert answer.status_code == status
    assert words in answer.json()["message"]
    assert await items(client) == []


async def test_a_disk_without_room_is_no_fault_of_the_user(client, tokens, tmp_path):
    (tmp_path / "cluster").write_text("in the way")

    answer = await client.post("/tokens", json={"cluster_id": 1, "token": "Blah"})

    assert answer.status_code == 507
    assert "cannot be written here" in answer.json()["message"]
