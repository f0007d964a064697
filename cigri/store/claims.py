"""What is about to be sent to a cluster: written down first, so that nobody else takes it."""

from collections.abc import Mapping, Sequence
from sqlite3 import Row

import attrs

from cigri.domain import bag, portions
from cigri.domain.bag import Range
from cigri.domain.capacity import Capacity
from cigri.domain.lifecycle import StepEvent
from cigri.domain.model import (
    CampaignId,
    CampaignState,
    ClusterSettings,
    JobId,
    JobKind,
    Parameter,
    Shape,
    StepState,
    SubmissionId,
    TaskId,
    TestMode,
)
from cigri.store import campaigns, parameters, rows, spans, steps, tasks
from cigri.store.campaigns import Move
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
    #: What each of `jobs` is on its cluster.
    shape: Shape = Shape.GROUP
    #: Mean duration of the tasks of the campaign that have ended there, if any has.
    mean_duration: float | None = None


async def claim(
    tx: Connection,
    campaign: CampaignId,
    cluster_id: int,
    count: int,
    at: float,
    *,
    capacity: Capacity = Capacity(),  # noqa: B008 - it is frozen
    slots: int = 1,
) -> Claim | None:
    """
    Take up to *count* tasks of a campaign for one submission to a cluster; one for its test.

    It may be fewer where *capacity* allows no more in one submission: the caller asks again.
    Returns `None` when there is nothing to take any more: paused, held, or taken elsewhere.

    Raises:
        DamagedParameters: They had to be measured, and cannot be read.
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
    shape = capacity.shape(settings)
    most = min(count, found["pending"], capacity.most_tasks(shape) or count)
    taken = await tasks.take(tx, found, cluster_id, most, at)
    if not taken:
        return None
    if found["test_mode"] != TestMode.OFF:
        await campaigns.set_tested(tx, campaign, cluster_id)
    sizes = capacity.sizes(
        bag.size(taken),
        shape,
        parallel=max(1, slots // settings.cores),
        mean_duration=_mean_duration(found),
        abreast=capacity.abreast(settings),
        last=bag.size(taken) == found["pending"],
    )
    if shape is Shape.GROUP and capacity.most_parameter_bytes is not None:
        sizes = await _measured(tx, campaign, taken, sizes, capacity.most_parameter_bytes)
        *carried, rest = bag.cut(taken, [*sizes[: capacity.most_in_submission], bag.size(taken)])
        await _take_less(tx, campaign, cluster_id, rest)
        taken = [item for portion in carried for item in portion]
        sizes = [bag.size(portion) for portion in carried]
    return await _claim(
        tx,
        found,
        cluster_id,
        settings,
        kind=JobKind.TASKS,
        shape=shape,
        portions=bag.cut(taken, sizes),
        at=at,
    )


async def _take_less(
    tx: Connection, campaign: CampaignId, cluster_id: int, rest: Sequence[Range]
) -> None:
    """Put back what does not fit into a submission."""
    size = bag.size(rest)
    if size:
        await tasks.put_back(tx, campaign, rest)
        change = Move(queued=-size, pending=size)
        await campaigns.move(tx, campaign, change, cluster_id=cluster_id)


async def _measured(
    tx: Connection, campaign: CampaignId, taken: Sequence[Range], sizes: Sequence[int], most: int
) -> list[int]:
    """Return *sizes* with no group whose parameters together have more than *most* bytes."""
    numbers = [number for item in taken for number in item.numbers()]
    given = await parameters.of_tasks(tx, campaign, numbers)
    return portions.within(sizes, [_length(given[number]) for number in numbers], most)


def _length(parameter: Parameter) -> int:
    words = (parameter,) if isinstance(parameter, str) else parameter
    return sum(len(word.encode(errors="surrogateescape")) + 1 for word in words)


async def claim_step(
    tx: Connection,
    step: Step,
    cluster_id: int,
    at: float,
    *,
    shape: Shape = Shape.GROUP,
) -> Claim | None:
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
    return await _claim(
        tx,
        found,
        cluster_id,
        settings,
        kind=step.kind,
        shape=shape,
        portions=[[STEP_TASK]],
        at=at,
    )


def _mean_duration(row: Row) -> float | None:
    return row["duration_sum"] / row["ended"] if row["ended"] else None


async def _claim(
    tx: Connection,
    campaign: Row,
    cluster_id: int,
    settings: ClusterSettings,
    *,
    kind: JobKind,
    shape: Shape,
    portions: Sequence[Sequence[Range]],
    at: float,
) -> Claim:
    where = {"campaign": campaign["id"], "cluster": cluster_id}
    (row,) = await tx.all(sql.insert_submission, {**where, "at": at})
    submission = SubmissionId(row["id"])
    (named,) = await tx.all(sql.name_submission, {"submission": submission})
    jobs = {}
    for place, portion in enumerate(portions):
        what = {
            "kind": kind,
            "shape": shape,
            "place": place,
            "tasks": rows.ranges_text(portion),
            "left": bag.size(portion),
        }
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
        shape=shape,
        mean_duration=_mean_duration(campaign),
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
        attempts=await tasks.started(db, claimed.campaign, numbers),
    )
