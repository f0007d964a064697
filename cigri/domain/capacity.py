"""How much of a campaign a cluster takes at a time, and in what shape."""

import attrs

from cigri.domain import grouping, portions
from cigri.domain.model import ClusterSettings, Shape
from cigri.domain.oar_request import whole_node


@attrs.frozen(kw_only=True)
class Capacity:
    """How much of a campaign a cluster takes, and in what shape."""

    #: Whether tasks are remote jobs of their own unless their campaign asks to group them.
    arrays: bool = False
    #: Seconds of work that may wait behind each slot.
    lookahead: float = grouping.LOOKAHEAD
    #: Tasks of one campaign in flight, at most.
    most_in_flight: int = grouping.MOST_IN_FLIGHT
    #: Remote jobs of one submission, at most.
    most_in_submission: int = portions.MOST_IN_GROUP
    #: Tasks of one group, at most, and the bytes of their parameters together.
    most_in_group: int = portions.MOST_IN_GROUP
    most_parameter_bytes: int | None = None
    #: Seconds of work of a group, if its tasks are short; `None`: groups are fed as they drain.
    group_duration: float | None = None
    #: Cores of the jobs of campaigns with dimensional grouping; `None`: those of one task.
    cores_per_node: int | None = None
    #: Seconds after which a job that still waits is withdrawn, to go elsewhere; `None`: never.
    longest_wait: float | None = None

    def shape(self, settings: ClusterSettings) -> Shape:
        """Return what jobs of a campaign with *settings* are there."""
        grouped = settings.temporal_grouping or settings.dimensional_grouping
        return Shape.ARRAY if self.arrays and not grouped else Shape.GROUP

    def most_tasks(self, shape: Shape) -> int | None:
        """Return how many tasks one submission carries at most; `None`: any number."""
        if shape is Shape.ARRAY:
            return self.most_in_submission
        return self.most_in_submission * self.most_in_group if self.arrays else None

    def abreast(self, settings: ClusterSettings) -> int:
        """Return how many tasks of a campaign with *settings* a job runs at a time."""
        cores = self.cores_per_node
        if not settings.dimensional_grouping or cores is None:
            return 1
        if whole_node(settings.resources, cores) is None:
            return 1
        return max(1, cores // settings.cores)

    def sizes(
        self,
        count: int,
        shape: Shape,
        *,
        parallel: int,
        mean_duration: float | None,
        abreast: int = 1,
        last: bool = False,
    ) -> list[int]:
        """
        Return of how many tasks the jobs are that carry *count* tasks of a submission.

        Args:
            count: What is to be sent.
            shape: What the jobs are.
            parallel: Tasks that the cluster can run at a time.
            mean_duration: Of a task, if it is known.
            abreast: Tasks that one job runs at a time.
            last: Whether the campaign has no others.
        """
        if shape is Shape.ARRAY:
            return [count]
        if self.group_duration is None:
            return portions.split(count, self.most_in_group)
        most = (self._group(mean_duration) or self.most_in_group) * abreast
        # However short they are, no submission has more jobs than the cluster takes.
        most = min(self.most_in_group, max(most, -(-count // self.most_in_submission)))
        places = min(-(-parallel // abreast), self.most_in_submission)
        least = min(most, abreast * portions.worth(portions.WORTHWHILE, mean_duration))
        if last and mean_duration is not None:
            halved = abreast * portions.worth(portions.HALVED, mean_duration)
            sizes = portions.taper(count, places, most, least, halved)
            if len(sizes) <= self.most_in_submission:
                return sizes
        return portions.share(count, places, most, least)

    def feeds(self, shape: Shape) -> bool:
        """Return whether jobs of *shape* are fed as they drain, instead of one after the other."""
        return shape is Shape.ARRAY or self.group_duration is None

    def in_flight(
        self,
        shape: Shape,
        *,
        parallel: int,
        mean_duration: float | None,
        ended: int,
        left: int = 0,
    ) -> int:
        """
        Return how many tasks of a campaign should be there, *parallel* of which can run.

        Args:
            shape: What its jobs are.
            parallel: Tasks that the cluster can run at a time.
            mean_duration: Of those that have ended there.
            ended: How many have.
            left: How many have not, handed out or not.
        """
        first = 0 if self.feeds(shape) else grouping.first_of_groups(left, parallel)
        return grouping.target(
            parallel=parallel,
            mean_duration=mean_duration,
            ended=ended,
            lookahead=self.lookahead,
            most=self.most_in_flight,
            group=1 if shape is Shape.ARRAY else self._group(mean_duration) or 1,
            first=first,
        )

    def _group(self, mean_duration: float | None) -> int | None:
        """Return how many tasks one after the other a group should have, if that is known."""
        if self.group_duration is None or mean_duration is None:
            return None
        return portions.most_within(self.group_duration, mean_duration, self.most_in_group)
