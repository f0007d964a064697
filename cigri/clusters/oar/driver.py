"""Clusters of OAR, 2.5 and 3: what is decided about their jobs is the same for both."""

import math
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from cigri.clusters import node
from cigri.clusters.credentials import Credentials, FileCredentials
from cigri.clusters.driver import Batch, Capacity, JobRef, JobReport, Output, RemoteState, Usage
from cigri.clusters.oar.api import OarApi, OarJob, OarOrder
from cigri.clusters.oar.files import Files
from cigri.clusters.oar.login import misread
from cigri.clusters.oar.reports import Ends, array_report, begun, group_report
from cigri.clusters.oar.stopping import Stopping, open_ids
from cigri.clusters.oar.v2.api import Oar2Api
from cigri.clusters.oar.v3.api import Oar3Api
from cigri.clusters.oar.v3.tokens import no_token
from cigri.clusters.oar.verdicts import Verdicts
from cigri.clusters.oar.watch import Seen, Watch
from cigri.clusters.options import OAR_LOGIN, Oar3Options, OarOptions
from cigri.domain.model import CampaignType, ClusterSettings, JobId, RemoteId, Shape, TaskNumber
from cigri.domain.oar_condition import condition
from cigri.domain.oar_request import job_types, oar_resources, whole_node
from cigri.domain.pace import Pace
from cigri.domain.remote_ids import join_ids
from cigri.errors import ClusterUnreachable, SubmissionRejected

#: Jobs of one submission.
MOST_JOBS = 5_000
#: Seconds for which resources and stress are known without asking.
FRESH = 60.0


