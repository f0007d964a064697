"""Jobs: recorded when they were sent, settled as their tasks end; `claims` begins them."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from sqlite3 import Row

import attrs

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
    SubmissionId,
)
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


async def accepted(tx: Connection, remote_ids: Mapping[JobId, RemoteId]) -> None:
    """Record that the cluster has these jobs."""
    for job in await _by_ids(tx, remote_ids):
        await _happen(tx, job, JobEvent.ACCEPTED, remote_ids[JobId(job["id"])])


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
            await give_back(tx, job, rows.ranges(job["tasks"]), at)
        else:
            step = Step(CampaignId(job["campaign_id"]), kind)
            refused = event is JobEvent.REFUSED and kind is JobKind.EPILOGUE
            befell = StepEvent.FAILED if refused else StepEvent.UNDONE
            await steps.happen(tx, step, job["cluster_id"], befell)
            await _forget_progress(tx, job)


async def give_back(tx: Connection, job: Row, ranges: Sequence[Range], at: float) -> None:
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
    await _forget_progress(tx, job)


async def _forget_progress(tx: Connection, job: Row) -> None:
    await tx.run(sql.set_progress, {"job": job["id"], "running": "{}", "left": 0, "read_to": 0})


async def _is_cancelled(tx: Connection, campaign: CampaignId) -> bool:
    state: str = (await campaigns.row(tx, campaign))["state"]
    return state == CampaignState.CANCELLED


async def _by_ids(tx: Connection, jobs: Iterable[JobId]) -> list[Row]:
    return await tx.all(sql.by_ids, {"jobs": json.dumps(sorted(jobs))})


async def _happen(
    tx: Connection, job: Row, event: JobEvent, remote_id: RemoteId | None = None
) -> None:
    state = advance(JOB_TRANSITIONS, JobState(job["state"]), event)
    await tx.run(sql.set_state, {"job": job["id"], "state": state, "remote_id": remote_id})


async def happen(tx: Connection, job: OpenJob, events: Sequence[JobEvent]) -> None:
    """Record what befell a job: the only other writer of a job's state."""
    state = job.state
    for event in events:
        state = advance(JOB_TRANSITIONS, state, event)
    await tx.run(sql.set_state, {"job": job.id, "state": state, "remote_id": None})


async def set_progress(
    tx: Connection, job: JobId, *, running: Mapping[int, float], left: int, read_to: int
) -> None:
    """Record how far a job is."""
    values = {"running": json.dumps(running), "left": left, "read_to": read_to}
    await tx.run(sql.set_progress, {"job": job, **values})


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
    row = await db.one(sql.get, {"job": job})
    if row is None:
        message = f"there is no attempt {job}"
        raise NotFound(message)
    return _open_job(row)


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
        running={int(task): start for task, start in json.loads(known["running"]).items()},
        left=known["left"],
        read_to=known["read_to"],
        kind=JobKind(known["kind"]),
        campaign_state=CampaignState(known.get("campaign_state", "in_treatment")),
        held=bool(known.get("held")),
        cores=known.get("cores", 1),
        retries=known.get("retries") or 0,
        type=CampaignType(known.get("type", "normal")),
    )


@attrs.frozen(kw_only=True)
class Unsettled:
    """A submission of which nobody knows whether the cluster got it."""

    id: SubmissionId
    tag: str
    at: float
    campaign: CampaignId
    user: str
    jobs: tuple[JobId, ...]


async def unsettled(db: Connection, cluster_id: int) -> list[Unsettled]:
    """Return the submissions to a cluster whose outcome is not recorded, oldest first."""
    return [
        Unsettled(
            id=row["id"],
            tag=row["tag"],
            at=row["at"],
            campaign=row["campaign_id"],
            user=row["user"],
            # Their order is that in which they were sent.
            jobs=tuple(sorted(map(JobId, json.loads(row["jobs"])))),
        )
        for row in await db.all(sql.unsettled, {"cluster": cluster_id})
    ]


async def remote_ids(db: Connection, jobs: Collection[int]) -> Mapping[int, RemoteId]:
    """Return the remote ids of jobs."""
    found = await db.all(sql.remote_ids, {"jobs": json.dumps(sorted(jobs))})
    return {row["id"]: row["remote_id"] for row in found}
