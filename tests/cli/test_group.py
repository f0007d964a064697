import subprocess
import sys

import pytest

from cigri.cli.group import COMMANDS

#: What help has no use for, and what takes longest to import.
HEAVY = {"aiohttp", "aiosqlite", "cattrs", "httpx", "msgspec", "rich", "structlog", "cigri.client"}


def imported(*arguments):
    """Return the modules that a command imports."""
    program = "import sys; from cigri.cli.main import run; run(sys.argv[1:]); print(*sys.modules)"
    ended = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=True
    )
    return set(ended.stdout.splitlines()[-1].split())


def test_help_imports_nothing_that_takes_long():
    assert imported("--help") & HEAVY == set()


def test_commands_that_speak_with_a_server_import_nothing_of_it():
    server = {"aiohttp", "aiosqlite", "cattrs", "msgspec", "structlog", "cigri.engine"}

    assert imported("stat", "--help") & server == set()


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(cigri, name):
    ended = cigri(name, "--help")

    assert ended.code == 0
    assert ended.out.startswith(f"Usage: cigri {name}")


def test_help_lists_every_command_and_begins_with_examples(cigri):
    text = cigri("--help").out

    assert all(f"\n  {name} " in text for name in COMMANDS)
    assert text.index("Examples:") < text.index("Options:")


@pytest.mark.parametrize(
    ("arguments", "where", "what"),
    [
        ((), "", "Usage: cigri"),
        (("stta",), "cigri", "Did you mean 'stat'?"),
        (("stat", "--wach"), "cigri stat", "--watch"),
        (("stat", "twelve"), "cigri stat", "'twelve' is no campaign"),
        (("jobs",), "cigri jobs", "Missing argument"),
        (("jobs", "1", "--state", "finished"), "cigri jobs", "terminated"),
        (("wait", "1", "--timeout", "-1"), "cigri wait", "'-1' is no number of seconds"),
        (("wait", "1", "--timeout", "nan"), "cigri wait", "'nan' is no number of seconds"),
        (("wait", "1", "--timeout", "soon"), "cigri wait", "'soon' is no number of seconds"),
        (("stat", "--url", "ftp://x"), "cigri stat", "not the address of a server"),
        (("--url", "ftp://x", "stat"), "cigri stat", "not the address of a server"),
        (("logs", "1"), "cigri logs", "--failed"),
        (("sub", "/no/such/file"), "cigri sub", "no such file"),
        (("stat", "-o", "xml"), "cigri stat", "'table', 'json'"),
    ],
)
def test_wrong_usage_is_told_on_standard_error_with_code_2(nowhere, cigri, arguments, where, what):
    ended = cigri(*arguments)

    assert ended.code == 2
    assert ended.out == ""
    assert what in ended.err
    if where:
        assert f"\nwhere: {where}\ntry:   {where} --help\n" in ended.err


def test_version(cigri):
    assert cigri("--version").out.startswith("cigri 4.")
