import tempfile
from pathlib import Path

import pytest

from tests.e2e.server import serving


@pytest.fixture(scope="session")
def server():
    """A server of this run's own; its socket must have a short path."""
    config = "[clusters.local]\nslots = 2\nallow_root = true\n"
    with (
        tempfile.TemporaryDirectory(prefix="cigri-test-") as directory,
        serving(Path(directory) / "server", config) as running,
    ):
        yield running


@pytest.fixture
def here(server, monkeypatch, tmp_path):
    """An environment in which that server is the one that is asked, and a directory for files."""
    monkeypatch.setenv("CIGRI_URL", f"unix:{server.directory}/cigri.sock")
    monkeypatch.chdir(tmp_path)
    return tmp_path
