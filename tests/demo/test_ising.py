import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from cigri.demo import ising, onsager

SCRIPT = Path(ising.__file__)


def test_a_lattice_has_as_many_even_as_odd_sites_and_neighbours_are_of_the_other_kind():
    assert ising.SITES % 2 == 0
    assert ising.EVEN.bit_count() == ising.SITES // 2
    for distance in (1, ising.SITES - 1, ising.WIDTH, ising.SITES - ising.WIDTH):
        assert ising.around(ising.EVEN, distance) == ising.ALL ^ ising.EVEN


@pytest.mark.parametrize("probability", [0.0, 0.069, 0.5, 0.75, 1.0])
def test_a_coin_falls_as_often_as_it_should(probability):
    rng = random.Random(1)
    throws = 200

    ones = sum(ising.coin(probability, rng).bit_count() for _ in range(throws))

    assert ones / (throws * ising.SITES) == pytest.approx(probability, abs=0.005)


@pytest.mark.parametrize("temperature", [1.5, 2.0])
def test_below_the_transition_it_finds_the_exact_solution(temperature):
    found = ising.simulate(temperature, seed=1, sweeps=400)

    assert found["magnetisation"] == pytest.approx(onsager.magnetisation(temperature), abs=0.01)
    assert found["energy"] == pytest.approx(onsager.energy(temperature), abs=0.01)


def test_above_the_transition_the_energy_is_exact_and_little_magnetisation_is_left():
    found = ising.simulate(3.5, seed=1, sweeps=400)

    assert found["energy"] == pytest.approx(onsager.energy(3.5), abs=0.01)
    assert found["magnetisation"] < 0.1


def task(directory, *arguments, attempt):
    return subprocess.run(
        [sys.executable, "-I", "-S", SCRIPT, "2.0", "7", "--sweeps=5", *arguments],
        cwd=directory,
        env=os.environ | {"CIGRI_ATTEMPT": attempt},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_task_writes_one_file(tmp_path):
    ended = task(tmp_path, attempt="1")

    assert ended.returncode == 0, ended.stderr
    (path,) = (tmp_path / "results").iterdir()
    assert json.loads(path.read_text())["seed"] == 7


def test_an_unlucky_task_fails_at_its_first_attempt_and_says_why(tmp_path):
    first = task(tmp_path, "--fail-once", attempt="1")
    second = task(tmp_path, "--fail-once", attempt="2")

    assert first.returncode == 3
    assert first.stderr.startswith("ising: unlucky seed")
    assert second.returncode == 0
