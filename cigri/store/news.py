"""What happened lately, for those who follow it and those who count it."""

from collections.abc import Mapping, Sequence

import attrs

from cigri.domain.event import Event
from cigri.domain.model import CampaignId, CampaignState, Counts
from cigri.errors import NotFound
from cigri.store import rows
from cigri.store.database import Connection
from cigri.store.statements import load

sql = load("news")


@attrs.frozen
class Glance:
    """What everybody may know of a campaign at the cost of a row."""

    user: str
    state: CampaignState
    #: Grows with every change that a reader could see.
    revision: int


async def glance(db: Connection, campaign: CampaignId) -> Glance:
    """
    Return whose campaign it is and its state.

    Raises:
        NotFound: There is none, or nobody sees it yet.
    """
    row = await db.one(sql.glance, {"campaign": campaign})
    if row is None:
        message = f"there is no campaign {campaign}"
        raise NotFound(message)
    return Glance(row["user"], CampaignState(row["state"]), row["revision"])


async def last_event(db: Connection) -> int:
    """Return the id of the newest event, 0 when there is none."""
    row = await db.one(sql.last_event)
    return row["id"] if row else 0


async def events(
    db: Connection, campaign: CampaignId | None, after: int, limit: int
) -> Sequence[tuple[Event, str | None]]:
    """
    Return up to *limit* events after number *after*, those of *campaign* or all.

    Of all, each comes with the user whose campaign it is about, if it is about one.
    """
    where = {"after": after, "limit": limit}
    if campaign is None:
        found = await db.all(sql.of_all, where)
    else:
        found = await db.all(sql.of_campaign, {**where, "campaign": campaign})
    return [(rows.event(row), row["user"]) for row in found]


async def tasks_by_user(db: Connection) -> Mapping[str, Counts]:
    """Return how many tasks of campaigns that are not over each user has, in each state."""
    return {row["user"]: rows.counts(row) for row in await db.all(sql.tasks_by_user)}


async def open_events(db: Connection) -> Mapping[str, int]:
    """Return how many events of each code are open."""
    return {row["code"]: row["count"] for row in await db.all(sql.open_events_by_code)}


async def touch(tx: Connection) -> None:
    """Write something that changes nothing."""
    await tx.run(sql.touch)
