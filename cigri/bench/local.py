"""How fast this host runs short tasks, with cigri and with others, in the same minutes."""

import json
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import attrs

from cigri.bench.processes import Cost, machine_cpu, tree_cpu
from cigri.bench.rivals import RIVALS, Contest, Missing, found
from cigri.bench.server import OwnServer, own_server
from cigri.bench.tables import goal, table

CONTENDERS = ("floor", "xargs", "parallel", "hyperqueue", "cigri")
_NAMES = {
    "floor": "C loop (floor)",
    "xargs": "xargs",
    "parallel": "GNU parallel --joblog",
    "hyperqueue": "HyperQueue (Python API)",
    "cigri": "cigri",
}


@attrs.frozen(kw_only=True)
class Plan:
    """What to measure."""

    tasks: int
    rounds: int
    slots: int
    only: Sequence[str] = CONTENDERS
    hyperqueue_python: str = sys.executable


def main(plan: Plan) -> None:
    """Let all run in turn, several times, and print the best round of each."""
    print(
        f"{plan.tasks} tasks, {plan.slots} slots, {plan.rounds} interleaved rounds, best of each\n"
    )
    costs: dict[str, list[Cost]] = {}
    missing: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="cigri-bench-") as directory:
        for turn in range(plan.rounds):
            for name in plan.only:
                if name in missing:
                    continue
                try:
                    cost = _run(name, plan, Path(directory), turn)
                except Missing as error:
                    missing[name] = str(error)
                    continue
                costs.setdefault(name, []).append(cost)
                print(f"  round {turn + 1} {name}: {cost.wall:.2f} s", file=sys.stderr)
    _report(plan, costs, missing)


def _run(name: str, plan: Plan, directory: Path, turn: int) -> Cost:
    contest = Contest(
        tasks=plan.tasks,
        slots=plan.slots,
        program=found("true"),
        directory=directory,
        hyperqueue_python=plan.hyperqueue_python,
    )
    if name in RIVALS:
        return RIVALS[name](contest)
    own = directory / f"cigri{turn}"
    # At the priority of the rivals, who do not step back behind other processes.
    with own_server(own, slots=plan.slots, nice=0) as server:
        cost = _campaign(server, contest)
    shutil.rmtree(own)
    return cost


def _campaign(server: OwnServer, contest: Contest) -> Cost:
    """Return the cost of a campaign, from its submission until it is terminated."""
    jdl = {
        "name": "bench",
        "nb_jobs": contest.tasks,
        "clusters": {"local": {"exec_file": contest.program}},
    }
    connection = server.connect()
    busy, before = machine_cpu(), tree_cpu([server.pid])
    began = time.perf_counter()
    campaign = connection.ask("POST", "/campaigns", json.dumps(jdl).encode())
    while campaign["state"] != "terminated":
        time.sleep(0.02)
        campaign = connection.ask("GET", f"/campaigns/{campaign['id']}")
    wall = time.perf_counter() - began
    # Its worker began after `before` was taken: all that it spent counts.
    cpu = tree_cpu([server.pid, *server.workers()]) - before
    if campaign["counts"]["terminated"] != contest.tasks:
        raise RuntimeError(f"tasks failed: {campaign['counts']}")
    return Cost(wall=wall, cpu=cpu, foreign=max(0.0, machine_cpu() - busy - cpu))


def _report(plan: Plan, costs: Mapping[str, Sequence[Cost]], missing: Mapping[str, str]) -> None:
    best = {name: min(rounds, key=lambda cost: cost.wall) for name, rounds in costs.items()}
    heading = ["", "tasks/s", "worst", "CPU us/task", "over floor", "of xargs", "others' CPU"]
    rows = [_row(name, plan, best, costs[name]) for name in best]
    print(table(heading, rows))
    for name, reason in missing.items():
        print(f"not measured: {_NAMES[name]}: {reason}")
    if "cigri" in best:
        print("\n".join(["", *_goals(plan, best)]))


def _row(name: str, plan: Plan, best: Mapping[str, Cost], rounds: Sequence[Cost]) -> list[str]:
    cost = best[name]
    floor, xargs = best.get("floor"), best.get("xargs")
    each = cost.cpu / plan.tasks * 1e6
    return [
        _NAMES[name],
        f"{plan.tasks / cost.wall:.0f}",
        f"{plan.tasks / max(other.wall for other in rounds):.0f}",
        f"{each:.0f}",
        f"{each - floor.cpu / plan.tasks * 1e6:.0f}" if floor else "-",
        f"{xargs.wall / cost.wall:.2f}" if xargs else "-",
        f"{cost.foreign / cost.wall:.0%} of a core",
    ]


def _goals(plan: Plan, best: Mapping[str, Cost]) -> list[str]:
    ours = best["cigri"]

    def faster_than(name: str) -> float:
        return best[name].wall / ours.wall

    lines = [goal("tasks/s (or the next)", plan.tasks / ours.wall, least=2000)]
    for name, least in {"xargs": 0.9, "hyperqueue": 2.4, "parallel": 4.8}.items():
        if name in best:
            lines.append(goal(f"times as fast as {_NAMES[name]}", faster_than(name), least=least))
    if "floor" in best:
        over = (ours.cpu - best["floor"].cpu) / plan.tasks * 1e6
        lines.append(goal("CPU us per task over the floor", over, most=220))
    return lines
