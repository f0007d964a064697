"""What the fake OAR knows of: its options, submissions, jobs and events."""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

import attrs


@attrs.frozen(kw_only=True)
class FakeOptions:
    """What kind of cluster it plays."""

    cores: int = 10_000
    cores_per_node: int = 100
    #: Seconds that jobs last, in turn.
    durations: tuple[float, ...] = (1.0,)
    #: Seconds that an answer takes, and more for each job in it.
    latency: float = 0.0
    latency_per_job: float = 0.0
    #: Requests that are worked on at a time.
    processes: int = 8
    #: The largest body that is taken, and how many items a list has unless asked otherwise.
    max_body: int = 131_072
    default_limit: int = 500
    #: Ids of one array are so far apart: 2 as if somebody else submitted at the same time.
    id_step: int = 1
    users: tuple[str, ...] = ("alice", "bob")
    stress: str = "0.10"
    #: Where the users' homes are: then jobs really run, as the user of this process.
    homes: Path | None = None


class State(StrEnum):
    """States of a job, as OAR spells them."""

    HOLD = "Hold"
    WAITING = "Waiting"
    RUNNING = "Running"
    TERMINATED = "Terminated"
    ERROR = "Error"


OVER = frozenset({State.TERMINATED, State.ERROR})


class Why(StrEnum):
    """Why the cluster ends a job."""

    DELETED = "deleted"
    WALLTIME = "walltime"
    BESTEFFORT = "besteffort"
    #: A best-effort job that OAR itself submits again.
    RESUBMITTED = "resubmitted"
    NODE = "node"
    #: Its row vanishes from the database.
    LOST = "lost"


@attrs.frozen(kw_only=True, eq=False)
class Submission:
    """What the jobs of one submission share."""

    user: str
    command: str
    cores: int
    walltime: int
    time: float
    name: str | None
    project: str
    types: tuple[str, ...]
    directory: str
    stdout: str | None
    stderr: str | None
    initial_request: str
    #: One line for each job; `None`: one job without any.
    lines: Sequence[str] | None
    first: int
    checkpoint: int = 0

    @property
    def queue(self) -> str:
        """Return the queue where admission rules put it."""
        return "besteffort" if "besteffort" in self.types else "default"


class Job:
    """One job."""

    __slots__ = ("exit_code", "id", "index", "resubmitted_from", "start", "state", "stop", "sub")

    def __init__(self, id_: int, index: int, sub: Submission, state: State) -> None:
        self.id = id_
        self.index = index
        self.sub = sub
        self.state = state
        self.start = self.stop = 0.0
        self.exit_code: int | None = None
        self.resubmitted_from = 0

    @property
    def command(self) -> str:
        """Return what it runs: the command and its line."""
        lines = self.sub.lines
        return self.sub.command if lines is None else f"{self.sub.command} {lines[self.index]}"


class Event(NamedTuple):
    """What the database says of a job."""

    type: str
    description: str
    time: float
    id: int
