"""What an examination asks of the whole database."""

from collections.abc import Mapping

from cigri.domain.model import CampaignId
from cigri.store.database import Connection
from cigri.store.statements import load

sql = load("checks")

#: Campaigns that are named at a time.
PAGE = 1_000


async def campaigns_after(db: Connection, campaign: int) -> list[CampaignId]:
    """Return the next campaigns behind *campaign*, by their numbers."""
    rows = await db.all(sql.ids, {"after": campaign, "limit": PAGE})
    return [CampaignId(row["id"]) for row in rows]


async def newest(db: Connection) -> float | None:
    """Return when anything was last submitted, `None` if nothing ever was."""
    row = await db.one(sql.newest)
    return None if row is None else row["at"]


async def broken_references(db: Connection) -> Mapping[str, int]:
    """Return how many rows of each table name others that are not there."""
    return {row["name"]: row["count"] for row in await db.all(sql.broken_references)}
