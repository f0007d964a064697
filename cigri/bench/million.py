"""What a campaign of a million tasks costs: to submit, to look at, and to find again."""

import json
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path

import attrs

from cigri.bench.probes import Waits, heartbeat, readers
from cigri.bench.processes import forget_peak, peak_resident, resident
from cigri.bench.rivals import found
from cigri.bench.server import Connection, OwnServer, own_server
from cigri.bench.tables import goal, table

MIB = 1024 * 1024
#: A campaign whose parameters follow it, one on each line.
LINES = "application/vnd.cigri.lines"
#: A task that takes any parameter and no time from what is measured.
_WAITING = "sh -c 'exec sleep 86400'"


@attrs.frozen(kw_only=True)
class Request:
    """A campaign as it is sent."""

    tasks: int
    body: bytes
    content_type: str = "application/json"


@attrs.frozen(kw_only=True)
class Submission:
    """What one way of submitting took."""

    #: Seconds until the answer.
    wall: float
    #: What another client met meanwhile.
    waits: Waits
    #: Bytes of memory at the worst moment over those before.
    growth: int
    #: Bytes of the database for each task, none of which has run.
    stored: float


@attrs.frozen(kw_only=True)
class Life:
    """What was seen while the tasks ran."""

    settled: int
    #: Clients that ask as fast as they are answered, and clients that think in between.
    closed_loop: Waits
    thinking: Waits
    #: The most bytes of memory.
    memory: int
    #: Bytes of the database for each task that ended, beside those of its parameter.
    stored: float
    #: Seconds from the start after a kill -9 to the first page about the campaign.
    restart: float


def parameters(tasks: int) -> Iterator[str]:
    """
    Yield distinct parameters of 40 characters.

    >>> [len(parameter) for parameter in parameters(2)]
    [40, 40]
    """
    return (f"--temperature 2.2691853 --sample {number:07d}" for number in range(tasks))


def as_count(program: str, tasks: int) -> Request:
    """Return a campaign whose tasks are numbers."""
    return Request(tasks=tasks, body=_json(_jdl(program, nb_jobs=tasks)))


def as_lines(program: str, tasks: int) -> Request:
    """Return a campaign whose parameters are lines."""
    body = b"\n".join([_json(_jdl(program)), *(line.encode() for line in parameters(tasks)), b""])
    return Request(tasks=tasks, body=body, content_type=LINES)


def as_json(program: str, tasks: int) -> Request:
    """Return a campaign whose parameters are one JSON array."""
    return Request(tasks=tasks, body=_json(_jdl(program, params=list(parameters(tasks)))))


REQUESTS: Mapping[str, Callable[[str, int], Request]] = {
    "nb_jobs": as_count,
    "lines": as_lines,
    "json": as_json,
}


def _jdl(program: str, **more: object) -> dict[str, object]:
    return {"name": "bench", "clusters": {"local": {"exec_file": program}}, **more}


def _json(value: object) -> bytes:
    return json.dumps(value).encode()


def main(*, tasks: int, slots: int, seconds: float) -> None:
    """Submit in three ways to a fresh server each, let the tasks run, and print the figures."""
    print(f"{tasks} tasks, {slots} slots\n")
    with tempfile.TemporaryDirectory(prefix="cigri-bench-") as name:
        directory = Path(name)
        submissions = {}
        for way, request in REQUESTS.items():
            with own_server(directory / way, slots=slots) as server:
                submissions[way] = _submission(server, request(_WAITING, tasks))
        with own_server(directory / "idle", slots=slots) as server:
            idle = _idle(server)
        _print_submissions(submissions, idle)
        with own_server(directory / "life", slots=slots) as server:
            life = _life(server, as_lines(found("true"), tasks), seconds=seconds)
    _print_life(life, seconds)
    print("\n".join(["", *_goals(submissions, life)]))


def _submission(server: OwnServer, request: Request) -> Submission:
    connection = server.connect()
    empty, before = _stored(server), resident(server.pid)
    forget_peak(server.pid)
    with heartbeat(server.socket) as waits:
        wall, _ = _post(connection, request)
    return Submission(
        wall=wall,
        waits=waits,
        growth=peak_resident(server.pid) - before,
        stored=(_stored(server) - empty) / request.tasks,
    )


def _idle(server: OwnServer) -> Waits:
    """Return what the heartbeat meets when nothing happens: the noise of this machine."""
    with heartbeat(server.socket) as waits:
        time.sleep(1.0)
    return waits


