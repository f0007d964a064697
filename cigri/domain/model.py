"""The nouns of CiGri.

Instants are UTC seconds since the epoch, durations are seconds.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, NewType

import attrs

if TYPE_CHECKING:
    from cigri.domain.attempt import Attempt
    from cigri.domain.verdict import Ending

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

    @property
    def over(self) -> bool:
        """Return whether nothing happens any more, unless somebody repairs something."""
        return self in (CampaignState.TERMINATED, CampaignState.CANCELLED)


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


class JobsType(StrEnum):
    """What the tasks of a campaign are."""

    #: One for each parameter.
    NORMAL = "normal"
    #: The same command again and again, until a total or until somebody stops it.
    DESKTOP_COMPUTING = "desktop_computing"


class CampaignType(StrEnum):
    """How the jobs of a campaign stand against those of the cluster's owners."""

    BEST_EFFORT = "best-effort"
    #: Best-effort by day, normal by night.
    SEMI_BEST_EFFORT = "semi-best-effort"
    #: Normal by night, nothing by day.
    NIGHTLY = "nightly"
    NORMAL = "normal"


class TestMode(StrEnum):
    """Whether one task per cluster is tried before the others, and what follows."""

    __test__ = False  # no test, whatever pytest makes of the name

    OFF = "off"
    #: The campaign waits for its owner.
    THEN_WAIT = "then-wait"
    #: It goes on by itself when the test succeeds.
    THEN_RUN = "then-run"


class JobKind(StrEnum):
    """What a job is for."""

    TASKS = "tasks"
    #: Once per campaign and cluster: before its first task, and after its last.
    PROLOGUE = "prologue"
    EPILOGUE = "epilogue"


class Shape(StrEnum):
    """What one of our jobs is on its cluster."""

    #: One remote job, whose worker runs all the tasks.
    GROUP = "group"
    #: One remote job for each task, created together.
    ARRAY = "array"


class StepState(StrEnum):
    """Where the prologue or the epilogue of a campaign on a cluster is in its life."""

    #: The campaign has none there.
    NONE = "none"
    WAITING = "waiting"
    IN_FLIGHT = "in_flight"
    DONE = "done"
    FAILED = "failed"


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
    #: Which resources of the cluster will do, in its scheduler's own language.
    properties: str = ""
    #: Whom the cluster's scheduler accounts the jobs to.
    project: str = ""
    #: Further types of job that the cluster's scheduler knows.
    cluster_job_type: str = ""
    #: Lines of a shell script, none for no prologue; so for the epilogue.
    prologue: tuple[str, ...] = ()
    epilogue: tuple[str, ...] = ()
    #: Seconds; `None` for the walltime of a task.
    prologue_walltime: float | None = None
    epilogue_walltime: float | None = None
    test_mode: TestMode = TestMode.OFF
    temporal_grouping: bool = False
    dimensional_grouping: bool = False
    #: "signal", or `None`.
    checkpointing_type: str | None = None
    #: Variables that each task finds in its environment.
    env: Mapping[str, str] = attrs.field(factory=dict)
    #: How often a task that failed is tried again by itself.
    retries: int = 0
    #: The names of the words of each parameter: `{name}` in `exec_file` and in the template stands
    #: for the word.
    parameter_names: tuple[str, ...] = ()
    #: What is appended to the command instead of the words that `exec_file` does not name.
    parameter_template: str | None = None


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
    #: Attempts that were killed with their task, which does not run again.
    stopped: int = 0
    #: Mean duration of its tasks in seconds, `None` before the first has ended.
    mean_duration: float | None = None
    hold: Hold | None = None
    prologue: StepState = StepState.NONE
    epilogue: StepState = StepState.NONE
    #: Whether its task of the test was handed out.
    tested: bool = False


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
    jobs_type: JobsType = JobsType.NORMAL
    #: What is left to do of a test: `OFF` once it is over.
    test_mode: TestMode = TestMode.OFF
    tags: tuple[str, ...] = ()
    #: New tasks come until somebody stops it: what it has now is no total.
    endless: bool = False


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
    #: The attempts at it before that one, the latest first, where all about it was asked for.
    earlier: "tuple[Attempt, ...]" = ()
    #: How that one ended, where it did not settle the task and all was asked for.
    ending: "Ending | None" = None
