import contextlib
import os
import socket
import tempfile
from pathlib import Path

import pytest

from cigri import errors
from cigri.client.connection import connect
from cigri.client.finding import find


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


@pytest.fixture
def open_to_all(monkeypatch, runtime):
    """The directory that stands in for a runtime directory, where anybody could make it."""
    monkeypatch.setattr("cigri.places.temporary", lambda uid: runtime)
    return runtime


def test_a_directory_of_the_user_alone_is_trusted(open_to_all):
    open_to_all.chmod(0o755)
    with listening(open_to_all / "cigri.sock"):
        assert find().socket == open_to_all / "cigri.sock"


@pytest.mark.parametrize("mode", [0o720, 0o702, 0o1777])
def test_a_directory_that_others_can_write_to_is_not_trusted(open_to_all, mode):
    open_to_all.chmod(mode)
    with (
        listening(open_to_all / "cigri.sock"),
        pytest.raises(errors.ServerUnreachable, match="others can write to its directory"),
    ):
        find(f"unix:{open_to_all}/cigri.sock")


@pytest.mark.skipif(os.getuid() != 0, reason="gives a directory away")
def test_a_directory_of_somebody_else_is_not_trusted(open_to_all):
    with listening(open_to_all / "cigri.sock"):
        os.chown(open_to_all, 12345, 12345)

        with pytest.raises(errors.ServerUnreachable, match="another user"):
            find(f"unix:{open_to_all}/cigri.sock")


def test_a_link_to_a_directory_is_not_trusted(monkeypatch, runtime):
    link = runtime / "link"
    link.symlink_to(runtime)
    monkeypatch.setattr("cigri.places.temporary", lambda uid: link)
    with (
        listening(runtime / "cigri.sock"),
        pytest.raises(errors.ServerUnreachable, match="its directory is a link"),
    ):
        find(f"unix:{link}/cigri.sock")


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        ("http://127.0.0.1:8666", True),
        ("http://127.1.2.3:8666", True),
        ("http://[::1]:8666", True),
        ("http://LOCALHOST:8666", True),
        ("http://192.0.2.7:8666", False),
        ("http://0.0.0.0:8666", False),
        ("http://localhost.example.org:8666", False),
        ("http://127.0.0.1.example.org", False),
        ("https://cigri.example.org", True),
        ("http://127.0.0.1:80@example.org", False),
    ],
)
def test_a_named_token_goes_to_this_host_or_through_tls(monkeypatch, tmp_path, url, sent):
    (tmp_path / "token").write_text("cig_secret\n")
    monkeypatch.setenv("CIGRI_TOKEN_FILE", str(tmp_path / "token"))

    with connect(find(url)) as http:
        assert ("Authorization" in http.headers) is sent


@pytest.mark.parametrize(
    ("url", "sent"), [("http://127.0.0.1:1", True), ("https://cigri.example.org", False)]
)
def test_the_token_of_your_own_server_goes_to_no_other_host(monkeypatch, tmp_path, url, sent):
    monkeypatch.delenv("CIGRI_TOKEN_FILE", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    (tmp_path / "cigri").mkdir()
    (tmp_path / "cigri/token").write_text("cig_secret\n")

    with connect(find(url)) as http:
        assert ("Authorization" in http.headers) is sent


@pytest.mark.parametrize("text", ["", "two words", "a\nb"])
def test_a_file_without_a_token_is_named(monkeypatch, tmp_path, text):
    (tmp_path / "token").write_text(text)
    monkeypatch.setenv("CIGRI_TOKEN_FILE", str(tmp_path / "token"))

    with pytest.raises(errors.NotAuthenticated, match=f"there is no token in {tmp_path}/token"):
        connect(find("http://127.0.0.1:1"))


@pytest.mark.parametrize(
    "url", ["ftp://x", "http://", "http://[", "http://x:99999", "http://x:0", "file:///etc"]
)
def test_what_is_no_address_is_refused(url):
    with pytest.raises(errors.CigriError, match="not the address of a server"):
        find(url)
