"""What the server answers: the bodies of the REST API that a client reads."""

from typing import Literal, NotRequired, TypedDict

StepName = Literal["none", "waiting", "in_flight", "done", "failed"]
TaskStateName = Literal["pending", "queued", "running", "terminated", "failed", "cancelled"]


class Counts(TypedDict):
    """How many tasks are in each state."""

    pending: int
    queued: int
    running: int
    terminated: int
    failed: int
    cancelled: int


class Forecast(TypedDict):
    """How fast a campaign goes and when it will end, as far as that can be said."""

    #: Tasks per second.
    rate: float | None
    #: Earliest and latest likely end.
    eta: tuple[float, float] | None


class CampaignOnCluster(TypedDict):
    """What a campaign does on one cluster."""

    cluster_name: str
    active_jobs: int
    queued_jobs: int
    finished_jobs: int
    failed_jobs: int
    resubmitted_jobs: int
    mean_duration: float | None
    blacklisted: bool
    blacklist_reason: str | None
    #: How far the scripts before its first and after its last task are; `none` without one.
    prologue: NotRequired[StepName]
    epilogue: NotRequired[StepName]


class Campaign(TypedDict):
    """A campaign and how far it is."""

    id: int
    name: str
    user: str
    state: Literal["in_treatment", "paused", "terminated", "cancelled"]
    submission_time: int
    end_time: int | None
    #: New tasks come until it is stopped: `total_jobs` is no total.
    endless: NotRequired[bool]
    total_jobs: int
    finished_jobs: int
    open_events: int
    counts: Counts
    forecast: Forecast
    #: Why nothing of it runs, if so.
    reason: str | None
    #: For its owner alone.
    tags: NotRequired[list[str] | None]
    #: What is left of its test: `off` once there is nothing.
    test_mode: NotRequired[Literal["off", "then-wait", "then-run"]]
    #: By cluster id; absent in lists.
    clusters: NotRequired[dict[str, CampaignOnCluster]]
    #: What was accepted but deserves a word; in the answer to a submission.
    warnings: NotRequired[list[str]]
    #: The axes of a sweep, in the order of the words of a parameter; for its owner.
    parameter_names: NotRequired[list[str]]


class CampaignList(TypedDict):
    """A page of campaigns."""

    items: list[Campaign]
    total: int
    #: How many are not shown because they are finished.
    finished: int


class Link(TypedDict):
    """Where to go from here."""

    rel: str
    href: str


class Job(TypedDict):
    """A task: the REST API calls it a job."""

    id: int
    #: Its number in the campaign.
    task: int
    parameters: str | list[str]
    state: TaskStateName
    exit_status: int | None
    cluster: str | None
    #: What the cluster calls the last attempt.
    remote_id: str | None
    attempts: int
    start_time: float | None
    stop_time: float | None
    duration: float | None


class Execution(TypedDict):
    """An attempt at a task."""

    cluster: str | None
    remote_id: str | None
    state: TaskStateName
    exit_status: int | None
    start_time: float | None
    stop_time: float | None
    #: Who ended it, where that did not settle the task.
    ending: str | None


class JobDetails(Job):
    """A task with the attempts at it, the last one first."""

    executions: list[Execution]


class JobList(TypedDict):
    """A page of tasks; `offset` is a task number."""

    items: list[Job]
    total: int
    offset: int
    limit: int
    #: `next` among them when there are more.
    links: list[Link]


class Event(TypedDict):
    """Something that happened, open until fixed if it needs someone."""

    id: int
    code: str
    state: Literal["open", "closed"]
    message: str
    count: int
    campaign_id: int | None
    cluster_name: str | None
    task: int | None
    exit_status: int | None
    #: What its tasks wrote last, with the numbers folded.
    cause: str | None
    date_open: float
    date_update: float


class Obstacle(TypedDict):
    """Why nothing more of a campaign starts on one cluster."""

    cluster: str
    code: str
    reason: str
    #: What to do, if anything.
    remedy: str | None


class Explanation(TypedDict):
    """Why nothing more of a campaign starts now."""

    clusters: list[Obstacle]


class Cluster(TypedDict):
    """A cluster and how busy it is."""

    id: int
    name: str
    driver: str
    #: Tasks that it has room for, and those of CiGri that it runs.
    slots: int
    busy: int
    blacklisted: bool
    blacklist_reason: str | None
    #: When it is tried again, if it is held.
    next_try: NotRequired[float | None]
    #: Slots that others use, and that are out of order.
    used_by_others: NotRequired[int | None]
    down: NotRequired[int | None]
    under_stress: NotRequired[bool]
    #: A number, or as in CiGri 3 the value and its limit.
    stress_factor: NotRequired[float | str | None]


class ClusterList(TypedDict):
    """The clusters."""

    items: list[Cluster]


class Fixed(TypedDict):
    """What a repair did."""

    message: str
    closed: int
    resubmitted: int


class Sample(TypedDict):
    """The command line of one task."""

    task: int
    #: As a shell would take it.
    command: str
    argv: list[str]


class Preview(TypedDict):
    """What a submission would create."""

    tasks: int
    commands: list[Sample]
    jdl: dict[str, object]
    warnings: list[str]
