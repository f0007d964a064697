"""What is new, for those who follow it."""

from collections.abc import Mapping, Sequence

from cigri.domain.event import Event
from cigri.domain.model import CampaignId, Counts
from cigri.engine.notices import Notices
from cigri.engine.runtime import Runtime
from cigri.store import news
from cigri.store.news import Glance


class News:
    """Reads what changed; whoever lets somebody read it has to know what they may see."""

    def __init__(self, runtime: Runtime) -> None:
        self._database = runtime.database
        #: That something changes: the database tells it, whoever wrote.
        self.notices = Notices()
        self._database.observe(self.notices.told)

    async def glance(self, campaign: CampaignId) -> Glance:
        """
        Return whose campaign it is and its state.

        Raises:
            NotFound: There is none.
        """
        async with self._database.read() as db:
            return await news.glance(db, campaign)

    async def last_event(self) -> int:
        """Return the id of the newest event, 0 when there is none."""
        async with self._database.read() as db:
            return await news.last_event(db)

    async def events(
        self, campaign: CampaignId | None, after: int, limit: int
    ) -> Sequence[tuple[Event, str | None]]:
        """Return events after number *after*, of *campaign* or all, with whose campaign it is."""
        async with self._database.read() as db:
            return await news.events(db, campaign, after, limit)

    async def tasks_by_user(self) -> Mapping[str, Counts]:
        """Return how many tasks of campaigns that are not over each user has, in each state."""
        async with self._database.read() as db:
            return await news.tasks_by_user(db)

    async def open_events(self) -> Mapping[str, int]:
        """Return how many events of each code are open."""
        async with self._database.read() as db:
            return await news.open_events(db)
