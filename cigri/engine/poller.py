"""Looks at the jobs of one cluster and records what became of them."""

from collections.abc import Iterator, Sequence

import structlog

from cigri.clusters.driver import JobReport, RemoteState
from cigri.domain import pace
from cigri.domain.lifecycle import JobEvent
from cigri.domain.model import Campaign, CampaignId, CampaignState, Shape, TestMode
from cigri.domain.reactions import EventCode
from cigri.domain.remote_ids import RemoteNumbers
from cigri.domain.verdict import RENOUNCED, Ending, TaskEnd
from cigri.engine import health
from cigri.engine.incidents import incidents, reference, withdrawals
from cigri.engine.progress import Progress
from cigri.engine.runtime import Runtime, Site
from cigri.engine.withdrawing import Withdrawing
from cigri.errors import ClusterError, StorageFull
from cigri.store import campaigns, clusters, events, jobs, retries, settlement
from cigri.store.clusters import ClusterRow
from cigri.store.events import Incident
from cigri.store.jobs import OpenJob
from cigri.store.records import DamagedRecords
from cigri.store.reports import Report, hear

log = structlog.get_logger()

#: Seconds between two cycles while a cluster has no job of ours.
IDLE = 30.0

#: By which name the cluster is said to fail this loop.
_LOOP = "poller"

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
        #: Campaigns of which nothing can be recorded until the database is repaired.
        self._damaged: set[CampaignId] = set()
        self._withdrawing = Withdrawing(runtime, site)
        self._rest()

    async def poll_once(self) -> float:
        """Look at the open jobs of the cluster; return the seconds until the next look."""
        began = self._runtime.now()
        try:
            async with self._runtime.database.read() as db:
                open_jobs = await jobs.open_on_cluster(db, self._site.id)
                row = (await clusters.all_clusters(db))[self._site.name]
            if not open_jobs:
                self._rest()
                self._site.known.idle = True
                return IDLE
            self._site.known.idle = False
            if pause := self._pause_of_hold(row):
                return pause
            news = await self._look(open_jobs)
            await self._withdrawing.stop_unwanted(open_jobs)
            await health.worked(self._runtime, self._site, row, _LOOP)
        except StorageFull as error:
            # Nothing is lost: what was not recorded is read again.
            log.warning("poll.postponed", cluster=self._site.name, reason=str(error))
            return health.AFTER_FULL
        except ClusterError as error:
            return await health.failed(self._runtime, self._site, error, _LOOP)
        self._pause = self._next_pause(open_jobs, news, began)
        return self._pause

    def _pause_of_hold(self, row: ClusterRow) -> float:
        """Return for how long not to look, unless it is only submissions that failed."""
        only_submissions = self._site.known.failing and _LOOP not in self._site.known.failing
        return 0.0 if only_submissions else health.rest(self._runtime, row)

    def _rest(self) -> None:
        """Forget the pace of what has ended: the next jobs set their own."""
        self._site.known.failing.discard(_LOOP)
        self._pause = self._site.driver.pace.quick
        self._looked_at = self._ended_at = self._runtime.now()

    def _next_pause(
        self, open_jobs: Sequence[OpenJob], news: Sequence[Report], began: float
    ) -> float:
        before, self._looked_at = self._looked_at, began
        # A clock that was set back must not make it negative.
        elapsed = max(0.0, began - before)
        ends = [end for report in news for end in report.ended]
        if ends:
            self._ended_at = began
        elif elapsed < self._pause / 2:
            # Somebody rang: that so soon nothing is new says nothing.
            return self._pause
        if not news:
            silence = began - self._ended_at
            return pace.pause_unchanged(self._site.driver.pace, self._pause, silence)
        heard = {report.job.id for report in news}
        unheard = [job for job in open_jobs if job.id not in heard]
        sight = pace.Sight(
            ended=len(ends),
            ran=sum(end.ended_at - end.started_at for end in ends),
            running=sum(len(report.running) for report in news)
            + sum(len(job.running) for job in unheard),
            left=sum(job.left for job in open_jobs) - len(ends),
            elapsed=elapsed,
            age=max(0.0, self._runtime.now() - began),
        )
        return pace.pause_changed(self._site.driver.pace, self._pause, sight)

    async def _look(self, open_jobs: Sequence[OpenJob]) -> Sequence[Report]:
        """Ask for the status of all jobs at once, record what is new and return it."""
        refs = {job.remote_id: reference(job) for job in open_jobs if job.remote_id}
        told = await self._site.driver.status(list(refs.values()))
        # Of some nothing can be told now, since their user is not let in.
        reports = [
            report_of(job, told[job.remote_id])
            for job in open_jobs
            if job.remote_id and job.remote_id in told
        ]
        news = [
            report for report in reports if report.is_news and not self._is_set_aside(report.job)
        ]
        self._damaged -= {report.job.campaign for report in news}
        while news:
            try:
                return await self._record(news)
            except DamagedRecords as error:
                await self._set_aside(error)
                news = [report for report in news if report.job.campaign != error.campaign]
        return news

    async def _record(self, news: Sequence[Report]) -> Sequence[Report]:
        now = self._runtime.now()
        async with self._runtime.database.read() as db:
            news = await retries.decide(db, news)
            doomed = await withdrawals(db, news)
        found = await incidents(self._site, news, doomed)
        async with self._runtime.database.write() as tx:
            # Before what may pause or end their campaigns, which counts what is open.
            for incident in found:
                await events.record(tx, incident, now)
            finished = await settlement.settle(tx, self._site.id, news, now)
            touched = [
                await campaigns.get(tx, campaign)
                for campaign in sorted({report.job.campaign for report in news})
            ]
        self._progress.record(now, touched)
        await self._site.driver.forget([reference(report.job) for report in news if report.over])
        for campaign in finished:
            log.info("campaign.terminated", campaign=campaign)
        self._site.submitter.ring()
        if any(_concerns_all(campaign) for campaign in touched):
            self._runtime.ring()
        return news

    def _is_set_aside(self, job: OpenJob) -> bool:
        """Return whether a job waits for a repair; a fix lifts the hold, and it is tried again."""
        return job.held and job.campaign in self._damaged

    async def _set_aside(self, error: DamagedRecords) -> None:
        """Hold a campaign whose results are damaged, and let all others go on."""
        log.error("campaign.damaged", campaign=error.campaign, reason=str(error))
        self._damaged.add(error.campaign)
        incident = Incident(
            code=EventCode.DAMAGED_RECORDS,
            message=str(error),
            campaign=error.campaign,
            cluster_id=self._site.id,
        )
        now = self._runtime.now()
        async with self._runtime.database.write() as tx:
            await events.record(tx, incident, now)


def _concerns_all(campaign: Campaign) -> bool:
    """Return whether all clusters may have to act: end it, rest, or go on after a test."""
    counts = campaign.counts
    drained = not counts.pending + counts.in_flight
    return drained or campaign.state is CampaignState.PAUSED or campaign.test_mode != TestMode.OFF


def report_of(job: OpenJob, told: JobReport) -> Report:
    """Return what *told* adds to what is known of *job*."""
    return hear(
        job,
        ended=[*_never_made(job), *told.ended],
        running=told.running,
        read_to=told.read_to,
        over=_OVER.get(told.state),
        begun=told.state is not RemoteState.WAITING,
        moved=told.moved,
    )


def _never_made(job: OpenJob) -> Iterator[TaskEnd]:
    """Yield the ends of tasks of an array that its cluster has no remote job for."""
    if job.shape is Shape.GROUP or job.remote_id is None:
        return
    numbers = RemoteNumbers(job.remote_id)
    if numbers.whole(job.positions.size):
        return
    for position, task in job.open.items():
        if numbers.of(position) is None:
            at = job.submitted_at
            yield TaskEnd(task, Ending.REMOVED, None, at, at, RENOUNCED)
