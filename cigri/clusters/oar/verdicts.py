"""How the jobs of a look have ended: by their exit codes, and where those fail, by events."""

from collections.abc import Callable, Collection, Mapping

import attrs

from cigri.clusters.driver import JobReport
from cigri.clusters.oar.api import FINAL, OarApi, OarEvent, OarJob
from cigri.clusters.oar.ends import OarEnd, end_of, is_premature, wants_events
from cigri.clusters.oar.reports import Ends, lacks_its_end
from cigri.clusters.oar.watch import Seen
from cigri.domain.model import RemoteId

#: Seconds that OAR has to submit a job again by itself before its error counts, and that a file
#: system has to show what a job wrote.
PATIENCE = 30.0


class Verdicts:
    """Remembers the jobs over which it is too early to say anything."""

    def __init__(self, api: OarApi, now: Callable[[], float]) -> None:
        self._api = api
        self._now = now
        #: Jobs of which OAR may yet make another one, or whose journals are not there yet, and
        #: since when they are over.
        self._premature: dict[int, tuple[float, OarJob]] = {}

    def completed(self, seen: Seen, ids: Collection[int]) -> Seen:
        """Return *seen* with the jobs over which no verdict was given: no window shows them."""
        still = frozenset(ids)
        self._premature = {n: each for n, each in self._premature.items() if n in still}
        if not self._premature:
            return seen
        kept = {number: job for number, (_, job) in self._premature.items()}
        return attrs.evolve(seen, jobs={**kept, **seen.jobs})

    async def ends(self, seen: Seen, user: str) -> Ends:
        """Return how those that are over have ended; only some of them have to be asked about."""
        over = [job for job in seen.jobs.values() if job.state in FINAL]
        asked = sorted(job.id for job in over if wants_events(job))
        told = await self._api.events(asked, user) if asked else []
        events: dict[int, list[OarEvent]] = {number: [] for number in asked}
        for event in told:
            events.setdefault(event.job_id, []).append(event)
        ends: dict[int, OarEnd] = {}
        for job in over:
            own = events.get(job.id)
            if own is None:
                # Nearly all of them: there is nothing more to know.
                ends[job.id] = end_of(job, ())
                continue
            if not (is_premature(job, own) and self.waits(job)):
                ends[job.id] = end_of(job, own)
        return ends

    def heard(self, ends: Ends, seen: Seen, told: Mapping[RemoteId, JobReport]) -> Ends:
        """Return *ends* without those of groups of which *told* cannot be the whole journal."""
        found = dict(ends)
        for number, journal in ((int(remote_id), each) for remote_id, each in told.items()):
            job, end = seen.jobs.get(number), ends.get(number)
            if job and end and lacks_its_end(journal, job, end) and self.waits(job):
                del found[number]
        return found

    def waits(self, job: OarJob) -> bool:
        """Return whether to say nothing of *job*, which is over, as yet: a while has an end."""
        since, _ = self._premature.setdefault(job.id, (self._now(), job))
        return self._now() - since < PATIENCE
