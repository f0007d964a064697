"""Submissions whose outcome is not recorded, and those that were given up."""

import json
from sqlite3 import Row

import attrs

from cigri.domain.model import CampaignId, JobId, SubmissionId
from cigri.store.database import Connection
from cigri.store.statements import load

sql = load("jobs")


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
    return list(map(_unsettled, await db.all(sql.unsettled, {"cluster": cluster_id})))


async def renounce(tx: Connection, submission: SubmissionId, at: float) -> None:
    """Record that a submission is given up, though its jobs might still appear."""
    await tx.run(sql.renounce, {"submission": submission, "at": at})


async def settle_renounced(tx: Connection, submission: SubmissionId) -> None:
    """Record that a submission that was given up has appeared, and was dealt with."""
    await tx.run(sql.renounce, {"submission": submission, "at": None})


async def renounced(db: Connection, cluster_id: int, since: float) -> list[Unsettled]:
    """Return the submissions that were given up after *since*, oldest first."""
    values = {"cluster": cluster_id, "since": since}
    return list(map(_unsettled, await db.all(sql.renounced, values)))


def _unsettled(row: Row) -> Unsettled:
    return Unsettled(
        id=row["id"],
        tag=row["tag"],
        at=row["at"],
        campaign=row["campaign_id"],
        user=row["user"],
        # Their order is that in which they were sent.
        jobs=tuple(sorted(map(JobId, json.loads(row["jobs"])))),
    )
