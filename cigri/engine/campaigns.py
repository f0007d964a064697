"""What the API may ask of the engine."""

from cigri.domain.facts import Facts
from cigri.domain.jdl import check_name
from cigri.domain.lifecycle import CampaignEvent
from cigri.domain.model import Caller, Campaign, CampaignId, CampaignState
from cigri.domain.reactions import REACTIONS, EventCode
from cigri.engine.adding import Adding
from cigri.engine.admission import NO_RULES, Rules
from cigri.engine.cancelling import Cancelling
from cigri.engine.cluster_tokens import ClusterTokens
from cigri.engine.explaining import Explaining
from cigri.engine.fixing import Fixing
from cigri.engine.inspection import Inspection
from cigri.engine.news import News
from cigri.engine.progress import Progress
from cigri.engine.receipts import Receipts
from cigri.engine.runtime import Runtime
from cigri.engine.submission import Submission
from cigri.engine.task_reading import TaskReading
from cigri.engine.tokens import Tokens
from cigri.engine.vitals import Vitals
from cigri.errors import Conflict, InvalidJdl, InvalidRequest
from cigri.store import brakes, campaigns, events, purging
from cigri.store.events import Incident

#: What brings a campaign into the states that its owner may ask for, and the event that tells it.
_LEADING_TO = {
    CampaignState.PAUSED: (CampaignEvent.PAUSE, EventCode.PAUSED),
    CampaignState.IN_TREATMENT: (CampaignEvent.RESUME, EventCode.RESUMED),
}


class Campaigns(Submission, Adding, Fixing, Cancelling, Explaining, Inspection, TaskReading):
    """Everything that is asked on behalf of users; changes whole campaigns itself."""

    def __init__(
        self, runtime: Runtime, progress: Progress, facts: Facts, rules: Rules = NO_RULES
    ) -> None:
        super().__init__(runtime, progress, facts, rules)
        #: The bearer tokens of users.
        self.tokens = Tokens(runtime)
        #: Those by which clusters know them.
        self.cluster_tokens = ClusterTokens(runtime)
        self.news = News(runtime)
        self.vitals = Vitals(runtime)
        self.metrics = runtime.metrics
        runtime.database.observe(self.metrics.written)
        #: UTC seconds since the epoch.
        self.now = runtime.now
        #: How requests that may come again were answered.
        self.receipts = Receipts(runtime)

    async def pause(self, caller: Caller, campaign: CampaignId) -> Campaign:
        """Start no more tasks of a campaign; what runs goes on."""
        return await self.update(caller, campaign, state=CampaignState.PAUSED)

    async def resume(self, caller: Caller, campaign: CampaignId) -> Campaign:
        """
        Go on with a campaign that is paused, by its owner or by itself.

        After its test that is a go; after too many failures those are accepted.
        """
        return await self.update(caller, campaign, state=CampaignState.IN_TREATMENT)

    async def go(self, caller: Caller, campaign: CampaignId) -> Campaign:
        """
        Go on with a campaign that waits after its test, or that is in it.

        Raises:
            Conflict: It does not wait for a go.
        """
        now = self._runtime.now()
        async with self._database.write() as tx:
            row = await self._check_owner(tx, caller, campaign)
            in_test = await brakes.end_test(tx, campaign)
            ended = await brakes.release(tx, campaign, now, {EventCode.TEST_ENDED})
            if (not in_test and not ended) or row["state"] == CampaignState.CANCELLED:
                raise Conflict(_no_go(campaign, CampaignState(row["state"])))
            if row["state"] == CampaignState.PAUSED:
                await campaigns.happen(tx, campaign, CampaignEvent.RESUME, now)
                await events.record(tx, _asked_for(EventCode.RESUMED, caller, campaign), now)
        found = await self.get(campaign)
        self._measure_anew(found)
        self._runtime.ring()
        return found

    async def rename(self, caller: Caller, campaign: CampaignId, name: str) -> Campaign:
        """Give a campaign another name."""
        return await self.update(caller, campaign, name=name)

    async def update(
        self,
        caller: Caller,
        campaign: CampaignId,
        *,
        name: str | None = None,
        state: CampaignState | None = None,
    ) -> Campaign:
        """
        Rename a campaign, and bring it into *state*, paused or in treatment: all or nothing.

        Raises:
            InvalidRequest: The name is none.
            Conflict: The campaign cannot come into that state.
        """
        if name is not None:
            _check_name(name)
        async with self._database.write() as tx:
            await self._check_owner(tx, caller, campaign)
            if state is not None:
                now = self._runtime.now()
                change, code = _LEADING_TO[state]
                await campaigns.happen(tx, campaign, change, now)
                await events.record(tx, _asked_for(code, caller, campaign), now)
                if state is CampaignState.IN_TREATMENT:
                    await brakes.release(tx, campaign, now)
            if name is not None:
                await campaigns.rename(tx, campaign, name)
        found = await self.get(campaign)
        if state is not None:
            self._measure_anew(found)
            self._runtime.ring()
        return found

    def _measure_anew(self, campaign: Campaign) -> None:
        if campaign.state is CampaignState.IN_TREATMENT:
            self._progress.begin(campaign.id, self._runtime.now(), campaign.counts.settled)
        else:
            self._progress.forget(campaign.id)

    async def cancel(self, caller: Caller, campaign: CampaignId) -> Campaign:
        """
        End a campaign: its bag is emptied, what runs is killed, its output stays.

        Its epilogues run where anything of it ran.
        """
        now = self._runtime.now()
        async with self._database.write() as tx:
            await self._check_owner(tx, caller, campaign)
            await campaigns.cancel(tx, campaign, now)
            await events.record(tx, _asked_for(EventCode.USER_FRAG, caller, campaign), now)
            await brakes.release(tx, campaign, now)
        self._progress.forget(campaign)
        self._runtime.ring()
        return await self.get(campaign)

    async def purge(self, caller: Caller, campaign: CampaignId) -> None:
        """
        Forget a campaign that is over, with all that is stored of it; its output stays.

        Raises:
            Conflict: It is not over, or something of it still runs.
        """
        async with self._database.write() as tx:
            await self._check_owner(tx, caller, campaign)
            await purging.purge(tx, campaign)
        self._progress.forget(campaign)


def _asked_for(code: EventCode, caller: Caller, campaign: CampaignId) -> Incident:
    message = f"{REACTIONS[code].meaning} by {caller.user}"
    return Incident(code=code, message=message, campaign=campaign)


def _no_go(campaign: CampaignId, state: CampaignState) -> str:
    what = f"campaign {campaign} is {state} and waits for no test"
    return f"{what}: resume it" if state is CampaignState.PAUSED else what


def _check_name(name: str) -> None:
    try:
        check_name(name)
    except InvalidJdl as error:
        raise InvalidRequest(error.problems) from error
