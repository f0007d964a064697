import hashlib

import pytest

from cigri.api.auth import Peer
from cigri.api.context import ApiSettings
from cigri.engine.campaigns import Campaigns
from tests.api.face import JDL, TOKEN, running


@pytest.fixture
def settings() -> ApiSettings:
    return ApiSettings(user="ann", token_sha256=hashlib.sha256(TOKEN.encode()).digest())


@pytest.fixture
async def campaigns():
    return Campaigns()


@pytest.fixture
async def server(campaigns, settings, tmp_path):
    async with running(campaigns, tmp_path, settings) as server:
        yield server


@pytest.fixture
async def client(server):
    """Ann, whose server it is."""
    async with server.client() as client:
        yield client


@pytest.fixture
async def mallory(campaigns, settings, tmp_path):
    """Somebody else on the same host."""
    (tmp_path / "m").mkdir()
    peer = Peer(4242, "mallory")
    async with running(campaigns, tmp_path / "m", settings, peer) as server, server.client() as c:
        yield c


@pytest.fixture
async def campaign(client):
    """The path of a campaign of ann's."""
    answer = await client.post("/campaigns", json=JDL)
    assert answer.status_code == 201, answer.text
    return answer.headers["Location"]
