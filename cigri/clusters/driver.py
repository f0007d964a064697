"""The contract between the engine and a cluster."""

from collections.abc import Callable, Collection, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple, Protocol

import attrs

from cigri.clusters.credentials import Credentials
from cigri.domain.capacity import Capacity
from cigri.domain.model import (
    CampaignId,
    ClusterSettings,
    JobId,
    JobKind,
    Parameter,
    RemoteId,
    Shape,
    TaskId,
    TaskNumber,
)
from cigri.domain.pace import Pace
from cigri.domain.verdict import TaskEnd

__all__ = [
    "Batch",
    "Capacity",
    "ClusterDriver",
    "JobRef",
    "JobReport",
    "Output",
    "RemoteState",
    "TaskOrder",
    "Usage",
]


class TaskOrder(NamedTuple):
    """One task to run, as the worker reads it.  A tuple: there is one for each task that runs."""

    task: TaskNumber
    #: 1 for the first attempt that starts.
    attempt: int
    id: TaskId
    parameter: Parameter


@attrs.frozen(kw_only=True)
class Batch:
    """Jobs to create with one request."""

    #: The name by which `find` finds them.
    tag: str
    user: str
    campaign: CampaignId
    campaign_name: str
    #: What the campaign asks of this cluster; `type` is best-effort or normal.
    settings: ClusterSettings
    jobs: Mapping[JobId, Sequence[TaskOrder]]
    #: Tasks, or the prologue or the epilogue: one job with one order, number 0.
    kind: JobKind = JobKind.TASKS
    #: For a shell, instead of the command; a prologue and an epilogue are such scripts.
    script: str | None = None
    #: Whether each of `jobs` is one remote job, or its only one is a remote job for each order.
    shape: Shape = Shape.GROUP
    #: Seconds that a remote job may last: the walltime of a task, or of a group what it needs.
    walltime: float = 0.0


def _nowhere(_: TaskNumber) -> int | None:
    return None


@attrs.frozen(kw_only=True)
class JobRef:
    """A job as its cluster knows it, and what was last heard of it."""

    remote_id: RemoteId
    user: str
    #: Tasks that ran, with their starts.
    running: Mapping[int, float] = attrs.field(factory=dict)
    #: How far its journal was read.
    read_to: int = 0
    #: Cores that its tasks which have not ended would occupy side by side.
    demand: int = 0
    shape: Shape = Shape.GROUP
    #: The tag of its submission, and its place among the jobs of that.
    tag: str = ""
    place: int = 0
    #: Its tasks that have not ended, by their position in it.
    open: Mapping[int, TaskNumber] = attrs.field(factory=dict)
    #: The positions in it of all its tasks, ended or not; asked for where one is looked for.
    positions: Callable[[TaskNumber], int | None] = attrs.field(default=_nowhere, eq=False)


class RemoteState(StrEnum):
    """Where a cluster says that a job is."""

    WAITING = "waiting"
    RUNNING = "running"
    ENDED = "ended"
    KILLED = "killed"
    #: The cluster does not know it, or its worker died.
    LOST = "lost"


@attrs.frozen(kw_only=True)
class JobReport:
    """What a cluster says of a job since it was last asked."""

    state: RemoteState
    #: Tasks that have ended since.
    ended: Sequence[TaskEnd] = ()
    running: Mapping[int, float] = attrs.field(factory=dict)
    read_to: int = 0
    #: Tasks whose remote job the cluster itself has replaced by another one, with its number: the
    #: attempt was killed, and the next one is there already.  An end of such a task in `ended`
    #: tells of the attempt that was killed.
    moved: Mapping[TaskNumber, int] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class Usage:
    """What of a cluster is not free, in cores."""

    #: That do not work now.
    down: int
    #: That jobs occupy, of whomever they are.
    busy: int


class Output(StrEnum):
    """What a task writes."""

    OUT = "out"
    ERR = "err"


