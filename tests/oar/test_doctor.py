"""`cigri doctor --probe` on a real OAR: each step timed, and each daemon that is away told."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cigri.cli import probing
from cigri.doctor.finding import Finding, Level
from tests.oar.serving import SharedServer, shared
from tests.testbed.oar2 import URL, Oar2, cluster

pytestmark = [pytest.mark.oar, pytest.mark.e2e, pytest.mark.slow]


def probed(server: SharedServer, patience: float) -> Finding:
    (found,) = probing.probe(server.of("alice"), patience, {"oar": URL})
    return found


def examined(directory: Path) -> str:
    """Return what `cigri doctor` prints, with a configuration that names the cluster."""
    done = subprocess.run(
        [sys.executable, "-m", "cigri", "doctor", "--config", str(directory / "cigri.toml")],
        env={**os.environ, "XDG_STATE_HOME": str(directory)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.stdout


def test_a_cluster_in_order_is_timed_step_by_step(oar2: Oar2, tmp_path: Path) -> None:
    with shared(tmp_path / "srv", cluster()) as server:
        found = probed(server, 300)

        assert found.level is Level.OK, found
        for step in ("accepted after", "on the cluster", "started", "ended", "output read in"):
            assert step in found.text
        assert "oar            ok" in examined(tmp_path / "srv")


@pytest.mark.parametrize(
    ("daemon", "command"),
    [
        ("api", "systemctl start apache2"),
        ("database", "systemctl start postgresql"),
        ("server", "systemctl start oar-server"),
        ("nodes", "oarnodesetting -s Alive"),
    ],
)
def test_each_daemon_that_is_away_is_told_with_what_brings_it_back(
    oar2: Oar2, tmp_path: Path, daemon: str, command: str
) -> None:
    with shared(tmp_path / "srv", cluster()) as server, oar2.without(daemon):
        found = probed(server, 30)

        assert found.level is Level.FAIL, found
        assert command in (found.repair or ""), found
        if daemon in {"api", "database"}:
            # Then it is told without a probe, too.
            assert command in examined(tmp_path / "srv")
