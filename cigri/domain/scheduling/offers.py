"""What a scheduling policy reads and what it answers."""

import attrs

from cigri.domain import grouping
from cigri.domain.model import CampaignId


@attrs.frozen(kw_only=True)
class Offer:
    """What one campaign could run on one cluster now."""

    campaign: CampaignId
    user: str
    pending: int
    #: Its tasks in the jobs of this cluster, started or not.
    in_flight: int
    #: Cores for each task.
    cores: int = 1
    max_jobs: int | None = None
    mean_duration: float | None = None
    #: Attempts that have ended on this cluster.
    ended: int = 0

    @property
    def allowance(self) -> int:
        """Return how many more tasks the campaign itself allows in flight."""
        if self.max_jobs is None:
            return self.pending
        return max(0, min(self.pending, self.max_jobs - self.in_flight))

    @property
    def demand(self) -> int:
        """Return how many slots the campaign fills and could fill."""
        return (self.in_flight + self.allowance) * self.cores

    def target(self, slots: int) -> int:
        """Return how many of its tasks in flight would keep *slots* slots busy."""
        return grouping.target(
            parallel=max(1, slots // self.cores),
            mean_duration=self.mean_duration,
            ended=self.ended,
        )


@attrs.frozen(kw_only=True)
class Choice:
    """Tasks of one campaign to hand out now."""

    campaign: CampaignId
    tasks: int
