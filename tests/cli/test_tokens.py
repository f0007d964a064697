"""`cigri token`: made, shown once, written where only its user can read it, and revoked."""

import json
import re

import pytest

pytestmark = pytest.mark.e2e


def made(ended):
    assert ended.code == 0, ended.err
    return int(re.search(r"token (\d+) is good for", ended.err)[1])


def test_a_token_is_printed_once_and_listed_by_its_beginning(here, cigri):
    ended = cigri("token", "create", "--name", "ci", "--scope", "read", "--days", "3")
    number, secret = made(ended), ended.out.strip()
    listed = cigri("token", "list")

    assert re.fullmatch(r"cig_[\w-]{43}", secret)
    (line,) = [line for line in listed.out.splitlines() if line.split()[0] == str(number)]
    assert line.split()[1:4] == [f"{secret[:8]}…", "read", "valid"]
    assert secret not in listed.out


def test_a_token_is_written_to_a_new_file_of_its_users_own(here, cigri):
    out = here / "token"
    ended = cigri("token", "create", "--name", "ci", "--out", out)

    made(ended)
    assert out.stat().st_mode & 0o777 == 0o600
    assert out.read_text().startswith("cig_")
    assert out.read_text().strip() not in ended.out + ended.err

    before = out.read_text()
    again = cigri("token", "create", "--name", "ci", "--out", out)
    assert again.code == 1
    assert "is there already" in again.err
    assert out.read_text() == before


def test_nothing_is_written_when_no_token_is_made(here, cigri):
    ended = cigri("token", "create", "--name", "ci", "--days", "4000", "--out", here / "none")

    assert ended.code == 1
    assert not (here / "none").exists()


def test_json_has_all_but_the_secret_that_went_to_the_file(here, cigri):
    ended = cigri("token", "create", "--name", "ci", "--out", here / "j", "-o", "json")

    body = json.loads(ended.out)
    assert body["scope"] == "submit"
    assert "token" not in body


def test_tokens_are_revoked_by_their_ids(here, cigri):
    numbers = [made(cigri("token", "create", "--name", name)) for name in ("a", "b")]
    ended = cigri("token", "revoke", *numbers)

    assert ended.code == 0
    assert [line.split()[1] for line in ended.out.splitlines()] == [str(n) for n in numbers]
    listed = {line.split()[0]: line for line in cigri("token", "list").out.splitlines()}
    assert all("revoked" in listed[str(number)] for number in numbers)
    unknown = cigri("token", "revoke", 999)
    assert unknown.code == 3
    assert "cigri token list" in unknown.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["create"],
        ["create", "--name", "a", "--days", "0"],
        ["create", "--name", "a", "--scope", "root"],
        ["create", "--name", "a", "--days", "1", "--never"],
        ["revoke"],
        ["revoke", "x"],
        ["creat"],
    ],
)
def test_wrong_usage_is_told(here, cigri, arguments):
    assert cigri("token", *arguments).code == 2
