"""Clusters: their ids, their holds, and which installation this is."""

from collections.abc import Iterable, Mapping

import attrs

from cigri.domain.model import ClusterName, Hold
from cigri.store import rows
from cigri.store.database import Connection
from cigri.store.statements import load

sql = load("clusters")
jobs_sql = load("jobs")


@attrs.frozen(kw_only=True)
class ClusterRow:
    """What is stored of a cluster."""

    id: int
    name: ClusterName
    #: Calls in a row that failed.
    failures: int
    hold: Hold | None
    #: When to try again a cluster that is held.
    hold_until: float | None

    @property
    def stopped(self) -> bool:
        """Return whether an administrator keeps it from being used, until they fix that."""
        return self.hold is not None and self.hold_until is None


@attrs.frozen(kw_only=True)
class Installation:
    """Which installation a database belongs to."""

    id: str
    #: Grows when a copy takes the original's place.
    epoch: int
    inode: int | None


async def register(tx: Connection, names: Iterable[ClusterName]) -> None:
    """Store the clusters that are new."""
    await tx.run_many(sql.put, [{"name": name} for name in names])


async def all_clusters(db: Connection) -> Mapping[ClusterName, ClusterRow]:
    """Return all clusters that were ever configured."""
    return {
        ClusterName(row["name"]): ClusterRow(
            id=row["id"],
            name=ClusterName(row["name"]),
            failures=row["failures"],
            hold=rows.hold(row),
            hold_until=row["hold_until"],
        )
        for row in await db.all(sql.all)
    }


async def busy(db: Connection, cluster_id: int) -> int:
    """Return how many tasks run on a cluster."""
    row = await db.one(jobs_sql.busy, {"cluster": cluster_id})
    return row["running"] if row else 0


async def hold(tx: Connection, cluster_id: int, reason: str, at: float, until: float) -> None:
    """Leave a cluster alone until a moment."""
    await tx.run(sql.hold, {"cluster": cluster_id, "reason": reason, "at": at, "until": until})


async def stop(tx: Connection, cluster_id: int, reason: str, at: float) -> None:
    """Leave a cluster alone until `release`."""
    await tx.run(sql.stop, {"cluster": cluster_id, "reason": reason, "at": at})


async def release(tx: Connection, cluster_id: int) -> None:
    """Use a cluster again."""
    await tx.run(sql.release, {"cluster": cluster_id})


async def installation(db: Connection) -> Installation | None:
    """Return which installation the database belongs to, `None` when it is new."""
    row = await db.one(sql.installation)
    if row is None:
        return None
    return Installation(id=row["id"], epoch=row["epoch"], inode=row["inode"])


async def install(tx: Connection, identity: str, inode: int) -> None:
    """Make a new database that of the installation *identity*."""
    await tx.run(sql.install, {"id": identity, "inode": inode})


async def adopt(tx: Connection, inode: int) -> None:
    """Let a copy of a database take the place of the original, under a new epoch."""
    await tx.run(sql.adopt, {"inode": inode})
