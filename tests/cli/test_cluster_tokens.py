"""`cigri token cluster`: given, never shown, and taken back."""

import io
import json

import pytest

KEPT = {"status": 201, "title": "Created", "message": "Token registered"}
ITEM = {
    "cluster_id": 3,
    "cluster_name": "dahu",
    "login": "lab07",
    "cluster_login": "Bearer the-secret",
    "expires_at": None,
}


@pytest.fixture
def typed(monkeypatch):
    """Lets a test say what comes on standard input."""

    def say(text):
        stream = io.TextIOWrapper(io.BytesIO(text.encode()))
        monkeypatch.setattr("sys.stdin", stream)

    return say


def test_a_token_comes_on_standard_input(played, cigri, typed):
    played.answers["POST /tokens"] = (201, KEPT)
    typed("Bearer abc\n")

    ended = cigri("token", "cluster", "add", "dahu")

    assert (ended.code, ended.out) == (0, "Token registered\n")
    assert json.loads(played.requests[-1][2]) == {"cluster_id": "dahu", "token": "Bearer abc"}


def test_a_token_comes_from_a_file(played, cigri, tmp_path):
    played.answers["POST /tokens"] = (201, KEPT)
    (tmp_path / "token").write_text("abc\n")

    assert cigri("token", "cluster", "add", "dahu", "--file", tmp_path / "token").code == 0
    assert json.loads(played.requests[-1][2])["token"] == "abc"


def test_nothing_is_no_token(played, cigri, typed):
    typed("\n")

    ended = cigri("token", "cluster", "add", "dahu")

    assert ended.code == 1
    assert "there is no token in standard input" in ended.err
    assert "oarsub --api-token" in ended.err
    assert played.requests == []


@pytest.mark.parametrize("output", ["table", "json"])
def test_tokens_are_listed_without_their_secrets(played, cigri, output):
    played.answers["GET /tokens"] = {"items": [ITEM], "total": 1}

    ended = cigri("token", "cluster", "list", "-o", output)

    assert ended.code == 0
    assert "dahu" in ended.out
    assert "lab07" in ended.out
    assert "the-secret" not in ended.out + ended.err


def test_without_any_the_command_that_gives_one_is_named(played, cigri):
    played.answers["GET /tokens"] = {"items": [], "total": 0}

    assert "cigri token cluster add" in cigri("token", "cluster", "list").out


def test_tokens_are_taken_back_each_whatever_becomes_of_the_others(played, cigri):
    played.answers["DELETE /tokens/dahu"] = (202, {"message": "Token on dahu removed"})

    ended = cigri("token", "cluster", "remove", "luke", "dahu")

    assert ended.code == 3
    assert ended.out == "Token on dahu removed\n"
    assert "cigri token cluster list shows yours" in ended.err
