"""Prologues and epilogues: where they are in their life, and which are due."""

from collections.abc import Mapping
from typing import NamedTuple

from cigri.domain.lifecycle import STEP_TRANSITIONS, StepEvent, advance
from cigri.domain.model import (
    CampaignId,
    CampaignType,
    JobKind,
    StepState,
    TestMode,
)
from cigri.store import rows
from cigri.store.database import Connection
from cigri.store.statements import load

sql = load("steps")

_SET: Mapping[JobKind, str] = {
    JobKind.PROLOGUE: sql.set_prologue,
    JobKind.EPILOGUE: sql.set_epilogue,
}


class Step(NamedTuple):
    """The prologue or the epilogue of a campaign."""

    campaign: CampaignId
    kind: JobKind


async def happen(tx: Connection, step: Step, cluster_id: int, event: StepEvent) -> StepState:
    """Record what befell a step on a cluster; return where it is now."""
    where = {"campaign": step.campaign, "cluster": cluster_id}
    (row,) = await tx.all(sql.states, where)
    state = advance(STEP_TRANSITIONS, StepState(row[step.kind.value]), event)
    await tx.run(_SET[step.kind], {**where, "state": state})
    return state


async def state_of(db: Connection, step: Step, cluster_id: int) -> StepState:
    """Return where a step is on a cluster."""
    where = {"campaign": step.campaign, "cluster": cluster_id}
    (row,) = await db.all(sql.states, where)
    return StepState(row[step.kind.value])


async def retry_prologues(
    tx: Connection, campaign: CampaignId, cluster_id: int | None = None
) -> None:
    """Let the prologues of a campaign that failed run again, on one cluster or all."""
    for row in await tx.all(sql.failed_prologues, {"campaign": campaign, "cluster": cluster_id}):
        step = Step(campaign, JobKind.PROLOGUE)
        await happen(tx, step, row["cluster_id"], StepEvent.DUE_AGAIN)


async def reopen(
    tx: Connection,
    campaign: CampaignId,
    cluster_id: int | None = None,
    *,
    only_failed: bool = False,
) -> int:
    """
    Let the epilogues of a campaign that have run do so again; return how many.

    One that runs now is not touched: `settlement` sees at its end that tasks have come back.
    """
    found = await tx.all(sql.settled_epilogues, {"campaign": campaign, "cluster": cluster_id})
    chosen = [
        row["cluster_id"]
        for row in found
        if not only_failed or row["epilogue"] == StepState.FAILED
    ]
    for cluster in chosen:
        await happen(tx, Step(campaign, JobKind.EPILOGUE), cluster, StepEvent.DUE_AGAIN)
    return len(chosen)


async def unfinished(db: Connection, campaign: CampaignId) -> bool:
    """Return whether a campaign whose tasks are settled has a step in flight or to run."""
    return await db.one(sql.unfinished, {"campaign": campaign}) is not None


class Due(NamedTuple):
    """A step to run now, unless the type of its campaign or a test is in the way."""

    step: Step
    type: CampaignType
    #: Whether its campaign is in a test in which this cluster has no part, or no more.
    waits_for_test: bool = False


async def due(db: Connection, cluster_id: int) -> list[Due]:
    """Return the steps that are due on a cluster: epilogues first, as they end something."""
    where = {"cluster": cluster_id}
    epilogues = [
        # What runs it is never best-effort, and it ends what ran by night by day.
        Due(Step(CampaignId(row["campaign_id"]), JobKind.EPILOGUE), CampaignType.NORMAL)
        for row in await db.all(sql.epilogues_due, where)
    ]
    prologues = []
    for row in await db.all(sql.prologues_due, where):
        settings = rows.settings(row["settings"])
        in_test = row["test_mode"] != TestMode.OFF
        idle = settings.test_mode is TestMode.OFF or row["tested"]
        step = Step(CampaignId(row["campaign_id"]), JobKind.PROLOGUE)
        type_ = CampaignType.NORMAL if in_test else settings.type
        prologues.append(Due(step, type_, waits_for_test=bool(in_test and idle)))
    return epilogues + prologues


async def in_flight(db: Connection, cluster_id: int) -> int:
    """Return how many steps a cluster has now: each takes one slot."""
    (row,) = await db.all(sql.in_flight, {"cluster": cluster_id})
    count: int = row["count"]
    return count
