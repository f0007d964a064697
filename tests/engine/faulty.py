"""A cluster on the other end of a bad wire."""

from collections.abc import Collection, Mapping, Sequence

from cigri.clusters.driver import Batch, JobRef, JobReport
from cigri.clusters.simulated import SimulatedCluster
from cigri.domain.model import JobId, RemoteId
from cigri.errors import CigriError, SubmissionUnknown


class Faulty:
    """A driver that fails as it is told, and counts what it was asked; else the cluster itself."""

    def __init__(self, inner: SimulatedCluster, *, fence: float = 0.0) -> None:
        self._inner = inner
        self.fence = fence
        self.clock_skew: float | None = None
        self.stress_limit: float | None = None
        #: What it is, or how asking for it fails.
        self.load: float | None = None
        #: By method: what it raises, again and again.
        self.broken: dict[str, CigriError] = {}
        #: What becomes of the next submissions: "lost" arrives nowhere, "late" when told, "there"
        #: at once; none of them is answered.
        self.fates: list[str] = []
        self._late: list[Batch] = []
        self.asked: list[str] = []
        self.renounced: list[str] = []
        self.killed: list[RemoteId] = []

    def __getattr__(self, name: str) -> object:
        return getattr(self._inner, name)

    def _ask(self, name: str) -> None:
        self.asked.append(name)
        if name in self.broken:
            raise self.broken[name]

    def break_all(self, error: CigriError) -> None:
        """Let the cluster be down."""
        names = ("slots", "stress", "submit", "find", "status", "withdraw", "kill")
        self.broken = dict.fromkeys(names, error)

    async def arrive(self) -> None:
        """Let what was late come to the cluster."""
        for batch in self._late:
            await self._inner.submit(batch)
        self._late = []

    async def slots(self) -> int:
        self._ask("slots")
        return await self._inner.slots()

    async def stress(self) -> float | None:
        self._ask("stress")
        return self.load

    async def submit(self, batch: Batch) -> Mapping[JobId, RemoteId]:
        self._ask("submit")
        if not self.fates:
            return await self._inner.submit(batch)
        fate = self.fates.pop(0)
        if fate == "late":
            self._late.append(batch)
        elif fate == "there":
            await self._inner.submit(batch)
        message = "no answer"
        raise SubmissionUnknown(message)

    async def find(self, tag: str, user: str, jobs: Sequence[JobId]) -> Mapping[JobId, RemoteId]:
        self._ask("find")
        return await self._inner.find(tag, user, jobs)

    async def status(self, jobs: Collection[JobRef]) -> Mapping[RemoteId, JobReport]:
        self._ask("status")
        return await self._inner.status(jobs)

    async def withdraw(self, jobs: Collection[JobRef]) -> None:
        self._ask("withdraw")
        await self._inner.withdraw(jobs)

    async def kill(self, jobs: Collection[JobRef]) -> None:
        self._ask("kill")
        self.killed += [job.remote_id for job in jobs]
        await self._inner.kill(jobs)

    async def renounce(self, tag: str, user: str) -> None:
        self._ask("renounce")
        self.renounced.append(tag)
        await self._inner.renounce(tag, user)
