"""Counts again what the counters say, from what is stored of each task."""

import asyncio
from collections import Counter

from cigri.domain.model import CampaignId, CampaignState, Counts, TaskState
from cigri.store import campaigns, jobs, tasks
from cigri.store.database import Connection
from cigri.store.records import STATES, UNTOUCHED
from cigri.store.statements import load

sql = load("tasks")


async def recount(db: Connection, campaign: CampaignId) -> Counts:
    """
    Return how many tasks of a campaign are in each state, task by task.

    Raises:
        NotFound: There is no such campaign.
    """
    row = await campaigns.row(db, campaign)
    found: Counter[TaskState] = Counter()
    for item in await db.all(sql.tallies, {"campaign": campaign, "first": 0}):
        chunk = item["chunk"]
        records = (await tasks.read_records(db, campaign, [chunk]))[chunk]
        for state, name in STATES.items():
            if state != UNTOUCHED:
                found[name] += records.count(state)
        await asyncio.sleep(0)
    held = await jobs.open_of_campaign(db, campaign)
    running = sum(len(job.running) for job in held)
    queued = sum(job.left for job in held) - running
    again = (await db.all(sql.count_again, {"campaign": campaign}))[0]["count"]
    fresh = row["total"] - row["cursor"]
    if row["state"] == CampaignState.CANCELLED:
        settled = found[TaskState.SUCCEEDED] + found[TaskState.FAILED]
        pending, cancelled = 0, row["total"] - settled - queued - running
    else:
        pending, cancelled = fresh + again, found[TaskState.CANCELLED]
    return Counts(
        pending=pending,
        queued=queued,
        running=running,
        succeeded=found[TaskState.SUCCEEDED],
        failed=found[TaskState.FAILED],
        cancelled=cancelled,
    )
