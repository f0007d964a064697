"""The states of tasks and campaigns in the words of CiGri's REST interface."""

from collections.abc import Mapping
from enum import StrEnum

from cigri.domain.model import CampaignState, TaskState


class JobState(StrEnum):
    """The state of a task."""

    PENDING = "pending"
    QUEUED = "queued"
    RUNNING = "running"
    TERMINATED = "terminated"
    FAILED = "failed"
    CANCELLED = "cancelled"


class JobFilter(StrEnum):
    """The states that tasks may be wanted in; `event` is CiGri 3's word for failed ones."""

    PENDING = "pending"
    QUEUED = "queued"
    RUNNING = "running"
    TERMINATED = "terminated"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SUCCEEDED = "succeeded"
    EVENT = "event"


class CampaignWord(StrEnum):
    """The state of a campaign that can be seen."""

    IN_TREATMENT = "in_treatment"
    PAUSED = "paused"
    TERMINATED = "terminated"
    CANCELLED = "cancelled"


class CampaignFilter(StrEnum):
    """The states that campaigns may be wanted in."""

    IN_TREATMENT = "in_treatment"
    PAUSED = "paused"
    TERMINATED = "terminated"
    CANCELLED = "cancelled"
    ALL = "all"


class SettableState(StrEnum):
    """The states that an owner may bring a campaign into."""

    PAUSED = "paused"
    IN_TREATMENT = "in_treatment"


JOB_STATES: Mapping[TaskState, JobState] = {
    state: JobState("terminated" if state is TaskState.SUCCEEDED else state) for state in TaskState
}
_WANTED: Mapping[JobFilter, TaskState] = {
    JobFilter(word): state for state, word in JOB_STATES.items()
} | {JobFilter.SUCCEEDED: TaskState.SUCCEEDED, JobFilter.EVENT: TaskState.FAILED}


def task_states(words: tuple[JobFilter, ...]) -> frozenset[TaskState]:
    """Return the states that *words* stand for, none for any."""
    return frozenset(_WANTED[word] for word in words)


def campaign_states(words: tuple[CampaignFilter, ...]) -> frozenset[CampaignState]:
    """Return the states that *words* stand for."""
    if CampaignFilter.ALL in words:
        return frozenset(CampaignState(each) for each in CampaignWord)
    return frozenset(CampaignState(each) for each in words)
