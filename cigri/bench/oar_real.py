"""How a real OAR is used: by CiGri, and by an array that is submitted by hand, in turn."""

import json
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import attrs
import httpx

from cigri.bench.processes import machine_cpu, tree_cpu
from cigri.bench.server import OwnServer, server_of
from cigri.bench.tables import goal, table
from cigri.clusters.identity import own_login

_CLUSTER = """[clusters.oar]
driver = "oar2"
url = "{url}"
users_mapping = {{ {login} = "{user}" }}
"""
_FINAL = frozenset({"Terminated", "Error"})
#: Seconds between two looks at what was submitted by hand.
_LOOK = 2.0


#: Seconds of the tasks that have a job each, and of those that share them.
_LONG, _SHORT = 5.0, 1.0
#: Of so many tasks by hand one tells the rate of short ones.
_ENOUGH = 10


@attrs.frozen(kw_only=True)
class Plan:
    """What to measure."""

    #: Where an OAR 2.5 believes for whom we speak.
    url: str
    user: str
    cores: int
    #: Tasks of each campaign, and of the array that is like it.
    tasks: int
    only: Sequence[str]


@attrs.frozen(kw_only=True)
class Run:
    """What one way of running tasks took."""

    name: str
    tasks: int
    seconds: float
    wall: float
    #: Remote jobs that it took.
    jobs: int
    #: CPU seconds of our server, and of the whole machine.
    ours: float
    machine: float

    @property
    def rate(self) -> float:
        """Return its tasks a second."""
        return self.tasks / self.wall

    def use(self, cores: int) -> float:
        """Return which part of the cores' time was work."""
        return self.tasks * self.seconds / (self.wall * cores)


def main(plan: Plan) -> None:
    """Run everything in turn and print it."""
    print(f"{plan.url} as {plan.user}, {plan.cores} cores; one after the other\n")
    runs = {}
    with tempfile.TemporaryDirectory(prefix="cigri-bench-") as directory:
        for name in plan.only:
            runs[name] = RUNS[name](plan, Path(directory) / name)
            print(f"  {runs[name].name}: {runs[name].wall:.0f} s", file=sys.stderr)
    rows = [
        [
            run.name,
            f"{run.wall:.0f}",
            f"{run.rate:.2f}",
            f"{run.use(plan.cores):.1%}",
            str(run.jobs),
            f"{run.ours / run.tasks * 1e6:.0f}" if run.ours else "-",
            f"{run.machine / run.wall:.2f}",
        ]
        for run in runs.values()
    ]
    heading = ["", "s", "tasks/s", "use", "jobs", "CPU us/task", "machine's CPUs"]
    print(table(heading, rows))
    print("\n".join(["", *_goals(plan, runs)]))


def _goals(plan: Plan, runs: Mapping[str, Run]) -> list[str]:
    lines = []
    if runs.keys() >= {"alone", "alone-by-hand"}:
        ratio = runs["alone-by-hand"].wall / runs["alone"].wall
        lines.append(goal("use of the cores, of that by hand", ratio, least=0.97))
    if runs.keys() >= {"grouped", "short-by-hand"}:
        share = runs["grouped"].rate / plan.cores
        times = runs["grouped"].rate / runs["short-by-hand"].rate
        # One of the two is enough.
        if share >= 0.85:
            lines.append(goal("grouped: part of what the cores could do", share, least=0.85))
        else:
            lines.append(goal("grouped: times the rate by hand", times, least=5))
    return lines


RUNS: Mapping[str, Callable[[Plan, Path], Run]] = {
    "grouped": lambda plan, directory: _campaign(plan, directory, _SHORT, grouped=True),
    "short-by-hand": lambda plan, _: _by_hand(plan, plan.tasks // _ENOUGH, _SHORT),
    "alone-by-hand": lambda plan, _: _by_hand(plan, plan.tasks, _LONG),
    "alone": lambda plan, directory: _campaign(plan, directory, _LONG, grouped=False),
}


def _campaign(plan: Plan, directory: Path, seconds: float, *, grouped: bool) -> Run:
    tasks = plan.tasks
    clusters = _CLUSTER.format(url=plan.url, login=own_login(), user=plan.user)
    settings = {"walltime": "00:05:00", "temporal_grouping": grouped}
    jdl = {
        "name": "bench",
        "params": [[f"{seconds:g}"]] * tasks,
        "exec_file": "sleep",
        "clusters": {"oar": settings},
    }
    last = _last_job(plan)
    with server_of(directory, clusters) as server:
        busy, before = machine_cpu(), tree_cpu([server.pid])
        began = time.perf_counter()
        counts = _ended(server, jdl)
        wall = time.perf_counter() - began
        ours, machine = tree_cpu([server.pid]) - before, machine_cpu() - busy
    if counts["terminated"] != tasks:
        raise RuntimeError(f"tasks failed: {counts}")
    kind = "grouped" if grouped else "one job each"
    return Run(
        name=f"cigri, {tasks} of {seconds:g} s, {kind}",
        tasks=tasks,
        seconds=seconds,
        wall=wall,
        jobs=_last_job(plan) - last - 1,
        ours=ours,
        machine=machine,
    )


def _ended(server: OwnServer, jdl: Mapping[str, object]) -> Mapping[str, int]:
    connection = server.connect()
    campaign = connection.ask("POST", "/campaigns", json.dumps(jdl).encode())
    while campaign["state"] != "terminated":
        time.sleep(0.2)
        campaign = connection.ask("GET", f"/campaigns/{campaign['id']}")
    counts: Mapping[str, int] = campaign["counts"]
    return counts


def _by_hand(plan: Plan, tasks: int, seconds: float) -> Run:
    """Submit one array, as `oarsub --array-param-file` does, and wait for it."""
    order = {
        "command": "sleep",
        "param_file": f"{seconds:g}\n" * tasks,
        "resource": "/core=1,walltime=0:5:0",
        "type": "besteffort",
        "name": "by-hand",
        "stdout": "/dev/null",
        "stderr": "/dev/null",
    }
    busy, began = machine_cpu(), time.perf_counter()
    array = _ask(plan, "POST", "/jobs.json", order)["id"]
    seen: Sequence[Mapping[str, object]] = ()
    while len(seen) < tasks or not all(job["state"] in _FINAL for job in seen):
        time.sleep(_LOOK)
        query = f"/jobs.json?array={array}&limit=0"
        seen = _ask(plan, "GET", query)["items"]
    return Run(
        name=f"by hand, {tasks} of {seconds:g} s",
        tasks=tasks,
        seconds=seconds,
        wall=time.perf_counter() - began,
        jobs=tasks,
        ours=0.0,
        machine=machine_cpu() - busy,
    )


def _last_job(plan: Plan) -> int:
    """Return the number of the newest job, by making one and taking it back."""
    order = {"command": "true", "resource": "/core=1,walltime=0:1:0", "hold": "1"}
    made = int(_ask(plan, "POST", "/jobs.json", order)["id"])
    _ask(plan, "DELETE", f"/jobs/{made}.json")
    return made


def _ask(plan: Plan, method: str, path: str, order: Mapping[str, object] | None = None) -> dict:  # type: ignore[type-arg]
    headers = {"X_REMOTE_IDENT": plan.user, "Accept": "application/json"}
    done = httpx.request(method, plan.url + path, json=order, headers=headers, timeout=300)
    done.raise_for_status()
    found: dict[str, object] = done.json()
    return found