def _life(server: OwnServer, request: Request, *, seconds: float) -> Life:
    connection = server.connect()
    _, campaign = _post(connection, request)
    page = f"/campaigns/{campaign}"
    stored, settled = _stored(server), _settled(connection, page)
    pages = [page, *(f"{page}/jobs?limit=100&offset={start}" for start in _offsets(request.tasks))]
    forget_peak(server.pid)
    with readers(server.socket, pages, clients=8, pause=0.0) as closed_loop:
        time.sleep(seconds / 2)
    with readers(server.socket, pages, clients=8, pause=0.1) as thinking:
        time.sleep(seconds / 2)
    # Anew: the server has closed a connection that was silent for so long.
    settled = _settled(server.connect(), page) - settled
    life = Life(
        settled=settled,
        closed_loop=closed_loop,
        thinking=thinking,
        memory=peak_resident(server.pid),
        stored=(_stored(server) - stored) / max(1, settled),
        restart=0.0,
    )
    return attrs.evolve(life, restart=_restart(server, page))


def _restart(server: OwnServer, page: str) -> float:
    server.kill()
    began = time.perf_counter()
    server.restart()
    server.connect().ask("GET", page)
    return time.perf_counter() - began


def _offsets(tasks: int) -> range:
    return range(0, max(1, tasks - 100), max(1, tasks // 97))


def _post(connection: Connection, request: Request) -> tuple[float, int]:
    began = time.perf_counter()
    campaign = connection.ask(
        "POST", "/campaigns", request.body, Content_Type=request.content_type
    )
    return time.perf_counter() - began, campaign["id"]


def _settled(connection: Connection, page: str) -> int:
    counts = connection.ask("GET", page)["counts"]
    return int(counts["terminated"] + counts["failed"])


def _stored(server: OwnServer) -> int:
    """Return the bytes that the database occupies, its log counted in."""
    with closing(sqlite3.connect(f"file:{server.database}?mode=ro", uri=True)) as database:
        values = (
            database.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("page_count", "freelist_count", "page_size")
        )
        pages, free, size = values
    return int((pages - free) * size)


def _print_submissions(submissions: Mapping[str, Submission], idle: Waits) -> None:
    heading = ["POST", "seconds", "others wait: p99 ms", "longest ms", "memory MiB", "bytes/task"]
    rows = [["(nothing)", "-", f"{idle.p99_ms:.1f}", f"{idle.longest_ms:.1f}", "-", "-"]]
    rows += [
        [
            way,
            f"{done.wall:.3f}",
            f"{done.waits.p99_ms:.1f}",
            f"{done.waits.longest_ms:.1f}",
            f"{done.growth / MIB:+.0f}",
            f"{done.stored:.1f}",
        ]
        for way, done in submissions.items()
    ]
    print(table(heading, rows))


def _print_life(life: Life, seconds: float) -> None:
    print(f"\n{life.settled} tasks ended in {seconds:.0f} s, while 8 clients read pages:\n")
    rows = [
        [name, f"{len(waits.seconds)}", f"{waits.p99_ms:.1f}", f"{waits.longest_ms:.1f}"]
        for name, waits in (
            ("as fast as answered", life.closed_loop),
            ("each 0.1 s after its answer", life.thinking),
        )
    ]
    print(table(["8 clients", "pages", "p99 ms", "longest ms"], rows))


def _goals(submissions: Mapping[str, Submission], life: Life) -> Iterator[str]:
    for way, wall, growth, stop in (
        ("nb_jobs", 0.2, 16, 20),
        ("lines", 0.5, 16, 20),
        ("json", 1.0, 128, 100),
    ):
        done = submissions[way]
        yield goal(f"POST as {way}, s", done.wall, most=wall)
        yield goal(f"POST as {way}, MiB of memory", done.growth / MIB, most=growth)
        yield goal(f"POST as {way}, longest wait of others, ms", done.waits.longest_ms, most=stop)
    yield goal("pages for 8 clients, closed loop, p99 ms", life.closed_loop.p99_ms, most=10)
    yield goal("pages for 8 thinking clients, p99 ms", life.thinking.p99_ms, most=10)
    yield goal("server, MiB", life.memory / MIB, most=80)
    whole_life = submissions["lines"].stored + life.stored
    yield goal("database, bytes per task over its whole life", whole_life, most=20)
    yield goal("answers after kill -9, s", life.restart, most=1)