class OarDriver:
    """Runs tasks on a cluster of OAR."""

    fence = 120.0
    pace = Pace(quick=1.0, steady=5.0, slow=30.0)

    def __init__(
        self,
        directory: Path,
        options: OarOptions,
        *,
        api: OarApi | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        is_new = isinstance(options, Oar3Options)
        self.name = "oar3" if is_new else "oar2"
        tokens = FileCredentials(directory / "tokens") if is_new else None
        self.credentials: Credentials | None = tokens
        self._options = options
        if api is None and self.credentials is not None:
            api = Oar3Api(options, self.credentials.token)
        self._api: OarApi = api or Oar2Api(options)
        self._now = now
        self._watch = Watch(self._api, now)
        self._files = Files(self._api, now)
        self._verdicts = Verdicts(self._api, now)
        self._stopping = Stopping(self._api, self._watch, self._files, now)
        self.stress_limit = options.stress_limit
        self.capacity = Capacity(
            arrays=True,
            lookahead=20.0,
            most_in_flight=25_000,
            most_in_submission=MOST_JOBS,
            group_duration=options.group_duration,
            # Coded, beside the worker, they have to fit into one command.
            most_parameter_bytes=None if self._api.can_write else self._api.most_bytes // 2,
            cores_per_node=options.cores_per_node,
            longest_wait=options.waiting_timeout or None,
        )
        #: Cores and stress, with when they were asked for.
        self._slots: tuple[float, int] | None = None
        self._stress: tuple[float, float | None] | None = None

    @property
    def clock_skew(self) -> float | None:
        """Return by how many seconds the cluster's clock is ahead of ours."""
        clock = self._api.clock
        return None if clock is None else clock[0] - clock[1]

    def refusal(self, user: str) -> str | None:
        """Return why *user* may not run tasks on this cluster."""
        allowed = self._options.users
        if allowed is not None and user not in allowed:
            return f"{user} is not among the `users` of this cluster: ask its administrator"
        if not OAR_LOGIN.fullmatch(user):
            return misread(user)
        if user in {"root", "oar"}:
            return f"OAR runs no tasks of {user}: submit as an ordinary user"
        if self.credentials is not None and self.credentials.token(user) is None:
            return no_token(user)
        return None

    async def slots(self) -> int:
        """Return how many cores tasks may occupy at a time."""
        if self._slots is None or self._now() - self._slots[0] >= FRESH:
            with self._asking():
                resources = await self._api.resources()
            usable = sum(each.state == "Alive" and each.type == "default" for each in resources)
            self._slots = (self._now(), usable)
        return self._slots[1] if self._options.slots is None else self._options.slots

    async def stress(self) -> float | None:
        """Return what the site takes for its load, 1 and above for too much."""
        if self._stress is None or self._now() - self._stress[0] >= FRESH:
            with self._asking():
                self._stress = (self._now(), await self._api.stress())
        return self._stress[1]

    async def usage(self) -> Usage | None:
        """Return what of the cluster is not free; nobody cares where only some of it is ours."""
        if self._options.slots is not None:
            return None
        with self._asking():
            resources, busy = await self._api.resources(), await self._api.busy()
        down = sum(each.state != "Alive" and each.type == "default" for each in resources)
        return Usage(down=down, busy=busy)

    async def submit(self, batch: Batch) -> Mapping[JobId, RemoteId]:
        """Lay the files of *batch* in the user's home, where that can be, and create its jobs."""
        if why := self.refusal(batch.user):
            raise SubmissionRejected(why)
        inline = not self._api.can_write
        most, warning = self._api.most_bytes, self._options.checkpoint_warning
        parcel = node.pack(batch, inline=inline, most_bytes=most, warning=warning)
        with self._asking():
            await self._files.lay(parcel, batch.user)
            ids = await self._api.submit(self._order(batch, parcel))
        self._watch.expect(ids)
        if batch.shape is Shape.ARRAY:
            (job,) = batch.jobs
            return {job: join_ids(ids)}
        return {job: RemoteId(str(n)) for job, n in zip(batch.jobs, ids, strict=True)}

    async def find(self, tag: str, user: str, jobs: Sequence[JobId]) -> Mapping[JobId, RemoteId]:
        """Return what there is under *tag*, by its place in its array."""
        with self._asking():
            there = await self._api.named(tag, user)
        ids = _by_position(there)
        self._watch.expect([number for number in ids if number is not None])
        if len(jobs) == 1:
            return {jobs[0]: join_ids(ids)} if there else {}
        found = zip(jobs, ids, strict=False)
        return {job: RemoteId(str(n)) for job, n in found if n is not None}

    async def status(self, jobs: Collection[JobRef]) -> Mapping[RemoteId, JobReport]:
        """Ask once for all of *jobs*; for what ended in error, and for the journals of groups."""
        ids = {job.remote_id: open_ids(job) for job in jobs}
        every = sorted({n for each in ids.values() for n in each.values() if n is not None})
        if not every:
            return {job.remote_id: array_report(job, {}, _NOTHING, {}) for job in jobs}
        users = sorted({job.user for job in jobs})
        with self._asking():
            seen = await self._watch.look(every, users[0], only_one=len(users) == 1)
            seen = self._verdicts.completed(seen, every)
            ends = await self._verdicts.ends(seen, users[0])
            groups = [job for job in jobs if job.shape is Shape.GROUP]
            ends = await self._concluded(groups, seen, ends)
            told = await self._journals(groups, seen, ends)
            ends = self._verdicts.heard(ends, seen, told)
        reports = {}
        for job in jobs:
            if job.shape is Shape.ARRAY:
                reports[job.remote_id] = array_report(job, ids[job.remote_id], seen, ends)
            elif (journal := told.get(job.remote_id)) is None:
                reports[job.remote_id] = JobReport(state=RemoteState.RUNNING, running=job.running)
            else:
                reports[job.remote_id] = group_report(job, seen, ends, journal)
        return reports

    async def withdraw(self, jobs: Collection[JobRef]) -> None:
        """Delete what waits; what runs of a group, or starts of an array, is told by a file."""
        with self._asking():
            for job in jobs:
                await self._stopping.withdraw(job)

    async def kill(self, jobs: Collection[JobRef]) -> None:
        """Delete *jobs*."""
        with self._asking():
            for job in jobs:
                await self._stopping.kill(job)

    async def cancel(self, job: JobRef, tasks: Collection[TaskNumber]) -> None:
        """Delete the remote jobs of *tasks*, or tell the worker of their group."""
        with self._asking():
            await self._stopping.cancel(job, tasks)

    async def renounce(self, tag: str, user: str) -> None:
        """Make jobs of *tag* end as soon as they start, where a file can say so."""
        with self._asking():
            await self._files.void(tag, user)

    async def forget(self, jobs: Collection[JobRef]) -> None:
        """Remember nothing more of *jobs*; their files stay."""
        for job in jobs:
            self._files.forget(job)

    async def tidy(self, open_jobs: Collection[RemoteId]) -> None:
        """Do nothing: what a crash has left is found by its name."""

    async def outputs(
        self, job: JobRef, tasks: Collection[TaskNumber], stream: Output, limit: int
    ) -> Mapping[TaskNumber, bytes]:
        """Return the ends of what *tasks* wrote, as far as their owner can read it."""
        with self._asking():
            return await self._files.outputs(job, tasks, stream, limit)

    async def close(self) -> None:
        """Close the connections."""
        await self._api.close()

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """Believe nothing that is remembered once the cluster did not answer."""
        try:
            yield
        except ClusterUnreachable:
            self._slots = self._stress = None
            raise

    def _order(self, batch: Batch, parcel: node.Parcel) -> OarOrder:
        settings = batch.settings
        seconds = batch.walltime or settings.walltime
        if batch.shape is Shape.GROUP:
            seconds += self._options.walltime_margin
        warned = settings.checkpointing_type == "signal"
        return OarOrder(
            user=batch.user,
            name=batch.tag,
            command=parcel.command,
            lines=parcel.lines,
            resource=f"{self._resources(batch)},walltime={_clock(seconds)}",
            types=_types(settings),
            properties=condition(settings.properties),
            project=settings.project,
            output=node.log_file(batch.tag) if self._api.can_write else ".cigri.log",
            # Not before the program can know what to do about it.
            checkpoint=min(self._options.checkpoint_warning, int(seconds / 2)) if warned else 0,
        )

    def _resources(self, batch: Batch) -> str:
        settings, cores = batch.settings, self._options.cores_per_node
        if batch.shape is Shape.GROUP and settings.dimensional_grouping and cores:
            # As many tasks at a time as fit onto a node; its worker counts the cores.
            return whole_node(settings.resources, cores) or oar_resources(settings.resources)
        return oar_resources(settings.resources)

    async def _concluded(self, groups: Sequence[JobRef], seen: Seen, ends: Ends) -> Ends:
        """Return *ends* without those of groups of which something may still run."""
        found = dict(ends)
        for job in groups:
            number = int(job.remote_id)
            if (end := ends.get(number)) is None or await self._files.conclude(job, end):
                continue
            if self._verdicts.waits(seen.jobs[number]):
                del found[number]
        return found

    async def _journals(
        self, groups: Sequence[JobRef], seen: Seen, ends: Ends
    ) -> Mapping[RemoteId, JobReport]:
        """Return what the journals say of those groups that may have written there."""

        def may_have(job: JobRef) -> bool:
            number = int(job.remote_id)
            told, end = seen.jobs.get(number), ends.get(number)
            if job.running or number in seen.lost or (end and end.moved):
                return True
            return told is not None and begun(told)

        return await self._files.journals(groups, [job for job in groups if may_have(job)])


_NOTHING = Seen(jobs={}, lost=(), at=0.0)


def _by_position(there: Sequence[OarJob]) -> list[int | None]:
    """Return the ids of the jobs of an array, with `None` for those that were never made."""
    places = {job.array_index - 1 if job.array_index else n: job.id for n, job in enumerate(there)}
    ours = [place for place in places if 0 <= place < MOST_JOBS]
    return [places.get(place) for place in range(max(ours, default=-1) + 1)]


def _types(settings: ClusterSettings) -> Sequence[str]:
    own = job_types(settings.cluster_job_type)
    return ("besteffort", *own) if settings.type is CampaignType.BEST_EFFORT else own


def _clock(seconds: float) -> str:
    """Return a walltime as OAR reads it."""
    whole = max(1, math.ceil(seconds))
    return f"{whole // 3600}:{whole // 60 % 60}:{whole % 60}"
