"""Lists of campaigns and of events, page by page."""

import json
from collections.abc import Collection, Mapping, Sequence
from sqlite3 import Row
from typing import NamedTuple

import attrs

from cigri.domain.event import Event
from cigri.domain.model import Campaign, CampaignId, CampaignState, EventId, TaskId
from cigri.domain.selection import CampaignSelection
from cigri.domain.statistics import Attempts
from cigri.store import campaigns, rows, spans
from cigri.store.database import Connection
from cigri.store.statements import load

sql = load("listings")

_ALL = CampaignSelection()
#: More than any campaign's number.
_LAST = 2**62


class Part(NamedTuple):
    """Some events of a list, and how many there are in it."""

    items: list[Event]
    total: int


async def campaign_page(
    db: Connection,
    states: Collection[CampaignState],
    limit: int,
    offset: int,
    selection: CampaignSelection = _ALL,
) -> list[Campaign]:
    """Return the campaigns wanted that are in *states*, oldest first."""
    where = {**attrs.asdict(selection), "states": json.dumps(sorted(states))}
    found = await db.all(sql.campaigns, {**where, "limit": limit, "offset": offset})
    ids = json.dumps([item["id"] for item in found])
    clusters: dict[int, list[Row]] = {}
    for item in await db.all(campaigns.sql.clusters_of, {"campaigns": ids}):
        clusters.setdefault(item["campaign_id"], []).append(item)
    return [rows.campaign(item, clusters.get(item["id"], ())) for item in found]


async def count_by_state(
    db: Connection, selection: CampaignSelection = _ALL
) -> Mapping[CampaignState, int]:
    """Return how many of the campaigns wanted are in each state."""
    found = await db.all(sql.count_by_state, attrs.asdict(selection))
    return {CampaignState(row["state"]): row["count"] for row in found}


async def count_active(db: Connection, user: str, *, before: CampaignId | None = None) -> int:
    """
    Return how many campaigns of *user* are not over.

    With *before*, the number of one that is being received: those that came before it, received
    or not.  So of several that come at a time, no more are taken than may be.
    """
    values = {"user": user, "before": before or _LAST, "loading": before is not None}
    return await _count(db, sql.count_active, values)


async def attempts(db: Connection, campaign: CampaignId) -> Attempts:
    """Return what the attempts at the tasks of a campaign add up to."""
    row = await db.one(sql.attempts, {"campaign": campaign})
    known = row if row is not None and row["ended"] is not None else None
    if known is None:
        return Attempts()
    return Attempts(
        ended=known["ended"],
        duration=known["duration"],
        squares=known["squares"],
        again=known["again"],
    )


async def events_of_campaign(
    db: Connection, campaign: CampaignId, *, closed: bool, limit: int, offset: int
) -> Part:
    """
    Return events of a campaign, oldest first.

    Those that are open, and with them those of its clusters; or, with *closed*, all its own.
    """
    which, count = (
        (sql.events_of_campaign, sql.count_of_campaign)
        if closed
        else (sql.open_of_campaign, sql.count_open_of_campaign)
    )
    where = {"campaign": campaign}
    found = await db.all(which, {**where, "limit": limit, "offset": offset})
    return Part([rows.event(row) for row in found], await _count(db, count, where))


async def events_of_clusters(db: Connection, *, limit: int, offset: int) -> Part:
    """Return the open events of clusters, oldest first."""
    found = await db.all(sql.open_of_clusters, {"limit": limit, "offset": offset})
    total = await _count(db, sql.count_open_of_clusters, {})
    return Part([rows.event(row) for row in found], total)


async def _count(db: Connection, statement: str, where: Mapping[str, object]) -> int:
    row = await db.one(statement, where)
    return 0 if row is None else row["count"]


async def tasks_of_events(db: Connection, events: Sequence[Event]) -> Mapping[EventId, TaskId]:
    """Return the ids of the tasks that events tell of."""
    numbers: dict[CampaignId, set[int]] = {}
    for event in events:
        if event.campaign is not None and event.task is not None:
            numbers.setdefault(event.campaign, set()).add(event.task)
    ids = {campaign: await spans.ids(db, campaign, them) for campaign, them in numbers.items()}
    return {
        event.id: ids[event.campaign][event.task]
        for event in events
        if event.campaign is not None and event.task is not None
    }
