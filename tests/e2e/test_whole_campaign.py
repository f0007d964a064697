"""A campaign with all that the JDL knows, on a real server with real processes."""

from pathlib import Path
from typing import Any

import pytest

from tests.e2e.server import serving, until

pytestmark = pytest.mark.e2e


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def described(place: Path, **fields: Any) -> dict[str, Any]:
    """Return a campaign whose every part writes a line into one file."""
    log = place / "log"
    return {
        "name": "whole",
        "nb_jobs": 20,
        "env": {"LOG": str(log), "COLOUR": "two words"},
        # A task that fails says why; the numbers in it are its own.
        "exec_file": f"/bin/sh {place}/task.sh",
        "prologue": [f"echo prologue {{CAMPAIGN_ID}} $PWD \\$HOME >> {log}"],
        "epilogue": ['echo "epilogue $COLOUR" >> $LOG'],
        "clusters": {"local": {}},
        **fields,
    }


SCRIPT = """
echo "task $1 $COLOUR" >> "$LOG"
case $1 in
  3|7) echo "cannot read file-$1" >&2; exit 4;;
  9) echo "out of luck at line $1" >&2; exit 4;;
esac
"""


def test_prologue_tasks_and_epilogue_in_this_order(tmp_path: Path) -> None:
    (tmp_path / "task.sh").write_text(SCRIPT)
    with serving(tmp_path / "server") as server:
        campaign = server.submit(described(tmp_path))
        found = server.wait(campaign)

        written = lines(tmp_path / "log")
        home = Path.home()
        assert written[0] == f"prologue {campaign} {home} {home}"
        assert sorted(written[1:-1]) == sorted(f"task {n} two words" for n in range(20))
        assert written[-1] == "epilogue two words"
        assert found["counts"]["failed"] == 3
        events = server.get(f"/campaigns/{campaign}/events")["items"]
        assert sorted(event["count"] for event in events) == [1, 2]
        assert any("cannot read file-" in event["message"] for event in events)


def test_a_prologue_that_fails_says_why_and_runs_again_after_a_fix(tmp_path: Path) -> None:
    (tmp_path / "task.sh").write_text(SCRIPT)
    prologue = ["set -e", "echo looking >&2", f"cat {tmp_path}/data"]
    with serving(tmp_path / "server") as server:
        campaign = server.submit(described(tmp_path, prologue=prologue, nb_jobs=2))
        (event,) = until(
            lambda: server.get(f"/campaigns/{campaign}/events")["items"], "the prologue fails"
        )
        assert event["code"] == "PROLOG_EXIT_ERROR"
        assert "looking" in event["message"]
        assert f"{tmp_path}/data" in event["message"]
        assert not (tmp_path / "log").exists()

        (tmp_path / "data").touch()
        server.client.change("DELETE", f"/campaigns/{campaign}/events")
        server.wait(campaign)

        assert lines(tmp_path / "log")[-1] == "epilogue two words"


def test_after_a_cancel_the_epilogue_puts_things_away(tmp_path: Path) -> None:
    place = tmp_path / "scratch"
    with serving(tmp_path / "server") as server:
        campaign = server.submit(
            {
                "name": "cancelled",
                "nb_jobs": 4,
                "exec_file": "/bin/sleep 1000",
                "prologue": [f"mkdir {place}"],
                "epilogue": [f"rmdir {place}"],
                "clusters": {"local": {}},
            }
        )
        until(lambda: server.get(f"/campaigns/{campaign}")["counts"]["running"], "a task runs")
        assert place.is_dir()

        server.client.change("DELETE", f"/campaigns/{campaign}")
        until(lambda: not place.exists(), "the epilogue runs")

        tasks = server.get(f"/campaigns/{campaign}")["counts"]
        assert tasks["cancelled"] == 4
