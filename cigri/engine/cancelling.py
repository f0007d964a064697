"""Cancels single tasks."""

from cigri.domain.model import Caller, JobState, Task, TaskId, TaskState
from cigri.engine.aspect import Aspect
from cigri.engine.incidents import reference
from cigri.errors import Conflict
from cigri.store import brakes, campaigns, jobs, revocation, task_pages
from cigri.store.database import Connection

#: Where a job is when its cluster can be asked to leave tasks of it out.
_REACHABLE = frozenset({JobState.SUBMITTED, JobState.RUNNING})


class Cancelling(Aspect):
    """Takes single tasks out of campaigns."""

    async def cancel_task(self, caller: Caller, task: TaskId) -> Task:
        """
        Cancel one task: it leaves the bag, or is killed and does not run again.

        One that ends by itself before it can be killed has ended so.

        Raises:
            NotFound: There is no such task.
            NotAllowed: It is somebody else's.
            Conflict: It has ended, or is being sent to its cluster at this moment.
        """
        async with self._database.write() as tx:
            found = await task_pages.task(tx, task)
            row = await self._check_owner(tx, caller, found.campaign)
            if found.state is TaskState.PENDING:
                await revocation.take_out(tx, row, found.number)
                now = self._runtime.now()
                if not await campaigns.finish_if_done(tx, found.campaign, now):
                    await brakes.check(tx, found.campaign, now)
                held = None
            else:
                held = await self._in_job(tx, found)
                await revocation.doom(tx, row, found.number)
        if held is not None:
            await self._leave_out(held, found)
        self._runtime.ring()
        async with self._database.read() as db:
            return await task_pages.task(db, task)

    @staticmethod
    async def _in_job(db: Connection, task: Task) -> jobs.OpenJob:
        """Return the job that holds a task, on a cluster that can be asked about it."""
        if task.state not in (TaskState.QUEUED, TaskState.RUNNING) or task.job is None:
            message = f"job {task.id} has ended already"
            raise Conflict(message)
        job = await jobs.get(db, task.job)
        if job.state not in _REACHABLE:
            message = f"job {task.id} is being sent to its cluster: try again in a moment"
            raise Conflict(message)
        return job

    async def _leave_out(self, job: jobs.OpenJob, task: Task) -> None:
        site = self._runtime.site(job.cluster_id)
        if site is not None:
            await site.driver.cancel(reference(job), [task.number])
