"""Who may do what: every route × everybody who may ask, from the routes' own promises.

A route without a line in `ROUTES` fails; so does a line without a route.
"""

import contextlib
from collections.abc import Mapping

import attrs
import httpx
import pytest

from cigri.api.app import create_app
from cigri.api.auth import PEERS, Peer
from cigri.api.context import ApiSettings
from cigri.api.operation import Scope, operations
from cigri.api.options import AuthOptions, ProxyOptions
from cigri.api.sockets import serving
from cigri.api.tables import TABLES
from cigri.clusters.simulated import Behaviour, SimulatedCluster
from cigri.domain.access import TokenScope
from cigri.domain.model import TaskId
from cigri.engine.tokens import digest_of
from cigri.store import task_pages
from tests.engine.harness import ANN, Clock, engine_on

#: The server's own user, and its token.
SERVER = "cigri"
TOKEN = "cig_of-the-server"
JDL = (
    b'{"name": "a", "nb_jobs": 2, "exec_file": "x", "clusters": {"sim": {"type": "best-effort"}}}'
)

#: Who comes in by a route at all: everybody; who is known; owners and administrators; the latter.
PUBLIC, KNOWN, OWNERS, ADMINS = range(4)


@attrs.frozen
class Route:
    """What a route answers to those whom it lets in, and how it is asked."""

    who: int
    ok: int = 200
    body: bytes = b""
    query: str = ""


ROUTES = {
    "GET /": Route(PUBLIC),
    "GET /openapi.json": Route(PUBLIC),
    "GET /docs/api": Route(PUBLIC),
    "GET /docs/errors": Route(PUBLIC),
    "GET /healthz": Route(PUBLIC),
    "GET /readyz": Route(PUBLIC),
    "GET /metrics": Route(KNOWN),
    "GET /stream": Route(KNOWN),
    "GET /campaigns": Route(KNOWN),
    "POST /campaigns": Route(KNOWN, 201, JDL),
    "GET /campaigns/{campaign}": Route(KNOWN),
    "PUT /campaigns/{campaign}": Route(OWNERS, 202, b'{"name": "b"}'),
    "DELETE /campaigns/{campaign}": Route(OWNERS, 202),
    "POST /campaigns/{campaign}/go": Route(OWNERS, 400),  # it is in no test
    "GET /campaigns/{campaign}/explain": Route(OWNERS),
    "GET /campaigns/{campaign}/stats": Route(KNOWN),
    "GET /campaigns/{campaign}/jdl": Route(OWNERS),
    "GET /campaigns/{campaign}/stream": Route(OWNERS),
    "GET /campaigns/{campaign}/jobs": Route(OWNERS),
    "POST /campaigns/{campaign}/jobs": Route(OWNERS, 201, b'["x"]'),
    "GET /campaigns/{campaign}/jobs.csv": Route(OWNERS),
    "GET /campaigns/{campaign}/jobs.ndjson": Route(OWNERS),
    "GET /campaigns/{campaign}/jobs/finished": Route(OWNERS),
    "GET /campaigns/{campaign}/jobs/{job}": Route(OWNERS),
    "GET /jobs/{job}": Route(OWNERS),
    "DELETE /jobs/{job}": Route(OWNERS, 400),  # it is over
    "GET /jobs/{job}/cinfos": Route(OWNERS),
    "GET /jobs/{job}/stdout": Route(OWNERS),
    "GET /jobs/{job}/stderr": Route(OWNERS),
    "GET /campaigns/{campaign}/events": Route(OWNERS),
    "DELETE /campaigns/{campaign}/events": Route(OWNERS, 202),
    "GET /events": Route(KNOWN),
    "POST /events": Route(ADMINS, 201, b'{"code": "MANUAL_EVENT", "campaign_id": 1}'),
    "GET /events/{event}": Route(OWNERS),
    "DELETE /events/{event}": Route(OWNERS, 202),
    "GET /clusters": Route(KNOWN),
    "GET /clusters/{cluster}": Route(KNOWN),
    "DELETE /clusters/{cluster}/{path:.+}": Route(KNOWN, 501),
    # This cluster takes none.
    "GET /tokens": Route(KNOWN),
    "POST /tokens": Route(KNOWN, 403, b'{"cluster_id": "sim", "token": "x"}'),
    "DELETE /tokens/{cluster}": Route(KNOWN, 403),
    "GET /gridusage": Route(KNOWN, 501),
    "GET /notifications": Route(KNOWN, 501),
    "POST /notifications/{service}": Route(KNOWN, 501, b"{}"),
    "DELETE /notifications/{service}": Route(KNOWN, 501),
    "GET /access_tokens": Route(KNOWN),
    "POST /access_tokens": Route(KNOWN, 201, b'{"name": "x"}'),
    "DELETE /access_tokens/{token}": Route(OWNERS),
}
OPERATIONS = {f"{each.method} {each.path}": each for each in operations(TABLES)}


