"""Campaigns: their creation, their state, their counters."""

import json
from collections.abc import Collection, Mapping
from sqlite3 import Row

import attrs

from cigri.domain.lifecycle import CAMPAIGN_TRANSITIONS, CampaignEvent, advance, allows
from cigri.domain.model import Campaign, CampaignId, CampaignSpec, CampaignState, ClusterName
from cigri.domain.scheduling import Offer
from cigri.errors import Conflict, NotFound
from cigri.store import rows
from cigri.store.database import Connection
from cigri.store.statements import load

sql = load("campaigns")
tasks_sql = load("tasks")

#: States in which a campaign has come to its end.
_ENDED = frozenset({CampaignState.TERMINATED, CampaignState.CANCELLED})

#: What its owner is told that a campaign cannot be.
_PARTICIPLES = {
    CampaignEvent.PAUSE: "paused",
    CampaignEvent.RESUME: "resumed",
    CampaignEvent.CANCEL: "cancelled",
    CampaignEvent.REOPENED: "reopened",
}


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
    #: Attempts that ran to their end, and the seconds that they took.
    ended: int = 0
    duration: float = 0.0


async def create(
    tx: Connection,
    spec: CampaignSpec,
    *,
    user: str,
    at: float,
    cluster_ids: Mapping[ClusterName, int],
    has_chunks: bool,
) -> CampaignId:
    """Store a campaign that nobody sees yet and return its id."""
    values = {
        "name": spec.name,
        "user": user,
        "at": at,
        "jdl": json.dumps(spec.jdl, ensure_ascii=False),
        "has_chunks": int(has_chunks),
    }
    (row,) = await tx.all(sql.insert, values)
    campaign = CampaignId(row["id"])
    clusters = [
        {
            "campaign": campaign,
            "cluster": cluster_ids[name],
            "settings": rows.settings_text(settings),
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
        "ended_at": at if state in _ENDED else None,
    }
    await tx.run(sql.open_campaign, values)


async def delete(tx: Connection, campaign: CampaignId) -> None:
    """Delete a campaign that was never shown."""
    await tx.run(sql.delete, {"campaign": campaign})


async def delete_loading(tx: Connection) -> None:
    """Delete what an upload that was cut off has left."""
    await tx.run(sql.delete_loading)


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


async def page(
    db: Connection, states: Collection[CampaignState], limit: int, offset: int
) -> list[Campaign]:
    """Return campaigns in *states*, oldest first."""
    values = {"states": json.dumps(sorted(states)), "limit": limit, "offset": offset}
    found = await db.all(sql.page, values)
    ids = json.dumps([item["id"] for item in found])
    clusters: dict[int, list[Row]] = {}
    for item in await db.all(sql.clusters_of, {"campaigns": ids}):
        clusters.setdefault(item["campaign_id"], []).append(item)
    return [rows.campaign(item, clusters.get(item["id"], ())) for item in found]


async def count_by_state(db: Connection) -> Mapping[CampaignState, int]:
    """Return how many campaigns are in each state."""
    return {CampaignState(r["state"]): r["count"] for r in await db.all(sql.count_by_state)}


async def offers(db: Connection, cluster_id: int) -> list[Offer]:
    """Return what the campaigns of a cluster could run there, in the order of their ids."""
    found = []
    for item in await db.all(sql.offers, {"cluster": cluster_id}):
        settings = rows.settings(item["settings"])
        found.append(
            Offer(
                campaign=CampaignId(item["campaign_id"]),
                user=item["user"],
                pending=item["pending"],
                in_flight=item["queued"] + item["running"],
                cores=settings.cores,
                max_jobs=settings.max_jobs,
                mean_duration=item["duration_sum"] / item["ended"] if item["ended"] else None,
                ended=item["ended"],
            )
        )
    return found


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
        message = f"campaign {campaign} is {before}: it cannot be {_PARTICIPLES[event]}"
        raise Conflict(message)
    return await _enter(tx, campaign, advance(CAMPAIGN_TRANSITIONS, before, event), at)


async def _enter(
    tx: Connection, campaign: CampaignId, state: CampaignState, at: float
) -> CampaignState:
    ended_at = at if state in _ENDED else None
    await tx.run(sql.set_state, {"campaign": campaign, "state": state, "ended_at": ended_at})
    return state


async def finish_if_done(tx: Connection, campaign: CampaignId, at: float) -> bool:
    """Terminate a campaign that has nothing pending nor in flight; return whether it did."""
    found = await row(tx, campaign)
    before = CampaignState(found["state"])
    if found["pending"] + found["queued"] + found["running"] or before in _ENDED:
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
