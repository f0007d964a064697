"""Jobs: recorded when they were sent, settled as their tasks end; `claims` begins them."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cached_property
from itertools import compress
from sqlite3 import Row

import attrs
import msgspec

from cigri.domain import bag
from cigri.domain.bag import Range
from cigri.domain.lifecycle import JOB_TRANSITIONS, JobEvent, StepEvent, advance
from cigri.domain.model import (
    CampaignId,
    CampaignState,
    CampaignType,
    JobId,
    JobKind,
    JobState,
    RemoteId,
    Shape,
    TaskNumber,
)
from cigri.domain.positions import Positions, pack, unpack
from cigri.domain.remote_ids import RemoteNumbers
from cigri.errors import NotFound
from cigri.store import campaigns, rows, steps, tasks
from cigri.store.campaigns import Move
from cigri.store.database import Connection
from cigri.store.statements import load
from cigri.store.steps import Step

sql = load("jobs")


@attrs.frozen(kw_only=True)
class OpenJob:
    """A job that its cluster may have."""

    id: JobId
    campaign: CampaignId
    cluster_id: int
    user: str
    state: JobState
    remote_id: RemoteId | None
    tasks: tuple[Range, ...]
    #: Its tasks that run, with their starts.
    running: Mapping[int, float]
    #: How many of its tasks have not ended.
    left: int
    #: How far its journal has been read.
    read_to: int = 0
    #: What it is for; a step is one task, number 0, that no campaign has.
    kind: JobKind = JobKind.TASKS
    campaign_state: CampaignState = CampaignState.IN_TREATMENT
    #: Whether its campaign is held on its cluster.
    held: bool = False
    #: Cores for each of its tasks.
    cores: int = 1
    #: How often a task of it that failed is tried again.
    retries: int = 0
    #: When its tasks may start.
    type: CampaignType = CampaignType.NORMAL
    #: Whether its tasks leave checkpoints where they ran.
    checkpoints: bool = False
    shape: Shape = Shape.GROUP
    #: The tag of its submission, when that was begun, and its place among the jobs of that.
    tag: str = ""
    submitted_at: float = 0.0
    place: int = 0
    #: Which of its tasks have ended, by position: the bits of `domain.positions`.
    ended: bytes = b""
    #: When its cluster was first asked to take back what had not started.
    withdrawn_at: float | None = None
    #: Whether that was because it had waited too long: what comes back should run elsewhere.
    elsewhere: bool = False

    @cached_property
    def positions(self) -> Positions:
        """Return where its tasks stand in it, ended or not."""
        return Positions(self.tasks)

    @cached_property
    def open(self) -> Mapping[int, TaskNumber]:
        """Return its tasks that have not ended, by position."""
        has_ended = unpack(self.ended, self.positions.size)
        every = enumerate(map(TaskNumber, self.positions.tasks()))
        return dict(compress(every, has_ended.translate(_NOT)))


#: Turns flags into their opposites.
_NOT = bytes.maketrans(b"\0\1", b"\1\0")
# Thousands of tasks run at a time: this takes a fifth of what `json` does.
_read_running = msgspec.json.Decoder(dict[int, float]).decode


async def accepted(tx: Connection, remote_ids: Mapping[JobId, RemoteId]) -> None:
    """Record that the cluster has these jobs; what of an array it has not is still to do."""
    for job in await _by_ids(tx, remote_ids):
        remote_id = remote_ids[JobId(job["id"])]
        await _happen(tx, job, JobEvent.ACCEPTED, remote_id)
        if job["shape"] == Shape.ARRAY:
            await _return_missing(tx, job, remote_id)


async def _return_missing(tx: Connection, job: Row, remote_id: RemoteId) -> None:
    """Put the tasks of an array for which its cluster has no job back in the bag."""
    positions = Positions(rows.ranges(job["tasks"]))
    numbers = RemoteNumbers(remote_id)
    missing = bytearray(numbers.of(position) is None for position in range(positions.size))
    if not any(missing):
        return
    if job["kind"] != JobKind.TASKS:
        message = f"no job of {remote_id} is there, and yet it was accepted"
        raise ValueError(message)
    ranges = bag.ranges(compress(positions.tasks(), missing))
    await _back_in_bag(tx, job, ranges)
    left = positions.size - sum(missing)
    await set_progress(tx, job["id"], running={}, left=left, read_to=0, ended=pack(missing))


async def unanswered(tx: Connection, jobs: Collection[JobId]) -> None:
    """Record that nobody knows whether the cluster has these jobs."""
    for job in await _by_ids(tx, jobs):
        await _happen(tx, job, JobEvent.UNANSWERED)


async def returned(tx: Connection, jobs: Collection[JobId], event: JobEvent, at: float) -> None:
    """Record that the cluster has none of these jobs: what was in them is still to do."""
    for job in await _by_ids(tx, jobs):
        await _happen(tx, job, event)
        kind = JobKind(job["kind"])
        if kind is JobKind.TASKS:
            await _back_in_bag(tx, job, rows.ranges(job["tasks"]))
        else:
            step = Step(CampaignId(job["campaign_id"]), kind)
            refused = event is JobEvent.REFUSED and kind is JobKind.EPILOGUE
            befell = StepEvent.FAILED if refused else StepEvent.UNDONE
            await steps.happen(tx, step, job["cluster_id"], befell)
        await set_progress(tx, job["id"], running={}, left=0, read_to=0, ended=b"")


async def _back_in_bag(tx: Connection, job: Row, ranges: Sequence[Range]) -> None:
    """Put tasks that a job never started back in the bag; those of a cancelled campaign end."""
    size = bag.size(ranges)
    campaign = CampaignId(job["campaign_id"])
    if await _is_cancelled(tx, campaign):
        change = Move(queued=-size, cancelled=size)
    else:
        await tasks.put_back(tx, campaign, ranges)
        await campaigns.test_again(tx, campaign, job["cluster_id"])
        change = Move(queued=-size, pending=size)
    await campaigns.move(tx, campaign, change, cluster_id=job["cluster_id"])


async def _is_cancelled(tx: Connection, campaign: CampaignId) -> bool:
    state: str = (await campaigns.row(tx, campaign))["state"]
    return state == CampaignState.CANCELLED


async def _by_ids(tx: Connection, jobs: Iterable[JobId]) -> list[Row]:
    return await tx.all(sql.by_ids, _named(jobs))


def _named(jobs: Iterable[JobId]) -> dict[str, str]:
    return {"jobs": json.dumps(sorted(jobs))}


async def _happen(
    tx: Connection, job: Row, event: JobEvent, remote_id: RemoteId | None = None
) -> None:
    state = advance(JOB_TRANSITIONS, JobState(job["state"]), event)
    await tx.run(sql.set_state, {"job": job["id"], "state": state, "remote_id": remote_id})


async def happen(tx: Connection, job: OpenJob, events: Sequence[JobEvent]) -> None:
    """Record what befell a job, if anything: the only other writer of a job's state."""
    if not events:
        return
    state = job.state
    for event in events:
        state = advance(JOB_TRANSITIONS, state, event)
    await tx.run(sql.set_state, {"job": job.id, "state": state, "remote_id": None})


