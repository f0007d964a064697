"""The jobs of a played OAR 3: their states, their events, and processes that really run."""

import asyncio
import itertools
import os
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import attrs

from cigri.clusters.worker import carriers, kill

#: In which a job is listed without being asked for by its number or its times.
LISTED = (
    "Finishing",
    "Running",
    "Resuming",
    "Suspended",
    "Launching",
    "toLaunch",
    "Waiting",
    "Hold",
    "toAckReservation",
)
#: All that PostgreSQL knows; any other one breaks the session.
STATES = frozenset({*LISTED, "toError", "Error", "Terminated"})
OVER = ("Terminated", "Error")
OCCUPYING = ("toLaunch", "Launching", "Running", "Finishing")
PROPERTIES = ("network_address", "cpu", "core", "resource_id")


class Garbage(Exception):
    """A resource or a walltime that OAR cannot read: a 500 without a word."""


class Refused(Exception):
    """What OAR answers with a reason."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


@attrs.define(kw_only=True)
class Job:
    """A row of the table `jobs`, and the process that plays it."""

    id: int
    user: str
    command: str
    initial_request: str
    name: str | None
    array_id: int
    array_index: int
    cores: int
    wanted: str
    walltime: int
    home: Path
    launching_directory: str
    submission_time: int
    types: Sequence[str] = ()
    queue_name: str = "default"
    project: str = "default"
    properties: str = "drain='NO'"
    state: str = "Waiting"
    message: str = ""
    checkpoint: int = 0
    checkpoint_signal: int = 12
    start_time: int = 0
    stop_time: int = 0
    exit_code: int | None = None
    resubmit_job_id: int = 0
    stdout: str | None = None
    stderr: str | None = None
    #: No moldable description: half of an array that was broken.
    broken: bool = False
    fragged: bool = False
    #: What a running job is to be ended with: the events that say why.
    doomed: list[tuple[str, str]] | None = None
    process: asyncio.subprocess.Process | None = None
    began: float = 0.0

    def file(self, stream: str) -> str:
        """Return where a stream goes, relative to the directory."""
        given = self.stdout if stream == "stdout" else self.stderr
        default = f"OAR.{self.name}.%jobid%.{stream}" if self.name else f"OAR.%jobid%.{stream}"
        text = (given or default).replace("%jobid%", str(self.id))
        return text.replace("%jobname%", self.name or "")

    @property
    def status_code(self) -> int | None:
        """Return the code, or the signal: which one is not told."""
        if self.exit_code is None:
            return None
        return self.exit_code >> 8 or self.exit_code & 0x7F


@attrs.frozen
class Event:
    """A row of the table `event_logs`."""

    id: int
    type: str
    job_id: int
    date: int
    description: str

    def shown(self) -> dict[str, Any]:
        return {**attrs.asdict(self), "to_check": "NO"}


def parse_resource(text: str, total: int) -> tuple[int, int]:
    """Return the cores and the seconds that a resource asks for."""
    path, _, rest = text.partition(",")
    cores = 1
    for part in path.strip("/").split("+")[0].split("/"):
        name, found, count = part.partition("=")
        if not found:
            raise Garbage(text)
        if name not in (*PROPERTIES, "nodes", "host"):
            valid = ", ".join(PROPERTIES)
            raise Refused(
                400,
                f"Bad resources name: {name} is not a valid resources name."
                f"Valid resource names are: {valid}",
            )
        cores *= int(count)
    if cores > total:
        raise Refused(400, "There are not enough resources for your request")
    return cores, parse_walltime(rest)


def parse_walltime(text: str) -> int:
    """Return the seconds of `walltime=1:30:0`, two hours without one."""
    if not text:
        return 7200
    found = re.fullmatch(r"walltime=(\d+)(?::(\d+))?(?::(\d+))?", text)
    if found is None:
        raise Garbage(text)
    hours, minutes, seconds = (int(group or 0) for group in found.groups())
    return hours * 3600 + minutes * 60 + seconds


class Cluster:
    """
    The database, Almighty, and the nodes.

    Args:
        directory: Where the homes of its users lie, made when they are first needed.
        tick: Seconds between two looks of the scheduler: a minute on a real one.
        cores: On two nodes.
    """

    def __init__(self, directory: Path, *, tick: float = 0.05, cores: int = 16) -> None:
        self.directory = directory
        self.tick = tick
        self.cores = cores
        self.users = ["alice", "bob"]
        self.jobs: dict[int, Job] = {}
        self.events: list[Event] = []
        #: Whether Almighty runs, and how many jobs it kills in one tick.
        self.almighty = True
        self.kills_per_tick = 20
        #: Cores of somebody else's jobs, which cannot be used.
        self.taken = 0
        #: Nodes that a job of an unknown user has brought down.
        self.suspected: set[str] = set()
        self._ids = itertools.count(700001)
        self._event_ids = itertools.count(8)
        self._loop: asyncio.Task[None] | None = None
        self._running: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()

    # ----- the database

    def home(self, user: str) -> Path:
        """Return a user's home."""
        found = self.directory / user
        if user in self.users:
            found.mkdir(parents=True, exist_ok=True)
        return found

    def insert(self, **given: Any) -> Job:
        """Add a job."""
        job_id = next(self._ids)
        given["array_id"] = given.get("array_id") or job_id
        job = Job(id=job_id, **given)
        self.jobs[job_id] = job
        return job

    def skip(self, count: int) -> None:
        """Let somebody else have taken the next *count* numbers."""
        for _ in range(count):
            next(self._ids)

    def event(self, job: Job, kind: str, description: str, date: float | None = None) -> None:
        """Record an event of a job."""
        when = int(time.time() if date is None else date)
        self.events.append(Event(next(self._event_ids), kind, job.id, when, description))

    def events_of(self, job_id: int) -> list[dict[str, Any]]:
        """Return a job's events, not in the order of time."""
        found = [event.shown() for event in self.events if event.job_id == job_id]
        return found[1:] + found[:1]

    def of_array(self, array_id: int) -> list[Job]:
        """Return the jobs of an array by their number."""
        return sorted(
            (job for job in self.jobs.values() if job.array_id == array_id), key=lambda j: j.id
        )

    # ----- what tests let happen

    def finish(self, job_id: int, wait_status: int) -> None:
        """End a job by itself."""
        job = self.jobs[job_id]
        job.start_time = job.start_time or int(time.time())
        job.stop_time = int(time.time())
        job.exit_code = wait_status
        job.state = "Terminated"
        self.event(job, "SWITCH_INTO_TERMINATE_STATE", f"[{job_id}] Ask to change the job state")

    def fail(self, job_id: int, *events: tuple[str, str], started: bool = True) -> None:
        """End a job in state Error, with these events."""
        job = self.jobs[job_id]
        if started:
            job.start_time = job.start_time or int(time.time())
            job.stop_time = int(time.time())
        job.state = "Error"
        for kind, description in events:
            self.event(job, kind, description)
        if started:
            self.event(job, "SWITCH_INTO_ERROR_STATE", f"[{job_id}] Ask to change the job state")

    def preempt(self, job_id: int) -> None:
        """Take the cores of a best-effort job away, as for a normal one."""
        killed = ("BESTEFFORT_KILL", f"kill the besteffort job {job_id}")
        frag = ("FRAG_JOB_REQUEST", f"User oar requested to frag the job {job_id}")
        self.doom(job_id, [killed, frag, killed])

    def doom(self, job_id: int, events: list[tuple[str, str]]) -> None:
        """Let a running job be killed, with these events."""
        self.jobs[job_id].doomed = events
        self._wake.set()

    def live(self) -> list[Job]:
        """Return the jobs that are not over."""
        return [job for job in self.jobs.values() if job.state not in OVER]

    # ----- Almighty

    def start(self) -> None:
        """Begin to run jobs."""
        self._loop = asyncio.create_task(self._almighty())

    async def stop(self) -> None:
        """End everything that runs."""
        tasks = [task for task in (self._loop, *self._running) if task is not None]
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task
        for job in self.jobs.values():
            _kill(job)
            if job.process is not None:
                await job.process.wait()

    async def _almighty(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self.tick):
                    await self._wake.wait()
            self._wake.clear()
            if self.almighty:
                self._look()

    def _look(self) -> None:
        for job in self._to_kill():
            self._end_by_force(job)
        free = self.cores - self.taken
        free -= sum(job.cores for job in self.jobs.values() if job.state in OCCUPYING)
        for job in self.jobs.values():
            if job.state == "Waiting" and not job.broken and job.cores <= free:
                free -= job.cores
                self._launch(job)

    def _to_kill(self) -> Iterator[Job]:
        killed = 0
        for job in list(self.jobs.values()):
            if job.state in OVER or killed >= self.kills_per_tick:
                continue
            late = job.state == "Running" and time.time() - job.began > job.walltime
            if late and job.doomed is None:
                elapsed = f"Job: {job.id} from {job.start_time} with {job.walltime}; (Elapsed)"
                frag = f"User oar requested to frag the job {job.id}"
                job.doomed = [("WALLTIME", elapsed), ("FRAG_JOB_REQUEST", frag)]
            if job.fragged or job.doomed is not None:
                killed += 1
                yield job

    def _end_by_force(self, job: Job) -> None:
        for kind, description in job.doomed or ():
            self.event(job, kind, description)
        if job.state in ("Waiting", "Hold"):
            job.state, job.message = "Error", "Job killed by Leon directly"
            return
        if job.process is not None:
            sent = f"Send the kill signal to oarexec on node1 for job {job.id}"
            self.event(job, "SEND_KILL_JOB", sent)
        job.fragged, job.doomed, dooms = False, None, job.doomed
        _kill(job)
        job.state, job.stop_time = "Error", int(time.time())
        self.event(job, "SWITCH_INTO_ERROR_STATE", f"[{job.id}] Ask to change the job state")
        preempted = any(kind == "BESTEFFORT_KILL" for kind, _ in dooms or ())
        if preempted and {"besteffort", "idempotent"} <= set(job.types):
            self._resubmit(job, "is a besteffort and idempotent job so we resubmit it")

    def _resubmit(self, job: Job, why: str) -> None:
        fresh = attrs.asdict(
            job,
            recurse=False,
            filter=lambda field, _: field.name in _COPIED,
        )
        again = self.insert(**fresh, resubmit_job_id=job.id)
        said = f"[{job.id}] The job {job.id} {why} (new id = ((0, ''), {again.id})"
        self.event(job, "RESUBMIT_JOB_AUTOMATICALLY", said)

    # ----- the nodes

    def _launch(self, job: Job) -> None:
        job.state = "Launching"
        job.start_time = int(time.time())
        task = asyncio.create_task(self._run(job))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _run(self, job: Job) -> None:
        if job.user not in self.users:
            self._bring_node_down(job)
            return
        directory = Path(job.launching_directory)
        if not directory.is_dir():  # noqa: ASYNC240 - a local disk
            told = f"[{job.id}] Cannot go into the working directory {directory} of the job"
            self.fail(job.id, ("WORKING_DIRECTOR", f"{told} on node node1"))
            return
        try:
            await self._start(job, directory)
        except OSError as error:
            self.fail(job.id, ("OUTPUT_FILES", f"[{job.id}] {error}"))
            return
        assert job.process is not None
        status = await job.process.wait()
        if job.state != "Running":
            return
        job.exit_code = -status if status < 0 else status << 8
        job.stop_time = int(time.time())
        # Its exit code is there already.
        job.state = "Finishing"
        told = f"[{job.id}] Ask to change the job state"
        self.event(job, "SWITCH_INTO_TERMINATE_STATE", told)
        await asyncio.sleep(self.tick / 2)
        job.state = "Terminated"
        self._wake.set()

    async def _start(self, job: Job, directory: Path) -> None:
        nodes = _node_file(job)
        nodes.write_text("node1\n" * job.cores)
        out, err = (directory / job.file(stream) for stream in ("stdout", "stderr"))
        with out.open("ab") as to_out, err.open("ab") as to_err:
            job.process = await asyncio.create_subprocess_exec(
                *("/bin/sh", "-c", job.command),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=to_out,
                stderr=to_err,
                cwd=directory,
                env=self._environment(job, nodes),
                start_new_session=True,
            )
        job.began = time.time()
        job.state = "Running"

    def _environment(self, job: Job, nodes: Path) -> dict[str, str]:
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(job.home),
            "USER": job.user,
            "LOGNAME": job.user,
            "SHELL": "/bin/sh",
            "TERM": "unknown",
            "OAR_JOB_ID": str(job.id),
            "OAR_ARRAY_ID": str(job.array_id),
            "OAR_ARRAY_INDEX": str(job.array_index),
            "OAR_JOB_NAME": job.name or "",
            "OAR_PROJECT_NAME": job.project,
            "OAR_WORKDIR": job.launching_directory,
            "OAR_NODEFILE": str(nodes),
            "OAR_NODE_FILE": str(nodes),
            "OAR_JOB_WALLTIME_SECONDS": str(job.walltime),
        }

    def _bring_node_down(self, job: Job) -> None:
        self.suspected.add("node1")
        self.fail(job.id, ("LAUNCHING_OAREXEC_TIMEOUT", f"[{job.id}] node1 is Suspected"))
        self._resubmit(job, "could not be launched so we resubmit it")

    def signal(self, job: Job, number: int) -> bool:
        """Send a signal to a running job; return whether it runs."""
        if job.process is None or job.state != "Running":
            return False
        with suppress(ProcessLookupError):
            os.kill(job.process.pid, number)
        return True


_COPIED = frozenset(
    (
        *("user", "command", "initial_request", "name", "array_id", "array_index", "cores"),
        *("wanted", "walltime", "home", "launching_directory", "submission_time", "types"),
        *("queue_name", "project", "properties", "stdout", "stderr", "checkpoint"),
    )
)


def _node_file(job: Job) -> Path:
    return job.home.parent / f".nodes.{job.id}"


def _kill(job: Job) -> None:
    if job.process is not None and job.process.returncode is None:
        # Nothing of a job survives it: a worker's tasks have left its process group.
        mark = f"OAR_NODEFILE={_node_file(job)}".encode()
        while pids := carriers(mark):
            for pid in pids:
                kill(pid)


async def until(condition: Callable[[], bool], patience: float = 20.0) -> None:
    """Wait for *condition*."""
    end = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        await asyncio.sleep(0.005)
