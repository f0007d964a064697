"""Says who waits for changes that there are some: in memory, at once, and whatever wrote them."""

import asyncio
from collections import OrderedDict
from collections.abc import Iterator

from cigri.domain.model import CampaignId
from cigri.store.changes import CLUSTERS, Written

#: Campaigns whose last change is remembered one by one.
MOST_KNOWN = 10_000


class Notices:
    """
    Counts the changes and wakes those who wait for them.

    A version is the count at the last change of something: two equal ones mean that nothing
    changed in between, in the life of this process.  Telling costs the same however many wait.
    """

    def __init__(self) -> None:
        #: Grows with every transaction that changed something.
        self.version = 0
        #: The version of the clusters, and of the events that concern no campaign.
        self.clusters = 0
        self.closed = False
        self._changed: OrderedDict[CampaignId, int] = OrderedDict()
        self._states: dict[CampaignId, int] = {}
        #: What is not known one by one changed then or before.
        self._floor = 0
        #: By campaign; `None` for whatever changes.
        self._waiting: dict[CampaignId | None, asyncio.Future[None]] = {}

    def of(self, campaign: CampaignId) -> int:
        """Return the version of a campaign."""
        return self._changed.get(campaign, self._floor)

    def state_of(self, campaign: CampaignId) -> int:
        """Return the version of a campaign's state."""
        return self._states.get(campaign, self._floor)

    def since(self, version: int) -> Iterator[CampaignId]:
        """Yield the campaigns that changed after *version*, the last one first."""
        for campaign in reversed(self._changed):
            if self._changed[campaign] <= version:
                return
            yield campaign

    def told(self, written: Written) -> None:
        """Take notice of a transaction."""
        if not written.changes:
            return
        self.version += 1
        for number, state in written.changes.items():
            if number == CLUSTERS:
                self.clusters = self.version
            else:
                self._note(CampaignId(number), state=state)
        self._wake(None)

    def _note(self, campaign: CampaignId, *, state: bool) -> None:
        self._changed[campaign] = self.version
        self._changed.move_to_end(campaign)
        if state:
            self._states[campaign] = self.version
        if len(self._changed) > MOST_KNOWN:
            oldest, self._floor = self._changed.popitem(last=False)
            self._states.pop(oldest, None)
        self._wake(campaign)

    async def news(self, campaign: CampaignId | None) -> None:
        """Return when *campaign* changes next, with `None` when anything does, or at the close."""
        if self.closed:
            return
        future = self._waiting.get(campaign)
        if future is None:
            future = self._waiting[campaign] = asyncio.get_running_loop().create_future()
        # Many wait for it, and one of them may give up.
        await asyncio.shield(future)

    def _wake(self, campaign: CampaignId | None) -> None:
        future = self._waiting.pop(campaign, None)
        if future is not None and not future.done():
            future.set_result(None)

    def close(self) -> None:
        """Let nobody wait any more: the server stops."""
        self.closed = True
        for campaign in list(self._waiting):
            self._wake(campaign)
