import hashlib

import pytest

from cigri.api.auth import Peer
from cigri.api.context import ApiSettings
from tests.api import face


@pytest.fixture
def settings():
    digest = hashlib.sha256(face.TOKEN.encode()).digest()
    return ApiSettings(user=face.OWN, token_sha256=digest)


@pytest.fixture
async def engine(tmp_path):
    async with face.engine(tmp_path) as engine:
        yield engine


@pytest.fixture
def campaigns(engine):
    return engine[0]


@pytest.fixture
def runtime(engine):
    return engine[1]


@pytest.fixture
async def server(campaigns, settings, tmp_path):
    async with face.running(campaigns, tmp_path, settings) as server:
        yield server


@pytest.fixture
async def client(server):
    """The user whose server it is."""
    async with server.client() as client:
        yield client


@pytest.fixture
async def mallory(campaigns, settings, tmp_path):
    """Somebody else on the same host."""
    (tmp_path / "m").mkdir()
    peer = Peer(4242, "mallory")
    async with (
        face.running(campaigns, tmp_path / "m", settings, peer) as server,
        server.client() as client,
    ):
        yield client


@pytest.fixture
async def campaign(client):
    """The path of a campaign of the client's."""
    answer = await client.post("/campaigns", json=face.JDL)
    assert answer.status_code == 201, answer.text
    return answer.headers["Location"]
