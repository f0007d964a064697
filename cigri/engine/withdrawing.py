"""Takes jobs back from a cluster: what is cancelled, what shall rest, what waited too long."""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence

import structlog

from cigri.clusters.driver import JobRef
from cigri.domain.calendar import mode
from cigri.domain.model import CampaignId, CampaignState, JobId, JobKind, JobState
from cigri.domain.reactions import REACTIONS, EventCode
from cigri.engine.gauges import is_strained
from cigri.engine.incidents import reference
from cigri.engine.runtime import Runtime, Site
from cigri.errors import SubmissionRejected
from cigri.store import campaigns, events, jobs
from cigri.store.events import Incident
from cigri.store.jobs import OpenJob

log = structlog.get_logger()

#: Seconds until a cluster is asked again for what it has not done yet.
ASK_AGAIN = 10.0


class Withdrawing:
    """What one cluster was asked to take back; in memory alone, a restart asks again."""

    def __init__(self, runtime: Runtime, site: Site) -> None:
        self._runtime = runtime
        self._site = site
        #: When it was asked to end a job, or to start no more of one.
        self._asked: dict[tuple[JobId, bool], float] = {}
        #: Since when nothing of a job has run or ended, and how many of its tasks were left.
        self._idle: dict[JobId, tuple[float, int]] = {}

    async def stop_unwanted(self, open_jobs: Sequence[OpenJob]) -> None:
        """Kill the jobs of cancelled campaigns; let those that shall rest or move run dry."""
        self._note(open_jobs)
        doomed = [job for job in open_jobs if _is_doomed(job)]
        night = self._runtime.night
        waiting = [job for job in open_jobs if job.left > len(job.running) and not _is_doomed(job)]
        late = await self._late(waiting)
        back = [
            job
            for job in waiting
            if job.id in late or job.withdrawn_at is not None or _shall_rest(job, night=night)
        ]
        doomed = self._not_asked(doomed, kill=True)
        back = self._not_asked(back, kill=False)
        await self._mark([*doomed, *back], late)
        await self._ask(self._site.driver.kill, doomed)
        self._note_asked(doomed, kill=True)
        await self._ask(self._site.driver.withdraw, back)
        self._note_asked(back, kill=False)

    async def _ask(
        self, call: Callable[[Collection[JobRef]], Awaitable[None]], unwanted: Sequence[OpenJob]
    ) -> None:
        """Ask for the jobs of one user after the other: some may not be let in any more."""
        for user in sorted({job.user for job in unwanted}):
            try:
                await call(_references(job for job in unwanted if job.user == user))
            except SubmissionRejected as error:
                log.warning("jobs.not_taken_back", cluster=self._site.name, reason=str(error))

    def _note(self, open_jobs: Sequence[OpenJob]) -> None:
        """Note which jobs have moved on since the last look."""
        now = self._runtime.now()
        idle: dict[JobId, tuple[float, int]] = {}
        for job in open_jobs:
            first = job.submitted_at if job.state is JobState.SUBMITTED else now
            since, left = self._idle.get(job.id, (first, job.left))
            moved = job.running or job.left != left
            idle[job.id] = (now if moved else min(since, now), job.left)
        self._idle = idle
        self._asked = {key: at for key, at in self._asked.items() if key[0] in idle}

    async def _late(self, waiting: Sequence[OpenJob]) -> frozenset[JobId]:
        """Return those of *waiting* that have waited too long, where they may go elsewhere."""
        longest = self._site.driver.capacity.longest_wait
        if longest is None:
            return frozenset()
        since = self._runtime.now() - longest
        late = [
            job
            for job in waiting
            if job.kind is JobKind.TASKS
            and job.withdrawn_at is None
            and self._idle[job.id][0] <= since
        ]
        movable = {name for name in {job.campaign for job in late} if await self._can_move(name)}
        return frozenset(job.id for job in late if job.campaign in movable)

    async def _can_move(self, campaign: CampaignId) -> bool:
        """Return whether another cluster takes tasks of a campaign now."""
        async with self._runtime.database.read() as db:
            found = await campaigns.get(db, campaign)
        others = [
            (self._runtime.sites.get(item.cluster), item.hold)
            for item in found.clusters
            if item.cluster_id != self._site.id
        ]
        return any(site and hold is None and not is_strained(site) for site, hold in others)

    def _not_asked(self, unwanted: Iterable[OpenJob], *, kill: bool) -> list[OpenJob]:
        now = self._runtime.now()

        def is_due(job: OpenJob) -> bool:
            asked = self._asked.get((job.id, kill))
            return asked is None or not asked <= now < asked + ASK_AGAIN

        return [job for job in unwanted if is_due(job)]

    def _note_asked(self, asked: Iterable[OpenJob], *, kill: bool) -> None:
        now = self._runtime.now()
        self._asked |= {(job.id, kill): now for job in asked}

    async def _mark(self, unwanted: Sequence[OpenJob], late: Collection[JobId]) -> None:
        """Write down what the cluster is about to be asked: its answer is then no surprise."""
        new = [job for job in unwanted if job.withdrawn_at is None]
        if not new:
            return
        tardy: dict[CampaignId, int] = {}
        for job in new:
            if job.id in late:
                tardy[job.campaign] = tardy.get(job.campaign, 0) + job.left - len(job.running)
        now = self._runtime.now()
        async with self._runtime.database.write() as tx:
            await jobs.withdrawn(tx, [job.id for job in new if job.id not in late], now)
            await jobs.withdrawn(
                tx, [job.id for job in new if job.id in late], now, elsewhere=True
            )
            for incident in self._waited_too_long(tardy):
                await events.record(tx, incident, now)

    def _waited_too_long(self, tardy: Mapping[CampaignId, int]) -> Iterable[Incident]:
        meaning = REACTIONS[EventCode.REMOTE_WAITING_FRAG].meaning
        longest = self._site.driver.capacity.longest_wait or 0.0
        for campaign, count in tardy.items():
            log.info("jobs.waited", cluster=self._site.name, campaign=campaign, tasks=count)
            yield Incident(
                code=EventCode.REMOTE_WAITING_FRAG,
                message=f"{meaning}: longer than {longest:.0f} s",
                count=count,
                campaign=campaign,
                cluster_id=self._site.id,
            )


def _is_doomed(job: OpenJob) -> bool:
    cancelled = job.campaign_state is CampaignState.CANCELLED
    return cancelled and job.kind is not JobKind.EPILOGUE


def _shall_rest(job: OpenJob, *, night: bool) -> bool:
    """Return whether no more of a job shall start; an epilogue runs at any hour, held or not."""
    if job.campaign_state is CampaignState.PAUSED:
        return True
    if job.kind is JobKind.EPILOGUE:
        return False
    return job.held or mode(job.type, night=night) is None


def _references(open_jobs: Iterable[OpenJob]) -> list[JobRef]:
    return [reference(job) for job in open_jobs if job.remote_id]
