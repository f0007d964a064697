"""A driver whose calls are timed and counted, and which is otherwise the driver itself."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, cast

from cigri.clusters.driver import ClusterDriver, JobReport
from cigri.domain.verdict import Ending
from cigri.engine.metrics import Metrics
from cigri.errors import CigriError

#: What asks the cluster.
_CALLS = frozenset(
    {
        "slots",
        "stress",
        "usage",
        "submit",
        "find",
        "status",
        "withdraw",
        "kill",
        "cancel",
        "renounce",
        "forget",
        "outputs",
    }
)
#: Ends of attempts that ran for as long as they wanted or were allowed.
_RAN = frozenset({Ending.EXITED, Ending.WALLTIME})


def measured(driver: ClusterDriver, cluster: str, metrics: Metrics) -> ClusterDriver:
    """Return *driver* with its calls to *cluster* told to *metrics*."""
    return cast("ClusterDriver", _Measured(driver, cluster, metrics))


class _Measured:
    def __init__(self, driver: ClusterDriver, cluster: str, metrics: Metrics) -> None:
        self._driver = driver
        self._submit = metrics.submit.labels(cluster)
        self._duration = metrics.task_duration.labels(cluster)
        self._errors = {op: metrics.call_errors.labels(cluster, op) for op in _CALLS}

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 # whatever the driver has
        found = getattr(self._driver, name)
        if name not in self._errors:
            return found

        async def call(*given: Any, **named: Any) -> Any:  # noqa: ANN401 # same
            return await self._watched(name, found, *given, **named)

        return call

    async def _watched(
        self, name: str, call: Callable[..., Awaitable[Any]], *given: object, **named: object
    ) -> object:
        began = asyncio.get_running_loop().time()
        try:
            answer = await call(*given, **named)
        except CigriError:
            self._errors[name].inc()
            raise
        if name == "submit":
            self._submit.observe(asyncio.get_running_loop().time() - began)
        elif name == "status":
            self._observe(answer.values())
        return answer

    def _observe(self, reports: Iterable[JobReport]) -> None:
        for report in reports:
            for end in report.ended:
                if end.ending in _RAN:
                    # Journals are their users' to write: NaN becomes 0.
                    self._duration.observe(max(0.0, end.ended_at - end.started_at))
