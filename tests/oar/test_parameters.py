"""Whatever words a task has, its program gets them byte for byte and no shell runs them."""

import itertools
from pathlib import Path

import pytest

from tests.e2e.server import until
from tests.oar.serving import SharedServer, common_directory, program, shared
from tests.testbed.oar2 import Oar2, cluster

pytestmark = [pytest.mark.oar, pytest.mark.e2e, pytest.mark.slow]

#: What a shell, an array's file or a JSON text may take for something else; `{}` is a file
#: that none of them may make.
PIECES = (
    *("'", '"', "''", '""', "'\"'", "\\", "\\\\", "\\n", "\\'", "$HOME", "$$", "${PATH}", "$1"),
    *("$(touch {})", "`touch {}`", "; touch {}", "&& touch {}", "| touch {}", "& touch {} &"),
    *("> {}", ">> {}", "< /etc/passwd", "\n touch {} \n", "'; touch {}; '", '"; touch {}; "'),
    *("$(touch {}", "`", "$((1+1))", "!!", "!touch", "#", "# comment", "a # b", "#{}", "%d%s%n"),
    *("*", "?", "[a-z]", "{a,b}", "~", "~root", "-", "--", "-n", "-e", "--help", "=", "a=b"),
    *(" ", "  ", " a", "a ", "\t", "\ta\t", "\n", "a\nb", "\n\n", "\r", "a\r\nb", "\x0b", "\x0c"),
    *(
        "",
        "\x01",
        "\x7f",
        "\x1b[31m",
        "é",
        "café",
        "ß",
        "日本語",
        "🙂",
        "\u2028",
        "\ufeff",
        "a\u0301",
    ),
    *("%jobid%", "/~/", "{HOME}", "{CAMPAIGN_ID}", "OAR_JOB_ID=1"),
    *("x" * 8192, "é" * 4096, "'" * 1000, "$" * 1000, "a b " * 500, "\\" * 999, "&;|<>()" * 50),
)
REPORT = 'for word; do printf "%s\\0" "$word"; done > {out}.$CIGRI_JOB_ID'


def nasty(canary: Path) -> list[list[str]]:
    """Return 200 tasks: each piece alone, and pairs of them."""
    pieces = [piece.replace("{}", str(canary)) for piece in PIECES]
    alone = [[piece] for piece in pieces]
    pairs = [
        [a, b, f"{a}{b}"]
        for far in (7, 13)
        for a, b in zip(pieces, pieces[far:] + pieces[:far], strict=True)
    ]
    short = [words for words in pairs if sum(map(len, words)) < 20_000]
    return list(itertools.islice(alone + short, 200))


@pytest.mark.parametrize("grouped", [True, False])
def test_nasty_parameters_arrive_byte_for_byte(
    oar2: Oar2, tmp_path: Path, request: pytest.FixtureRequest, grouped: bool
) -> None:
    with common_directory() as common, shared(tmp_path / "srv", cluster()) as server:
        canary = common / "canary"
        tasks = nasty(canary)
        assert len(tasks) == 200
        if not grouped:
            # A job for each: as many as the machine has time for, of all kinds.
            most = min(len(tasks), request.config.getoption("--oar-tasks") // 2)
            tasks = tasks[:: -(-len(tasks) // most)]
        found = argv_of(server, common, tasks, grouped=grouped)

        expected = {
            number: b"".join(word.encode() + b"\0" for word in words)
            for number, words in enumerate(tasks)
        }
        assert {n for n in expected if found.get(n) != expected[n]} == set()
        assert not canary.exists()


def argv_of(
    server: SharedServer, common: Path, tasks: list[list[str]], *, grouped: bool
) -> dict[int, bytes]:
    """Run a program with these words; return what it was given, by the number of its task."""
    out = common / "argv"
    settings = {"walltime": "00:05:00", "type": "best-effort", "temporal_grouping": grouped}
    campaign = server.submit_as(
        "alice",
        {
            "name": "nasty",
            "params": tasks,
            "exec_file": str(program(common, REPORT.format(out=out))),
            "clusters": {"oar": settings},
        },
    )
    until(
        lambda: server.get(f"/campaigns/{campaign}")["state"] == "terminated",
        "the campaign ends",
        900,
        0.5,
    )
    told = {task["id"]: task["task"] for task in server.tasks(campaign)}
    return {told[int(path.suffix[1:])]: path.read_bytes() for path in common.glob("argv.*")}
