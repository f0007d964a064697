from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clusters.groups import Site


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A directory for a worker and a home for its user."""
    home = tmp_path / "home"
    home.mkdir()
    root = tmp_path / "work"
    root.mkdir()
    log = tmp_path / "log"
    log.touch()
    site = Site(root, home, log)
    yield site
    site.close()
