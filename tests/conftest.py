"""What all tests have in common: those that need a real OAR say so, and are asked for.

They stop and start its daemons, and a machine has one OAR: none of them runs beside another.
"""

import faulthandler
import os
from collections.abc import Iterator

import pytest

from tests.testbed import oar2 as testbed

_SKIPPED = f"needs a real OAR: as root `{testbed.COMMAND}`, then `pytest -n0 --oar -m oar`"

#: Seconds that such a test may take.
_PATIENCE = 1800.0


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--oar",
        action="store_true",
        help=f"run the tests marked `oar`, on the OAR that `{testbed.COMMAND}` brings up",
    )
    parser.addoption(
        "--oar-tasks",
        type=int,
        default=80,
        help="how many tasks the largest of them has; OAR starts two to four a second",
    )


def pytest_configure(config: pytest.Config) -> None:
    if not config.getoption("--oar"):
        return
    if config.getoption("numprocesses", default=0):
        raise pytest.UsageError("--oar: these tests share one OAR, so one at a time: -n0")
    if not testbed.answers():
        raise pytest.UsageError(f"--oar: there is none at {testbed.URL}: {testbed.COMMAND}")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--oar"):
        return
    for item in items:
        if item.get_closest_marker("oar"):
            item.add_marker(pytest.mark.skip(reason=_SKIPPED))


@pytest.fixture
def oar2(pytestconfig: pytest.Config) -> Iterator[testbed.Oar2]:
    """The real OAR, with everything up."""
    # It needs seconds for what takes others milliseconds; a test that hangs still says where.
    capture = pytestconfig.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        stderr = os.dup(2)
    faulthandler.dump_traceback_later(_PATIENCE, exit=True, file=stderr)
    with testbed.opened() as found:
        yield found
    faulthandler.cancel_dump_traceback_later()
    os.close(stderr)
