"""One table from the result files of many tasks."""

import csv
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import attrs


@attrs.frozen(kw_only=True)
class Measurement:
    """What one task found: temperature in J/k, energy in J, all per spin."""

    temperature: float
    seed: int
    energy: float
    magnetisation: float
    susceptibility: float
    specific_heat: float


def gather(results: Path) -> list[Measurement]:
    """Return what the files of *results* say, by temperature and seed."""
    found = [
        Measurement(**json.loads(path.read_text(encoding="ascii")))
        for path in results.glob("T*.json")
    ]
    return sorted(found, key=lambda one: (one.temperature, one.seed))


def write_csv(measurements: Iterable[Measurement], path: Path) -> None:
    """Write one row for each measurement."""
    with path.open("w", encoding="ascii", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(field.name for field in attrs.fields(Measurement))
        table.writerows(attrs.astuple(one) for one in measurements)


def mean_curve(measurements: Sequence[Measurement], name: str) -> list[tuple[float, float]]:
    """Return temperature and mean over the seeds of the quantity *name*."""
    values: dict[float, list[float]] = {}
    for one in measurements:
        values.setdefault(one.temperature, []).append(getattr(one, name))
    return [(temperature, sum(some) / len(some)) for temperature, some in values.items()]
