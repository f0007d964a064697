"""Bearer tokens of users: only their digests are kept."""

import json
from sqlite3 import Row

from cigri.domain.access import AccessToken, TokenScope
from cigri.errors import NotFound
from cigri.store.database import Connection
from cigri.store.statements import load

sql = load("access_tokens")


async def create(
    tx: Connection,
    *,
    user: str,
    name: str,
    scope: TokenScope,
    digest: bytes,
    prefix: str,
    at: float,
    expires_at: float | None,
) -> AccessToken:
    """Keep a new token by the SHA-256 *digest* of its secret, and return it."""
    values = {
        "user": user,
        "name": name,
        "scopes": json.dumps(scope.included),
        "digest": digest,
        "prefix": prefix,
        "at": at,
        "expires_at": expires_at,
    }
    return _token((await tx.all(sql.insert, values))[0])


async def recognised(db: Connection, digest: bytes) -> AccessToken | None:
    """Return the token with that digest, whether or not it is still good."""
    found = await db.one(sql.by_digest, {"digest": digest})
    return None if found is None else _token(found)


async def get(db: Connection, token: int) -> AccessToken:
    """
    Return a token by its id.

    Raises:
        NotFound: There is none.
    """
    found = await db.one(sql.get, {"token": token})
    if found is None:
        message = f"there is no token {token}"
        raise NotFound(message)
    return _token(found)


async def listing(db: Connection, user: str | None) -> list[AccessToken]:
    """Return the tokens of *user*, or everybody's, oldest first."""
    if user is None:
        return [_token(row) for row in await db.all(sql.every)]
    return [_token(row) for row in await db.all(sql.of_user, {"user": user})]


async def count_valid(db: Connection, user: str, at: float) -> int:
    """Return how many good tokens *user* has."""
    count: int = (await db.all(sql.count_valid, {"user": user, "at": at}))[0]["count"]
    return count


async def revoke(tx: Connection, token: int, at: float) -> None:
    """Let a token be good no more."""
    await tx.run(sql.revoke, {"token": token, "at": at})


async def note_use(tx: Connection, token: int, at: float) -> None:
    """Keep that a token was used."""
    await tx.run(sql.note_use, {"token": token, "at": at})


async def forget(tx: Connection, user: str, before: float) -> None:
    """Delete the tokens of *user* that ended before a time."""
    await tx.run(sql.forget, {"user": user, "before": before})


def _token(row: Row) -> AccessToken:
    return AccessToken(
        id=row["id"],
        user=row["user"],
        name=row["name"],
        scope=TokenScope(json.loads(row["scopes"])[-1]),
        prefix=row["prefix"],
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        used_at=row["used_at"],
        revoked_at=row["revoked_at"],
    )
