"""The exact solution of the infinite two-dimensional Ising model, to compare with.

L. Onsager, Physical Review 65, 117 (1944); the magnetisation: C. N. Yang, Physical Review 85,
808 (1952). Temperatures are in units of J/k, energies in units of J.
"""

import math

#: The critical temperature.
CRITICAL = 2 / math.asinh(1)
#: Relative difference below which two numbers are the same.
EQUAL = 1e-12


def magnetisation(temperature: float) -> float:
    """Return the spontaneous magnetisation per spin.

    >>> round(magnetisation(2.0), 4), magnetisation(2.5)
    (0.9113, 0.0)
    """
    if temperature >= CRITICAL:
        return 0.0
    return float((1 - math.sinh(2 / temperature) ** -4) ** 0.125)


def energy(temperature: float) -> float:
    """Return the energy per spin.

    >>> round(energy(2.0), 4), round(energy(CRITICAL), 4)
    (-1.7456, -1.4142)
    """
    coth = 1 / math.tanh(2 / temperature)
    complement = 2 / coth**2 - 1
    if complement == 0:  # the integral is infinite there, but its product with zero is zero
        return -coth
    return -coth * (1 + 2 / math.pi * complement * _elliptic(abs(complement)))


def _elliptic(complement: float) -> float:
    """Return the complete elliptic integral of the first kind by its complementary modulus.

    The arithmetic-geometric mean doubles the number of right digits at each step.

    >>> round(_elliptic(1.0) / math.pi, 6)
    0.5
    """
    a, b = 1.0, complement
    while abs(a - b) > EQUAL * a:
        a, b = (a + b) / 2, math.sqrt(a * b)
    return math.pi / (2 * a)
