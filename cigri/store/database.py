"""One writer in a thread, readers in the event loop, and migrations.

A call into SQLite's thread costs about 60 µs whatever the statement does, and waits for Python's
lock twice: right for writes, which wait for the disk, but most of the time of a short read.  Short
reads run where they are asked for, at 5 to 50 µs each; whoever goes through many rows gives the
event loop its turn between the statements.
"""

import asyncio
import contextlib
import sqlite3
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from importlib.resources import files
from pathlib import Path
from typing import Protocol

import aiosqlite

from cigri.errors import StorageFull, UnusableDatabase
from cigri.store.changes import Changes, Written

#: STRICT tables need 3.37, RETURNING 3.35.
OLDEST_SQLITE = (3, 37)
#: Milliseconds to wait for a lock that another process holds.
BUSY_TIMEOUT = 10_000

#: The page cache of a connection is 4 MB.
_PRAGMAS = (f"busy_timeout = {BUSY_TIMEOUT}", "cache_size = -4000")

Parameters = Mapping[str, object] | Sequence[object]


class Connection(Protocol):
    """A connection inside a transaction: what the functions of the store run on."""

    async def all(self, sql: str, parameters: Parameters = ()) -> list[sqlite3.Row]:
        """Return all rows of a statement, which may also write."""

    async def one(self, sql: str, parameters: Parameters = ()) -> sqlite3.Row | None:
        """Return the first row of a statement, or `None`."""

    async def run(self, sql: str, parameters: Parameters = ()) -> None:
        """Run a statement for its effect."""

    async def run_many(self, sql: str, rows: Iterable[Parameters]) -> None:
        """Run a statement once for each of *rows*, in one call."""


class _Writer(Connection):
    """The connection that writes, in SQLite's own thread."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection

    async def all(self, sql: str, parameters: Parameters = ()) -> list[sqlite3.Row]:
        return list(await self._connection.execute_fetchall(sql, parameters))

    async def one(self, sql: str, parameters: Parameters = ()) -> sqlite3.Row | None:
        rows = await self.all(sql, parameters)
        return rows[0] if rows else None

    async def run(self, sql: str, parameters: Parameters = ()) -> None:
        await self.all(sql, parameters)

    async def run_many(self, sql: str, rows: Iterable[Parameters]) -> None:
        cursor = await self._connection.executemany(sql, rows)
        await cursor.close()


class _Reader(Connection):
    """A connection that only reads, in the event loop."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    async def all(self, sql: str, parameters: Parameters = ()) -> list[sqlite3.Row]:
        return self._connection.execute(sql, parameters).fetchall()

    async def one(self, sql: str, parameters: Parameters = ()) -> sqlite3.Row | None:
        found: sqlite3.Row | None = self._connection.execute(sql, parameters).fetchone()
        return found

    async def run(self, sql: str, parameters: Parameters = ()) -> None:
        self._connection.execute(sql, parameters)

    async def run_many(self, sql: str, rows: Iterable[Parameters]) -> None:
        self._connection.executemany(sql, rows)


class Database:
    """The file, its writer and its readers."""

    def __init__(self, writer: aiosqlite.Connection, path: Path, changes: Changes) -> None:
        self._writer = writer
        self._writing = asyncio.Lock()
        self._path = path
        self._changes = changes
        self._observers: list[Callable[[Written], None]] = []
        #: Readers that nobody uses; as many are opened as read blocks overlap.
        self._idle: list[sqlite3.Connection] = []

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
            began, done = asyncio.get_running_loop().time(), False
            try:
                await self._writer.execute("BEGIN IMMEDIATE")
                yield _Writer(self._writer)
                await self._writer.execute("COMMIT")
                done = True
            except BaseException as error:
                # A cancelled BEGIN or COMMIT still runs, in SQLite's thread, before this
                # ROLLBACK, which then may find nothing to roll back.
                with contextlib.suppress(sqlite3.Error):
                    await self._writer.execute("ROLLBACK")
                if _is_full(error):
                    message = "the disk under the database is full: free some space"
                    raise StorageFull(message) from error
                raise
            finally:
                # Also of one that raised: a COMMIT may succeed although its caller was cancelled.
                seconds = asyncio.get_running_loop().time() - began
                self._tell(Written(changes=self._changes.take(), seconds=seconds, done=done))

    def observe(self, observer: Callable[[Written], None]) -> None:
        """Call *observer* after each transaction; it must be quick and may not raise."""
        self._observers.append(observer)

    def _tell(self, written: Written) -> None:
        for observer in self._observers:
            observer(written)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Connection]:
        """Run a block on one unchanging view of the database, beside the writer."""
        reader = self._idle.pop() if self._idle else _open_reader(self._path)
        reader.execute("BEGIN")
        try:
            yield _Reader(reader)
        finally:
            reader.execute("ROLLBACK")
            self._idle.append(reader)

    def close_readers(self) -> None:
        """Close what `read` has opened."""
        while self._idle:
            self._idle.pop().close()

    async def backup(self, to: Path) -> None:
        """Write a consistent copy of the database to *to*, which must not exist."""
        async with self._writing:
            await self._writer.execute("VACUUM INTO ?", (str(to),))


