"""Users who have another login on a cluster than in CiGri."""

from collections.abc import Collection, Mapping, Sequence

import attrs

from cigri.clusters.driver import Batch, ClusterDriver, JobRef, JobReport, Output
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

    async def forget(self, jobs: Collection[JobRef]) -> None:
        """Say that *jobs* are recorded."""
        await self._driver.forget(self._mapped(jobs))

    async def tidy(self, open_jobs: Collection[RemoteId]) -> None:
        """Put away what a crash has left."""
        await self._driver.tidy(open_jobs)

    async def output(self, job: JobRef, task: TaskNumber, stream: Output, limit: int) -> bytes:
        """Return the end of what *task* wrote."""
        (mapped,) = self._mapped([job])
        return await self._driver.output(mapped, task, stream, limit)

    async def outputs(
        self, job: JobRef, tasks: Collection[TaskNumber], stream: Output, limit: int
    ) -> Mapping[TaskNumber, bytes]:
        """Return the end of what each of *tasks* wrote."""
        (mapped,) = self._mapped([job])
        return await self._driver.outputs(mapped, tasks, stream, limit)

    async def cancel(self, job: JobRef, tasks: Collection[TaskNumber]) -> None:
        """Ask that *tasks* of *job* end now, or never start."""
        (mapped,) = self._mapped([job])
        await self._driver.cancel(mapped, tasks)

    def _mapped(self, jobs: Collection[JobRef]) -> list[JobRef]:
        return [
            attrs.evolve(job, user=self._mapping[job.user]) if job.user in self._mapping else job
            for job in jobs
        ]
