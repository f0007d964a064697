"""What a scheduling policy reads and what it answers."""

import attrs

from cigri.domain.capacity import Capacity
from cigri.domain.model import CampaignId, CampaignType, Shape


@attrs.frozen(kw_only=True)
class Offer:
    """What one campaign could run on one cluster now."""

    campaign: CampaignId
    user: str
    pending: int
    #: Its tasks in the jobs of this cluster, started or not.
    in_flight: int
    #: As what its tasks would run now: best-effort or normal.
    type: CampaignType = CampaignType.BEST_EFFORT
    #: Its test goes before all others.
    test: bool = False
    #: Cores for each task.
    cores: int = 1
    max_jobs: int | None = None
    #: Whether other clusters take tasks from the same bag.
    shared: bool = False
    #: Tasks in flight here from which no more than may fail are likely to, with those that the
    #: campaign has elsewhere; `None` if any may.
    at_risk: int | None = None
    mean_duration: float | None = None
    #: Attempts that have ended on this cluster.
    ended: int = 0
    #: How much of it the cluster takes at a time.
    capacity: Capacity = attrs.field(factory=Capacity)
    #: What its jobs there are.
    shape: Shape = Shape.GROUP

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

    @property
    def part(self) -> int:
        """Return which part of what it should have in flight is worth a submission: 1 / *part*."""
        # While a group runs at each place, another one waits: then the next is due.
        return 4 if self.capacity.feeds(self.shape) else 2

    def target(self, slots: int) -> int:
        """Return how many of its tasks in flight would keep *slots* slots busy."""
        parallel = max(1, slots // self.cores)
        wanted = self.capacity.in_flight(
            self.shape,
            parallel=parallel,
            mean_duration=self.mean_duration,
            ended=self.ended,
            left=self.pending + self.in_flight,
        )
        if self.shared and self.mean_duration is None:
            # What waits here for nobody knows how long could run elsewhere.
            wanted = parallel
        return wanted if self.at_risk is None else min(wanted, max(parallel, self.at_risk))


@attrs.frozen(kw_only=True)
class Choice:
    """Tasks of one campaign to hand out now."""

    campaign: CampaignId
    tasks: int