class ClusterDriver(Protocol):
    """
    Speaks to one batch scheduler on behalf of CiGri.

    A driver translates; it decides nothing and stores nothing.  Any method may raise
    `ClusterUnreachable`, which promises that the cluster did not change; those that name a user or
    their jobs may raise `SubmissionRejected` when the cluster does not let this user in.
    """

    #: The name by which the configuration calls the driver.
    name: str
    #: Seconds after a submission without an answer until `find` can be trusted to find nothing.
    fence: float
    #: How often its jobs are looked at.
    pace: Pace
    #: From what `stress` on the cluster is called under stress; `None`: never.
    stress_limit: float | None
    #: How much it takes at a time.
    capacity: Capacity

    @property
    def clock_skew(self) -> float | None:
        """
        Return by how many seconds its clock was ahead of this host's when it last told.

        `None`: nobody knows, or it is the same clock.
        """

    @property
    def credentials(self) -> Credentials | None:
        """Return the tokens by which the cluster knows its users; `None`: it takes none."""

    def refusal(self, user: str) -> str | None:
        """Return why *user* may not run tasks here, and what to do; `None` when they may."""

    async def slots(self) -> int:
        """
        Return how many cores tasks may occupy at a time.

        It is asked often and may be answered from memory, but the first answer after a
        `ClusterUnreachable` comes from the cluster: that is how it is known to work again.
        """

    async def stress(self) -> float | None:
        """
        Return how loaded the cluster is, 1 when it is full; `None` where nobody knows.

        It is asked often, and may be answered from memory.
        """

    async def usage(self) -> Usage | None:
        """Return what of the cluster is not free; `None` where nobody knows."""

    async def submit(self, batch: Batch) -> Mapping[JobId, RemoteId]:
        """
        Create the jobs of *batch*, all or none, named after ``batch.tag``.

        Raises:
            SubmissionRejected: None was created; the same batch fails again.
            SubmissionUnknown: They may have been created; `find` will tell.
        """

    async def find(self, tag: str, user: str, jobs: Sequence[JobId]) -> Mapping[JobId, RemoteId]:
        """Return those of *jobs*, given as they were sent, that the cluster has under *tag*."""

    async def status(self, jobs: Collection[JobRef]) -> Mapping[RemoteId, JobReport]:
        """
        Report on *jobs*; those that the cluster forgot come as LOST.

        Those about which nothing can be told, as their user is not let in now, are left out.
        """

    async def withdraw(self, jobs: Collection[JobRef]) -> None:
        """Ask that these jobs start no more tasks.  Jobs that already ended are no error."""

    async def kill(self, jobs: Collection[JobRef]) -> None:
        """Ask that these jobs end now.  Jobs that already ended are no error."""

    async def cancel(self, job: JobRef, tasks: Collection[TaskNumber]) -> None:
        """
        Ask that these tasks of *job* end now, or never start: they were cancelled.

        A cluster that cannot may end the whole job; its other tasks run again.
        """

    async def renounce(self, tag: str, user: str) -> None:
        """
        See to it that jobs of *tag* which may yet appear on the cluster run no task.

        What already runs goes on; `find` is asked once more afterwards.
        """

    async def forget(self, jobs: Collection[JobRef]) -> None:
        """Say that these ended jobs are recorded: only their output is still needed."""

    async def tidy(self, open_jobs: Collection[RemoteId]) -> None:
        """At a start, put away what a crash has left and none of *open_jobs* needs."""

    async def close(self) -> None:
        """Let go of what connects to the cluster, at the end of the server."""

    async def outputs(
        self, job: JobRef, tasks: Collection[TaskNumber], stream: Output, limit: int
    ) -> Mapping[TaskNumber, bytes]:
        """
        Return the last *limit* bytes that each of *tasks* wrote in *job*, so far if it still runs.

        Those that the job does not have, or whose output is gone, are left out.
        """
