"""Completion, in a real bash."""

import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import asyncclick
import pytest

from cigri.cli import completing
from cigri.cli.group import COMMANDS
from tests.cli.conftest import SLEEP

#: Loads what `cigri completion bash` prints, completes a line as bash does, and prints the words.
PROGRAM = """
set -e
source /dev/stdin
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_cigri_completion cigri "${COMP_WORDS[COMP_CWORD]}"
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture
def on_path(nowhere, monkeypatch):
    """A directory on the PATH in which `cigri` is this tree's."""
    command = nowhere / "bin/cigri"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m cigri "$@"\n')
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{command.parent}:/usr/bin:/bin")
    root = Path(__file__).parents[2]
    monkeypatch.setenv("PYTHONPATH", str(root))


@pytest.fixture
def complete(on_path, cigri):
    """Return what bash offers for the last of some words."""

    def words(*line):
        script = cigri("completion", "bash").out
        done = subprocess.run(
            ["bash", "--norc", "-c", PROGRAM, "bash", *line],
            input=script.replace("_cigri_completion_setup;", ""),
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stderr == ""
        return done.stdout.split()

    return words


def test_bash_completes_commands_in_the_order_of_help(complete):
    assert complete("cigri", "") == list(COMMANDS)
    assert complete("cigri", "pa") == ["pause"]


def test_bash_completes_options_and_their_values(complete):
    assert "--watch" in complete("cigri", "stat", "--w")
    assert complete("cigri", "stat", "-o", "j") == ["json"]
    assert complete("cigri", "completion", "") == ["bash", "zsh", "fish"]


@pytest.mark.e2e
def test_bash_completes_campaigns_that_are_not_over(here, complete, submitted, server):
    number = submitted(exec_file=SLEEP)

    found = complete("cigri", "stat", "")
    server.client.cancel(number)

    assert str(number) in found
    assert found[-1] == "last"
    assert str(number) not in complete("cigri", "stat", "")


def test_without_a_server_bash_completes_last(complete):
    assert complete("cigri", "stat", "l") == ["last"]


def test_a_server_that_does_not_answer_is_not_waited_for(nowhere, place, monkeypatch):
    path = place / "silent.sock"
    monkeypatch.setenv("CIGRI_URL", f"unix:{path}")
    monkeypatch.setattr(completing, "PATIENCE", 0.01)

    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()
        begin = time.monotonic()
        found = completing.campaigns(asyncclick.Context(asyncclick.Command("stat")), "")

        took = time.monotonic() - begin
        # Too late for the shell; it leaves nothing behind for other tests.
        listening.accept()[0].close()  # who looked whether there is a server
        with listening.accept()[0] as asker:
            asker.recv(4096)
            asker.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n{"items":[]}')
            for thread in threading.enumerate():
                if thread.name == "completion":
                    thread.join()

    assert [item.value for item in found] == ["last"]
    assert took < 5


@pytest.mark.parametrize(
    ("shell", "path", "word"),
    [
        ("bash", "data/bash-completion/completions/cigri", "complete -o nosort -o bashdefault"),
        ("zsh", "data/zsh/site-functions/_cigri", "#compdef cigri"),
        ("fish", "config/fish/completions/cigri.fish", "complete --no-files --command cigri"),
    ],
)
def test_scripts_are_installed_where_shells_look(  # noqa: PLR0917 - fixtures and a table
    nowhere, cigri, monkeypatch, shell, path, word
):
    monkeypatch.setenv("XDG_DATA_HOME", str(nowhere / "data"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(nowhere / "config"))

    ended = cigri("completion", shell, "--install")

    assert ended.code == 0
    assert f"wrote {nowhere / path}" in ended.out
    assert word in (nowhere / path).read_text()
    assert (nowhere / path).read_text() == cigri("completion", shell).out


def test_a_shell_that_is_not_known_is_refused(nowhere, cigri):
    assert cigri("completion", "tcsh").code == 2
