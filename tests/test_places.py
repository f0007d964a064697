from pathlib import Path

import pytest

from cigri.places import Address, addresses, places, private_places, token_file

ANN = 12345678  # nobody's uid


@pytest.mark.parametrize(
    ("environ", "uid", "state", "socket"),
    [
        (
            {"XDG_STATE_HOME": "/s", "XDG_RUNTIME_DIR": "/run/user/7", "HOME": "/home/ann"},
            ANN,
            "/s/cigri",
            "/run/user/7/cigri.sock",
        ),
        (
            {"HOME": "/home/ann"},
            ANN,
            "/home/ann/.local/state/cigri",
            f"/tmp/cigri-{ANN}/cigri.sock",
        ),
        # Empty and relative ones count as unset.
        (
            {"XDG_STATE_HOME": "", "XDG_RUNTIME_DIR": "run", "HOME": "/home/ann"},
            ANN,
            "/home/ann/.local/state/cigri",
            f"/tmp/cigri-{ANN}/cigri.sock",
        ),
        # A user without account and home, as in a container.
        ({}, ANN, f"/tmp/cigri-{ANN}/.local/state/cigri", f"/tmp/cigri-{ANN}/cigri.sock"),
        ({"HOME": "/root"}, 0, "/var/lib/cigri", "/run/cigri/cigri.sock"),
        (
            {"HOME": "/root", "XDG_STATE_HOME": "/s", "XDG_RUNTIME_DIR": "/r"},
            0,
            "/s/cigri",
            "/r/cigri.sock",
        ),
    ],
)
def test_places_of_a_server(environ, uid, state, socket):
    found = places(environ, uid)

    assert (found.state, found.socket) == (Path(state), Path(socket))
    assert found.database == Path(state, "cigri.db")
    assert found.token == Path(state, "token")


def test_a_private_server_keeps_everything_in_its_directory():
    found = private_places(Path("/tmp/mine"))

    assert {found.database.parent, found.socket.parent, found.token.parent} == {Path("/tmp/mine")}


def test_a_client_looks_for_its_users_server_first_then_for_that_of_the_host():
    found = addresses({"XDG_RUNTIME_DIR": "/r"}, ANN)

    assert [str(address) for address in found] == [
        "unix:/r/cigri.sock",
        "unix:/run/cigri/cigri.sock",
    ]


def test_root_has_one_place_to_look_at():
    assert [str(address) for address in addresses({}, 0)] == ["unix:/run/cigri/cigri.sock"]


def test_a_server_that_was_named_is_the_only_one_to_ask():
    environ = {"CIGRI_URL": "http://127.0.0.1:1", "XDG_RUNTIME_DIR": "/r"}

    assert addresses(environ, ANN) == (Address(url="http://127.0.0.1:1"),)
    assert addresses(environ, ANN, "unix:/s") == (Address(socket=Path("/s")),)


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://localhost:8666/", Address(url="http://localhost:8666")),
        ("localhost:8666", Address(url="http://localhost:8666")),
        ("unix:/a/b", Address(socket=Path("/a/b"))),
        ("unix:///a/b", Address(socket=Path("/a/b"))),
        ("/a/b", Address(socket=Path("/a/b"))),
        ("./b", Address(socket=Path("b").absolute())),
        ("unix:b", Address(socket=Path("b").absolute())),
    ],
)
def test_ways_to_name_a_server(url, address):
    assert addresses({}, ANN, url) == (address,)


def test_the_token_lies_in_the_state_directory_unless_it_is_named():
    environ = {"XDG_STATE_HOME": "/s"}

    assert token_file(environ, ANN) == Path("/s/cigri/token")
    assert token_file(environ | {"CIGRI_TOKEN_FILE": "/t"}, ANN) == Path("/t")
