"""The two-dimensional Ising model: one temperature, one seed, one small JSON file.

Run as a task of `cigri demo`, by any Python 3.10 or later, standard library only:

    python ising.py TEMPERATURE SEED [--fail-once] [--sweeps N]

A lattice is one long integer, one bit a spin, so that one operation of Python works on all spins
at once. Site i has the neighbours i ± 1 and i ± WIDTH, counted around the end (helical
boundaries); with an odd WIDTH and an even number of sites these are always of the other parity,
so that the even sites and the odd ones can be updated in turn, each half at once.
"""

import argparse
import json
import math
import os
import random
import sys
from collections.abc import Iterator
from pathlib import Path

WIDTH = 31
HEIGHT = 32
SITES = WIDTH * HEIGHT
ALL = (1 << SITES) - 1
EVEN = ALL // 3  # 0b…0101
#: Random bits that decide whether a spin flips: probabilities are exact to 2^-16.
PRECISION = 16

#: Measured sweeps; a quarter as many before them let the lattice settle.
SWEEPS = 4_800


def around(spins: int, distance: int) -> int:
    """Return the lattice turned by *distance* sites: each site shows one of its neighbours."""
    return (spins << distance | spins >> (SITES - distance)) & ALL


def coin(probability: float, rng: random.Random) -> int:
    """Return a lattice whose bits are 1 with *probability*, each on its own.

    A random number below *probability* is found by its binary digits, for all sites at once:
    AND halves the chance that the digits before gave, OR adds a half to it.
    """
    digits = round(probability * 2**PRECISION)
    if digits in {0, 2**PRECISION}:
        return ALL if digits else 0
    bits = 0
    for place in range((digits & -digits).bit_length() - 1, PRECISION):
        draw = rng.getrandbits(SITES)
        bits = bits | draw if digits >> place & 1 else bits & draw
    return bits


def sweep(spins: int, accept: float, rng: random.Random) -> int:
    """Return the lattice after one Metropolis step of every spin.

    *accept* is exp(-4/T): a spin with three equal neighbours flips with that probability, one
    with four with its square, any other always.
    """
    for half in (EVEN, ALL ^ EVEN):
        a = ~(spins ^ around(spins, 1))
        b = ~(spins ^ around(spins, SITES - 1))
        c = ~(spins ^ around(spins, WIDTH))
        d = ~(spins ^ around(spins, SITES - WIDTH))
        both, one = a & b, a ^ b
        two, other = c & d, c ^ d
        four = both & two
        three = both & other | one & two
        once = coin(accept, rng)
        refused = three & ~once | four & ~(once & coin(accept, rng))
        spins ^= half & ~refused
    return spins


def measurements(
    temperature: float, sweeps: int, rng: random.Random
) -> Iterator[tuple[float, float]]:
    """Yield energy and magnetisation per spin after each sweep of a lattice that has settled."""
    accept = math.exp(-4 / temperature)
    spins = ALL
    for _ in range(sweeps // 4):
        spins = sweep(spins, accept, rng)
    for _ in range(sweeps):
        spins = sweep(spins, accept, rng)
        unequal = (spins ^ around(spins, 1)).bit_count()
        unequal += (spins ^ around(spins, WIDTH)).bit_count()
        yield 2 * unequal / SITES - 2, 2 * spins.bit_count() / SITES - 1


def simulate(temperature: float, seed: int, sweeps: int = SWEEPS) -> dict[str, float]:
    """Return the means of one simulation."""
    energy = energy2 = magnetisation = magnetisation2 = 0.0
    rng = random.Random(f"{temperature} {seed}")  # noqa: S311 - physics, no secret
    for e, m in measurements(temperature, sweeps, rng):
        energy += e
        energy2 += e * e
        magnetisation += abs(m)
        magnetisation2 += m * m
    e, e2 = energy / sweeps, energy2 / sweeps
    m, m2 = magnetisation / sweeps, magnetisation2 / sweeps
    return {
        "temperature": temperature,
        "seed": seed,
        "energy": e,
        "magnetisation": m,
        "susceptibility": SITES / temperature * (m2 - m * m),
        "specific_heat": SITES / temperature**2 * (e2 - e * e),
    }


def main() -> int:
    """Write the result of one task into `results/`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("temperature", type=float)
    parser.add_argument("seed", type=int)
    parser.add_argument("--fail-once", action="store_true")
    parser.add_argument("--sweeps", type=int, default=SWEEPS)
    chosen = parser.parse_args()
    if chosen.fail_once and os.environ.get("CIGRI_ATTEMPT", "1") == "1":
        print(
            "ising: unlucky seed (this task fails at its first attempt, on purpose)",
            file=sys.stderr,
        )
        return 3
    result = simulate(chosen.temperature, chosen.seed, chosen.sweeps)
    path = Path("results", f"T{chosen.temperature:.3f}-s{chosen.seed}.json")
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(result) + "\n", encoding="ascii")
    print(f"T={chosen.temperature:.3f} seed={chosen.seed} |m|={result['magnetisation']:.4f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
