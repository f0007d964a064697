"""A file of parameters is read by the server with the rights of whoever names it, and no other."""

import json
import os
import pwd
import socket
from pathlib import Path

import attrs
import pytest

from cigri.clusters.identity import account, own_login
from cigri.domain.model import Caller
from cigri.engine import param_files
from cigri.errors import CigriError, InvalidJdl, NotAllowed, TooLarge
from tests.engine.harness import Engine

ME = own_login()


async def read(path: Path | str, user: str = ME, most: int = 10**6) -> bytes:
    return b"".join([block async for block in param_files.blocks(user, str(path), most)])


async def submit(engine: Engine, path: str, user: str = ME) -> list[object]:
    described = {"name": "c", "exec_file": "x", "clusters": {"sim": {}}, "param_file": path}
    who = Caller(user=user)
    campaign = (await engine.api.submit(who, json.dumps(described).encode())).campaign
    return [task.parameter for task in await engine.tasks(who, campaign.id, 0, 5000)]


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Give the user of the tests another home."""
    moved = attrs.evolve(account(ME), home=str(tmp_path))
    monkeypatch.setattr(param_files, "account", lambda _: moved)
    return tmp_path


@pytest.mark.parametrize("named", ["{}/params", "~/params", "$HOME/params", "{HOME}/params"])
async def test_the_lines_of_a_file_become_parameters_stripped(
    engine: Engine, home: Path, named: str
) -> None:
    (home / "params").write_text(" one\ntwo three \t\r\n\n  \nfour")

    assert await submit(engine, named.replace("{}", str(home))) == ["one", "two three", "four"]


async def test_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("a\n")
    (tmp_path / "link").symlink_to("file")

    assert await read(tmp_path / "link") == b"a\n"


def make_pipe(path: Path) -> None:
    os.mkfifo(path)


def make_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))


@pytest.mark.parametrize("make", [make_pipe, make_socket, Path.mkdir, lambda path: None])
async def test_what_is_no_file_is_refused_at_once(tmp_path: Path, make: object) -> None:
    make(tmp_path / "it")  # type: ignore[operator]

    with pytest.raises(InvalidJdl, match=r"/param_file: cannot read '.*/it': \w"):
        await read(tmp_path / "it")


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/dev/zero", "not a regular file"),
        ("/proc/self/maps", "not a regular file"),
        ("/proc/self/environ", "not a regular file"),
        ("params", "not an absolute path"),
        ("~bob/params", "not an absolute path"),
        ("/nowhere/at/all", "No such file"),
        ("/" + "x" * 300, "too long"),
    ],
)
async def test_a_path_that_names_no_file_of_parameters_is_refused(path: str, words: str) -> None:
    with pytest.raises(InvalidJdl, match=words):
        await read(path)


async def test_a_file_has_a_greatest_length(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"12345\n")

    assert await read(tmp_path / "file", most=6) == b"12345\n"
    with pytest.raises(TooLarge, match="longer than 5 bytes"):
        await read(tmp_path / "file", most=5)


async def test_who_has_no_account_here_sends_the_parameters(engine: Engine) -> None:
    with pytest.raises(NotAllowed, match="no account on this host"):
        await submit(engine, "/etc/passwd", "nobody-knows-them")


@pytest.fixture
def other() -> str:
    """Return the login of somebody else."""
    found = [entry.pw_name for entry in pwd.getpwall() if entry.pw_uid not in (0, os.geteuid())]
    return found[0]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as somebody else")
async def test_root_reads_nothing_for_others_that_they_may_not(tmp_path: Path, other: str) -> None:
    for directory in (tmp_path, *tmp_path.parents[:3]):
        directory.chmod(0o755)
    secret, public = tmp_path / "secret", tmp_path / "public"
    for path, mode in ((secret, 0o600), (public, 0o644)):
        path.write_text("a\n")
        path.chmod(mode)
    (tmp_path / "link").symlink_to(secret)

    assert await read(public, other) == b"a\n"
    for path in (secret, tmp_path / "link", Path("/etc/shadow")):
        with pytest.raises(NotAllowed, match=f"{other} may not read"):
            await read(path, other)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as somebody else")
@pytest.mark.parametrize("way", ["/proc/self/fd/{}", "/proc/thread-self/fd/{}", "{link}"])
async def test_what_the_server_has_open_is_as_far_as_it_lies(
    tmp_path: Path, other: str, way: str
) -> None:
    for directory in (tmp_path, *tmp_path.parents[:3]):
        directory.chmod(0o755)
    (tmp_path / "private").mkdir(mode=0o700)
    with (tmp_path / "private" / "log").open("x+") as file:
        os.fchmod(file.fileno(), 0o644)
        (tmp_path / "link").symlink_to(f"/proc/self/fd/{file.fileno()}")

        with pytest.raises(NotAllowed, match=f"{other} may not read"):
            await read(way.format(file.fileno(), link=tmp_path / "link"), other)


async def test_a_server_of_one_user_reads_for_nobody_else(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, other: str
) -> None:
    (tmp_path / "file").write_text("a\n")
    monkeypatch.setattr(os, "geteuid", lambda: 12_345)

    with pytest.raises(NotAllowed, match="send the parameters"):
        await read(tmp_path / "file", other)


async def test_a_file_that_is_refused_leaves_no_campaign(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"fine\n" * 30_000 + b"\xff\n")

    with pytest.raises(CigriError, match="line 30001"):
        await submit(engine, str(tmp_path / "file"))

    async with engine.database.read() as db:
        assert not await db.all("SELECT 1 FROM campaign UNION SELECT 1 FROM parameter_chunk")
