"""Campaigns: their creation, their state, their counters."""

import json
from collections.abc import Mapping
from sqlite3 import Row

import attrs

from cigri.domain import grouping
from cigri.domain.calendar import mode
from cigri.domain.capacity import Capacity
from cigri.domain.lifecycle import (
    CAMPAIGN_TRANSITIONS,
    CampaignEvent,
    advance,
    allows,
    refusal,
)
from cigri.domain.model import (
    Campaign,
    CampaignId,
    CampaignState,
    CampaignType,
    ClusterName,
    StepState,
    TestMode,
)
from cigri.domain.scheduling import Offer
from cigri.domain.spec import CampaignSpec
from cigri.errors import Conflict, NotFound
from cigri.store import rows, spans, steps
from cigri.store.database import Connection
from cigri.store.statements import load

sql = load("campaigns")
tasks_sql = load("tasks")


@attrs.frozen(kw_only=True)
class Move:
    """How many tasks of a campaign changed state, on one cluster or in the bag."""

    pending: int = 0
    queued: int = 0
    running: int = 0
    succeeded: int = 0
    failed: int = 0
    cancelled: int = 0
    again: int = 0
    #: Attempts that were killed with their task, which does not run again.
    stopped: int = 0
    #: Attempts that ran to their end, and the seconds that they took.
    ended: int = 0
    duration: float = 0.0
    #: The sum of their squares.
    duration_squares: float = 0.0


async def create(
    tx: Connection,
    spec: CampaignSpec,
    *,
    user: str,
    at: float,
    cluster_ids: Mapping[ClusterName, int],
) -> CampaignId:
    """Store a campaign that nobody sees yet and return its id."""
    values = {
        "name": spec.name,
        "user": user,
        "at": at,
        "jdl": json.dumps(spec.jdl, ensure_ascii=False),
        "jobs_type": spec.jobs_type,
        "endless": int(spec.endless),
        "test_mode": spec.test_mode,
        "max_fails": None if spec.max_fails is None else json.dumps(attrs.asdict(spec.max_fails)),
        "tags": json.dumps(spec.tags, ensure_ascii=False),
    }
    (row,) = await tx.all(sql.insert, values)
    campaign = CampaignId(row["id"])
    clusters = [
        {
            "campaign": campaign,
            "cluster": cluster_ids[name],
            "settings": rows.settings_text(settings),
            "prologue": StepState.WAITING if settings.prologue else StepState.NONE,
            "epilogue": StepState.WAITING if settings.epilogue else StepState.NONE,
        }
        for name, settings in spec.clusters.items()
    ]
    await tx.run_many(sql.insert_cluster, clusters)
    return campaign


async def open_campaign(tx: Connection, campaign: CampaignId, total: int, at: float) -> None:
    """Show a campaign with its *total* tasks to everybody; without any it ends at once."""
    state = advance(CAMPAIGN_TRANSITIONS, CampaignState.LOADING, CampaignEvent.LOADED)
    if not total:
        state = advance(CAMPAIGN_TRANSITIONS, state, CampaignEvent.FINISHED)
    values = {
        "campaign": campaign,
        "state": state,
        "total": total,
        "ended_at": at if state.over else None,
    }
    await tx.run(sql.open_campaign, values)
    await spans.allot(tx, campaign, 0, total)


async def delete(tx: Connection, campaign: CampaignId) -> None:
    """Delete a campaign that was never shown."""
    await tx.run(sql.delete, {"campaign": campaign})


async def delete_loading(tx: Connection) -> None:
    """Delete what uploads that were cut off have left: whole campaigns, and added tasks."""
    await tx.run(sql.delete_loading)
    await tx.run(tasks_sql.forget_invisible)


async def row(db: Connection, campaign: CampaignId) -> Row:
    """
    Return the row of a campaign.

    Raises:
        NotFound: There is none, or nobody sees it yet.
    """
    found = await db.one(sql.get, {"campaign": campaign})
    if found is None:
        message = f"there is no campaign {campaign}"
        raise NotFound(message)
    return found


async def get(db: Connection, campaign: CampaignId) -> Campaign:
    """
    Return a campaign.

    Raises:
        NotFound: There is none, or nobody sees it yet.
    """
    found = await row(db, campaign)
    return rows.campaign(found, await db.all(sql.clusters_of, {"campaigns": f"[{campaign}]"}))


def description(campaign: Row) -> Mapping[str, object]:
    """Return the expanded JDL of a campaign, without its parameters."""
    found: Mapping[str, object] = json.loads(campaign["jdl"])
    return found


