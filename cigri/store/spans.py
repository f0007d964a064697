"""
The stable ids of tasks: spans of numbers of a campaign, each with the id of its first task.

Ids are given in the order in which tasks come, over all campaigns, and never again.
"""

from bisect import bisect_right
from collections.abc import Collection, Mapping
from typing import NamedTuple

from cigri.domain.model import CampaignId, TaskId, TaskNumber
from cigri.errors import NotFound
from cigri.store.database import Connection
from cigri.store.parameters import bounds
from cigri.store.statements import load

sql = load("tasks")


class Place(NamedTuple):
    """Where a task is."""

    campaign: CampaignId
    number: TaskNumber


async def allot(tx: Connection, campaign: CampaignId, first_task: int, count: int) -> None:
    """Give ids to *count* tasks of a campaign from *first_task* on, which have none yet."""
    if not count:
        return
    (taken,) = await tx.all(sql.take_ids, {"count": count})
    where = {"campaign": campaign, "first_task": first_task, "first_id": taken["first_id"]}
    if not await tx.all(sql.lengthen_span, {**where, "count": count}):
        await tx.run(sql.insert_span, {**where, "count": count})


async def ids(
    db: Connection, campaign: CampaignId, numbers: Collection[int]
) -> Mapping[int, TaskId]:
    """Return the ids of the tasks *numbers* of a campaign."""
    values = {"campaign": campaign, "ranges": bounds(numbers)}
    found = await db.all(sql.spans_of, values)
    firsts = [row["first_task"] for row in found]
    offsets = [row["first_id"] - row["first_task"] for row in found]
    return {
        number: TaskId(number + offsets[bisect_right(firsts, number) - 1]) for number in numbers
    }


async def locate(db: Connection, task: TaskId) -> Place:
    """
    Return where the task with an id is.

    Raises:
        NotFound: No task was ever given it.
    """
    row = await db.one(sql.span_of_id, {"task": task})
    if row is None or task >= row["first_id"] + row["count"]:
        message = f"there is no job {task}"
        raise NotFound(message)
    number = row["first_task"] + task - row["first_id"]
    return Place(CampaignId(row["campaign_id"]), TaskNumber(number))
