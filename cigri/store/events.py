"""Events: equal happenings are one row with a count."""

import attrs

from cigri.domain.model import CampaignId, Event, EventId, TaskNumber
from cigri.domain.reactions import REACTIONS, EventCode, Scope
from cigri.errors import NotFound
from cigri.store import campaigns, rows
from cigri.store.database import Connection
from cigri.store.statements import load

sql = load("events")


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


async def is_open(db: Connection, incident: Incident) -> bool:
    """Return whether an event for the like of *incident* is open."""
    return await db.one(sql.open_alike, _likeness(incident)) is not None


def _likeness(incident: Incident) -> dict[str, object]:
    return {
        "code": incident.code,
        "campaign": incident.campaign,
        "cluster": incident.cluster_id,
        "exit_status": incident.exit_status,
    }


async def record(tx: Connection, incident: Incident, at: float) -> None:
    """Record *incident* and put its holds on campaigns in place, as `REACTIONS` says."""
    reaction = REACTIONS[incident.code]
    alike = await tx.one(sql.open_alike, _likeness(incident))
    if alike is not None:
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
        await tx.run(sql.insert, values)
    if incident.campaign is not None:
        await tx.run(sql.count_open, {"campaign": incident.campaign})
        if reaction.holds is Scope.CAMPAIGN and incident.cluster_id is not None:
            reason = incident.message.partition("\n")[0]
            await campaigns.hold(tx, incident.campaign, incident.cluster_id, reason, at)


async def of_campaign(db: Connection, campaign: CampaignId, *, closed: bool) -> list[Event]:
    """Return the open events of a campaign, and the *closed* ones if asked for."""
    found = await db.all(sql.of_campaign, {"campaign": campaign, "closed": int(closed)})
    return [rows.event(item) for item in found]


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
    """Close all open events of a campaign, lift its holds, and return how many there were."""
    closed = await tx.all(sql.close_of_campaign, {"campaign": campaign, "at": at})
    await campaigns.release(tx, campaign)
    await tx.run(sql.count_open, {"campaign": campaign})
    return len(closed)


async def close(tx: Connection, event: Event, at: float) -> int:
    """Close one event, lift its hold, and return 1 if it was open."""
    closed = await tx.all(sql.close, {"event": event.id, "at": at})
    if event.campaign is not None:
        if REACTIONS[EventCode(event.code)].holds is Scope.CAMPAIGN:
            await campaigns.release(tx, event.campaign, event.cluster_id)
        await tx.run(sql.count_open, {"campaign": event.campaign})
    return len(closed)


async def close_of_cluster(tx: Connection, cluster_id: int, code: EventCode, at: float) -> None:
    """Close the events of *code* of a cluster, whose cause is gone."""
    await tx.run(sql.close_of_cluster, {"cluster": cluster_id, "code": code, "at": at})
