"""Looks at the jobs of one cluster and records what became of them."""

from collections.abc import Iterable, Sequence

import attrs
import structlog

from cigri.clusters.driver import JobRef, JobReport, Output, RemoteState
from cigri.domain import pace
from cigri.domain.lifecycle import JobEvent
from cigri.domain.model import CampaignId, CampaignState
from cigri.domain.reactions import REACTIONS, EventCode
from cigri.domain.verdict import TaskEnd, judge
from cigri.engine import health
from cigri.engine.progress import Progress
from cigri.engine.runtime import Runtime, Site
from cigri.errors import CigriError, ClusterUnreachable, StorageFull
from cigri.store import campaigns, clusters, events, jobs, settlement
from cigri.store.events import Incident
from cigri.store.jobs import OpenJob
from cigri.store.reports import Report, hear

log = structlog.get_logger()

#: Seconds between two cycles while a cluster has no job of ours.
IDLE = 30.0
#: Lines and bytes of a task's stderr that an event tells.
TAIL_LINES = 10
TAIL_BYTES = 4_000

_OVER = {
    RemoteState.ENDED: JobEvent.ENDED,
    RemoteState.KILLED: JobEvent.KILLED,
    RemoteState.LOST: JobEvent.VANISHED,
}


class Poller:
    """The polling loop of one cluster: what it remembers is only how long to pause."""

    def __init__(self, runtime: Runtime, site: Site, progress: Progress) -> None:
        self._runtime = runtime
        self._site = site
        self._progress = progress
        self._rest()

    async def poll_once(self) -> float:
        """Look at the open jobs of the cluster; return the seconds until the next look."""
        try:
            async with self._runtime.database.read() as db:
                open_jobs = await jobs.open_on_cluster(db, self._site.id)
                row = (await clusters.all_clusters(db))[self._site.name]
            if not open_jobs:
                self._rest()
                return IDLE
            news = await self._look(open_jobs)
            await self._stop_unwanted(open_jobs)
            await health.worked(self._runtime, self._site, row)
        except StorageFull as error:
            # Nothing is lost: what was not recorded is read again.
            log.warning("poll.postponed", cluster=self._site.name, reason=str(error))
            return health.AFTER_FULL
        except ClusterUnreachable as error:
            return await health.failed(self._runtime, self._site, error)
        self._pause = self._next_pause(open_jobs, news)
        return self._pause

    def _rest(self) -> None:
        """Forget the pace of what has ended: the next jobs set their own."""
        self._pause = pace.first_pause(self._site.driver.pace)
        self._looked_at = self._runtime.now()

    def _next_pause(self, open_jobs: Sequence[OpenJob], news: Sequence[Report]) -> float:
        before, self._looked_at = self._looked_at, self._runtime.now()
        if not news:
            return pace.pause_unchanged(self._site.driver.pace, self._pause)
        ended = sum(len(report.ended) for report in news)
        return pace.pause_changed(
            self._site.driver.pace,
            ended=ended,
            left=sum(job.left for job in open_jobs) - ended,
            # A clock that was set back must not make it negative.
            elapsed=max(0.0, self._looked_at - before),
        )

    async def _look(self, open_jobs: Sequence[OpenJob]) -> Sequence[Report]:
        """Ask for the status of all jobs at once, record what is new and return it."""
        refs = {job.remote_id: reference(job) for job in open_jobs if job.remote_id}
        told = await self._site.driver.status(list(refs.values()))
        reports = [report_of(job, told[job.remote_id]) for job in open_jobs if job.remote_id]
        news = [report for report in reports if report.is_news]
        if not news:
            return news
        now = self._runtime.now()
        incidents = await self._incidents(news)
        async with self._runtime.database.write() as tx:
            finished = await settlement.settle(tx, self._site.id, news, now)
            for incident in incidents:
                await events.record(tx, incident, now)
            touched = [
                await campaigns.get(tx, campaign)
                for campaign in sorted({report.job.campaign for report in news})
            ]
        self._progress.record(now, touched)
        await self._site.driver.forget([reference(report.job) for report in news if report.over])
        for campaign in finished:
            log.info("campaign.terminated", campaign=campaign)
        self._site.submitter.ring()
        return news

    async def _incidents(self, news: Sequence[Report]) -> list[Incident]:
        """Return what went wrong, equal happenings together, each new one with its last words."""
        found = []
        for (campaign, code, status), ends in _failures(news).items():
            job, end = ends[0]
            incident = Incident(
                code=code,
                message=describe(code, end, ""),
                count=len(ends),
                campaign=campaign,
                cluster_id=self._site.id,
                task=end.task,
                exit_status=status,
            )
            async with self._runtime.database.read() as db:
                known = await events.is_open(db, incident)
            words = "" if known else await self._last_words(job, end)
            found.append(attrs.evolve(incident, message=describe(code, end, words)))
        return found

    async def _last_words(self, job: OpenJob, end: TaskEnd) -> str:
        """Return the end of what the task wrote to stderr, nothing if it cannot be read."""
        if end.message:
            return ""
        try:
            text = await self._site.driver.output(reference(job), end.task, Output.ERR, TAIL_BYTES)
        except CigriError:
            return ""
        lines = text.decode("utf-8", "replace").splitlines()
        return "\n".join(lines[-TAIL_LINES:])

    async def _stop_unwanted(self, open_jobs: Sequence[OpenJob]) -> None:
        """Kill the jobs of cancelled campaigns; let those of paused and held ones run dry."""
        doomed = [job for job in open_jobs if job.campaign_state is CampaignState.CANCELLED]
        resting = [
            job
            for job in open_jobs
            if (job.campaign_state is CampaignState.PAUSED or job.held)
            and job.left > len(job.running)
        ]
        if doomed:
            await self._site.driver.kill(_references(doomed))
        if resting:
            await self._site.driver.withdraw(_references(resting))


