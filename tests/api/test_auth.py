"""Who gets in, and how far."""

import asyncio
import os
import socket

import attrs
import pytest
from aiohttp import web

from cigri.api.app import create_app
from cigri.api.auth import Peer, Peers
from cigri.errors import NotAuthenticated
from tests.api.face import BEARER, JDL, OWN, TOKEN, running


async def test_paths_that_do_not_exist_need_a_token_too(server):
    async with server.over_tcp() as nobody:
        assert (await nobody.get("/no/such/page")).status_code == 401
        assert (await nobody.request("PATCH", "/")).status_code == 401


async def test_a_401_says_how_to_get_in(server):
    async with server.over_tcp() as nobody:
        answer = await nobody.get("/campaigns")

    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert answer.json()["status"] == 401
    assert "Authorization: Bearer" in answer.json()["message"]


async def test_the_token_stands_for_the_servers_own_user(server):
    async with server.over_tcp(**BEARER) as client:
        answer = await client.post("/campaigns", json=JDL)

    assert answer.status_code == 201
    assert answer.json()["user"] == OWN


async def test_anything_but_the_token_is_refused(server):
    async with server.over_tcp() as client:
        for authorization in (
            "",
            "Bearer",
            "Bearer x",
            f"Basic {TOKEN}",
            f"Bearer {TOKEN}x",
            f"Bearer {TOKEN.upper()}",
            f"Bearer{TOKEN}",
            TOKEN,
            "Bearer \xff\xfe",
        ):
            headers = {"Authorization": authorization.encode("latin-1")}
            answer = await client.get("/campaigns", headers=headers)
            assert answer.status_code == 401, authorization


async def test_a_token_in_the_url_is_no_token(server):
    async with server.over_tcp() as client:
        for name in ("token", "access_token", "authorization"):
            assert (await client.get("/campaigns", params={name: TOKEN})).status_code == 401


async def test_the_scheme_is_not_case_sensitive(server):
    async with server.over_tcp(Authorization=f"bEARER {TOKEN}") as client:
        assert (await client.get("/campaigns")).status_code == 200


async def test_two_authorization_headers_are_refused_even_when_both_are_right(server):
    async with server.over_tcp() as client:
        headers = [("Authorization", f"Bearer {TOKEN}")] * 2
        assert (await client.get("/campaigns", headers=headers)).status_code == 400


async def test_a_server_without_a_token_lets_nobody_in_over_tcp(campaigns, settings, tmp_path):
    locked = attrs.evolve(settings, token_sha256=None)
    async with running(campaigns, tmp_path, locked) as server:
        for token in ("x", TOKEN):
            async with server.over_tcp(Authorization=f"Bearer {token}") as client:
                assert (await client.get("/campaigns")).status_code == 401


async def test_only_names_of_this_host_are_accepted_so_that_no_page_can_rebind_its_own(server):
    own = ("localhost", "LOCALHOST:1", "127.0.0.1", "[::1]:8666")
    others = ("evil.example", "localhost.evil.example", "127.0.0.1.evil.example:80", "a:80:80", "")
    for host in (*own, *others):
        async with server.over_tcp(**BEARER, Host=host) as client:
            for path in ("/", "/campaigns"):
                status = (await client.get(path)).status_code
                assert status == (200 if host in own else 403), host


async def test_a_request_without_a_host_is_refused(server):
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"GET / HTTP/1.0\r\n\r\n")
    answer = await reader.read()
    writer.close()

    assert b" 400 " in answer.partition(b"\r\n")[0]


async def test_no_header_names_a_user(client, mallory, campaign):
    for name in ("X-Remote-User", "X-Forwarded-User"):
        for value in (OWN, "root"):
            answer = await mallory.get(f"{campaign}/jobs", headers=[(name, value)] * 2)
            assert answer.status_code == 403
        submitted = await client.post("/campaigns", json=JDL, headers={name: "eve"})
        assert submitted.json()["user"] == OWN


