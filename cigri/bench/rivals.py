"""The others: what runs many commands on one host, and the floor under all of them."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import attrs

from cigri.bench.processes import Cost, machine_cpu, run


class Missing(Exception):
    """This machine does not have it; the message says what is missing."""


@attrs.frozen(kw_only=True)
class Contest:
    """What everybody has to do."""

    tasks: int
    slots: int
    #: The path of the program that is one task.
    program: str
    #: Where everybody may leave files.
    directory: Path
    #: A Python that has the package hyperqueue.
    hyperqueue_python: str


def floor(contest: Contest) -> Cost:
    """Run the tasks from a loop in C that does nothing else."""
    binary = contest.directory / "floor"
    if not binary.exists():
        source = Path(__file__).with_name("floor.c")
        subprocess.run([found("cc"), "-O2", "-o", str(binary), str(source)], check=True)
    return _run([str(binary), str(contest.tasks), str(contest.slots), contest.program])


def xargs(contest: Contest) -> Cost:
    """Run the tasks with xargs, which keeps no record of anything."""
    return _run(
        [found("xargs"), f"-P{contest.slots}", "-n1", contest.program], stdin=_numbers(contest)
    )


def parallel(contest: Contest) -> Cost:
    """Run the tasks with GNU parallel, which records each in its job log."""
    program = found("parallel")
    if (
        b"GNU"
        not in subprocess.run([program, "--version"], capture_output=True, check=False).stdout
    ):
        raise Missing("`parallel` is not GNU parallel")
    log = contest.directory / "joblog"
    command = [program, f"-j{contest.slots}", "--joblog", str(log), contest.program]
    # Its own directory: a user's profile could change what is measured.
    return _run(command, stdin=_numbers(contest), PARALLEL_HOME=str(contest.directory))


def hyperqueue(contest: Contest) -> Cost:
    """Run the tasks with HyperQueue's server and worker in one process, without its journal."""
    python = contest.hyperqueue_python
    if subprocess.run(
        [python, "-c", "import hyperqueue"], capture_output=True, check=False
    ).returncode:
        raise Missing(f"{python} has no package hyperqueue; see --hyperqueue-python")
    program = Path(__file__).with_name("hyperqueue_run.py")
    command = [python, str(program), str(contest.tasks), str(contest.slots), contest.program]
    busy = machine_cpu()
    done = subprocess.run(
        command, cwd=contest.directory, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Missing(f"it failed: {done.stderr.strip().splitlines()[-1:]}")
    cost = json.loads(done.stdout.splitlines()[-1])
    foreign = machine_cpu() - busy - cost["cpu"]
    return Cost(wall=cost["wall"], cpu=cost["cpu"], foreign=max(0.0, foreign))


RIVALS: Mapping[str, Callable[[Contest], Cost]] = {
    "floor": floor,
    "xargs": xargs,
    "parallel": parallel,
    "hyperqueue": hyperqueue,
}


def found(program: str) -> str:
    """Return the path of *program*, or raise Missing."""
    path = shutil.which(program)
    if path is None:
        raise Missing(f"no `{program}` here")
    return path


def _numbers(contest: Contest) -> Path:
    path = contest.directory / "numbers"
    if not path.exists():
        path.write_text("".join(f"{number}\n" for number in range(contest.tasks)))
    return path


def _run(command: list[str], *, stdin: Path | None = None, **environ: str) -> Cost:
    return run(command, stdin=stdin, env={**os.environ, **environ})
