"""Single tasks that somebody cancels: out of the bag, or marked in the job that holds them."""

from sqlite3 import Row

from cigri.domain.bag import Range
from cigri.domain.model import CampaignId, TaskNumber
from cigri.store import campaigns, records, tasks
from cigri.store.campaigns import Move
from cigri.store.database import Connection
from cigri.store.records import CHUNK, Records
from cigri.store.statements import load
from cigri.store.tasks import Leaning

sql = load("tasks")


async def take_out(tx: Connection, campaign: Row, number: TaskNumber) -> None:
    """Take a task out of the bag for good."""
    name = CampaignId(campaign["id"])
    again = await tx.one(sql.again_with, {"campaign": name, "task": number})
    cursor = None
    if again is not None:
        await _split(tx, name, again, number)
    else:
        # Those before it, which were never tried either, come back before all others.
        before = number - campaign["cursor"]
        if before:
            await tasks.put_back(tx, name, [Range(campaign["cursor"], before)])
        cursor = number + 1
    await doom(tx, campaign, number)
    await campaigns.move(tx, name, Move(pending=-1, cancelled=1), cursor=cursor)


async def _split(tx: Connection, campaign: CampaignId, row: Row, number: TaskNumber) -> None:
    """Take a task out of a range of those to run again."""
    first, end = row["first_task"], row["first_task"] + row["count"]
    if number > first:
        await tx.run(
            sql.shorten_again, {"id": row["id"], "first_task": first, "count": number - first}
        )
    else:
        await tx.run(sql.delete_again, {"ids": f"[{row['id']}]"})
    if number + 1 < end:
        rest = [Range(number + 1, end - number - 1)]
        leaning = None
        if row["since"] is not None:
            leaning = Leaning(at=row["since"], prefers=row["prefers"], avoids=row["avoids"])
        at_the_end = bool(row["at_the_end"])
        await tasks.put_back(tx, campaign, rest, at_the_end=at_the_end, leaning=leaning)


async def doom(tx: Connection, campaign: Row, number: TaskNumber) -> None:
    """Record that a task is not to run again; `settlement` heeds it when its job is over."""
    chunk, position = divmod(number, CHUNK)
    name = CampaignId(campaign["id"])
    items = (await tasks.read_records(tx, name, [chunk])).get(chunk) or Records()
    items.state[position] = records.CANCELLED
    await tasks.write_records(tx, name, {chunk: items})