async def set_progress(
    tx: Connection,
    job: JobId,
    *,
    running: Mapping[int, float],
    left: int,
    read_to: int,
    ended: bytes,
) -> None:
    """Record how far a job is."""
    values = {"left": left, "read_to": read_to, "ended": ended}
    text = msgspec.json.encode(running).decode()
    await tx.run(sql.set_progress, {"job": job, "running": text, **values})


async def withdrawn(
    tx: Connection, jobs: Collection[JobId], at: float, *, elsewhere: bool = False
) -> None:
    """Record that the cluster was asked to take back what of these jobs has not started."""
    values = {**_named(jobs), "at": at, "elsewhere": int(elsewhere)}
    await tx.run(sql.set_withdrawn, values)


async def renumber(tx: Connection, job: JobId, remote_id: RemoteId) -> None:
    """Record that the cluster has replaced remote jobs of an array by others."""
    await tx.run(sql.set_remote_id, {"job": job, "remote_id": remote_id})


async def open_on_cluster(db: Connection, cluster_id: int) -> list[OpenJob]:
    """Return the jobs that a cluster has."""
    return [_open_job(row) for row in await db.all(sql.open_on_cluster, {"cluster": cluster_id})]


async def open_of_campaign(db: Connection, campaign: CampaignId) -> list[OpenJob]:
    """Return the jobs with tasks of a campaign that have not ended."""
    found = await db.all(sql.open_of_campaign, {"campaign": campaign})
    return [_open_job({**dict(row), "user": ""}) for row in found]


async def overtaken(db: Connection, job: OpenJob) -> bool:
    """Return whether tasks of its campaign were handed out after *job*, wherever."""
    values = {"job": job.id, "campaign": job.campaign}
    return await db.one(sql.overtaking, values) is not None


async def get(db: Connection, job: JobId) -> OpenJob:
    """
    Return a job, ended or not.

    Raises:
        NotFound: There is none.
    """
    found = await get_all(db, [job])
    if not found:
        message = f"there is no attempt {job}"
        raise NotFound(message)
    return found[0]


async def get_all(db: Connection, jobs: Iterable[JobId]) -> list[OpenJob]:
    """Return those of *jobs* that there are, ended or not, in the order of their numbers."""
    return list(map(_open_job, await db.all(sql.get_all, _named(jobs))))


def _open_job(row: Row | dict[str, object]) -> OpenJob:
    known = dict(row)
    return OpenJob(
        id=known["id"],
        campaign=known["campaign_id"],
        cluster_id=known["cluster_id"],
        user=known["user"],
        state=JobState(known["state"]),
        remote_id=known["remote_id"],
        tasks=tuple(rows.ranges(known["tasks"])),
        running=_read_running(known["running"]),
        left=known["left"],
        read_to=known["read_to"],
        kind=JobKind(known["kind"]),
        campaign_state=CampaignState(known.get("campaign_state", "in_treatment")),
        held=bool(known.get("held")),
        cores=known.get("cores", 1),
        retries=known.get("retries") or 0,
        type=CampaignType(known.get("type", "normal")),
        checkpoints=bool(known.get("checkpoints")),
        shape=Shape(known["shape"]),
        tag=known["tag"],
        submitted_at=known["submitted_at"],
        place=known["place"],
        ended=known["ended"],
        withdrawn_at=known["withdrawn_at"],
        elsewhere=bool(known["elsewhere"]),
    )
