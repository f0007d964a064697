"""What short tasks cost on a cluster of OAR with 10,000 cores: against a fake that counts."""

import getpass
import json
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from cigri.bench.fake.model import FakeOptions
from cigri.bench.fake_oar2 import OwnFake, own_fake
from cigri.bench.million import LINES, parameters
from cigri.bench.processes import peak_resident, tree_cpu
from cigri.bench.server import OwnServer, server_of
from cigri.bench.tables import goal, table

CORES = 10_000
_CLUSTER = """
[clusters.oar]
driver = "oar2"
url = "{url}"
users_mapping = {{ {user} = "alice" }}
"""
#: Which part of the cores is in use when it is called full.
_FULL = 0.99
#: Calls by which the state of jobs is asked for.
_STATUS = ("table", "jobs", "details", "job", "select")
_EVERY = 0.5


@attrs.frozen(kw_only=True)
class Plan:
    """A campaign to run."""

    tasks: int
    #: Seconds that a task takes.
    seconds: float
    #: Seconds that the fake takes for an answer, and more for each job in it.
    latency: float = 0.0
    latency_per_job: float = 0.0


@attrs.frozen(kw_only=True)
class Run:
    """What a campaign took."""

    plan: Plan
    wall: float
    #: CPU seconds of the server.
    cpu: float
    #: The most bytes of its memory.
    memory: int
    #: Requests to the cluster, by kind.
    requests: Mapping[str, int]
    #: Which part of the cores was in use while there were tasks to start, once it was full.
    use: float | None
    #: Jobs that the cluster started.
    started: int
    #: Bytes of the database for each task.
    stored: float

    @property
    def rate(self) -> float:
        """Return how many jobs ended in a second, from the submission to the end."""
        return self.plan.tasks / self.wall

    @property
    def per_thousand(self) -> float:
        """Return how many requests 1,000 jobs took."""
        return sum(self.requests.values()) / self.plan.tasks * 1000

    @property
    def looks(self) -> int:
        """Return how many requests asked for the state of jobs."""
        return sum(self.requests.get(kind, 0) for kind in _STATUS)

    @property
    def cpu_us(self) -> float:
        """Return the microseconds of CPU of the server for each job."""
        return self.cpu / self.plan.tasks * 1e6


def main(plans: Sequence[Plan]) -> None:
    """Run each campaign on a server and a fake of its own, and print what it took."""
    print(f"OAR 2.5 played with {CORES} cores\n")
    runs = []
    for plan in plans:
        with tempfile.TemporaryDirectory(prefix="cigri-bench-") as name:
            runs.append(run(plan, Path(name)))
        _print_requests(runs[-1])
    print("\n" + table(_HEADING, [_row(each) for each in runs]) + "\n")
    for each in runs:
        print("\n".join(_goals(each)))


def run(plan: Plan, directory: Path) -> Run:
    """
    Run one campaign to its end.

    Raises:
        RuntimeError: A task did not end well, or ran twice.
    """
    options = FakeOptions(
        cores=CORES,
        durations=(plan.seconds,),
        latency=plan.latency,
        latency_per_job=plan.latency_per_job,
    )
    with own_fake(options) as fake:
        clusters = _CLUSTER.format(url=fake.url, user=getpass.getuser())
        with server_of(directory / "server", clusters) as server:
            return _measured(plan, server, fake)


def _measured(plan: Plan, server: OwnServer, fake: OwnFake) -> Run:
    connection = server.connect()
    jdl = {"name": "bench", "clusters": {"oar": {"exec_file": "true"}}}
    lines = "".join(f"{line}\n" for line in parameters(plan.tasks))
    body = f"{json.dumps(jdl)}\n{lines}".encode()
    before, began = tree_cpu([server.pid]), time.perf_counter()
    campaign = connection.ask("POST", "/campaigns", body, Content_Type=LINES)
    use = Use(plan)
    while campaign["state"] != "terminated":
        time.sleep(_EVERY)
        use.look(fake.tell("counts"), time.perf_counter())
        campaign = connection.ask("GET", f"/campaigns/{campaign['id']}")
    wall = time.perf_counter() - began
    counts = fake.tell("counts")
    if campaign["counts"]["terminated"] != plan.tasks or counts["started"] != plan.tasks:
        raise RuntimeError(f"of {plan.tasks} tasks: {campaign['counts']}; started {counts}")
    return Run(
        plan=plan,
        wall=wall,
        cpu=tree_cpu([server.pid]) - before,
        memory=peak_resident(server.pid),
        requests=counts["requests"],
        use=use.part,
        started=counts["started"],
        stored=server.database.stat().st_size / plan.tasks,
    )


class Use:
    """Watches which part of the cores is in use, from when all are to when tasks run out."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._first: tuple[float, float] | None = None
        self._last: tuple[float, float] | None = None

    def look(self, counts: Mapping[str, Any], now: float) -> None:
        """Note what the fake has counted."""
        if self._first is None and counts["running"] < _FULL * CORES:
            return
        # The last of the tasks may leave cores free.
        if counts["started"] < self._plan.tasks:
            self._last = (now, counts["used"])
            self._first = self._first or self._last

    @property
    def part(self) -> float | None:
        """Return the part, or `None` where it was never full for long enough to tell."""
        if self._first is None or self._last is None or self._first == self._last:
            return None
        seconds = self._last[0] - self._first[0]
        return (self._last[1] - self._first[1]) / seconds / CORES


_HEADING = [
    "tasks of", "tasks", "wall, s", "jobs/s", "requests/1,000", "looks", "s between looks",
    "CPU us/job", "peak MB", "use of cores", "bytes/task",
]  # fmt: skip


def _row(run: Run) -> list[str]:
    return [
        f"{run.plan.seconds:g} s",
        str(run.plan.tasks),
        f"{run.wall:.1f}",
        f"{run.rate:.0f}",
        f"{run.per_thousand:.2f}",
        str(run.looks),
        f"{run.wall / run.looks:.1f}" if run.looks else "-",
        f"{run.cpu_us:.0f}",
        f"{run.memory / 1e6:.0f}",
        "-" if run.use is None else f"{run.use:.1%}",
        f"{run.stored:.0f}",
    ]


def _print_requests(run: Run) -> None:
    kinds = ", ".join(f"{number} {kind}" for kind, number in sorted(run.requests.items()))
    print(f"  {run.plan.tasks} tasks of {run.plan.seconds:g} s: {kinds}")


def _goals(run: Run) -> list[str]:
    kind = f"{run.plan.seconds:g}-s tasks"
    lines = [
        goal(f"{kind}, CPU us per job", run.cpu_us, most=100),
        goal(f"{kind}, peak MB", run.memory / 1e6, most=100),
    ]
    if run.plan.seconds <= 1:
        lines.append(goal(f"{kind}, jobs/s", run.rate, least=4000))
    if run.plan.seconds >= 2:
        lines.append(goal(f"{kind}, requests per 1,000 jobs", run.per_thousand, most=2))
    if run.plan.seconds >= 30 and run.use is not None:
        lines.append(goal(f"{kind}, use of the cores", run.use, least=0.95))
    return lines
