"""Checks of the database, which a server may be using, and copies of it."""

import os
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from cigri.config import MIB
from cigri.doctor.finding import Finding, fail, ok, warn
from cigri.domain.model import Campaign, CampaignId
from cigri.errors import Conflict, UnusableDatabase
from cigri.store import audit, campaigns, checks, custody, parameters
from cigri.store.database import Connection, Database, examine
from cigri.store.records import DamagedRecords

SUBJECT = "database"
#: MiB that a disk must have left, and should.
_LEAST, _ENOUGH = 100, 1024
#: Seconds that a durable write may take: each submission waits for a few.
_SLOW = 0.05

_RESTORE = "put a copy made by `cigri doctor --backup` in its place"
_REPORT = "please report this bug, with a copy made by `cigri doctor --backup`"


async def check(path: Path) -> AsyncIterator[Finding]:
    """Check where the database lies, the file itself, and what it counts."""
    for finding in _place(path):
        yield finding
    if not path.is_file():  # noqa: ASYNC240 - a local file
        yield ok(SUBJECT, f"none yet: cigri serve makes {path}")
        return
    if not os.access(path, os.R_OK | os.W_OK):
        yield fail(SUBJECT, f"you may not open {path}", "do this as its owner, or as root")
        return
    try:
        async with examine(path) as opened:
            yield ok(SUBJECT, f"{path}, {_size(path)}, sound")
            async for finding in _contents(opened):
                yield finding
    except UnusableDatabase as error:
        yield fail(SUBJECT, str(error), _RESTORE)


async def backup(database: Path, to: Path) -> None:
    """
    Write a consistent copy of *database*, which may be in use, to the new file *to*.

    Raises:
        Conflict: There is a file already.
        UnusableDatabase: The database cannot be opened.
    """
    if to.exists():  # noqa: ASYNC240 - a local file
        message = f"{to} exists: name a new file"
        raise Conflict(message)
    async with examine(database) as opened:
        await opened.backup(to)


def _place(path: Path) -> Iterator[Finding]:
    """Check the file system on which the database lies, or will."""
    above = path.resolve().parent
    while not above.is_dir():
        above = above.parent
    kind = custody.file_system(above, Path("/proc/self/mountinfo").read_text("utf-8"))
    if kind in custody.NETWORK_FILE_SYSTEMS:
        text = f"{above} is on a network file system ({kind}), where SQLite loses data"
        yield fail("disk", text, "set `database` under [server] to a local disk")
    free = shutil.disk_usage(above).free / MIB
    left = f"{free / 1024:.1f} GiB free on {kind}"
    if free < _LEAST:
        yield fail("disk", f"{left}: {above}", "make room: nothing can be submitted soon")
    elif free < _ENOUGH:
        yield warn("disk", f"{left}: {above}", "make room, or move the database")
    if os.access(above, os.W_OK):
        took = _writing(above)
        text = f"{left}, {1000 * took:.1f} ms for a durable write"
        if took > _SLOW:
            yield warn("disk", text, "put the database on a faster disk")
        elif free >= _ENOUGH:
            yield ok("disk", text)
    elif path.exists():
        yield fail("disk", f"you may not write to {above}", "do this as its owner, or as root")


def _writing(directory: Path) -> float:
    """Return the seconds that it takes to write a little and to know that it stays."""
    with tempfile.TemporaryFile(dir=directory) as file:
        file.write(b"x" * 4096)
        file.flush()
        begin = time.perf_counter()
        os.fsync(file.fileno())
        return time.perf_counter() - begin


def _size(path: Path) -> str:
    # What was written last may still lie in SQLite's log.
    log = path.with_name(f"{path.name}-wal")
    size = path.stat().st_size + (log.stat().st_size if log.exists() else 0)
    return f"{size / MIB:.1f} MiB" if size >= MIB else f"{size / 1024:.0f} KiB"


async def _contents(opened: Database) -> AsyncIterator[Finding]:
    """Check what the tables say of each other, and recount every campaign."""
    async with opened.read() as db:
        broken = await checks.broken_references(db)
        damaged = frozenset(await parameters.damaged(db))
    for table, count in broken.items():
        yield fail(SUBJECT, f"{count} rows of {table} name what is not there", _RESTORE)
    counted = failures = 0
    async for campaign in _campaigns(opened):
        counted += 1
        async with opened.read() as db:
            for finding in await _campaign(db, campaign, damaged):
                failures += 1
                yield finding
    if not failures:
        yield ok("counters", f"{counted} campaigns recounted")


async def _campaigns(opened: Database) -> AsyncIterator[CampaignId]:
    last = 0
    while True:
        async with opened.read() as db:
            page = await checks.campaigns_after(db, last)
        for campaign in page:
            yield campaign
            last = campaign
        if not page:
            return


async def _campaign(
    db: Connection, number: CampaignId, damaged: frozenset[CampaignId]
) -> list[Finding]:
    """Return what is wrong with one campaign; what it says of itself is read at the same time."""
    campaign: Campaign = await campaigns.get(db, number)
    subject = f"campaign {number}"
    if number in damaged:
        return [fail(subject, "parameters do not match their checksum", _RESTORE)]
    found = [fail(subject, f"{gap} are missing", _RESTORE) for gap in await audit.gaps(db, number)]
    try:
        if not found and await audit.recount(db, number) != campaign.counts:
            found.append(fail(subject, "the counters differ from a recount", _REPORT))
    except DamagedRecords as error:
        # The others are checked, too.
        found.append(fail(subject, str(error), _RESTORE))
    return found
