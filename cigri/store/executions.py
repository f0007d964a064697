"""The attempts at tasks that have ended, those that settled them with the earlier ones."""

from collections.abc import Sequence

from cigri.domain.attempt import Attempt
from cigri.domain.model import CampaignId, JobId, RemoteId, TaskNumber
from cigri.store import attempts, records, tasks
from cigri.store.attempts import ENDINGS, Past
from cigri.store.clusters import all_clusters
from cigri.store.database import Connection
from cigri.store.records import CHUNK, NO_STATUS
from cigri.store.remote_names import RemoteNames
from cigri.store.statements import load

sql = load("attempts")


async def of_task(db: Connection, campaign: CampaignId, number: int) -> list[Attempt]:
    """
    Return the attempts at a task that have ended, the first one first; its last one among them.

    Raises:
        DamagedRecords: They cannot be read.
    """
    chunk, position = divmod(number, CHUNK)
    found = [past for past in await _of_chunk(db, campaign, chunk) if past.position == position]
    return await _told(db, chunk, found)


async def of_campaign(db: Connection, campaign: CampaignId) -> list[Attempt]:
    """
    Return the attempts at all tasks of a campaign that have ended, task by task.

    Raises:
        DamagedRecords: They cannot be read.
    """
    found = []
    for row in await db.all(sql.chunks, {"campaign": campaign}):
        past = await _of_chunk(db, campaign, row["chunk"])
        found += await _told(db, row["chunk"], past)
    return found


async def _of_chunk(db: Connection, campaign: CampaignId, chunk: int) -> list[Past]:
    past = await attempts.of_chunk(db, campaign, chunk)
    items = (await tasks.read_records(db, campaign, [chunk])).get(chunk)
    if items is not None:
        # What waits to run again is among the past already, whether it was cancelled since or not.
        known = {(item.position, item.job, item.number) for item in past}
        settled = [
            attempts.of_record(items, position, None)
            for position, state in enumerate(items.state)
            if items.job[position] and state != records.BACK_IN_BAG
        ]
        past += [s for s in settled if (s.position, s.job, s.number) not in known]
    return sorted(past, key=lambda item: item.position)


async def _told(db: Connection, chunk: int, past: Sequence[Past]) -> list[Attempt]:
    names = await RemoteNames.of_jobs(db, {item.job for item in past})
    clusters = {each.id: each.name for each in (await all_clusters(db)).values()}
    found = []
    for item in past:
        task = TaskNumber(chunk * CHUNK + item.position)
        moved = RemoteId(str(item.remote)) if item.remote else None
        found.append(
            Attempt(
                task=task,
                number=item.number,
                cluster=clusters[item.cluster],
                job=JobId(item.job),
                remote_id=moved or names.of(item.job, task),
                ending=ENDINGS[item.ending],
                exit_status=None if item.exit_status == NO_STATUS else item.exit_status,
                started_at=item.start / 1000,
                ended_at=(item.start + item.duration) / 1000,
            )
        )
    return found
