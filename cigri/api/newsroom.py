"""Writes what is new once, for all who follow it."""

import contextlib
from collections.abc import Sequence

import attrs
import msgspec
from aiohttp import web

from cigri.api import wire
from cigri.api.wire import news
from cigri.domain.event import Event
from cigri.domain.model import Campaign, CampaignId, CampaignState
from cigri.engine.campaigns import Campaigns
from cigri.errors import NotFound

#: Events that are told at once; a listener who has missed more hears of them in several messages.
_SOME = 500
#: Pieces of news, and bytes of events, that are kept for the next who asks.
_MOST_KEPT = 1_000
_MOST_BYTES = 8 * 1024 * 1024


@attrs.frozen
class Issue:
    """What is to be told of a campaign at one version of it."""

    user: str
    state: CampaignState
    state_told: bytes
    progress_told: bytes


@attrs.frozen
class Told:
    """An event as it is told."""

    id: int
    #: Whose campaign it is about, `None` when it concerns none, and all.
    user: str | None
    text: bytes


def message(kind: str, data: object, number: int | None = None) -> bytes:
    r"""
    Return one message of a stream of server-sent events.

    >>> message("progress", {"done": 1}, 7)
    b'id: 7\nevent: progress\ndata: {"done":1}\n\n'
    """
    name = b"" if number is None else b"id: %d\n" % number
    return b"%sevent: %s\ndata: %s\n\n" % (name, kind.encode(), msgspec.json.encode(data))


class Newsroom:
    """Reads what is new and keeps it in the form in which it leaves, as long as it is new."""

    def __init__(self, campaigns: Campaigns) -> None:
        self._campaigns = campaigns
        self.notices = campaigns.news.notices
        self._issues: dict[CampaignId, tuple[int, Issue]] = {}
        self._events: dict[tuple[CampaignId | None, int, str], tuple[int, Sequence[Told]]] = {}
        #: Bytes of those events, and of what took the place of others since.
        self._size = 0

    async def last_event(self) -> int:
        """Return the number of the newest event."""
        return await self._campaigns.news.last_event()

    async def issue(self, campaign: CampaignId) -> Issue:
        """Return what is to be told of a campaign now."""
        version = self.notices.of(campaign)
        kept = self._issues.get(campaign)
        if kept is not None and kept[0] == version:
            return kept[1]
        issue = self._write(await self._campaigns.get(campaign))
        _make_room(self._issues)
        self._issues[campaign] = version, issue
        return issue

    def _write(self, campaign: Campaign) -> Issue:
        return Issue(
            campaign.user,
            campaign.state,
            message("state", news.state(campaign)),
            message("progress", news.progress(campaign, self._campaigns.forecast(campaign))),
        )

    async def events(self, campaign: CampaignId | None, after: int, base: str) -> Sequence[Told]:
        """Return the events after number *after*, the first hundreds of them."""
        version = self.notices.version
        kept = self._events.get((campaign, after, base))
        if kept is not None and kept[0] == version:
            return kept[1]
        found = await self._campaigns.news.events(campaign, after, _SOME)
        jobs = await self._campaigns.tasks_of_events([event for event, _ in found])
        told = [
            Told(event.id, user, _event(event, jobs.get(event.id), base)) for event, user in found
        ]
        # Whoever listens says after which event, and below which path: each is a piece of its own.
        size = sum(len(each.text) for each in told)
        if self._size + size > _MOST_BYTES:
            self._events.clear()
        _make_room(self._events)
        self._size = size + (self._size if self._events else 0)
        self._events[campaign, after, base] = version, told
        return told


def _event(event: Event, job: int | None, base: str) -> bytes:
    return message("event", wire.event(event, job, base), event.id)


def _make_room(kept: dict) -> None:  # type: ignore[type-arg] # any
    if len(kept) >= _MOST_KEPT:
        kept.clear()


NEWSROOM = web.AppKey("NEWSROOM", Newsroom)


class Follower:
    """What one listener has heard: all that is kept for them."""

    def __init__(
        self, room: Newsroom, *, user: str | None, base: str, campaign: CampaignId | None = None
    ) -> None:
        self._room = room
        #: Whose campaigns are told of; `None`: everybody's.
        self._user = user
        self._base = base
        self._campaign = campaign
        self._after = 0
        #: The version that was told, and the states that were.
        self._version = -1
        self._states: dict[CampaignId, CampaignState] = {}
        #: Whether there is more to tell at once.
        self.is_behind = False
        self.over = False

    async def begin(self, after: int | None) -> None:
        """Begin after the event number *after*, `None` for now."""
        self._after = await self._room.last_event() if after is None else after
        self.is_behind = after is not None
        if self._campaign is None:
            self._version = self._room.notices.version

    async def change(self) -> None:
        """Return when there may be something new to tell."""
        if self._version == self._present():
            await self._room.notices.news(self._campaign)

    def _present(self) -> int:
        notices = self._room.notices
        return notices.version if self._campaign is None else notices.of(self._campaign)

    async def events(self) -> Sequence[Told]:
        """Return the next events to tell."""
        return await self._room.events(self._campaign, self._after, self._base)

    async def news(self) -> bytes:
        """Return what is new since the last call, nothing when nothing is."""
        told, self._version = self._version, self._present()
        if not self.is_behind and told == self._version:
            return b""
        parts = [await self._new_events()]
        for campaign in self._changed(told):
            with contextlib.suppress(NotFound):  # it was purged meanwhile
                issue = await self._room.issue(campaign)
                if self._user is None or self._campaign is not None or issue.user == self._user:
                    parts += self._of(campaign, issue)
        return b"".join(parts)

    def _changed(self, version: int) -> list[CampaignId]:
        """Return what is followed and has changed since *version*."""
        if version == self._version:
            return []
        if self._campaign is not None:
            return [self._campaign]
        return list(self._room.notices.since(version))

    async def _new_events(self) -> bytes:
        found = await self.events()
        self.is_behind = len(found) == _SOME
        if not found:
            return b""
        self._after = found[-1].id
        return b"".join(
            told.text
            for told in found
            if self._campaign is not None or self._user is None or told.user in (None, self._user)
        )

    def _of(self, campaign: CampaignId, issue: Issue) -> list[bytes]:
        parts = []
        if self._states.get(campaign) is not issue.state:
            # With the number of the last event, from which a client that comes again goes on.
            parts.append(b"id: %d\n" % self._after + issue.state_told)
        parts.insert(0, issue.progress_told)
        if issue.state.over:
            self._states.pop(campaign, None)
            self.over = self._campaign is not None and not self.is_behind
        else:
            self._states[campaign] = issue.state
        return parts
