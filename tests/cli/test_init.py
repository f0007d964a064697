"""`cigri init`: a configuration to start from, or a server for a whole host (in a directory)."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from cigri import example, places
from cigri.cli import installing
from cigri.config import load

ROOT = Path(__file__).parent.parent.parent
EXAMPLE = (ROOT / "cigri.toml.example").read_text("utf-8")
CONFIGURATION = "etc/cigri/cigri.toml"
UNIT = "etc/systemd/system/cigri.service"


@pytest.fixture
def own(nowhere, monkeypatch):
    """Where the configuration of a user goes."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(nowhere / "config"))
    return nowhere / "config/cigri/cigri.toml"


@pytest.fixture
def image(nowhere):
    """A directory that stands for a host's root."""
    (nowhere / "image").mkdir()
    return nowhere / "image"


def files(directory):
    return sorted(str(path.relative_to(directory)) for path in directory.rglob("*"))


def test_init_writes_the_example_and_says_what_comes_next(own, cigri):
    ended = cigri("init")

    assert ended.code == 0
    assert own.read_text("utf-8") == EXAMPLE
    assert f"wrote    {own}\n" in ended.out
    assert "next     cigri serve" in ended.out


def test_what_is_there_is_not_overwritten(own, cigri):
    own.parent.mkdir(parents=True)
    own.write_text("[server]\n")

    ended = cigri("init")

    assert ended.code == 1
    assert own.read_text() == "[server]\n"
    assert ended.err.startswith(f"error: {own} exists: it is left as it is\n")


def test_a_dry_run_writes_nothing(own, cigri):
    assert cigri("init", "--dry-run").out == f"would write {own}\n"
    assert not own.exists()


@pytest.mark.e2e
def test_a_server_reads_what_init_wrote(own, cigri):
    cigri("init")
    text = own.read_text("utf-8").replace("port = 8666", 'port = "none"')
    own.write_text(text)

    ended = cigri("serve")

    assert ended.code == 1
    assert "server.port" in ended.err


@pytest.mark.parametrize(
    ("environ", "uid", "path"),
    [
        ({"HOME": "/home/ann"}, 1000, "/home/ann/.config/cigri/cigri.toml"),
        ({"HOME": "/home/ann", "XDG_CONFIG_HOME": "/c"}, 1000, "/c/cigri/cigri.toml"),
        (
            {"HOME": "/home/ann", "XDG_CONFIG_HOME": "c"},
            1000,
            "/home/ann/.config/cigri/cigri.toml",
        ),
        ({"HOME": "/root"}, 0, "/etc/cigri/cigri.toml"),
    ],
)
def test_the_configuration_has_its_place(environ, uid, path):
    assert places.configuration(environ, uid) == Path(path)


def test_a_system_gets_configuration_data_and_unit(image, cigri):
    ended = cigri("init", "--system", "--root", image, "--yes")

    assert ended.code == 0
    assert (image / CONFIGURATION).read_text("utf-8") == EXAMPLE
    assert stat.S_IMODE((image / "var/lib/cigri").stat().st_mode) == 0o711
    assert "ExecStart=" in (image / UNIT).read_text("utf-8")
    assert cigri("init", "--system", "--root", image).out == "everything is there already\n"


def test_a_dry_run_shows_all_and_does_nothing(image, cigri):
    ended = cigri("init", "--system", "--root", image, "--dry-run")

    assert ended.code == 0
    assert f"write   {image / UNIT}\n" in ended.out
    assert "\nWatchdogSec=60\n" in ended.out
    assert ended.out.endswith("nothing done\n")
    assert files(image) == []


def test_nothing_is_done_when_nobody_can_be_asked(image):
    ended = subprocess.run(
        [sys.executable, "-m", "cigri", "init", "--system", "--root", image],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 2
    assert "this will\n" in ended.stdout
    assert "give --yes, or --dry-run" in ended.stderr
    assert files(image) == []


@pytest.mark.parametrize(("answer", "done"), [("y\n", True), ("no\n", False), ("", False)])
def test_it_goes_on_only_when_told_to(image, answer, done):
    asker, terminal = os.openpty()
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", "cigri", "init", "--system", "--root", image],
            stdin=terminal,
            stderr=terminal,
            stdout=subprocess.DEVNULL,
        )
        os.write(asker, answer.encode() or b"\x04")  # Ctrl-D

        assert process.wait(60) == (0 if done else 1)
    finally:
        os.close(asker)
        os.close(terminal)
    assert (image / UNIT).exists() == done


def test_a_configuration_that_is_there_stays_and_another_unit_is_not_replaced(image, cigri):
    (image / CONFIGURATION).parent.mkdir(parents=True)
    (image / CONFIGURATION).write_text("# mine\n")
    (image / UNIT).parent.mkdir(parents=True)
    (image / UNIT).write_text("# mine\n")

    ended = cigri("init", "--system", "--root", image, "--yes")

    assert ended.code == 1
    assert f"{image / UNIT} exists and says something else" in ended.err
    assert (image / CONFIGURATION).read_text() == (image / UNIT).read_text() == "# mine\n"


def test_an_account_of_its_own_gets_places_that_all_users_know(image, monkeypatch):
    (image / "etc").mkdir()
    (image / "etc/passwd").write_text("cigri:x:900:900::/var/lib/cigri:/usr/sbin/nologin\n")
    plan = installing.Plan(root=image, user="cigri")
    for step in plan.steps():
        step.act()

    config = load(image / CONFIGURATION, places.private_places(Path("/elsewhere")))

    assert config.server.socket == places.SYSTEM_SOCKET
    assert config.server.database == places.SYSTEM_STATE / "cigri.db"
    assert "\nUser=cigri\n" in (image / UNIT).read_text("utf-8")


def test_an_account_that_is_missing_is_made_first(image):
    first, *_ = installing.Plan(root=image, user="cigri").steps()

    assert (first.verb, first.what) == ("add", "user cigri")


@pytest.mark.parametrize("option", [("--user", "cigri"), ("--root", ".")])
def test_what_belongs_to_a_system_is_refused_without_one(nowhere, cigri, option):
    ended = cigri("init", *option)

    assert ended.code == 2
    assert "belong to --system" in ended.err


@pytest.mark.parametrize("login", ["Ann B", "x\nExecStartPre=evil", "-R", ""])
def test_an_account_must_have_a_name_that_systems_take(image, cigri, login):
    ended = cigri("init", "--system", "--root", image, f"--user={login}", "--yes")

    assert ended.code == 2
    assert "is no login" in ended.err
    assert files(image) == []


def test_a_key_that_the_example_has_not_cannot_be_set_in_it():
    with pytest.raises(ValueError, match="not enough values"):
        example.having(EXAMPLE, databse="/x")
