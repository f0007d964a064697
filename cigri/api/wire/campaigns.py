"""Campaigns on the wire."""

import shlex
from typing import Any

import attrs
from msgspec import UNSET, UnsetType

from cigri.api.wire.links import Link, Listing, link
from cigri.api.wire.words import CampaignWord
from cigri.domain import forecast as domain
from cigri.domain import model
from cigri.domain.model import StepState
from cigri.engine import answers


@attrs.frozen(kw_only=True, slots=False)
class Counts:
    """How many tasks are in each state."""

    pending: int
    queued: int
    running: int
    terminated: int
    failed: int
    cancelled: int


@attrs.frozen(kw_only=True, slots=False)
class Forecast:
    """How fast a campaign goes, in tasks a second, and between which instants it may end."""

    rate: float | None
    eta: tuple[int, int] | None


@attrs.frozen(kw_only=True, slots=False)
class Campaign:
    """A campaign; what is null beside `end_time` is for its owner alone, or not known yet."""

    id: int
    name: str
    user: str
    state: CampaignWord
    #: The JDL's `jobs_type`.
    type: str
    #: New tasks come until it is stopped: `total_jobs` is no total.
    endless: bool
    submission_time: int
    end_time: int | None
    total_jobs: int
    finished_jobs: int
    has_events: bool
    open_events: int
    counts: Counts
    forecast: Forecast
    reason: str | None
    #: What is left of its test: `off` once there is nothing.
    test_mode: model.TestMode
    tags: tuple[str, ...] | None
    links: tuple[Link, ...]


@attrs.frozen(kw_only=True, slots=False)
class CampaignCluster:
    """What a campaign does on a cluster."""

    cluster_name: str
    active_jobs: int
    queued_jobs: int
    finished_jobs: int
    failed_jobs: int
    resubmitted_jobs: int
    mean_duration: float | None
    prologue_ok: bool
    epilogue_ok: bool
    prologue: StepState
    epilogue: StepState
    blacklisted: bool
    blacklist_reason: str | None


@attrs.frozen(kw_only=True, slots=False)
class CampaignDetails(Campaign):
    """A campaign, with what it does on each cluster by the cluster's id."""

    clusters: dict[str, CampaignCluster]
    #: The axes of a sweep, in the order of the words of a parameter; for its owner alone.
    parameter_names: tuple[str, ...] | UnsetType = UNSET
    warnings: tuple[str, ...] | UnsetType = UNSET


@attrs.frozen(kw_only=True, slots=False)
class Campaigns(Listing[Campaign]):
    """Campaigns, oldest first; `finished` counts those in states that were not asked for."""

    finished: int


@attrs.frozen(kw_only=True, slots=False)
class Command:
    """The command of one task."""

    task: int
    command: str
    argv: tuple[str, ...]


@attrs.frozen(kw_only=True, slots=False)
class Preview:
    """What would be submitted: the first two commands and the last."""

    tasks: int
    commands: tuple[Command, ...]
    jdl: dict[str, Any]
    warnings: tuple[str, ...]


def campaign(
    value: model.Campaign,
    *,
    forecast: domain.Forecast,
    reason: str | None = None,
    full: bool = True,
    base: str = "",
) -> Campaign:
    """Return a campaign as lists show it; *reason* says why nothing of it runs."""
    return Campaign(**_summary(value, forecast, reason, full=full, base=base))


def details(
    value: model.Campaign,
    *,
    forecast: domain.Forecast,
    reason: str | None = None,
    full: bool = True,
    base: str = "",
    warnings: tuple[str, ...] = (),
) -> CampaignDetails:
    """Return a campaign with its clusters; unless *full*, only what is for everybody."""
    return CampaignDetails(
        **_summary(value, forecast, reason, full=full, base=base),
        clusters={str(each.cluster_id): _cluster(each, full=full) for each in value.clusters},
        parameter_names=(_parameter_names(value) if full else ()) or UNSET,
        warnings=warnings or UNSET,
    )


def _parameter_names(value: model.Campaign) -> tuple[str, ...]:
    """Return the axes of a sweep, which are the same on all clusters."""
    return next((each.settings.parameter_names for each in value.clusters), ())


def _summary(
    value: model.Campaign, forecast: domain.Forecast, reason: str | None, *, full: bool, base: str
) -> dict[str, Any]:
    href = f"{base}/campaigns/{value.id}"
    return {
        "id": value.id,
        "name": value.name,
        "user": value.user,
        "state": CampaignWord(value.state),
        "type": value.jobs_type,
        "endless": value.endless,
        "submission_time": int(value.submitted_at),
        "end_time": None if value.ended_at is None else int(value.ended_at),
        "total_jobs": value.counts.total,
        "finished_jobs": value.counts.succeeded,
        "has_events": value.open_events > 0,
        "open_events": value.open_events,
        "counts": counts(value.counts),
        "forecast": outlook(forecast),
        "reason": reason if full else None,
        "test_mode": value.test_mode,
        "tags": value.tags if full else None,
        "links": (
            link("self", href),
            link("parent", f"{base}/campaigns"),
            link("collection", f"{href}/jobs", "jobs"),
            link("collection", f"{href}/events", "events"),
            link("item", f"{href}/jdl", "jdl"),
        ),
    }


def counts(value: model.Counts) -> Counts:
    """Return how many tasks are in each state."""
    return Counts(
        pending=value.pending,
        queued=value.queued,
        running=value.running,
        terminated=value.succeeded,
        failed=value.failed,
        cancelled=value.cancelled,
    )


def outlook(value: domain.Forecast) -> Forecast:
    """Return a forecast in whole seconds."""
    eta = None if value.eta is None else (int(value.eta[0]), int(value.eta[1]))
    return Forecast(rate=value.rate, eta=eta)


def _cluster(value: model.CampaignCluster, *, full: bool) -> CampaignCluster:
    hold = value.hold
    return CampaignCluster(
        cluster_name=value.cluster,
        active_jobs=value.running,
        queued_jobs=value.queued,
        finished_jobs=value.succeeded,
        failed_jobs=value.failed,
        resubmitted_jobs=value.again,
        mean_duration=value.mean_duration,
        prologue_ok=value.prologue in _PASSED,
        epilogue_ok=value.epilogue in _PASSED,
        prologue=value.prologue,
        epilogue=value.epilogue,
        blacklisted=hold is not None,
        # Reasons quote the commands of the campaign.
        blacklist_reason=hold.reason if hold is not None and full else None,
    )


#: Nothing of a step is in the way any more.
_PASSED = frozenset({StepState.NONE, StepState.DONE})


def preview(value: answers.Preview) -> Preview:
    """Return what would be submitted."""
    return Preview(
        tasks=value.tasks,
        commands=tuple(
            Command(task=number, command=shlex.join(argv), argv=tuple(argv))
            for number, argv in value.samples
        ),
        jdl=dict(value.jdl),
        warnings=tuple(value.warnings),
    )
