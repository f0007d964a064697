"""The tokens by which clusters know users: where they lie, and what is taken for one."""

import base64
import json
import stat

import pytest

from cigri.clusters.credentials import (
    Claims,
    FileCredentials,
    MappedCredentials,
    check_token,
    claims,
)
from cigri.errors import InvalidRequest


def jwt(**said):
    def part(value):
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    return f"{part({'alg': 'HS256'})}.{part(said)}.c2lnbmF0dXJl"


def modes(directory):
    return {
        path.relative_to(directory).as_posix(): stat.S_IMODE(path.stat().st_mode)
        for path in directory.rglob("*")
    }


@pytest.fixture
def kept(tmp_path):
    return FileCredentials(tmp_path / "tokens")


def test_a_token_is_kept_replaced_and_forgotten(tmp_path, kept):

    assert kept.token("ann") is None
    kept.put("ann", "first")
    kept.put("ann", "second")
    kept.put("bob", "his")

    assert (kept.token("ann"), kept.token("bob")) == ("second", "his")
    assert FileCredentials(tmp_path / "tokens").token("ann") == "second"
    assert kept.remove("ann")
    assert not kept.remove("ann")
    assert (kept.token("ann"), kept.token("bob")) == (None, "his")


def test_nobody_else_can_read_a_token(tmp_path, kept):
    (tmp_path / "tokens").mkdir(mode=0o755)

    kept.put("ann", "secret")

    assert modes(tmp_path) == {"tokens": 0o700, "tokens/ann.token": 0o600}


def test_a_link_in_the_place_of_a_token_is_not_followed(tmp_path, kept):
    kept.put("ann", "hers")
    other = tmp_path / "other"
    other.write_text("other")
    (tmp_path / "tokens" / "bob.token").symlink_to(other)

    assert kept.token("bob") is None
    kept.put("bob", "his")

    assert (kept.token("bob"), other.read_text()) == ("his", "other")


def test_a_file_that_holds_no_token_is_none(tmp_path, kept):
    kept.put("ann", "a")
    (tmp_path / "tokens" / "ann.token").write_text("a\r\nX-Other: b\n")

    assert kept.token("ann") is None


def test_users_with_another_login_have_the_token_of_that(kept):
    mapped = MappedCredentials(kept, {"ann": "lab07"})

    mapped.put("ann", "a")
    mapped.put("bob", "b")

    assert (kept.token("lab07"), kept.token("bob"), kept.token("ann")) == ("a", "b", None)
    assert (mapped.token("ann"), mapped.login("ann"), mapped.login("bob")) == ("a", "lab07", "bob")
    assert mapped.remove("ann")
    assert kept.token("lab07") is None


@pytest.mark.parametrize(
    "text", ["Blah", "Bearer Blah", " bearer  Blah\n", jwt(user="ann", exp=11.0), jwt(exp=None)]
)
def test_what_is_taken_for_a_token(text):
    assert check_token(text, "ann", 10.0) == text.split()[-1]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not a token"),
        ("Bearer ", "not a token"),
        ("a b", "not a token"),
        ("a\nX-Other: b", "not a token"),
        ("é", "not a token"),
        ("x" * 9000, "not a token"),
        (jwt(user="bob"), "a token of 'bob', and there you are ann"),
        (jwt(user="ann", exp=10), "it has ended"),
    ],
)
def test_what_is_none_or_no_good(text, words):
    with pytest.raises(InvalidRequest) as refused:
        check_token(text, "ann", 10.0)

    (problem,) = refused.value.problems
    assert problem.pointer == "/token"
    assert words in problem.detail
    assert text == "" or text not in str(refused.value)


@pytest.mark.parametrize("text", ["Blah", "a.b.c", "a.é.c", "..", jwt().replace(".", ".W10.", 1)])
def test_a_token_of_another_kind_says_nothing(text):
    assert claims(text) == Claims()


@pytest.mark.parametrize("end", [True, "9", float("nan"), [1]])
def test_an_end_that_is_no_time_is_none(end):
    assert claims(jwt(user=3, exp=end)) == Claims()
