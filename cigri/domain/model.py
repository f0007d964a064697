"""The nouns of CiGri.

Instants are UTC seconds since the epoch, durations are seconds.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import NewType

import attrs

CampaignId = NewType("CampaignId", int)
JobId = NewType("JobId", int)
#: The number of a task in its campaign, from 0.
TaskNumber = NewType("TaskNumber", int)
#: The stable id of a task over all campaigns, the same for all its attempts.
TaskId = NewType("TaskId", int)
SubmissionId = NewType("SubmissionId", int)
EventId = NewType("EventId", int)
RemoteId = NewType("RemoteId", str)
ClusterName = NewType("ClusterName", str)

#: One task's parameter: a line to be split like a shell would, or the exact words.
Parameter = str | tuple[str, ...]


class CampaignState(StrEnum):
    """Where a campaign is in its life; the words are CiGri's own."""

    #: Its parameters are still being received; nobody sees it.
    LOADING = "loading"
    IN_TREATMENT = "in_treatment"
    PAUSED = "paused"
    TERMINATED = "terminated"
    CANCELLED = "cancelled"


class TaskState(StrEnum):
    """Where a task is in its life."""

    #: In the bag.
    PENDING = "pending"
    #: In a job that has not started it.
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    #: Ended with an error and settled; `fix --resubmit` takes it back.
    FAILED = "failed"
    CANCELLED = "cancelled"


class JobState(StrEnum):
    """Where one attempt is in its life."""

    #: Written here, not yet sent.
    CLAIMED = "claimed"
    #: Sent without an answer: it may or may not exist.
    UNKNOWN = "unknown"
    SUBMITTED = "submitted"
    RUNNING = "running"
    #: Ended by itself; its journal says how each task ended.
    ENDED = "ended"
    #: Ended by somebody else: its cluster, its owner or an administrator.
    KILLED = "killed"
    #: Its cluster or its worker no longer knows it.
    LOST = "lost"
    #: Never began; its tasks are back in the bag.
    RETURNED = "returned"


class CampaignType(StrEnum):
    """How the jobs of a campaign stand against those of the cluster's owners."""

    BEST_EFFORT = "best-effort"
    NORMAL = "normal"


@attrs.frozen(kw_only=True)
class ClusterSettings:
    """What a campaign asks of one cluster: the JDL's cluster settings, defaults filled in."""

    exec_file: str
    exec_directory: str = "$HOME"
    #: Seconds that one task may run.
    walltime: float = 3600.0
    type: CampaignType = CampaignType.BEST_EFFORT
    #: As the user wrote it.
    resources: str = "1"
    #: Cores of this host that one task occupies, read from `resources`.
    cores: int = 1
    #: Tasks at a time on this cluster, or `None` for no limit.
    max_jobs: int | None = None


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


@attrs.frozen(kw_only=True)
class Caller:
    """Who asks."""

    user: str
    #: May change every campaign and cluster.
    admin: bool = False


@attrs.frozen(kw_only=True)
class Counts:
    """How many tasks of a campaign are in each state."""

    pending: int = 0
    queued: int = 0
    running: int = 0
    succeeded: int = 0
    failed: int = 0
    cancelled: int = 0

    @property
    def total(self) -> int:
        """Return the number of tasks."""
        return self.pending + self.in_flight + self.settled

    @property
    def in_flight(self) -> int:
        """Return the tasks that a job holds."""
        return self.queued + self.running

    @property
    def settled(self) -> int:
        """Return the tasks that will not run again by themselves."""
        return self.succeeded + self.failed + self.cancelled


@attrs.frozen(kw_only=True)
class Hold:
    """No submission of a campaign to a cluster until somebody or something lifts it."""

    reason: str
    since: float


@attrs.frozen(kw_only=True)
class CampaignCluster:
    """What one campaign does on one cluster."""

    cluster: ClusterName
    #: The number by which the API names the cluster.
    cluster_id: int
    settings: ClusterSettings
    queued: int = 0
    running: int = 0
    succeeded: int = 0
    failed: int = 0
    #: Attempts that ended without settling their task: killed, lost, asked to run again.
    again: int = 0
    #: Mean duration of its tasks in seconds, `None` before the first has ended.
    mean_duration: float | None = None
    hold: Hold | None = None


@attrs.frozen(kw_only=True)
class Campaign:
    """A user's bag of tasks with their settings, and how far it is."""

    id: CampaignId
    name: str
    user: str
    state: CampaignState
    submitted_at: float
    ended_at: float | None
    counts: Counts
    open_events: int
    clusters: tuple[CampaignCluster, ...]
    #: Grows with every change that a reader could see.
    revision: int


@attrs.frozen(kw_only=True)
class Task:
    """One parameter line of a campaign and how far it is."""

    id: TaskId
    campaign: CampaignId
    number: TaskNumber
    parameter: Parameter
    state: TaskState
    #: Attempts that started.
    attempts: int = 0
    #: 0 to 255 as the program exited, or minus the signal that ended it.
    exit_status: int | None = None
    cluster: ClusterName | None = None
    #: The attempt that holds it, or that last did.
    job: JobId | None = None
    remote_id: RemoteId | None = None
    started_at: float | None = None
    ended_at: float | None = None


class EventClass(StrEnum):
    """What an event is about."""

    CLUSTER = "cluster"
    CAMPAIGN = "campaign"
    JOB = "job"


@attrs.frozen(kw_only=True)
class Event:
    """The record of something that happened, open until fixed if it needs someone.

    Equal happenings (same campaign, cluster, code and exit status) are one event with a count.
    """

    id: EventId
    event_class: EventClass
    code: str
    open: bool
    message: str
    opened_at: float
    updated_at: float
    closed_at: float | None = None
    count: int = 1
    campaign: CampaignId | None = None
    cluster: ClusterName | None = None
    cluster_id: int | None = None
    #: The first task that it happened to.
    task: TaskNumber | None = None
    exit_status: int | None = None
