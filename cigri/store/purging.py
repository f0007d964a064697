"""Forgets campaigns that are over."""

from cigri.domain.model import CampaignId, CampaignState
from cigri.errors import Conflict
from cigri.store import campaigns, steps
from cigri.store.database import Connection
from cigri.store.statements import load

sql = load("purging")


async def purge(tx: Connection, campaign: CampaignId) -> None:
    """
    Delete a campaign that is over, with its tasks, jobs and events.

    The ids of its tasks are not given again.

    Raises:
        Conflict: It is not over, or something of it still runs.
    """
    row = await campaigns.row(tx, campaign)
    if not CampaignState(row["state"]).over:
        message = f"campaign {campaign} is {row['state']}: cancel it first"
        raise Conflict(message)
    open_job = await tx.one(sql.open_job, {"campaign": campaign})
    if open_job is not None or await steps.unfinished(tx, campaign):
        message = f"something of campaign {campaign} still runs: try again in a moment"
        raise Conflict(message)
    for statement in (sql.delete_jobs, sql.delete_campaign):
        await tx.run(statement, {"campaign": campaign})
