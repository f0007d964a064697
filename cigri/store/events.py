"""Events: equal happenings are one row with a count."""

import json
from collections.abc import Collection
from sqlite3 import Row

import attrs

from cigri.domain.event import Event
from cigri.domain.model import CampaignId, EventId, TaskNumber
from cigri.domain.reactions import REACTIONS, EventCode, Scope
from cigri.errors import NotFound
from cigri.store import campaigns, rows
from cigri.store.database import Connection
from cigri.store.statements import load

sql = load("events")

#: Causes by which failures of one campaign, cluster and exit status are told apart, at most.
MOST_CAUSES = 30
#: What holds a campaign on a cluster, and what pauses it.
HOLDING = frozenset(code for code, it in REACTIONS.items() if it.holds is Scope.CAMPAIGN)
PAUSING = frozenset(code for code, it in REACTIONS.items() if it.holds is Scope.EVERYWHERE)


@attrs.frozen(kw_only=True)
class Incident:
    """Something that happened *count* times in the same way."""

    code: EventCode
    message: str
    count: int = 1
    campaign: CampaignId | None = None
    cluster_id: int | None = None
    #: The first task that it happened to.
    task: TaskNumber | None = None
    exit_status: int | None = None
    #: What the program said last, with its numbers folded.
    cause: str | None = None
    #: Whether nobody looked for the cause: it counts as the latest one that is known.
    unlooked: bool = False


def _likeness(incident: Incident) -> dict[str, object]:
    return {
        "code": incident.code,
        "campaign": incident.campaign,
        "cluster": incident.cluster_id,
        "exit_status": incident.exit_status,
        "cause": incident.cause,
    }


async def _alike(tx: Connection, incident: Incident) -> Row | None:
    """Return the open event that *incident* is one more case of, if any."""
    if not incident.unlooked:
        exact = await tx.one(sql.open_alike, _likeness(incident))
        if exact is not None or incident.cause is None:
            return exact
    latest = await tx.one(sql.latest_alike, _likeness(incident))
    if latest is None or incident.unlooked or latest["causes"] >= MOST_CAUSES:
        return latest
    return None


async def record(tx: Connection, incident: Incident, at: float) -> EventId:
    """Record *incident* with its holds on campaigns, as `REACTIONS` says; return its event."""
    reaction = REACTIONS[incident.code]
    alike = await _alike(tx, incident)
    if alike is not None:
        event = EventId(alike["id"])
        await tx.run(sql.repeat, {"id": alike["id"], "count": incident.count, "at": at})
    else:
        values = {
            **_likeness(incident),
            "class": reaction.event_class,
            "is_open": int(reaction.needs_fixing),
            "message": incident.message,
            "count": incident.count,
            "task": incident.task,
            "at": at,
            "closed_at": None if reaction.needs_fixing else at,
        }
        (row,) = await tx.all(sql.insert, values)
        event = EventId(row["id"])
    if incident.campaign is not None:
        await tx.run(sql.count_open, {"campaign": incident.campaign})
        if reaction.holds is Scope.CAMPAIGN and incident.cluster_id is not None:
            reason = incident.message.partition("\n")[0]
            await campaigns.hold(tx, incident.campaign, incident.cluster_id, reason, at)
    return event


async def get(db: Connection, event: EventId) -> Event:
    """
    Return an event.

    Raises:
        NotFound: There is none.
    """
    found = await db.one(sql.get, {"event": event})
    if found is None:
        message = f"there is no event {event}"
        raise NotFound(message)
    return rows.event(found)


async def close_of_campaign(tx: Connection, campaign: CampaignId, at: float) -> int:
    """
    Close the open events of a campaign, lift its holds, and return how many there were.

    One that tells of the end of its test stays: it waits for a go and not for a repair.
    """
    closed = await tx.all(sql.close_of_campaign, {"campaign": campaign, "at": at})
    await campaigns.release(tx, campaign)
    await tx.run(sql.count_open, {"campaign": campaign})
    return len(closed)


async def close_codes(
    tx: Connection, campaign: CampaignId, codes: Collection[EventCode], at: float
) -> frozenset[EventCode]:
    """Close the open events of a campaign that have one of *codes*; return which there were."""
    values = {"campaign": campaign, "codes": json.dumps(sorted(codes)), "at": at}
    closed = frozenset(EventCode(row["code"]) for row in await tx.all(sql.close_codes, values))
    if closed:
        await tx.run(sql.count_open, {"campaign": campaign})
    return closed


async def close(tx: Connection, event: Event, at: float) -> int:
    """Close one event, lift its hold unless another event keeps it, return 1 if it was open."""
    closed = await tx.all(sql.close, {"event": event.id, "at": at})
    if event.campaign is not None:
        await tx.run(sql.count_open, {"campaign": event.campaign})
        if REACTIONS[EventCode(event.code)].holds is Scope.CAMPAIGN:
            where = {"campaign": event.campaign, "cluster": event.cluster_id}
            if await tx.one(sql.holding, {**where, "codes": json.dumps(sorted(HOLDING))}) is None:
                await campaigns.release(tx, event.campaign, event.cluster_id)
    return len(closed)


async def holding(db: Connection, campaign: CampaignId) -> list[Event]:
    """Return the open events that hold a campaign somewhere, or paused it, oldest first."""
    values = {"campaign": campaign, "codes": json.dumps(sorted(HOLDING | PAUSING))}
    return [rows.event(item) for item in await db.all(sql.holding_of_campaign, values)]


async def holding_cluster(db: Connection, cluster_id: int) -> Event | None:
    """Return the open event that holds a cluster for everybody, if one does."""
    codes = json.dumps(sorted(code for code in EventCode if _holds_cluster(code)))
    found = await db.one(sql.holding_cluster, {"cluster": cluster_id, "codes": codes})
    return None if found is None else rows.event(found)


def _holds_cluster(code: EventCode) -> bool:
    return REACTIONS[code].holds in (Scope.CLUSTER, Scope.CLUSTER_TILL_FIXED)


async def close_of_cluster(
    tx: Connection, cluster_id: int, codes: Collection[EventCode], at: float
) -> None:
    """Close the events of *codes* of a cluster, whose causes are gone."""
    values = {"cluster": cluster_id, "codes": json.dumps(sorted(codes)), "at": at}
    await tx.run(sql.close_of_cluster, values)


async def open_of_cluster(
    db: Connection, cluster_id: int, codes: Collection[EventCode]
) -> frozenset[EventCode]:
    """Return those of *codes* of which a cluster has an open event."""
    values = {"cluster": cluster_id, "codes": json.dumps(sorted(codes))}
    return frozenset(EventCode(row["code"]) for row in await db.all(sql.open_of_cluster, values))
