"""The engine on a cluster whose reports nobody can trust."""

from collections.abc import Collection, Mapping

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cigri.clusters.driver import JobRef, JobReport, RemoteState
from cigri.clusters.simulated import SimulatedCluster
from cigri.domain.model import RemoteId
from cigri.store import audit
from tests.engine.harness import ANN, Engine
from tests.engine.test_campaigns import submit
from tests.store.forgeries import ends, instants, numbers

reports = st.builds(
    JobReport,
    state=st.sampled_from(RemoteState),
    ended=st.lists(ends, max_size=6),
    running=st.dictionaries(numbers, instants, max_size=4),
    read_to=st.integers(0, 100),
)


class Liar:
    """A driver that reports what it is told to, and the truth when it is told nothing more."""

    def __init__(self, inner: SimulatedCluster) -> None:
        self._inner = inner
        self.lies: list[JobReport] = []

    def __getattr__(self, name: str) -> object:
        return getattr(self._inner, name)

    async def status(self, jobs: Collection[JobRef]) -> Mapping[RemoteId, JobReport]:
        told = await self._inner.status(jobs)
        return {ref: self.lies.pop() if self.lies else report for ref, report in told.items()}


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(reports, max_size=8))
async def test_an_engine_survives_any_report_and_counts_right(
    engine: Engine, cluster: SimulatedCluster, lies: list[JobReport]
) -> None:
    liar = Liar(cluster)
    liar.lies = list(lies)
    (site,) = engine.runtime.sites.values()
    object.__setattr__(site, "driver", liar)
    campaign = await submit(engine, 6)

    for _ in range(40):
        await engine.turn()
        found = await engine.api.get(campaign)
        async with engine.database.read() as db:
            assert await audit.recount(db, campaign) == found.counts
        if found.state == "terminated":
            break
        await engine.api.fix(ANN, campaign, resubmit=False)

    assert found.state == "terminated"
    assert len(await engine.tasks(ANN, campaign, 0, 10)) == 6
    for event in await engine.events(ANN, campaign, closed=True):
        assert event.task in range(6)