async def offers(
    db: Connection, cluster_id: int, *, night: bool, capacity: Capacity
) -> list[Offer]:
    """
    Return what the campaigns of a cluster could run there now, in the order of their ids.

    In a test that is one task on each cluster that takes part, in normal mode at any hour.
    """
    found = []
    for item in await db.all(sql.offers, {"cluster": cluster_id}):
        settings = rows.settings(item["settings"])
        in_test = item["test_mode"] != TestMode.OFF
        type_ = CampaignType.NORMAL if in_test else mode(settings.type, night=night)
        if type_ is None or (in_test and (settings.test_mode is TestMode.OFF or item["tested"])):
            continue
        found.append(
            Offer(
                campaign=CampaignId(item["campaign_id"]),
                user=item["user"],
                pending=min(item["pending"], 1) if in_test else item["pending"],
                in_flight=item["queued"] + item["running"],
                type=type_,
                test=in_test,
                cores=settings.cores,
                max_jobs=settings.max_jobs,
                shared=item["clusters"] > 1,
                at_risk=_at_risk(item),
                mean_duration=item["duration_sum"] / item["ended"] if item["ended"] else None,
                ended=item["ended"],
                capacity=capacity,
                shape=capacity.shape(settings),
            )
        )
    return found


def _at_risk(row: Row) -> int | None:
    if row["max_fails"] is None:
        return None
    most = grouping.at_risk(
        allowed=rows.allowance(row["max_fails"]).of(row["total"])
        - row["failed"]
        + row["forgiven"],
        # A task that is resubmitted failed none the less.
        ended=max(row["ended_anywhere"], row["succeeded"] + row["failed"]),
        succeeded=row["succeeded"],
    )
    return max(0, most - int(row["elsewhere"]))


async def happen(
    tx: Connection, campaign: CampaignId, event: CampaignEvent, at: float
) -> CampaignState:
    """
    Change the state of a campaign by what its owner asks and return the new one.

    Raises:
        Conflict: Its state does not allow it.
    """
    before = CampaignState((await row(tx, campaign))["state"])
    if not allows(CAMPAIGN_TRANSITIONS, before, event):
        message = f"campaign {campaign} {refusal(before, event)}"
        raise Conflict(message)
    return await _enter(tx, campaign, advance(CAMPAIGN_TRANSITIONS, before, event), at)


async def _enter(
    tx: Connection, campaign: CampaignId, state: CampaignState, at: float
) -> CampaignState:
    values = {"campaign": campaign, "state": state, "ended_at": at if state.over else None}
    await tx.run(sql.set_state, values)
    return state


async def finish_if_done(tx: Connection, campaign: CampaignId, at: float) -> bool:
    """
    Terminate a campaign that has nothing pending nor in flight, no epilogue either.

    Return whether it did.
    """
    found = await row(tx, campaign)
    before = CampaignState(found["state"])
    unsettled = found["pending"] + found["queued"] + found["running"]
    if unsettled or found["endless"] or before.over:
        return False
    if await steps.unfinished(tx, campaign):
        return False
    await _enter(tx, campaign, advance(CAMPAIGN_TRANSITIONS, before, CampaignEvent.FINISHED), at)
    return True


async def cancel(tx: Connection, campaign: CampaignId, at: float) -> None:
    """
    Cancel a campaign: its bag is emptied; what is in flight remains to be killed.

    Raises:
        Conflict: It is cancelled already.
    """
    await happen(tx, campaign, CampaignEvent.CANCEL, at)
    await tx.run(sql.empty_bag, {"campaign": campaign})
    await tx.run(tasks_sql.forget_again, {"campaign": campaign})


async def reopen_steps(tx: Connection, campaign: CampaignId) -> None:
    """Let the epilogues of a campaign run again: there is more to do before them."""
    await steps.reopen(tx, campaign)


async def set_tested(tx: Connection, campaign: CampaignId, cluster_id: int) -> None:
    """Record that the task of the test on a cluster is handed out."""
    await tx.run(sql.set_tested, {"campaign": campaign, "cluster": cluster_id})


async def test_again(tx: Connection, campaign: CampaignId, cluster_id: int) -> None:
    """Let a campaign in a test hand out another task on a cluster: the one before came back."""
    await tx.run(sql.test_again, {"campaign": campaign, "cluster": cluster_id})


async def rename(tx: Connection, campaign: CampaignId, name: str) -> None:
    """Give a campaign another name."""
    await tx.run(sql.rename, {"campaign": campaign, "name": name})


async def move(
    tx: Connection,
    campaign: CampaignId,
    change: Move,
    *,
    cluster_id: int | None = None,
    cursor: int | None = None,
) -> None:
    """Count tasks that changed state: the only writer of the counters."""
    values = {"campaign": campaign, "cluster": cluster_id, **attrs.asdict(change)}
    await tx.run(sql.move, {**values, "cursor": cursor})
    if cluster_id is not None:
        await tx.run(sql.move_on_cluster, values)


async def hold(
    tx: Connection, campaign: CampaignId, cluster_id: int, reason: str, at: float
) -> None:
    """Submit no more of a campaign to a cluster until `release`."""
    values = {"campaign": campaign, "cluster": cluster_id, "reason": reason, "at": at}
    await tx.run(sql.hold, values)


async def release(tx: Connection, campaign: CampaignId, cluster_id: int | None = None) -> None:
    """Lift the hold of a campaign on a cluster, or on all."""
    await tx.run(sql.release, {"campaign": campaign, "cluster": cluster_id})
