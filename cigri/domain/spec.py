"""A campaign as its user described it."""

from collections.abc import Mapping

import attrs

from cigri.domain.model import ClusterName, ClusterSettings, JobsType, TestMode
from cigri.domain.sweep import Sweep


@attrs.frozen(kw_only=True)
class Allowance:
    """How many tasks may fail before their campaign pauses itself: a count, or a share of all."""

    count: int | None = None
    #: 0 to 100.
    percent: float | None = None

    def of(self, total: int) -> int:
        """
        Return how many of *total* tasks may fail.

        >>> Allowance(percent=2.5).of(1000), Allowance(count=3).of(10)
        (25, 3)
        """
        if self.count is not None:
            return self.count
        return int(total * (self.percent or 0.0) / 100)


@attrs.frozen(kw_only=True)
class CampaignSpec:
    """A campaign as its user described it, checked and expanded."""

    name: str
    clusters: Mapping[ClusterName, ClusterSettings]
    #: The expanded JDL, without its parameters.
    jdl: Mapping[str, object]
    #: What was accepted but deserves a word to the user.
    warnings: tuple[str, ...] = ()
    #: Tasks given as a count (`nb_jobs`): parameters "0" to "n-1".
    nb_jobs: int | None = None
    #: Tasks given as a JSON array (`params`), still as text.
    params: bytes | memoryview | None = None
    #: Tasks given as the points of `param_grid` or `param_zip`.
    sweep: Sweep | None = None
    #: Tasks given as the lines of a file that the server is to read with the rights of the caller.
    param_file: str | None = None
    jobs_type: JobsType = JobsType.NORMAL
    #: How many tasks may fail before the campaign pauses itself; `None` for any number.
    max_fails: Allowance | None = None
    #: Words by which its owner finds it again.
    tags: tuple[str, ...] = ()

    @property
    def endless(self) -> bool:
        """Return whether new tasks come until somebody stops the campaign."""
        return self.jobs_type is JobsType.DESKTOP_COMPUTING and self.nb_jobs is None

    @property
    def test_mode(self) -> TestMode:
        """Return the most careful test mode of its clusters."""
        modes = {settings.test_mode for settings in self.clusters.values()}
        careful = (TestMode.THEN_WAIT, TestMode.THEN_RUN)
        return next((mode for mode in careful if mode in modes), TestMode.OFF)
