"""One writer, a few readers, and migrations.

aiosqlite costs about 60 µs a call whatever the statement does, so each call should do a set's work.
"""

import asyncio
import contextlib
import sqlite3
import zlib
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from importlib.resources import files
from pathlib import Path

import aiosqlite

from cigri.errors import StorageFull, UnusableDatabase

#: STRICT tables need 3.37, RETURNING 3.35.
OLDEST_SQLITE = (3, 37)
READERS = 2
#: Milliseconds to wait for a lock that another process holds.
BUSY_TIMEOUT = 10_000

Parameters = Mapping[str, object] | Sequence[object]


class Connection:
    """A connection inside a transaction: what the functions of the store run on."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection

    async def all(self, sql: str, parameters: Parameters = ()) -> list[sqlite3.Row]:
        """Return all rows of a statement, which may also write."""
        return list(await self._connection.execute_fetchall(sql, parameters))

    async def one(self, sql: str, parameters: Parameters = ()) -> sqlite3.Row | None:
        """Return the first row of a statement, or `None`."""
        rows = await self.all(sql, parameters)
        return rows[0] if rows else None

    async def run(self, sql: str, parameters: Parameters = ()) -> None:
        """Run a statement for its effect."""
        await self.all(sql, parameters)

    async def run_many(self, sql: str, rows: Iterable[Parameters]) -> None:
        """Run a statement once for each of *rows*, in one call."""
        cursor = await self._connection.executemany(sql, rows)
        await cursor.close()


class Database:
    """The file, its writer and its readers."""

    def __init__(
        self, writer: aiosqlite.Connection, readers: Sequence[aiosqlite.Connection]
    ) -> None:
        self._writer = writer
        self._writing = asyncio.Lock()
        self._readers = readers
        self._idle: asyncio.LifoQueue[aiosqlite.Connection] = asyncio.LifoQueue()
        for reader in readers:
            self._idle.put_nowait(reader)

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Connection]:
        """
        Run a block as one durable transaction: all of it, or nothing if it raises.

        IMMEDIATE takes SQLite's write lock now; a deferred transaction that reads first may find
        the lock taken when it comes to write.

        Raises:
            StorageFull: The disk is full; nothing changed.
        """
        async with self._writing:
            try:
                await self._writer.execute("BEGIN IMMEDIATE")
                yield Connection(self._writer)
                await self._writer.execute("COMMIT")
            except BaseException as error:
                # A cancelled BEGIN or COMMIT still runs, in SQLite's thread, before this
                # ROLLBACK, which then may find nothing to roll back.
                with contextlib.suppress(sqlite3.Error):
                    await self._writer.execute("ROLLBACK")
                if _is_full(error):
                    message = "the disk under the database is full: free some space"
                    raise StorageFull(message) from error
                raise

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Connection]:
        """Run a block on one unchanging view of the database, beside the writer."""
        reader = await self._idle.get()
        try:
            await reader.execute("BEGIN")
            yield Connection(reader)
        finally:
            # Shielded by being queued: the thread runs it even if this task is cancelled here.
            with contextlib.suppress(sqlite3.Error):
                await reader.execute("ROLLBACK")
            self._idle.put_nowait(reader)

    async def backup(self, to: Path) -> None:
        """Write a consistent copy of the database to *to*, which must not exist."""
        async with self._writing:
            await self._writer.execute("VACUUM INTO ?", (str(to),))


def _is_full(error: BaseException) -> bool:
    return (
        isinstance(error, sqlite3.OperationalError)
        and getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
    )


@asynccontextmanager
async def open_database(path: Path) -> AsyncIterator[Database]:
    """
    Open, check and migrate the database at *path*; close it at the end of the block.

    Raises:
        UnusableDatabase: It is damaged, or newer than this program, or no database at all.
    """
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        message = f"SQLite {sqlite3.sqlite_version} is too old, 3.37 is needed"
        raise UnusableDatabase(message)
    async with contextlib.AsyncExitStack() as stack:
        try:
            writer = await _connect(stack, path)
            await _migrate(writer)
            await _check(writer)
            readers = [await _connect(stack, path) for _ in range(READERS)]
            for reader in readers:
                await reader.execute("PRAGMA query_only = ON")
        except sqlite3.DatabaseError as error:
            message = (
                f"cannot use the database {path}: {error};"
                " put a copy made by `cigri doctor --backup` in its place"
            )
            raise UnusableDatabase(message) from error
        yield Database(writer, readers)


async def _connect(stack: contextlib.AsyncExitStack, path: Path) -> aiosqlite.Connection:
    connection = aiosqlite.connect(path, isolation_level=None)
    await stack.enter_async_context(connection)
    connection.row_factory = sqlite3.Row
    await connection.create_function("crc32", 1, zlib.crc32, deterministic=True)
    for pragma in (
        f"busy_timeout = {BUSY_TIMEOUT}",
        "journal_mode = WAL",
        # NORMAL would lose the last commits when the power fails (spec: 13 % of the cuts).
        "synchronous = FULL",
        "foreign_keys = ON",
        "cache_size = -8000",
        "temp_store = MEMORY",
        "journal_size_limit = 67108864",
    ):
        await connection.execute(f"PRAGMA {pragma}")
    return connection


def migrations() -> list[tuple[int, str]]:
    """Return the numbered steps that build the schema, in order."""
    folder = files("cigri.store").joinpath("migrations")
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return [(int(name[:4]), folder.joinpath(name).read_text("utf-8")) for name in names]


async def _migrate(writer: aiosqlite.Connection) -> None:
    ((version,),) = await writer.execute_fetchall("PRAGMA user_version")
    steps = migrations()
    if version > steps[-1][0]:
        message = f"the database has schema {version}, this program knows {steps[-1][0]}: upgrade"
        raise UnusableDatabase(message)
    for number, sql in steps:
        if number > version:
            # SQLite's schema changes are transactional: the step and its number come together.
            script = f"BEGIN IMMEDIATE;\n{sql}\nPRAGMA user_version = {number};\nCOMMIT;"
            await writer.executescript(script)


async def _check(writer: aiosqlite.Connection) -> None:
    ((verdict,),) = await writer.execute_fetchall("PRAGMA quick_check(1)")
    if verdict != "ok":
        message = f"quick_check says: {verdict}"
        raise sqlite3.DatabaseError(message)