def test_every_route_has_a_line_and_every_line_a_route():
    assert sorted(ROUTES) == sorted(OPERATIONS)


def test_what_changes_something_needs_more_than_the_scope_read():
    changing = {o.scope for o in OPERATIONS.values() if o.method not in {"GET", "HEAD"}}

    assert changing <= {Scope.SUBMIT, Scope.ADMIN}


def test_what_is_public_only_looks():
    public = {o.method for o in OPERATIONS.values() if o.scope is Scope.PUBLIC}

    assert public == {"GET"}


@attrs.define
class Switch:
    """A host on which everybody who connects to the socket is the same user, for now."""

    peer: Peer

    async def of(self, connection: object) -> Peer:
        return self.peer


@attrs.frozen(kw_only=True)
class World:
    """A server with a campaign of ann's that has run a little, and how to ask it."""

    socket: str
    port: int
    engine: object
    peers: Switch

    def on_socket(self, login: str, **headers: str) -> httpx.AsyncClient:
        """Return the client of a user of this host."""
        self.peers.peer = Peer(5000, login)
        transport = httpx.AsyncHTTPTransport(uds=self.socket, verify=False)
        return httpx.AsyncClient(
            transport=transport, base_url="http://localhost", headers=headers, timeout=20
        )

    def over_tcp(self, *, proxy: bool = False, **headers: str) -> httpx.AsyncClient:
        """Return a client on TCP, which comes from where the proxy is or from elsewhere."""
        address = "127.0.0.1" if proxy else "127.0.0.2"
        transport = httpx.AsyncHTTPTransport(local_address=address, verify=False)
        base = f"http://127.0.0.1:{self.port}"
        return httpx.AsyncClient(transport=transport, base_url=base, headers=headers, timeout=20)

    async def token(
        self, user: str = "ann", scope: TokenScope = TokenScope.ADMIN, until: float | None = None
    ) -> str:
        made = await self.tokens.create(user, name="t", scope=scope, until=until)
        return made.secret

    @property
    def tokens(self):
        return self.engine.api.tokens

    async def things(self) -> Mapping[str, str]:
        """Return what stands in paths: a campaign of ann's with a failed task, and a token."""
        submitted = await self.engine.api.submit(ANN, JDL)
        campaign = submitted.campaign.id
        await self.engine.turn()
        await self.engine.turn()
        (task,) = await self.engine.tasks(ANN, campaign, 0, 1)
        (event,) = await self.engine.events(ANN, campaign)
        token = await self.tokens.create("ann", name="t", scope=TokenScope.READ, until=None)
        return {
            "campaign": str(campaign),
            "job": str(task.id),
            "event": str(event.id),
            "cluster": "sim",
            "token": str(token.token.id),
            "service": "mail",
        }


