"""What is known when somebody asks why nothing more of a campaign starts, and the answer."""

from collections.abc import Sequence
from enum import StrEnum

import attrs

from cigri.domain.event import Event
from cigri.domain.model import Campaign, CampaignCluster, ClusterName, EventId, Hold


class Why(StrEnum):
    """What is in the way on one cluster; the first that applies is told."""

    CANCELLED = "cancelled"
    PAUSED = "paused"
    TEST_ENDED = "test_ended"
    TOO_MANY_FAILURES = "too_many_failures"
    EPILOGUE = "epilogue"
    NOTHING_LEFT = "nothing_left"
    PROLOGUE_FAILED = "prologue_failed"
    HELD = "held"
    CLUSTER_HELD = "cluster_held"
    #: Submissions there have no answer yet.
    UNANSWERED = "unanswered"
    STRESS = "stress"
    TEST = "test"
    DAY = "day"
    PROLOGUE = "prologue"
    TOO_BIG = "too_big"
    MAX_JOBS = "max_jobs"
    #: For a while its tasks are left to other clusters.
    ELSEWHERE = "elsewhere"
    #: Its tasks wait in the queue of the cluster, whose cores others use.
    QUEUED = "queued"
    BUSY = "busy"
    #: Nothing is.
    STARTING = "starting"


@attrs.frozen(kw_only=True)
class Reason:
    """Why nothing more of a campaign starts on a cluster."""

    cluster: ClusterName
    code: Why
    #: For a person.
    reason: str
    #: A command line, `None` when there is nothing to do but wait.
    remedy: str | None = None


@attrs.frozen(kw_only=True)
class Explanation:
    """The one true reason on each cluster of a campaign."""

    clusters: tuple[Reason, ...]


@attrs.frozen(kw_only=True)
class Place:
    """What is known of one cluster when a campaign asks why it waits there."""

    item: CampaignCluster
    #: `None` where the cluster is not configured any more.
    slots: int | None
    #: Tasks that run there, of all campaigns.
    busy: int = 0
    #: Others who have something to run there.
    others: int = 0
    #: Whether the policy hands out tasks of the campaign there now.
    chosen: bool = False
    #: What holds the cluster for everybody, and the seconds until it is tried again by itself.
    hold: Hold | None = None
    retry_in: float | None = None
    #: The open event that tells of this hold.
    held_by: EventId | None = None
    #: How loaded the cluster is, where that is too much, and from where on it is.
    stress: float | None = None
    stress_limit: float | None = None
    #: Its tasks in the bag that wait for other clusters: they have waited here too long, or their
    #: checkpoints lie there.
    elsewhere: int = 0
    #: Submissions of anybody whose answer was lost, and which keep others back.
    in_doubt: int = 0


@attrs.frozen(kw_only=True)
class Moment:
    """What is true of all clusters."""

    campaign: Campaign
    #: The open events that hold it somewhere, or with which it paused itself.
    events: Sequence[Event]
    night: bool = False
    #: Seconds until day and night change, infinity for never.
    until_change: float = float("inf")
    #: Whether who asks may let clusters go on, and whom to ask otherwise.
    admin: bool = False
    contact: str = "an administrator"


Told = tuple[Why, str, str | None]
