import pytest

from cigri import errors
from cigri.cli.failures import report
from cigri.cli.group import cigri as group


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


def test_a_message_cannot_write_on_the_terminal(capsys):
    report(errors.NotFound("\x1b[2J\nerror: fake"), command="cigri x", where="there")

    assert len(capsys.readouterr().err.splitlines()) == 3


def test_a_bug_is_told_in_three_lines_and_kept_for_its_report(nowhere, cigri, monkeypatch):
    async def broken(*arguments, **settings):
        raise ZeroDivisionError("oh")

    monkeypatch.setattr(group, "main", broken)

    ended = cigri("stat")

    assert ended.code == 1
    assert "Traceback" not in ended.err
    log = nowhere / "state/cigri/last-error.log"
    assert f"where: {log}" in ended.err
    assert "ZeroDivisionError: oh" in log.read_text()
