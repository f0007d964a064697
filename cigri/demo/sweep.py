"""Which tasks the demonstration runs."""

import shlex
import sys
from pathlib import Path

from cigri.demo import ising

SEEDS = range(1, 5)
#: From, to and step of the temperatures in thousandths of J/k: dense where the transition is.
PARTS = ((1500, 2100, 100), (2100, 2600, 25), (2600, 3501, 75))
#: One task in this many fails at its first attempt.
UNLUCKY = 27


def parameters() -> list[str]:
    """Return one parameter line for each temperature and seed."""
    temperatures = [thousandth / 1000 for part in PARTS for thousandth in range(*part)]
    lines = [f"{temperature:.3f} {seed}" for temperature in temperatures for seed in SEEDS]
    return [
        f"{line} --fail-once" if number % UNLUCKY == UNLUCKY // 2 else line
        for number, line in enumerate(lines)
    ]


def description(directory: Path, sweeps: int) -> dict[str, object]:
    """Return the campaign, whose tasks write below *directory*."""
    script = str(Path(ising.__file__).resolve())
    program = [sys.executable, "-I", "-S", script, f"--sweeps={sweeps}"]
    return {
        "name": "ising",
        "exec_file": shlex.join(program),
        "exec_directory": str(directory),
        "walltime": "00:05:00",
        "clusters": {"local": {}},
        "params": parameters(),
    }
