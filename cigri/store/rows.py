"""Rows of the database as values of the domain."""

import json
from collections.abc import Iterable, Sequence
from sqlite3 import Row

import attrs

from cigri.domain.bag import Range
from cigri.domain.model import (
    Campaign,
    CampaignCluster,
    CampaignId,
    CampaignState,
    CampaignType,
    ClusterName,
    ClusterSettings,
    Counts,
    Event,
    EventClass,
    EventId,
    Hold,
    TaskNumber,
)


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
        clusters=tuple(campaign_cluster(cluster) for cluster in clusters),
        revision=row["revision"],
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


def campaign_cluster(row: Row) -> CampaignCluster:
    """Return what a campaign does on one cluster."""
    return CampaignCluster(
        cluster=ClusterName(row["cluster_name"]),
        cluster_id=row["cluster_id"],
        settings=settings(row["settings"]),
        queued=row["queued"],
        running=row["running"],
        succeeded=row["succeeded"],
        failed=row["failed"],
        again=row["again"],
        mean_duration=row["duration_sum"] / row["ended"] if row["ended"] else None,
        hold=hold(row),
    )


def hold(row: Row) -> Hold | None:
    """Return the hold that a row speaks of, if any."""
    if row["hold_reason"] is None:
        return None
    return Hold(reason=row["hold_reason"], since=row["hold_since"])


def settings(text: str) -> ClusterSettings:
    """Return the settings that `settings_text` wrote."""
    values = json.loads(text)
    return ClusterSettings(**{**values, "type": CampaignType(values["type"])})


def settings_text(value: ClusterSettings) -> str:
    """Return *value* as it is stored."""
    return json.dumps(attrs.asdict(value))


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
    )
