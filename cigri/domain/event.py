"""The record of something that happened."""

from enum import StrEnum

import attrs

from cigri.domain.model import CampaignId, ClusterName, EventId, TaskNumber


class EventClass(StrEnum):
    """What an event is about."""

    CLUSTER = "cluster"
    CAMPAIGN = "campaign"
    JOB = "job"


@attrs.frozen(kw_only=True)
class Event:
    """The record of something that happened, open until fixed if it needs someone.

    Equal happenings (same campaign, cluster, code, exit status and cause) are one event with a
    count.
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
    #: What the program said last, with its numbers folded; `None` when nobody knows.
    cause: str | None = None
