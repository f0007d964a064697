"""What is about to be sent to a cluster: written down first, so that nobody else takes it."""

from collections.abc import Mapping, Sequence
from sqlite3 import Row

import attrs

from cigri.domain import bag, grouping
from cigri.domain.bag import Range
from cigri.domain.lifecycle import StepEvent
from cigri.domain.model import (
    CampaignId,
    CampaignState,
    ClusterSettings,
    JobId,
    JobKind,
    Parameter,
    StepState,
    SubmissionId,
    TaskId,
    TestMode,
)
from cigri.store import campaigns, parameters, rows, spans, steps, tasks
from cigri.store.database import Connection
from cigri.store.statements import load
from cigri.store.steps import Step

sql = load("jobs")
campaigns_sql = load("campaigns")

#: The one task of the job of a step, which no campaign has.
STEP_TASK = Range(0, 1)
#: States of a prologue after which tasks may start.
READY = frozenset({StepState.NONE, StepState.DONE})


@attrs.frozen(kw_only=True)
class Claim:
    """Tasks taken out of the bag for one submission, or a step, not sent yet."""

    submission: SubmissionId
    tag: str
    campaign: CampaignId
    campaign_name: str
    user: str
    settings: ClusterSettings
    jobs: Mapping[JobId, Sequence[Range]]
    kind: JobKind = JobKind.TASKS


async def claim(
    tx: Connection, campaign: CampaignId, cluster_id: int, count: int, at: float
) -> Claim | None:
    """
    Take up to *count* tasks of a campaign for one submission to a cluster; one for its test.

    Returns `None` when there is nothing to take any more: paused, held, or taken elsewhere.
    """
    found = await tx.one(campaigns_sql.for_claim, {"campaign": campaign, "cluster": cluster_id})
    if found is None or found["state"] != CampaignState.IN_TREATMENT or found["hold_reason"]:
        return None
    if StepState(found["prologue"]) not in READY or found["epilogue"] == StepState.IN_FLIGHT:
        return None
    settings = rows.settings(found["settings"])
    if found["test_mode"] != TestMode.OFF:
        if settings.test_mode is TestMode.OFF or found["tested"]:
            return None
        count = min(count, 1)
        await campaigns.set_tested(tx, campaign, cluster_id)
    taken = await tasks.take(tx, found, cluster_id, min(count, found["pending"]))
    if not taken:
        return None
    portions = bag.cut(taken, grouping.split(bag.size(taken)))
    return await _claim(
        tx, found, cluster_id, settings, kind=JobKind.TASKS, portions=portions, at=at
    )


async def claim_step(tx: Connection, step: Step, cluster_id: int, at: float) -> Claim | None:
    """Write down that a step is about to be sent; `None` when it is not due any more."""
    where = {"campaign": step.campaign, "cluster": cluster_id}
    found = await tx.one(campaigns_sql.for_claim, where)
    if found is None or found[step.kind.value] != StepState.WAITING:
        return None
    held = found["hold_reason"] or found["state"] != CampaignState.IN_TREATMENT
    if step.kind is JobKind.PROLOGUE and held:
        return None
    if step.kind is JobKind.EPILOGUE and found["state"] == CampaignState.PAUSED:
        return None
    await steps.happen(tx, step, cluster_id, StepEvent.CLAIMED)
    settings = rows.settings(found["settings"])
    portions = [[STEP_TASK]]
    return await _claim(tx, found, cluster_id, settings, kind=step.kind, portions=portions, at=at)


async def _claim(
    tx: Connection,
    campaign: Row,
    cluster_id: int,
    settings: ClusterSettings,
    *,
    kind: JobKind,
    portions: Sequence[Sequence[Range]],
    at: float,
) -> Claim:
    where = {"campaign": campaign["id"], "cluster": cluster_id}
    (row,) = await tx.all(sql.insert_submission, {**where, "at": at})
    submission = SubmissionId(row["id"])
    (named,) = await tx.all(sql.name_submission, {"submission": submission})
    jobs = {}
    for portion in portions:
        what = {"kind": kind, "tasks": rows.ranges_text(portion), "left": bag.size(portion)}
        (job,) = await tx.all(sql.insert, {**where, "submission": submission, **what})
        jobs[JobId(job["id"])] = portion
    return Claim(
        submission=submission,
        tag=named["tag"],
        campaign=CampaignId(campaign["id"]),
        campaign_name=campaign["name"],
        user=campaign["user"],
        settings=settings,
        jobs=jobs,
        kind=kind,
    )


@attrs.frozen(kw_only=True)
class Contents:
    """What is known of the tasks of a claim, by their numbers."""

    parameters: Mapping[int, Parameter]
    ids: Mapping[int, TaskId]
    #: How many attempts have started, where any has.
    attempts: Mapping[int, int]


async def contents(db: Connection, claimed: Claim) -> Contents:
    """
    Return what is known of the tasks of a claim; a step has one without a word.

    Raises:
        DamagedParameters: Their parameters cannot be read.
        DamagedRecords: What became of them cannot be read.
    """
    if claimed.kind is not JobKind.TASKS:
        return Contents(parameters={0: ""}, ids={0: TaskId(0)}, attempts={})
    numbers = [n for portion in claimed.jobs.values() for item in portion for n in item.numbers()]
    return Contents(
        parameters=await parameters.of_tasks(db, claimed.campaign, numbers),
        ids=await spans.ids(db, claimed.campaign, numbers),
        attempts=await tasks.attempts(db, claimed.campaign, numbers),
    )