def reference(job: OpenJob) -> JobRef:
    """Return how a driver knows a job."""
    if job.remote_id is None:
        message = f"job {job.id} was never accepted"
        raise ValueError(message)
    return JobRef(
        remote_id=job.remote_id,
        user=job.user,
        running=job.running,
        read_to=job.read_to,
        demand=job.left * job.cores,
    )


def _references(open_jobs: Iterable[OpenJob]) -> list[JobRef]:
    return [reference(job) for job in open_jobs if job.remote_id]


def report_of(job: OpenJob, told: JobReport) -> Report:
    """Return what *told* adds to what is known of *job*."""
    return hear(
        job,
        ended=told.ended,
        running=told.running,
        read_to=told.read_to,
        over=_OVER.get(told.state),
        begun=told.state is not RemoteState.WAITING,
    )


#: Events whose tasks have exited.
_WITH_STATUS = frozenset({EventCode.EXIT_ERROR, EventCode.WALLTIME})

Failures = dict[tuple[CampaignId, EventCode, int | None], list[tuple[OpenJob, TaskEnd]]]


def _failures(news: Sequence[Report]) -> Failures:
    """Return the ends that deserve an event, equal ones together."""
    found: Failures = {}
    for report in news:
        for end in report.ended:
            code = judge(end).event
            if code is not None:
                key = (report.job.campaign, code, _status_told(code, end))
                found.setdefault(key, []).append((report.job, end))
    return found


def _status_told(code: EventCode, end: TaskEnd) -> int | None:
    """Return the exit status by which events are told apart; what never ran has none."""
    return end.exit_status if code in _WITH_STATUS else None


def describe(code: EventCode, end: TaskEnd, last_words: str) -> str:
    """Return what an event says: what happened first, then what the task said last."""
    meaning = REACTIONS[code].meaning
    if end.message:
        first = f"{meaning}: {end.message} (task {end.task})"
    elif code is EventCode.WALLTIME:
        first = f"{meaning} after {end.ended_at - end.started_at:.0f} s (task {end.task})"
    elif end.exit_status is not None and end.exit_status < 0:
        first = f"{meaning}: killed by signal {-end.exit_status} (task {end.task})"
    else:
        first = f"{meaning}: exit status {end.exit_status} (task {end.task})"
    return f"{first}\n{last_words}" if last_words else first
