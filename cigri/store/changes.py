"""Which campaigns a transaction changes: triggers on the connection that writes say it.

So whoever writes cannot forget to tell.  The triggers are the connection's own: the file knows
nothing of them.
"""

from collections.abc import Mapping

import aiosqlite
import attrs

#: Under this are noted holds of clusters, and events that concern no campaign.
CLUSTERS = 0

# Whatever a reader could see of a campaign counts its revision up.
_TRIGGERS = """
CREATE TEMP TRIGGER campaign_noted AFTER UPDATE ON main.campaign WHEN NEW.state <> 'loading'
BEGIN SELECT noted(NEW.id, NEW.state <> OLD.state); END;
CREATE TEMP TRIGGER campaign_end_noted AFTER DELETE ON main.campaign WHEN OLD.state <> 'loading'
BEGIN SELECT noted(OLD.id, 1); END;
CREATE TEMP TRIGGER cluster_noted AFTER UPDATE ON main.cluster
WHEN NEW.hold_reason IS NOT OLD.hold_reason OR NEW.hold_since IS NOT OLD.hold_since
BEGIN SELECT noted(0, 0); END;
CREATE TEMP TRIGGER event_noted AFTER INSERT ON main.event WHEN NEW.campaign_id IS NULL
BEGIN SELECT noted(0, 0); END;
CREATE TEMP TRIGGER event_change_noted AFTER UPDATE ON main.event WHEN NEW.campaign_id IS NULL
BEGIN SELECT noted(0, 0); END;
"""


@attrs.frozen(kw_only=True)
class Written:
    """A transaction that came to its end."""

    #: Campaigns that changed or may have, and whether their state did; `CLUSTERS` is one of them.
    changes: Mapping[int, bool]
    #: From its beginning to its end.
    seconds: float
    #: Whether it is in the file.
    done: bool


class Changes:
    """Gathers what the running transaction changes, in SQLite's thread."""

    def __init__(self) -> None:
        self._found: dict[int, bool] = {}

    async def attach(self, writer: aiosqlite.Connection) -> None:
        """Begin to listen to *writer*, whose schema is complete."""
        await writer.create_function("noted", 2, self._note)
        await writer.executescript(_TRIGGERS)

    def _note(self, campaign: int, state: int) -> None:
        self._found[campaign] = self._found.get(campaign, False) or bool(state)

    def take(self) -> Mapping[int, bool]:
        """Return what changed since the last call.  Only between two transactions."""
        found, self._found = self._found, {}
        return found
