"""The header of a web server in front: from whom it is believed, and in what form."""

import contextlib
import ipaddress

import attrs
import httpx
import pytest

from cigri.api.auth import Peer, hosts
from cigri.api.auth.proxy import within
from cigri.api.options import AuthOptions, ProxyOptions
from tests.api.face import BEARER, JDL, OWN, running

HEADER = "X-Cigri-User"


@pytest.fixture
def ask(campaigns, settings, tmp_path):
    """Start a server that believes the header from *peers*, and give a client for it."""

    @contextlib.asynccontextmanager
    async def start(*peers, header=HEADER, come_from="127.0.0.1", **changes):
        auth = AuthOptions(proxy=ProxyOptions(header=header, peers=peers))
        changed = attrs.evolve(settings, auth=auth, **changes)
        transport = httpx.AsyncHTTPTransport(local_address=come_from, verify=False)
        async with (
            running(campaigns, tmp_path, changed) as server,
            httpx.AsyncClient(
                transport=transport, base_url=f"http://127.0.0.1:{server.port}"
            ) as client,
        ):
            yield client

    return start


@pytest.mark.parametrize(
    ("peers", "come_from", "status"),
    [
        (("127.0.0.1",), "127.0.0.1", 200),
        (("127.0.0.0/31", "10.0.0.0/8"), "127.0.0.1", 200),
        (("127.0.0.1",), "127.0.0.2", 403),
        (("10.0.0.0/8", "::1"), "127.0.0.1", 403),
        (("unix:root",), "127.0.0.1", 403),
        ((), "127.0.0.1", 403),
    ],
)
async def test_the_header_is_believed_from_the_listed_peers_alone(ask, peers, come_from, status):
    async with ask(*peers, come_from=come_from) as client:
        for headers in ({HEADER: "ann"}, {HEADER: "ann"} | BEARER):
            assert (await client.get("/campaigns", headers=headers)).status_code == status


async def test_a_proxy_that_names_nobody_is_nobody_but_may_pass_a_token_on(ask):
    async with ask("127.0.0.1") as client:
        assert (await client.get("/campaigns")).status_code == 401
        assert (await client.get("/campaigns", headers=BEARER)).status_code == 200
        assert (await client.get("/")).status_code == 200


@pytest.mark.parametrize(
    "name", ["", "unknown", "Unknown", "null", "NULL", "(null)", "Ann", "a;b", "../x", "é"]
)
async def test_who_cannot_be_is_refused(ask, name):
    async with ask("127.0.0.1") as client:
        answer = await client.get("/campaigns", headers={HEADER: name.encode()})

    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ([(HEADER, "ann"), (HEADER, "ann")], 400),
        ([(HEADER, "ann"), ("X_Cigri_User", "root")], 400),
        ([("X_CIGRI_USER", "root"), ("x-cigri-user", "ann")], 400),
        ([("X_CIGRI_USER", "ann")], 403),
        ([("X-Cigri_User", "ann")], 403),
    ],
)
async def test_a_second_spelling_beside_that_of_the_proxy_is_refused(ask, headers, status):
    async with ask("127.0.0.1") as client:
        assert (await client.get("/campaigns", headers=headers)).status_code == status


async def test_the_header_can_have_another_name(ask):
    async with ask("127.0.0.1", header="X-Remote-User") as client:
        assert (
            await client.get("/campaigns", headers={"x-remote-user": "ann"})
        ).status_code == 200
        assert (await client.get("/campaigns", headers={HEADER: "ann"})).status_code == 401


async def test_whoever_the_proxy_names_submits_as_themselves(ask):
    async with ask("127.0.0.1") as client:
        answer = await client.post("/campaigns", json=JDL, headers={HEADER: OWN})

    assert answer.json()["user"] == OWN


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 201),
        ({"Sec-Fetch-Site": "same-origin"}, 201),
        ({"Sec-Fetch-Site": "none"}, 201),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "https://evil.example"}, 201),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "https://[::1"}, 403),
        ({"Origin": "https://cigri.example.org"}, 201),
        ({"Origin": "http://127.0.0.1:8666"}, 201),
    ],
)
async def test_another_site_changes_nothing_through_somebodys_browser(ask, headers, status):
    names = frozenset({"127.0.0.1", "cigri.example.org"})
    async with ask("127.0.0.1", hosts=names) as client:
        answer = await client.post("/campaigns", json=JDL, headers={HEADER: OWN} | headers)
        assert answer.status_code == status
        assert (await client.get("/campaigns", headers={HEADER: OWN} | headers)).status_code == 200


async def test_a_proxy_may_come_over_the_socket(campaigns, settings, tmp_path):
    auth = AuthOptions(proxy=ProxyOptions(peers=("unix:www-data",)))
    changed = attrs.evolve(settings, auth=auth)
    async with (
        running(campaigns, tmp_path, changed, Peer(33, "www-data")) as server,
        server.client() as proxy,
    ):
        assert (await proxy.get("/campaigns")).status_code == 401
        assert (await proxy.get("/campaigns", headers={HEADER: "ann"})).status_code == 200
    (tmp_path / "b").mkdir()
    async with (
        running(campaigns, tmp_path / "b", changed, Peer(34, "bob")) as server,
        server.client() as bob,
    ):
        assert (await bob.get("/campaigns", headers={HEADER: "ann"})).status_code == 403


@pytest.mark.parametrize(
    ("address", "network", "inside"),
    [
        ("10.1.2.3", "10.0.0.0/8", True),
        ("11.1.2.3", "10.0.0.0/8", False),
        ("::ffff:10.1.2.3", "10.0.0.0/8", True),
        ("fe80::1%eth0", "fe80::/10", True),
        ("::1", "127.0.0.0/8", False),
        ("", "10.0.0.0/8", False),
    ],
)
def test_a_network_holds_its_addresses_however_they_are_written(address, network, inside):
    assert within(address, (ipaddress.ip_network(network),)) is inside


@attrs.frozen
class Came:
    """As much of a request as tells by which way it came."""

    peername: tuple[str, int]
    secure: bool = False

    @property
    def transport(self):
        return self

    def get_extra_info(self, name):
        return getattr(self, name)


@pytest.mark.parametrize(
    ("address", "secure", "overheard"),
    [
        ("127.0.0.1", False, False),
        ("::1", False, False),
        ("::ffff:127.0.0.1", False, False),
        ("192.0.2.7", False, True),
        ("192.0.2.7", True, False),
    ],
)
def test_a_token_in_plain_text_from_another_host_is_not_taken(address, secure, overheard):
    came = Came((address, 1), secure)

    assert hosts.is_overheard(came) is overheard
