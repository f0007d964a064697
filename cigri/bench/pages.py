"""What a server takes to show a campaign of a million tasks that have ended, and to export it."""

import random
import sqlite3
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import attrs

from cigri.bench.million import MIB, as_lines
from cigri.bench.probes import Waits, heartbeat
from cigri.bench.processes import forget_peak, peak_resident, resident
from cigri.bench.server import OwnServer, own_server
from cigri.bench.tables import goal, table
from cigri.store import records
from cigri.store.records import CHUNK, Records

#: How often each page is asked for.
_TIMES = 30
#: Tasks of one job of the past, and one task in so many that failed.
_JOB = 1_000
_FAILED = 100
_START = 1_700_000_000_000


@attrs.frozen(kw_only=True)
class Export:
    """What an export took."""

    seconds: float
    #: Bytes that came over the connection.
    size: int
    #: Bytes of memory at the worst moment over those before.
    growth: int
    waits: Waits


def main(*, tasks: int) -> None:
    """Ask for pages and exports of a campaign whose *tasks* have all ended."""
    with (
        tempfile.TemporaryDirectory(prefix="cigri-bench-") as name,
        own_server(Path(name) / "server", slots=2) as server,
    ):
        campaign = _submit(server, tasks)
        pages = {
            page: _times(server, f"/campaigns/{campaign}{page}") for page in _pages(tasks)
        } | {"(the list)": _times(server, "/campaigns?state=all")}
        exports = {"(nothing)": _idle(server)} | {
            f"{kind} {how}": _export(server, f"/campaigns/{campaign}/jobs.{kind}", headers)
            for kind in ("csv", "ndjson")
            for how, headers in (("plain", {}), ("gzip", {"Accept-Encoding": "gzip"}))
        }
    _report(pages, exports)


def _pages(tasks: int) -> Sequence[str]:
    return (
        "",
        "/stats",
        "/explain",
        "/events",
        "/events?all",
        "/jobs?limit=100",
        f"/jobs?limit=100&offset={tasks * 9 // 10}",
        "/jobs?limit=100&state=failed",
        f"/jobs?limit=100&exit=3&offset={tasks // 2}",
        "/jobs?limit=100&q=nowhere",
    )


def _submit(server: OwnServer, tasks: int) -> int:
    """Submit a campaign that cannot start, and let all of it have ended an hour ago."""
    request = as_lines("true", tasks)
    connection = server.connect()
    made = connection.ask("POST", "/campaigns", request.body, Content_Type=request.content_type)
    campaign = int(made["id"])
    server.connect().ask("DELETE", f"/campaigns/{campaign}")
    server.kill()
    with closing(sqlite3.connect(server.database)) as database:
        _end(database, campaign, tasks)
        database.commit()
    server.restart()
    return campaign


def _end(database: sqlite3.Connection, campaign: int, tasks: int) -> None:
    chunks = [
        _chunk(number, min(CHUNK, tasks - number * CHUNK)) for number in range(-(-tasks // CHUNK))
    ]
    # What had begun before the campaign was cancelled.
    for table_ in ("task_chunk", "job", "submission"):
        database.execute(f"DELETE FROM {table_} WHERE campaign_id = ?", (campaign,))  # noqa: S608
    database.execute(
        "UPDATE campaign_cluster SET queued = 0, running = 0 WHERE campaign_id = ?", (campaign,)
    )
    database.executemany(
        "INSERT INTO task_chunk (campaign_id, chunk, data, succeeded, failed)"
        " VALUES (?, ?, ?, ?, ?)",
        [
            (campaign, number, found.encode(), *map(found.count, _ENDS))
            for number, found in enumerate(chunks)
        ],
    )
    succeeded, failed = (sum(found.count(state) for found in chunks) for state in _ENDS)
    database.execute(
        "UPDATE campaign SET state = 'terminated', pending = 0, queued = 0, running = 0,"
        " cancelled = 0, succeeded = ?, failed = ?, ended_at = 1700003600 WHERE id = ?",
        (succeeded, failed, campaign),
    )
    database.executemany(
        "INSERT INTO event (class, code, is_open, message, campaign_id, cluster_id, task,"
        " exit_status, opened_at, updated_at)"
        " VALUES ('job', 'EXIT_ERROR', ?, ?, ?, 1, 0, ?, 1, 1)",
        [(status == 3, "the program failed", campaign, status) for status in range(1, 101)],
    )


_ENDS = (records.SUCCEEDED, records.FAILED)


def _chunk(number: int, size: int) -> Records:
    """Return records as tasks of some seconds leave them."""
    chance = random.Random(number)  # noqa: S311 # no secret
    found = Records()
    for position in range(size):
        failed = chance.randrange(_FAILED) == 0
        found.state[position] = records.FAILED if failed else records.SUCCEEDED
        found.exit_status[position] = 3 if failed else 0
        found.attempts[position] = 1
        found.cluster[position] = 1
        found.job[position] = 1 + (number * CHUNK + position) // _JOB
        found.start[position] = _START + number * 1000 + position
        found.duration[position] = chance.randrange(1000, 60_000)
    return found


def _times(server: OwnServer, path: str) -> Waits:
    connection = server.connect()
    waits = Waits()
    for _ in range(_TIMES):
        began = time.perf_counter()
        connection.ask("GET", path)
        waits.seconds.append(time.perf_counter() - began)
    return waits


def _idle(server: OwnServer) -> Export:
    """Return what others meet when nothing happens: the noise of this machine."""
    with heartbeat(server.socket) as waits:
        time.sleep(2.0)
    return Export(seconds=2.0, size=0, growth=0, waits=waits)


def _export(server: OwnServer, path: str, headers: dict[str, str]) -> Export:
    before = resident(server.pid)
    forget_peak(server.pid)
    with heartbeat(server.socket) as waits:
        began, size = time.perf_counter(), _read(server, path, headers)
        seconds = time.perf_counter() - began
    return Export(
        seconds=seconds, size=size, growth=peak_resident(server.pid) - before, waits=waits
    )


def _read(server: OwnServer, path: str, headers: dict[str, str]) -> int:
    connection = server.connect()
    connection.request("GET", path, headers=headers)
    response = connection.getresponse()
    if response.status != 200:
        raise RuntimeError(f"{path}: {response.status}")
    size = 0
    while piece := response.read(1 << 16):
        size += len(piece)
    return size


def _report(pages: dict[str, Waits], exports: dict[str, Export]) -> None:
    rows = [
        [page or "(the campaign)", *(f"{figure(waits):.1f}" for figure in _FIGURES)]
        for page, waits in pages.items()
    ]
    print(table(["page", "median ms", "longest ms"], rows))
    print()
    heading = ["export", "seconds", "MiB", "memory MiB", "others wait: longest ms"]
    rows = [
        [
            name,
            f"{done.seconds:.1f}",
            f"{done.size / MIB:.1f}",
            f"{done.growth / MIB:+.0f}",
            f"{done.waits.longest_ms:.1f}",
        ]
        for name, done in exports.items()
    ]
    print(table(heading, rows))
    print()
    print(goal("any page, ms", max(waits.longest_ms for waits in pages.values()), most=50))
    print(goal("export, MiB", max(done.growth for done in exports.values()) / MIB, most=100))
    longest = max(done.waits.longest_ms for done in exports.values())
    print(goal("longest wait of others, ms", longest, most=25))


def _median(waits: Waits) -> float:
    return sorted(waits.seconds)[len(waits.seconds) // 2] * 1e3


def _longest(waits: Waits) -> float:
    return waits.longest_ms


_FIGURES: tuple[Callable[[Waits], float], ...] = (_median, _longest)