async def test_who_names_only_themselves_in_a_header_forges_nothing(client, mallory):
    assert (await client.get("/campaigns", headers={"X-Cigri-User": OWN})).status_code == 200
    assert (await mallory.get("/campaigns", headers={"X-Cigri-User": OWN})).status_code == 403
    assert (await mallory.get("/", headers={"X-Cigri-User": OWN})).status_code == 403


async def test_others_see_the_summary_and_no_more(client, mallory):
    secret = JDL | {"exec_file": "sh s3cret", "params": ["pa55", "pa66"]}
    del secret["nb_jobs"]
    campaign = (await client.post("/campaigns", json=secret)).headers["Location"]
    public, own = await mallory.get(campaign), await client.get(campaign)

    assert public.json()["counts"] == own.json()["counts"]
    assert public.json()["user"] == OWN
    assert (await mallory.get("/campaigns")).json()["total"] == 1
    assert "s3cret" not in public.text
    assert "pa55" not in public.text


async def test_nobody_can_submit_as_somebody_else(client, mallory):
    answer = await mallory.post("/campaigns?user=ann", json=JDL)
    assert answer.status_code == 400
    answer = await mallory.post("/campaigns", json=JDL)
    assert answer.status_code in {201, 403}  # 403: `local` is for the server's own user
    if answer.status_code == 201:
        assert answer.json()["user"] == "mallory"


async def test_admins_may_do_what_owners_may(campaigns, settings, tmp_path, client, campaign):
    (tmp_path / "admin").mkdir()
    named = attrs.evolve(settings, admins=frozenset({"eve"}))
    async with (
        running(campaigns, tmp_path / "admin", named, Peer(4243, "eve")) as server,
        server.client() as eve,
    ):
        assert (await eve.get(f"{campaign}/jobs")).status_code == 200
        assert (await eve.delete(campaign)).status_code == 202


async def test_root_is_an_admin(campaigns, settings, tmp_path, client, campaign):
    (tmp_path / "root").mkdir()
    async with (
        running(campaigns, tmp_path / "root", settings, Peer(0, "root")) as server,
        server.client() as root,
    ):
        assert (await root.get(f"{campaign}/jobs")).status_code == 200


@pytest.mark.parametrize("login", ["Ann", "-ann", "ann evil", "ann;x", "é", "", "a.b"])
async def test_logins_that_a_cluster_would_misread_are_refused(
    campaigns, settings, tmp_path, login
):
    async with (
        running(campaigns, tmp_path, settings, Peer(4244, login)) as server,
        server.client() as client,
    ):
        assert (await client.get("/campaigns")).status_code == 403


async def test_the_kernel_says_who_connects(tmp_path):
    left, right = socket.socketpair()
    with left, right:
        assert await Peers("ann").of(left) == Peer(os.getuid(), "ann")


@pytest.mark.skipif(os.getuid() != 0, reason="only root can connect as somebody else")
async def test_the_kernel_tells_other_users_apart(tmp_path):
    assert (await as_user(1, tmp_path)).login == "daemon"
    with pytest.raises(NotAuthenticated, match="54321"):
        await as_user(54_321, tmp_path)
    with pytest.raises(NotAuthenticated, match="kernel"):
        await as_user(65_534, tmp_path)


async def as_user(uid, directory):
    """Return whom the kernel sees when *uid* connects."""
    os.seteuid(uid)
    try:
        left, right = socket.socketpair()
    finally:
        os.seteuid(0)
    with left, right:
        return await Peers("ann").of(left)


def test_the_routes_are_functions_so_that_the_walk_above_sees_them_all(campaigns, settings):
    app = create_app(campaigns, settings)

    assert all(isinstance(route, web.AbstractRoute) for route in app.router.routes())
    assert not any(isinstance(resource, web.StaticResource) for resource in app.router.resources())
