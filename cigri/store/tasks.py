"""Tasks: what leaves the bag, what comes back, and what became of each."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from sqlite3 import Row

import attrs

from cigri.domain import bag
from cigri.domain.bag import Range
from cigri.domain.model import CampaignId
from cigri.store import attempts, campaigns, records
from cigri.store.campaigns import Move
from cigri.store.database import Connection
from cigri.store.records import CHUNK, DamagedRecords, Records
from cigri.store.statements import load

sql = load("tasks")

#: Ranges that one claim looks at: a bag of scattered tasks is emptied by several claims.
_RANGES = 500
#: Seconds for which a task waits for the cluster that it prefers, or for another than it avoids.
PATIENCE = 600.0


@attrs.frozen(kw_only=True)
class Leaning:
    """Where a task that goes back to the bag should run next, if that can be for a while."""

    at: float
    #: Where its checkpoint lies.
    prefers: int | None = None
    #: Where it has waited in vain.
    avoids: int | None = None


async def take(
    tx: Connection, campaign: Row, cluster_id: int, count: int, at: float
) -> list[Range]:
    """Take up to *count* tasks out of the bag of a campaign, those to run again first."""
    which = {
        "campaign": campaign["id"],
        "cluster": cluster_id,
        "alone": campaign["clusters"] == 1,
        "now": at,
        "longer_ago": at - PATIENCE,
        "limit": _RANGES,
    }
    taken = await _take_again(tx, {**which, "at_the_end": 0}, count)
    fresh = max(0, min(count - bag.size(taken), campaign["total"] - campaign["cursor"]))
    if fresh:
        taken.append(Range(campaign["cursor"], fresh))
    taken += await _take_again(tx, {**which, "at_the_end": 1}, count - bag.size(taken))
    size = bag.size(taken)
    if not size:
        return []
    change = Move(pending=-size, queued=size)
    cursor = campaign["cursor"] + fresh
    await campaigns.move(tx, campaign["id"], change, cluster_id=cluster_id, cursor=cursor)
    return taken


async def _take_again(tx: Connection, which: Mapping[str, object], count: int) -> list[Range]:
    if count <= 0:
        return []
    rows = await tx.all(sql.waiting_again, which)
    taken: list[Range] = []
    emptied = []
    for row in rows:
        missing = count - bag.size(taken)
        if not missing:
            break
        used = min(missing, row["count"])
        taken.append(Range(row["first_task"], used))
        if used == row["count"]:
            emptied.append(row["id"])
        else:
            rest = {"first_task": row["first_task"] + used, "count": row["count"] - used}
            await tx.run(sql.shorten_again, {"id": row["id"], **rest})
    if emptied:
        await tx.run(sql.delete_again, {"ids": json.dumps(emptied)})
    return taken


async def leaning_elsewhere(
    db: Connection, campaign: CampaignId, cluster_id: int, at: float
) -> int:
    """Return how many tasks in the bag of a campaign now wait for other clusters than this."""
    where = {"campaign": campaign, "cluster": cluster_id, "now": at}
    (row,) = await db.all(sql.leaning_elsewhere, {**where, "longer_ago": at - PATIENCE})
    count: int = row["count"]
    return count


async def put_back(
    tx: Connection,
    campaign: CampaignId,
    ranges: Iterable[Range],
    *,
    at_the_end: bool = False,
    leaning: Leaning | None = None,
) -> None:
    """Put tasks back in the bag.  The caller counts them."""
    where = (None,) * 3 if leaning is None else (leaning.prefers, leaning.avoids, leaning.at)
    rows = [(campaign, int(at_the_end), *item, *where) for item in ranges]
    if rows:
        await tx.run_many(sql.put_again, rows)


async def read_records(
    db: Connection, campaign: CampaignId, chunks: Collection[int]
) -> Mapping[int, Records]:
    """
    Return the records of *chunks*; a chunk of which no task has ended an attempt is missing.

    Raises:
        DamagedRecords: They cannot be read.
    """
    wanted = {"campaign": campaign, "chunks": json.dumps(sorted(chunks))}
    found = await db.all(sql.records, wanted)
    return {row["chunk"]: _decoded(row["data"], campaign, row["chunk"]) for row in found}


def _decoded(data: bytes, campaign: CampaignId, chunk: int) -> Records:
    try:
        return Records.decode(data)
    except DamagedRecords as error:
        message = (
            f"what became of the tasks {chunk * CHUNK} to {(chunk + 1) * CHUNK - 1} of campaign"
            f" {campaign} is damaged ({error}): restore a backup of the database"
        )
        damaged = DamagedRecords(message)
        damaged.campaign = campaign
        raise damaged from error


async def write_records(
    tx: Connection, campaign: CampaignId, changed: Mapping[int, Records]
) -> None:
    """Store the records of chunks."""
    rows = [
        (
            campaign,
            chunk,
            items.encode(),
            items.count(records.SUCCEEDED),
            items.count(records.FAILED),
        )
        for chunk, items in changed.items()
    ]
    await tx.run_many(sql.put_records, rows)


async def started(
    db: Connection, campaign: CampaignId, numbers: Sequence[int]
) -> Mapping[int, int]:
    """Return how many attempts at each of the tasks *numbers* have started, where any has."""
    chunks = {number // CHUNK for number in numbers}
    known = await read_records(db, campaign, chunks)
    return {
        number: known[number // CHUNK].attempts[number % CHUNK]
        for number in numbers
        if number // CHUNK in known
    }


async def cancelled(
    db: Connection, campaign: CampaignId, numbers: Sequence[int]
) -> frozenset[int]:
    """Return those of the tasks *numbers* that somebody has cancelled."""
    known = await read_records(db, campaign, {number // CHUNK for number in numbers})
    return frozenset(
        number
        for number in numbers
        if number // CHUNK in known
        and known[number // CHUNK].state[number % CHUNK] == records.CANCELLED
    )


async def resubmit_failed(
    tx: Connection,
    campaign: CampaignId,
    *,
    cluster_id: int | None = None,
    recorded_status: int | None = None,
) -> int:
    """Put failed tasks back in the bag, all or those of an event, and return how many."""
    resubmitted = 0
    for row in await tx.all(sql.tallies, {"campaign": campaign, "first": 0}):
        if not row["failed"]:
            continue
        chunk = row["chunk"]
        items = (await read_records(tx, campaign, [chunk]))[chunk]
        chosen = [
            position
            for position in items.positions(records.FAILED)
            if cluster_id in (None, items.cluster[position])
            and recorded_status in (None, items.exit_status[position])
        ]
        by_cluster: dict[int, int] = {}
        for position in chosen:
            items.state[position] = records.BACK_IN_BAG
            cluster = items.cluster[position]
            by_cluster[cluster] = by_cluster.get(cluster, 0) + 1
        past = [attempts.of_record(items, position, None) for position in chosen]
        await attempts.remember(tx, campaign, {chunk: past})
        numbers = [chunk * CHUNK + position for position in chosen]
        await put_back(tx, campaign, bag.ranges(numbers))
        await write_records(tx, campaign, {chunk: items})
        for cluster, count in by_cluster.items():
            change = Move(pending=count, failed=-count)
            await campaigns.move(tx, campaign, change, cluster_id=cluster)
        resubmitted += len(chosen)
    return resubmitted
