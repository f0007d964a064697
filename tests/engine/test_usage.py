"""What others use of a cluster: asked for when somebody looks, and not at every look."""

from pathlib import Path

from cigri.clusters.driver import Usage
from cigri.clusters.simulated import SimulatedCluster
from cigri.engine.gauges import USAGE_EVERY
from cigri.errors import ClusterUnreachable
from tests.engine.harness import Clock, engine_on


class Shared(SimulatedCluster):
    """A cluster that others use, too."""

    def __init__(self, clock: Clock, **options: int) -> None:
        super().__init__(clock, **options)
        self.told: Usage | None = Usage(down=2, busy=3)
        self.asked = 0

    async def usage(self) -> Usage | None:
        self.asked += 1
        if self.told is None:
            message = "it is down"
            raise ClusterUnreachable(message)
        return self.told


async def test_what_others_use_is_shown_for_a_while(tmp_path: Path, clock: Clock) -> None:
    shared = Shared(clock, slots=8)
    async with engine_on(tmp_path / "cigri.db", {"sim": shared}, clock) as engine:
        (first,) = await engine.api.clusters()
        shared.told = Usage(down=0, busy=5)
        (soon,) = await engine.api.clusters()
        clock.pass_(USAGE_EVERY)
        (later,) = await engine.api.clusters()

    assert (first.slots, first.down, first.used_by_others) == (10, 2, 3)
    assert soon == first
    assert (later.slots, later.down, later.used_by_others) == (8, 0, 5)
    assert shared.asked == 2


async def test_a_cluster_that_does_not_say_is_shown_as_before(
    tmp_path: Path, clock: Clock
) -> None:
    shared = Shared(clock, slots=8)
    async with engine_on(tmp_path / "cigri.db", {"sim": shared}, clock) as engine:
        (first,) = await engine.api.clusters()
        clock.pass_(USAGE_EVERY)
        shared.told = None
        (later,) = await engine.api.clusters()

    assert later == first
