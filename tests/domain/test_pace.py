"""How soon a cluster is looked at again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cigri.domain.pace import Pace, first_pause, pause_changed, pause_unchanged

PACE = Pace(quick=0.02, steady=0.15, slow=1.0)


@pytest.mark.parametrize(
    ("ended", "left", "elapsed", "pause"),
    [
        # The rest takes long: steady.
        (100, 5000, 0.1, 0.15),
        # 100 tasks at 1,000 a second: back in half of the 0.1 s that they take.
        (100, 100, 0.1, 0.05),
        # Nothing is left, or next to nothing.
        (100, 0, 0.1, 0.02),
        (100, 1, 0.1, 0.02),
        # Tasks started and none ended.
        (0, 10, 5.0, 0.15),
    ],
)
def test_the_pause_follows_what_is_left(
    ended: int, left: int, elapsed: float, pause: float
) -> None:
    assert pause_changed(PACE, ended=ended, left=left, elapsed=elapsed) == pytest.approx(pause)


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.floats(0, 10**6))
def test_the_pause_stays_within_the_pace(ended: int, left: int, elapsed: float) -> None:
    pause = pause_changed(PACE, ended=ended, left=left, elapsed=elapsed)

    assert PACE.quick <= pause <= PACE.steady


def test_a_cluster_where_nothing_happens_is_looked_at_ever_less() -> None:
    pauses = [first_pause(PACE)]
    for _ in range(20):
        pauses.append(pause_unchanged(PACE, pauses[-1]))

    assert pauses == sorted(pauses)
    assert pauses[-1] == PACE.slow
