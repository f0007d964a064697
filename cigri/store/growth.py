"""Campaigns that grow: tasks that are added, and those of campaigns without an end."""

from cigri.domain.model import CampaignId
from cigri.store import campaigns, parameters, spans
from cigri.store.database import Connection
from cigri.store.parameters import Encoding, Piece
from cigri.store.statements import load

sql = load("campaigns")
tasks_sql = load("tasks")

#: Tasks that stand by in an endless campaign, and how few may be left before more come.
STOCK = 2_000
LOW = 1_000


async def grow(tx: Connection, campaign: CampaignId, count: int) -> None:
    """Show *count* tasks to everybody whose parameters are stored already, after the others."""
    total: int = (await campaigns.row(tx, campaign))["total"]
    await tx.run(sql.grow, {"campaign": campaign, "count": count})
    await spans.allot(tx, campaign, total, count)


async def short_of_tasks(db: Connection, cluster_id: int) -> list[CampaignId]:
    """Return the endless campaigns of a cluster whose bag runs low."""
    found = await db.all(sql.short_of_tasks, {"cluster": cluster_id, "low": LOW})
    return [CampaignId(row["id"]) for row in found]


async def refill_endless(tx: Connection, cluster_id: int) -> None:
    """Put new tasks into the bags of the endless campaigns of a cluster that run low."""
    for row in await tx.all(sql.short_of_tasks, {"cluster": cluster_id, "low": LOW}):
        campaign, count = CampaignId(row["id"]), STOCK - row["pending"]
        total = (await campaigns.row(tx, campaign))["total"]
        values = {"campaign": campaign, "first_task": total, "count": count}
        if not await tx.all(tasks_sql.lengthen_piece, values):
            await parameters.insert(tx, campaign, total, [Piece(count, Encoding.SAME)])
        await grow(tx, campaign, count)


async def forget_invisible(tx: Connection, campaign: CampaignId) -> None:
    """Delete what adding tasks to a campaign has left when it was cut off."""
    await tx.run(tasks_sql.forget_invisible_of, {"campaign": campaign})