@pytest.fixture
async def world(tmp_path):
    clock = Clock()
    behaviour = Behaviour(exit_status=lambda task, _attempt: int(task == 0))
    cluster = SimulatedCluster(clock, slots=1000, behaviour=behaviour)
    settings = ApiSettings(
        user=SERVER,
        admins=frozenset({"eve"}),
        token_sha256=digest_of(TOKEN),
        auth=AuthOptions(proxy=ProxyOptions(peers=("127.0.0.1", "unix:www-data"))),
    )
    async with contextlib.AsyncExitStack() as stack:
        engine = await stack.enter_async_context(
            engine_on(tmp_path / "cigri.db", {"sim": cluster}, clock)
        )
        app = create_app(engine.api, settings)
        app[PEERS] = peers = Switch(Peer(5000, "nobody"))
        path = tmp_path / "s"
        port = await stack.enter_async_context(serving(app, path=path, address=("127.0.0.1", 0)))
        yield World(socket=str(path), port=port, engine=engine, peers=peers)


async def statuses(world, client, *, fresh: bool) -> dict[str, int]:
    """Return what every route answers to *client*, each about *fresh* things or all the same."""
    things = await world.things()
    found = {}
    async with client:
        for name in ROUTES.keys() & OPERATIONS.keys():
            # What one route has changed must not be in the way of the next one.
            if fresh and ROUTES[name].who == OWNERS and not name.startswith("GET"):
                things = await world.things()
            found[name] = await status(client, name, things)
    return found


async def status(client, name: str, things: Mapping[str, str]) -> int:
    """Return the status of one answer, without waiting for the end of a stream."""
    method, _, path = name.partition(" ")
    route = ROUTES[name]
    url = path.replace("{path:.+}", "x").format(**things) + route.query
    async with client.stream(method, url, content=route.body or None) as answer:
        return answer.status_code


def expected(let_in, refused: int) -> dict[str, int]:
    """Return the answers to somebody who is let in where *let_in* says so, else refused."""
    return {
        name: ROUTES[name].ok if let_in(ROUTES[name], OPERATIONS[name]) else refused
        for name in ROUTES.keys() & OPERATIONS.keys()
    }


def public(route, _):
    return route.who == PUBLIC


def known(route, _):
    return route.who <= KNOWN


def owner(route, _):
    return route.who <= OWNERS


def admin(_route, _operation):
    return True


def never(_route, _operation):
    return False


def reaching(scope: Scope, rights):
    """Return who is let in with a token of *scope* that otherwise has these *rights*."""
    ranks = list(Scope)
    return lambda route, op: ranks.index(op.scope) <= ranks.index(scope) and rights(route, op)


async def test_nobody_gets_in_but_where_it_is_public(world):
    found = await statuses(world, world.over_tcp(), fresh=False)

    assert found == expected(public, 401)


async def test_an_unknown_token_lets_nobody_in(world):
    for authorization in ("Bearer cig_guessed", "Bearer x", "Basic YTpi", "Bearer", TOKEN):
        client = world.over_tcp(Authorization=authorization)
        assert await statuses(world, client, fresh=False) == expected(public, 401)


async def test_an_expired_token_lets_nobody_in(world):
    token = await world.token(until=world.engine.clock() + 1)
    world.engine.clock.pass_(1)
    found = await statuses(world, world.over_tcp(**bearer(token)), fresh=False)

    assert found == expected(public, 401)


async def test_a_revoked_token_lets_nobody_in(world):
    token = await world.token()
    async with world.over_tcp(**bearer(token)) as client:
        assert (await client.get("/campaigns")).status_code == 200
        (kept,) = await world.tokens.listing("ann")
        await world.tokens.revoke(ANN, kept.id)
        assert (await client.get("/campaigns")).status_code == 401

    found = await statuses(world, world.over_tcp(**bearer(token)), fresh=False)
    assert found == expected(public, 401)


@pytest.mark.parametrize("scope", list(TokenScope))
async def test_a_token_of_the_owner_reaches_as_far_as_its_scope(world, scope):
    token = await world.token(scope=scope)
    found = await statuses(world, world.over_tcp(**bearer(token)), fresh=True)

    assert found == expected(reaching(Scope(scope), owner), 403)


