"""What the two versions of OAR's REST interface have in common, as `OarDriver` asks for it.

An interface translates one request at a time and decides nothing.  Paths are relative to the
user's home; they and all texts of an order are of characters that OAR cannot misread.
"""

import math
from collections.abc import Collection, Container, Sequence
from enum import StrEnum
from typing import Annotated, NamedTuple, Protocol

import attrs
import msgspec

#: The characters of a path that no shell of OAR's own reads as anything else.
PATH = r"[A-Za-z0-9._/+=-]+"
#: Those of a name: OAR makes file names of it, and takes 100.
NAME = r"[A-Za-z0-9._-]{1,100}"
#: Those of commands, which have spaces.
TEXT = r"[A-Za-z0-9 ._/+=-]*"


#: The largest number of a job that its database can have.
_LAST_ID = 2**63 - 1
#: What no cluster has more of than.
MOST_RESOURCES = 1_000_000
#: A number of resources, as an answer may give it.
Amount = Annotated[int, msgspec.Meta(ge=0, le=MOST_RESOURCES)]


def is_id(number: int) -> bool:
    """Return whether a job can have this number."""
    return 0 < number <= _LAST_ID


class OarState(StrEnum):
    """Where OAR says that a job is; a name that is not here is one that still lives."""

    HOLD = "Hold"
    WAITING = "Waiting"
    TO_LAUNCH = "toLaunch"
    TO_ERROR = "toError"
    TO_ACK_RESERVATION = "toAckReservation"
    LAUNCHING = "Launching"
    RUNNING = "Running"
    SUSPENDED = "Suspended"
    RESUMING = "Resuming"
    FINISHING = "Finishing"
    TERMINATED = "Terminated"
    ERROR = "Error"


#: The states from which a job does not come back.
FINAL = frozenset({OarState.TERMINATED, OarState.ERROR})
#: The states before a job has cores.
QUEUED = frozenset({OarState.HOLD, OarState.WAITING, OarState.TO_ACK_RESERVATION})


class OarJob(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A job as OAR lists it.  A struct, read from JSON as it is: there are tens of thousands."""

    id: int
    #: One of `OarState`.
    state: str
    #: The wait status: the exit status is ``exit_code >> 8``.
    exit_code: int | None = None
    #: 0: it has not started, has not ended.
    start_time: float = 0.0
    stop_time: float = 0.0
    #: From 1, the line of the array that it runs; 0 where the listing does not tell.
    array_index: int = 0


class OarEvent(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Something that OAR noted about a job."""

    job_id: int
    type: str
    description: str = ""
    date: float = 0.0


class OarResource(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One core, or whatever the site counts."""

    #: Alive, Suspected, Absent or Dead.
    state: str
    type: str | None = "default"


class Stress(msgspec.Struct):
    """How loaded a site says that it is: mostly a number in a text."""

    GLOBAL_STRESS: str | float | None = None

    @property
    def factor(self) -> float | None:
        """Return the number, `None` where there is none."""
        try:
            told = math.nan if self.GLOBAL_STRESS is None else float(self.GLOBAL_STRESS)
        except ValueError:
            return None
        return told if math.isfinite(told) else None


class Look(NamedTuple):
    """What a listing showed."""

    jobs: Sequence[OarJob]
    #: The server's time of the answer; 0 where it did not tell.
    server_time: float


@attrs.frozen(kw_only=True)
class OarOrder:
    """Jobs to create with one POST: one for each line, in this order."""

    user: str
    #: Their name, which `named` finds: the tag of the submission.
    name: str
    #: What each runs, followed by a space and its line.
    command: str
    lines: Sequence[str]
    #: With its walltime: ``/core=1,walltime=0:10:0``.
    resource: str
    types: Sequence[str] = ()
    properties: str = ""
    project: str = ""
    #: Where both streams of what starts the task go, relative to the home.
    output: str
    #: Seconds before its end that each job gets SIGUSR2; 0: not at all.
    checkpoint: int = 0

    def common(self) -> dict[str, object]:
        """Return what both versions call the same; an empty one would be one without a value."""
        given: dict[str, object] = {
            "name": self.name,
            "stdout": self.output,
            "stderr": self.output,
            "type": list(self.types),
            "property": self.properties,
            "project": self.project,
            "checkpoint": self.checkpoint,
        }
        return {key: value for key, value in given.items() if value}


class OarApi(Protocol):
    """
    The requests of one version of OAR.

    Any of them may raise `ClusterUnreachable`, with its fault: nothing was changed, except where
    it is said otherwise.
    """

    #: Whether files can be written to the cluster: otherwise everything travels in the command.
    can_write: bool
    #: Bytes of a command or a body of a file, at most.
    most_bytes: int

    @property
    def clock(self) -> tuple[float, float] | None:
        """Return the cluster's time at the last answer, and this host's; `None` before that."""

    async def submit(self, order: OarOrder) -> list[int]:
        """
        Create the jobs of *order* and return their ids, in the order of its lines.

        Raises:
            SubmissionRejected: None was created; the same order fails again.
            SubmissionUnknown: They, or some of them, may have been created.
        """

    async def named(self, name: str, user: str) -> list[OarJob]:
        """Return the jobs that *user* submitted under *name*, by id, with their `array_index`.

        What OAR has resubmitted by itself is not among them, only the job that it stands for.
        """

    def room(self, ids: Sequence[int]) -> int:
        """
        Return how many of the first of *ids* one request of `jobs` can name; 1 or more.

        Where that is always all of them, nobody asks what has `changed`.
        """

    async def jobs(self, ids: Sequence[int], user: str) -> Look:
        """
        Return those of *ids* that OAR knows, with one request; `room` says how many fit.

        An empty list because of an error never comes back as jobs that do not exist: a second
        request may look for those that are missing.  *user* is any who may ask.
        """

    async def changed(
        self, since: float, user: str | None, wanted: Container[int] | None = None
    ) -> Look:
        """
        Return the jobs, of *user* only if given, that ended since *since* or have cores now.

        One that is not listed is unchanged.  Jobs that are not among *wanted* may be left out.
        """

    async def events(self, ids: Sequence[int], user: str) -> list[OarEvent]:
        """Return what OAR noted about these jobs, oldest first; *user* is any who may ask."""

    async def delete(self, ids: Collection[int], user: str) -> None:
        """Ask that these jobs of *user* end; one that has ended or is unknown is no error."""

    async def delete_array(self, array: int, user: str) -> None:
        """Ask that all jobs of *array*, named by its first job, end; so for one without."""

    async def checkpoint(self, job: int, user: str) -> None:
        """Send the signal of its checkpoint to *job*; one that has ended is no error."""

    async def resources(self) -> Sequence[OarResource]:
        """Return all resources of the cluster, in whatever state."""

    async def busy(self) -> int:
        """Return how many resources jobs hold now, of whomever they are."""

    async def stress(self) -> float | None:
        """Return the stress factor that the site computes; `None` where it has none."""

    async def read(
        self, path: str, user: str, *, tail: int | None = None, limit: int
    ) -> bytes | None:
        """
        Return the last *limit* bytes of a file, of its last *tail* lines if that is given.

        `None`: it is not there, or *user* may not read it.
        """

    async def write(self, path: str, user: str, data: bytes) -> None:
        """Write a file, or over it, and make the directories that it needs."""

    async def remove(self, path: str, user: str) -> None:
        """Remove a file or a directory with all that is in it; a missing one is no error."""

    async def close(self) -> None:
        """Close its connections."""
