"""How soon a cluster is looked at again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cigri.domain.pace import Pace, Sight, pause_changed, pause_unchanged

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
        # Tasks started and none ended: they may be short.
        (0, 10, 5.0, 0.08),
    ],
)
def test_the_pause_follows_what_is_left(
    ended: int, left: int, elapsed: float, pause: float
) -> None:
    sight = Sight(ended=ended, left=left, elapsed=elapsed)

    assert pause_changed(PACE, 0.05, sight) == pytest.approx(pause)


def test_a_cluster_that_had_run_dry_is_not_taken_for_slow() -> None:
    # 100 tasks of 0.01 s ended in 10 s, on 10 slots that were idle for most of them.
    sight = Sight(ended=100, ran=1.0, running=10, left=100, elapsed=10.0)

    assert 0.05 <= pause_changed(PACE, 0.05, sight) < 0.06


def test_a_silence_is_noticed_to_end_before_it_is_much_longer() -> None:
    assert pause_unchanged(PACE, 0.9, silence=0.1) == PACE.steady
    assert pause_unchanged(PACE, 0.9, silence=3.0) == pytest.approx(0.5)
    assert pause_unchanged(PACE, 0.9, silence=60.0) == PACE.slow


def test_what_a_look_took_is_no_pause_any_more() -> None:
    sight = Sight(ended=100, left=100, elapsed=0.2, age=0.06)

    assert pause_changed(PACE, 0.05, sight) == pytest.approx(0.04)


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.floats(0, 10**6))
def test_the_pause_stays_within_the_pace(ended: int, left: int, elapsed: float) -> None:
    sight = Sight(ended=ended, left=left, elapsed=elapsed)
    pause = pause_changed(PACE, PACE.quick, sight)

    assert PACE.quick <= pause <= PACE.steady


def test_a_cluster_where_nothing_happens_is_looked_at_ever_less() -> None:
    pauses = [PACE.quick]
    for _ in range(40):
        pauses.append(pause_unchanged(PACE, pauses[-1], silence=sum(pauses)))

    assert pauses == sorted(pauses)
    assert pauses[-1] == PACE.slow
