"""What the server answers: the bodies of the REST API that a client reads."""

from typing import Literal, NotRequired, TypedDict

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


class Campaign(TypedDict):
    """A campaign and how far it is."""

    id: int
    name: str
    user: str
    state: Literal["in_treatment", "paused", "terminated", "cancelled"]
    submission_time: int
    end_time: int | None
    total_jobs: int
    finished_jobs: int
    open_events: int
    counts: Counts
    forecast: Forecast
    #: Why nothing of it runs, if so.
    reason: str | None
    #: By cluster id; absent in lists.
    clusters: NotRequired[dict[str, CampaignOnCluster]]
    #: What was accepted but deserves a word; in the answer to a submission.
    warnings: NotRequired[list[str]]


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
    attempts: int
    start_time: float | None
    stop_time: float | None
    duration: float | None


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
    date_open: float
    date_update: float


class EventList(TypedDict):
    """The events of a campaign."""

    items: list[Event]


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


class Result(TypedDict):
    """How one task ended, or how far it is; times are UTC seconds since the epoch."""

    number: int
    parameter: str | list[str]
    state: TaskStateName
    exit_status: int | None
    cluster: str | None
    start: float | None
    end: float | None
    duration: float | None
    attempts: int
