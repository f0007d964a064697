"""Counts again what the counters say, from what is stored of each task."""

import asyncio
from collections import Counter
from collections.abc import Sequence

from cigri.domain.model import CampaignId, CampaignState, Counts, JobKind, TaskState
from cigri.store import campaigns, jobs, tasks
from cigri.store.database import Connection
from cigri.store.jobs import OpenJob
from cigri.store.records import CANCELLED, CHUNK, STATES, UNTOUCHED
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
    held = [job for job in await jobs.open_of_campaign(db, campaign) if job.kind is JobKind.TASKS]
    running = sum(len(job.running) for job in held)
    queued = sum(job.left for job in held) - running
    again = (await db.all(sql.count_again, {"campaign": campaign}))[0]["count"]
    fresh = row["total"] - row["cursor"]
    if row["state"] == CampaignState.CANCELLED:
        settled = found[TaskState.SUCCEEDED] + found[TaskState.FAILED]
        pending, cancelled = 0, row["total"] - settled - queued - running
    else:
        pending, cancelled = fresh + again, found[TaskState.CANCELLED]
        if cancelled:
            cancelled -= await _doomed(db, campaign, held)
    return Counts(
        pending=pending,
        queued=queued,
        running=running,
        succeeded=found[TaskState.SUCCEEDED],
        failed=found[TaskState.FAILED],
        cancelled=cancelled,
    )


async def _doomed(db: Connection, campaign: CampaignId, held: Sequence[OpenJob]) -> int:
    """Return how many tasks were cancelled in jobs that still hold them."""
    found = 0
    for job in held:
        numbers = job.open.values()
        known = await tasks.read_records(db, campaign, {number // CHUNK for number in numbers})
        for number in numbers:
            items, position = known.get(number // CHUNK), number % CHUNK
            if items is not None and items.job[position] < job.id:
                found += items.state[position] == CANCELLED
    return found


async def gaps(db: Connection, campaign: CampaignId) -> list[str]:
    """
    Return what is missing of the parameters and the ids of the tasks of a campaign.

    Raises:
        NotFound: There is no such campaign.
    """
    total = (await campaigns.row(db, campaign))["total"]
    found = []
    ends = {"parameters": 0, "ids": 0}
    for part in await db.all(sql.parts, {"campaign": campaign}):
        what, end = part["what"], ends[part["what"]]
        if part["first_task"] != end:
            found.append(f"the {what} of the tasks from {end} on")
        ends[what] = part["first_task"] + part["count"]
    return found + [
        f"the {what} of the tasks from {e} on" for what, e in ends.items() if e < total
    ]
