"""What all sides of what the API may ask of the engine have in common."""

from sqlite3 import Row

from cigri.domain.event import Event
from cigri.domain.facts import Facts
from cigri.domain.model import Caller, CampaignId, EventId
from cigri.engine.admission import NO_RULES, Rules
from cigri.engine.progress import Progress
from cigri.engine.runtime import Runtime
from cigri.errors import NotAllowed
from cigri.store import campaigns, events
from cigri.store.database import Connection


class Aspect:
    """One side of what the API may ask; `Campaigns` puts all of them together."""

    def __init__(
        self, runtime: Runtime, progress: Progress, facts: Facts, rules: Rules = NO_RULES
    ) -> None:
        self._runtime = runtime
        self._database = runtime.database
        self._progress = progress
        self._facts = facts
        self._rules = rules

    @staticmethod
    async def _check_owner(db: Connection, caller: Caller, campaign: CampaignId) -> Row:
        """
        Return the row of a campaign, if *caller* may look inside and change it.

        Raises:
            NotFound: There is no such campaign.
            NotAllowed: It is somebody else's.
        """
        row = await campaigns.row(db, campaign)
        if not caller.admin and caller.user != row["user"]:
            message = f"campaign {campaign} belongs to {row['user']}"
            raise NotAllowed(message)
        return row

    async def _event(self, db: Connection, caller: Caller, event: EventId) -> Event:
        """Return an event; those that concern no campaign are for everybody."""
        found = await events.get(db, event)
        if found.campaign is not None:
            await self._check_owner(db, caller, found.campaign)
        return found