@pytest.mark.parametrize("scope", list(TokenScope))
async def test_a_token_of_somebody_else_opens_what_everybody_sees(world, scope):
    token = await world.token("bob", scope)
    found = await statuses(world, world.over_tcp(**bearer(token)), fresh=False)

    assert found == expected(reaching(Scope(scope), known), 403)


@pytest.mark.parametrize("scope", list(TokenScope))
async def test_a_token_of_an_administrator_is_one_only_with_the_scope_admin(world, scope):
    token = await world.token("eve", scope)
    rights = admin if scope is TokenScope.ADMIN else known
    found = await statuses(world, world.over_tcp(**bearer(token)), fresh=True)

    assert found == expected(reaching(Scope(scope), rights), 403)


async def test_the_token_of_the_server_may_do_everything(world):
    found = await statuses(world, world.over_tcp(**bearer(TOKEN)), fresh=True)

    assert found == expected(admin, 403)


@pytest.mark.parametrize(
    ("login", "rights"),
    [("ann", owner), ("bob", known), ("eve", admin), (SERVER, admin), ("root", admin)],
)
async def test_on_the_socket_the_kernel_says_it(world, login, rights):
    found = await statuses(world, world.on_socket(login), fresh=True)

    assert found == expected(rights, 403)


@pytest.mark.parametrize(("login", "rights"), [("ann", owner), ("bob", known), ("eve", admin)])
async def test_the_proxy_says_it_in_its_header(world, login, rights):
    over_tcp = world.over_tcp(proxy=True, **{"X-Cigri-User": login})
    assert await statuses(world, over_tcp, fresh=True) == expected(rights, 403)

    on_socket = world.on_socket("www-data", **{"x-cigri-user": login})
    assert await statuses(world, on_socket, fresh=True) == expected(rights, 403)


@pytest.mark.parametrize("header", ["X-Cigri-User", "x-cigri-user", "X_CIGRI_USER"])
async def test_a_forged_header_is_refused_everywhere_even_with_the_right_token(world, header):
    for client in (
        world.over_tcp(**bearer(TOKEN), **{header: "ann"}),
        world.over_tcp(**{header: "ann"}),
        world.on_socket("bob", **{header: "ann"}),
    ):
        assert await statuses(world, client, fresh=False) == expected(never, 403)


async def test_a_post_that_stands_for_another_method_needs_what_that_one_needs(world):
    things = await world.things()
    overridden = [name for name in OPERATIONS if name.split()[0] in {"PUT", "DELETE"}]
    found = {}
    for user, scope in (("ann", TokenScope.READ), ("bob", TokenScope.SUBMIT)):
        async with world.over_tcp(**bearer(await world.token(user, scope))) as client:
            for name in overridden:
                method, _, path = name.partition(" ")
                url = path.replace("{path:.+}", "x").format(**things)
                if f"POST {path}" not in OPERATIONS and ROUTES[name].who >= OWNERS:
                    form = {"_method": method} | ({"name": "b"} if method == "PUT" else {})
                    answer = await client.post(url, data=form)
                    found[user, name] = answer.status_code

    assert len(found) >= 10
    assert set(found.values()) == {403}


async def test_whoever_is_refused_has_changed_nothing(world):
    things = await world.things()
    before = await world.engine.api.get(things["campaign"])
    for client in (world.over_tcp(), world.over_tcp(**bearer(await world.token("bob")))):
        async with client:
            for name in ROUTES.keys() & OPERATIONS.keys():
                if ROUTES[name].who >= OWNERS:
                    assert await status(client, name, things) in {401, 403}

    assert await world.engine.api.get(things["campaign"]) == before
    async with world.engine.database.read() as db:
        assert (await task_pages.task(db, TaskId(int(things["job"])))).campaign == before.id


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
