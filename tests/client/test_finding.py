import contextlib
import os
import socket
import tempfile
from pathlib import Path

import pytest

from cigri import errors
from cigri.client.connection import find


@pytest.fixture
def runtime(monkeypatch):
    """A runtime directory of this test's own; a socket's path must be short."""
    monkeypatch.delenv("CIGRI_URL", raising=False)
    with tempfile.TemporaryDirectory() as directory:
        monkeypatch.setenv("XDG_RUNTIME_DIR", directory)
        yield Path(directory)


@contextlib.contextmanager
def listening(path):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        yield


def test_the_users_own_server_is_found(runtime):
    with listening(runtime / "cigri.sock"):
        assert find().socket == runtime / "cigri.sock"


def test_without_a_server_every_place_that_was_tried_is_named(runtime):
    with pytest.raises(errors.ServerUnreachable) as caught:
        find(f"unix:{runtime}/no.sock")

    assert f"unix:{runtime}/no.sock (no such socket)" in str(caught.value)


def test_the_socket_of_a_dead_server_is_no_server(runtime):
    with listening(runtime / "dead.sock"):
        pass

    with pytest.raises(errors.ServerUnreachable, match="has stopped"):
        find(f"unix:{runtime}/dead.sock")


def test_a_url_is_taken_at_its_word():
    assert find("http://127.0.0.1:1").url == "http://127.0.0.1:1"


@pytest.mark.skipif(os.getuid() != 0, reason="gives a file away")
def test_the_socket_of_somebody_else_in_a_directory_open_to_all_is_not_trusted(
    monkeypatch, runtime
):
    monkeypatch.setattr("cigri.places.temporary", lambda uid: runtime)
    with listening(runtime / "cigri.sock"):
        os.chown(runtime / "cigri.sock", 12345, 12345)

        with pytest.raises(errors.ServerUnreachable, match="another user"):
            find(f"unix:{runtime}/cigri.sock")
