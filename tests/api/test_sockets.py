"""Where the server listens."""

import socket
import stat

import pytest

from cigri.api.app import create_app
from cigri.api.sockets import FOR_ALL, FOR_OWNER, serving
from cigri.errors import Conflict
from tests.api.face import Server


@pytest.fixture
def app(campaigns, settings):
    return create_app(campaigns, settings)


@pytest.mark.parametrize("mode", [FOR_ALL, FOR_OWNER])
async def test_the_socket_is_for_those_it_is_meant_for(app, tmp_path, mode):
    path = tmp_path / "s"
    async with serving(app, path=path, mode=mode):
        assert stat.S_IMODE(path.stat().st_mode) == mode
    assert not path.exists()


async def test_what_a_dead_server_left_is_replaced(app, tmp_path):
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))

    async with serving(app, path=path), Server(socket=path, port=0).client() as client:
        assert (await client.get("/")).status_code == 200


async def test_the_socket_of_a_living_server_is_left_alone(app, server, campaigns, settings):
    with pytest.raises(Conflict, match="another server"):
        async with serving(app, path=server.socket):
            pass

    async with server.client() as client:
        assert (await client.get("/")).status_code == 200


async def test_a_port_that_is_taken_is_a_conflict(app, server, tmp_path):
    with pytest.raises(Conflict, match=str(server.port)):
        async with serving(app, path=tmp_path / "s2", address=("127.0.0.1", server.port)):
            pass

    assert not (tmp_path / "s2").exists()


async def test_no_port_is_open_unless_asked_for(app, tmp_path):
    async with serving(app, path=tmp_path / "s3") as port:
        assert port is None