#: How SQLite says that the disk, a quota or a small file system for its shared memory is full.
_FULL = frozenset(
    {
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR_WRITE,
        sqlite3.SQLITE_IOERR_FSYNC,
        sqlite3.SQLITE_IOERR_SHMSIZE,
        sqlite3.SQLITE_IOERR_SHMOPEN,
    }
)


def _is_full(error: BaseException) -> bool:
    return (
        isinstance(error, sqlite3.OperationalError)
        and getattr(error, "sqlite_errorcode", None) in _FULL
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
    async with _opened(path, _migrate) as database:
        yield database


@asynccontextmanager
async def examine(path: Path) -> AsyncIterator[Database]:
    """
    Open and check the database at *path*, which a server may be using, as it is.

    Raises:
        UnusableDatabase: There is none, it is damaged, or its schema is not that of this program.
    """
    if not path.is_file():  # noqa: ASYNC240 - a local file
        message = f"there is no database {path}: name it with --database"
        raise UnusableDatabase(message)
    async with _opened(path, _refuse_other_schema) as database:
        yield database


@asynccontextmanager
async def _opened(
    path: Path, prepare: Callable[[aiosqlite.Connection], Awaitable[None]]
) -> AsyncIterator[Database]:
    changes = Changes()
    async with contextlib.AsyncExitStack() as stack:
        try:
            writer = await _connect(stack, path)
            await prepare(writer)
            await _check(writer)
            await changes.attach(writer)
        except sqlite3.DatabaseError as error:
            message = (
                f"cannot use the database {path}: {error};"
                " put a copy made by `cigri doctor --backup` in its place"
            )
            raise UnusableDatabase(message) from error
        database = Database(writer, path, changes)
        stack.callback(database.close_readers)
        yield database


async def _connect(stack: contextlib.AsyncExitStack, path: Path) -> aiosqlite.Connection:
    connection = aiosqlite.connect(path, isolation_level=None)
    await stack.enter_async_context(connection)
    connection.row_factory = sqlite3.Row
    await connection.create_function("crc32", 1, zlib.crc32, deterministic=True)
    for pragma in (
        *_PRAGMAS,
        "journal_mode = WAL",
        # NORMAL loses the last commits when the power fails: in a simulation of 2,000 cuts, 13 %.
        "synchronous = FULL",
        "foreign_keys = ON",
        "temp_store = MEMORY",
        "journal_size_limit = 67108864",
    ):
        await connection.execute(f"PRAGMA {pragma}")
    return connection


def _open_reader(path: Path) -> sqlite3.Connection:
    reader = sqlite3.connect(path, isolation_level=None)
    reader.row_factory = sqlite3.Row
    reader.create_function("crc32", 1, zlib.crc32, deterministic=True)
    for pragma in (*_PRAGMAS, "query_only = ON"):
        reader.execute(f"PRAGMA {pragma}")
    return reader


def migrations() -> list[tuple[int, str]]:
    """Return the numbered steps that build the schema, in order."""
    folder = files("cigri.store").joinpath("migrations")
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return [(int(name[:4]), folder.joinpath(name).read_text("utf-8")) for name in names]


async def _refuse_other_schema(writer: aiosqlite.Connection) -> None:
    ((version,),) = await writer.execute_fetchall("PRAGMA user_version")
    newest = migrations()[-1][0]
    if version != newest:
        message = f"the database has schema {version}, this program {newest}"
        raise UnusableDatabase(message)


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
