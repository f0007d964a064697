import os
import subprocess
import sys

import pytest

from cigri import errors
from cigri.cli.failures import report
from cigri.cli.group import cigri as group
from cigri.cli.main import knows_ascii_alone


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.ServerUnreachable("x"), 5),
        (errors.InvalidJdl.at("/a", "b"), 1),
        (errors.NotFound("x"), 3),
        (errors.NotAuthenticated("x"), 4),
        (errors.NotAllowed("x"), 4),
        (errors.Conflict("x"), 1),
        (errors.StorageFull("x"), 1),
        (errors.UnusableDatabase("x"), 1),
        (OSError(28, "No space left on device"), 1),
    ],
)
def test_an_error_is_told_as_what_where_and_what_to_try(capsys, error, code):
    found = report(error, command="cigri x", where="there")

    what, where, attempt = capsys.readouterr().err.splitlines()
    assert found == code
    assert what.startswith("error: ")
    assert where == "where: there"
    assert attempt.startswith("try:   ")


def test_what_the_server_cannot_do_for_now_is_tried_later(capsys):
    error = errors.CigriError("dahu: https://dahu.example.org cannot be reached")
    error.problem = {"status": 503}

    report(error, command="cigri logs", where="there")

    assert "later, the same command again" in capsys.readouterr().err


def test_a_message_cannot_write_on_the_terminal(capsys):
    report(errors.NotFound("\x1b[2J\nerror: fake"), command="cigri x", where="there")

    assert len(capsys.readouterr().err.splitlines()) == 3


def test_a_bug_is_told_in_three_lines_and_kept_for_its_report(broken, nowhere):
    ended = broken(ZeroDivisionError("oh"))

    assert ended.code == 1
    assert "Traceback" not in ended.err
    log = nowhere / "state/cigri/last-error.log"
    assert f"where: {log}" in ended.err
    assert "ZeroDivisionError: oh" in log.read_text()


FULL = "cannot write to standard output: no space left on device"
CLOSED = "cannot write to standard output: it is closed"


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("arguments", "output", "what", "attempt"),
    [
        ("results {}", ">/dev/full", FULL, "make room there, or write elsewhere"),
        ("stat {}", ">/dev/full", FULL, "make room there, or write elsewhere"),
        ("results {}", ">&-", CLOSED, "> FILE, or > /dev/null"),
        ("stat {}", ">&-", CLOSED, "> FILE, or > /dev/null"),
        ("--help", ">&-", CLOSED, "> FILE, or > /dev/null"),
        ("--help", ">/dev/full", "no space left on device", "make room there, or write elsewhere"),
    ],
)
def test_output_that_cannot_be_written_is_told(submitted, arguments, output, what, attempt):
    line = f"{sys.executable} -m cigri {arguments.format(submitted())} {output}"

    ended = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=False)

    assert ended.returncode == 1
    first, _, last = ended.stderr.splitlines()
    assert (first, last) == (f"error: {what}", f"try:   {attempt}")


def test_standard_input_that_is_closed_is_wrong_usage(nowhere):
    line = f"{sys.executable} -m cigri sub - <&-"

    ended = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=False)

    assert ended.returncode == 2
    assert "cannot read -: bad file descriptor" in ended.stderr


def test_an_error_may_know_better_what_to_try(capsys):
    report(errors.NotFound("x").trying("look {there}"), command="cigri x", where="there")

    assert capsys.readouterr().err.splitlines()[-1] == "try:   look {there}"


@pytest.fixture
def broken(nowhere, cigri, monkeypatch):
    """Have the command line end with an error that nobody expects."""

    def end(error):
        async def main(*arguments, **settings):
            raise error

        monkeypatch.setattr(group, "main", main)
        return cigri("stat")

    return end


def test_of_a_group_of_bugs_the_innermost_is_told(broken):
    inner = ExceptionGroup("tasks", [ZeroDivisionError("oh"), KeyError("x")])

    ended = broken(ExceptionGroup("loops", [inner]))

    assert ended.err.splitlines()[0] == "error: a bug: ZeroDivisionError: oh"


def test_the_report_of_a_bug_is_for_its_user_alone(broken, nowhere):
    log = nowhere / "state/cigri/last-error.log"
    log.parent.mkdir(parents=True)
    log.write_text("an older one, for all to see")
    log.chmod(0o644)

    broken(ZeroDivisionError("oh"))

    assert log.stat().st_mode & 0o777 == 0o600
    assert "ZeroDivisionError: oh" in log.read_text()


@pytest.mark.parametrize(
    ("locale", "alone"),
    [
        ({"LANG": "C"}, True),
        ({"LC_ALL": "POSIX", "LANG": "en_US.UTF-8"}, True),
        ({"LC_CTYPE": "C", "LANG": "en_US.UTF-8"}, True),
        ({"LANG": "C", "LC_CTYPE": "C.UTF-8"}, True),
        ({"LANG": "C", "LC_ALL": "C.UTF-8"}, False),
        ({"LANG": "C", "LC_CTYPE": "fr_FR.UTF-8"}, False),
        ({"LANG": "en_US.UTF-8"}, False),
        ({"LC_CTYPE": "C.UTF-8"}, False),
        ({}, False),
    ],
)
def test_only_the_locale_of_c_knows_ascii_alone(locale, alone):
    assert knows_ascii_alone(locale) is alone


def test_signs_that_a_terminal_does_not_know_have_others_for_them(nowhere):
    program = (
        "import sys; from cigri.cli.main import _prepare_streams as prepare; prepare();"
        "print('5 × a … é'); print('×', file=sys.stderr)"
    )

    ended = subprocess.run(
        [sys.executable, "-c", program],
        env={"LANG": "C", "PATH": "", "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        check=True,
    )

    assert (ended.stdout, ended.stderr) == (b"5 x a ... ?\n", b"x\n")
