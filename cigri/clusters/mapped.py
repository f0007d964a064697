"""Users who have another login on a cluster than in CiGri."""

from collections.abc import Collection, Mapping, Sequence

import attrs

from cigri.clusters.credentials import MappedCredentials
from cigri.clusters.driver import Batch, ClusterDriver, JobRef, JobReport, Output, Usage
from cigri.domain.model import JobId, RemoteId, TaskNumber


class MappedUsers:
    """
    A driver that hands everything to another one, under the logins that users have there.

    It is the one place where they change: the engine knows users only by their names in CiGri.
    """

    def __init__(
        self, driver: ClusterDriver, mapping: Mapping[str, str], users: Collection[str] | None
    ) -> None:
        self._driver = driver
        self._mapping = mapping
        #: Who may use the cluster, by their names in CiGri; `None`: everybody.
        self._users = users
        self.name = driver.name
        self.fence = driver.fence
        self.pace = driver.pace
        self.stress_limit = driver.stress_limit
        self.capacity = driver.capacity
        self.credentials = driver.credentials and MappedCredentials(driver.credentials, mapping)

    @property
    def clock_skew(self) -> float | None:
        """Return by how much the cluster's clock is ahead."""
        return self._driver.clock_skew

    def login(self, user: str) -> str:
        """Return as whom the tasks of *user* run."""
        return self._mapping.get(user, user)

    def refusal(self, user: str) -> str | None:
        """Return why *user*, under the login that is theirs, may not run tasks here."""
        if self._users is not None and user not in self._users:
            return f"{user} is not among the `users` of this cluster: ask its administrator"
        return self._driver.refusal(self.login(user))

    async def slots(self) -> int:
        """Return how many cores tasks may occupy at a time."""
        return await self._driver.slots()

    async def stress(self) -> float | None:
        """Return how loaded the cluster is."""
        return await self._driver.stress()

    async def usage(self) -> Usage | None:
        """Return what of the cluster is not free."""
        return await self._driver.usage()

    async def submit(self, batch: Batch) -> Mapping[JobId, RemoteId]:
        """Create the jobs of *batch*."""
        return await self._driver.submit(attrs.evolve(batch, user=self.login(batch.user)))

    async def find(self, tag: str, user: str, jobs: Sequence[JobId]) -> Mapping[JobId, RemoteId]:
        """Return those of *jobs* that the cluster has under *tag*."""
        return await self._driver.find(tag, self.login(user), jobs)

    async def status(self, jobs: Collection[JobRef]) -> Mapping[RemoteId, JobReport]:
        """Report on *jobs*."""
        return await self._driver.status(self._mapped(jobs))

    async def withdraw(self, jobs: Collection[JobRef]) -> None:
        """Ask that *jobs* start no more tasks."""
        await self._driver.withdraw(self._mapped(jobs))

    async def kill(self, jobs: Collection[JobRef]) -> None:
        """Ask that *jobs* end now."""
        await self._driver.kill(self._mapped(jobs))

    async def cancel(self, job: JobRef, tasks: Collection[TaskNumber]) -> None:
        """Ask that *tasks* of *job* end now, or never start."""
        await self._driver.cancel(self._there(job), tasks)

    async def renounce(self, tag: str, user: str) -> None:
        """See to it that jobs of *tag* which may yet appear run no task."""
        await self._driver.renounce(tag, self.login(user))

    async def forget(self, jobs: Collection[JobRef]) -> None:
        """Say that *jobs* are recorded."""
        await self._driver.forget(self._mapped(jobs))

    async def tidy(self, open_jobs: Collection[RemoteId]) -> None:
        """Put away what a crash has left."""
        await self._driver.tidy(open_jobs)

    async def close(self) -> None:
        """Let go of what connects to the cluster."""
        await self._driver.close()

    async def outputs(
        self, job: JobRef, tasks: Collection[TaskNumber], stream: Output, limit: int
    ) -> Mapping[TaskNumber, bytes]:
        """Return the end of what each of *tasks* wrote."""
        return await self._driver.outputs(self._there(job), tasks, stream, limit)

    def _mapped(self, jobs: Collection[JobRef]) -> list[JobRef]:
        return list(map(self._there, jobs))

    def _there(self, job: JobRef) -> JobRef:
        return attrs.evolve(job, user=self.login(job.user))
