"""Answers that are given again to a request that comes again."""

import json
from collections.abc import Mapping

import attrs

from cigri.store.database import Connection
from cigri.store.statements import load

sql = load("replies")

#: Seconds for which an answer is kept.
LIFETIME = 24 * 3600.0


@attrs.frozen(kw_only=True)
class Reply:
    """How a request was answered."""

    #: SHA-256 of what was asked.
    request: bytes
    status: int
    headers: Mapping[str, str] = attrs.field(factory=dict)
    #: `None`: it held a secret, which is kept nowhere.
    body: bytes | None = attrs.field(repr=False)


async def find(db: Connection, user: str, key: str, now: float) -> Reply | None:
    """Return how the request that *user* sent under *key* was answered, if it was lately."""
    row = await db.one(sql.find, {"user": user, "key": key, "since": now - LIFETIME})
    if row is None:
        return None
    return Reply(
        request=row["request"],
        status=row["status"],
        headers=json.loads(row["headers"]),
        body=row["body"],
    )


async def put(tx: Connection, user: str, key: str, reply: Reply, now: float) -> None:
    """Keep *reply*, and forget those that have had their time."""
    await tx.run(sql.forget, {"since": now - LIFETIME})
    values = {
        "user": user,
        "key": key,
        "at": now,
        "request": reply.request,
        "status": reply.status,
        "headers": json.dumps(dict(reply.headers)),
        "body": reply.body,
    }
    await tx.run(sql.put, values)
