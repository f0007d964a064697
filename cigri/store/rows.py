"""Rows of the database as values of the domain."""

import json
from collections.abc import Iterable, Sequence
from sqlite3 import Row

import attrs
import cattrs

from cigri.domain.bag import Range
from cigri.domain.event import Event, EventClass
from cigri.domain.model import (
    Campaign,
    CampaignCluster,
    CampaignId,
    CampaignState,
    ClusterName,
    ClusterSettings,
    Counts,
    EventId,
    Hold,
    JobsType,
    StepState,
    TaskNumber,
    TestMode,
)
from cigri.domain.spec import Allowance


def campaign(row: Row, clusters: Iterable[Row]) -> Campaign:
    """Return a campaign from its row and those of its clusters."""
    return Campaign(
        id=CampaignId(row["id"]),
        name=row["name"],
        user=row["user"],
        state=CampaignState(row["state"]),
        submitted_at=row["submitted_at"],
        ended_at=row["ended_at"],
        counts=counts(row),
        open_events=row["open_events"],
        clusters=tuple(
            campaign_cluster(cluster, over=CampaignState(row["state"]).over)
            for cluster in clusters
        ),
        revision=row["revision"],
        jobs_type=JobsType(row["jobs_type"]),
        test_mode=TestMode(row["test_mode"]),
        tags=tuple(json.loads(row["tags"])),
        endless=bool(row["endless"]),
    )


def counts(row: Row) -> Counts:
    """Return the counters of a campaign."""
    return Counts(
        pending=row["pending"],
        queued=row["queued"],
        running=row["running"],
        succeeded=row["succeeded"],
        failed=row["failed"],
        cancelled=row["cancelled"],
    )


def campaign_cluster(row: Row, *, over: bool) -> CampaignCluster:
    """Return what a campaign does on one cluster; once it is *over* nothing holds it."""
    return CampaignCluster(
        cluster=ClusterName(row["cluster_name"]),
        cluster_id=row["cluster_id"],
        settings=settings(row["settings"]),
        queued=row["queued"],
        running=row["running"],
        succeeded=row["succeeded"],
        failed=row["failed"],
        again=row["again"],
        stopped=row["stopped"],
        mean_duration=row["duration_sum"] / row["ended"] if row["ended"] else None,
        hold=None if over else hold(row),
        prologue=StepState(row["prologue"]),
        epilogue=StepState(row["epilogue"]),
        tested=bool(row["tested"]),
    )


def hold(row: Row) -> Hold | None:
    """Return the hold that a row speaks of, if any."""
    if row["hold_reason"] is None:
        return None
    return Hold(reason=row["hold_reason"], since=row["hold_since"])


_structure = cattrs.Converter().get_structure_hook(ClusterSettings)


def settings(text: str) -> ClusterSettings:
    """Return the settings that `settings_text` wrote."""
    found: ClusterSettings = _structure(json.loads(text), ClusterSettings)
    return found


def settings_text(value: ClusterSettings) -> str:
    """Return *value* as it is stored."""
    return json.dumps(attrs.asdict(value))


def allowance(text: str) -> Allowance:
    """Return how many tasks of a campaign may fail, as its row says it."""
    return Allowance(**json.loads(text))


def ranges(text: str) -> list[Range]:
    """Return the ranges of tasks that `ranges_text` wrote."""
    return [Range(*pair) for pair in json.loads(text)]


def ranges_text(value: Sequence[Range]) -> str:
    """Return *value* as it is stored."""
    return json.dumps(value, separators=(",", ":"))


def event(row: Row) -> Event:
    """Return an event."""
    return Event(
        id=EventId(row["id"]),
        event_class=EventClass(row["class"]),
        code=row["code"],
        open=bool(row["is_open"]),
        message=row["message"],
        opened_at=row["opened_at"],
        updated_at=row["updated_at"],
        closed_at=row["closed_at"],
        count=row["count"],
        campaign=None if row["campaign_id"] is None else CampaignId(row["campaign_id"]),
        cluster=None if row["cluster_name"] is None else ClusterName(row["cluster_name"]),
        cluster_id=row["cluster_id"],
        task=None if row["task"] is None else TaskNumber(row["task"]),
        exit_status=row["exit_status"],
        cause=row["cause"],
    )
