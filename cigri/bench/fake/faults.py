"""What may go wrong on the way to the fake OAR and back, by name."""

from collections.abc import Iterable
from enum import StrEnum

import attrs


class Fault(StrEnum):
    """One way in which a request fails; those called AFTER did what was asked all the same."""

    #: The web server's own error, in HTML.
    HTML = "html"
    HTML_AFTER = "html after"
    #: A gateway's page, with code 200.
    GARBLED = "garbled"
    #: The database is down: OAR says so.
    DATABASE = "database"
    #: OAR's server is down: jobs are created, and the answer is an error that holds their ids.
    EXECUTOR = "executor"
    HANG = "hang"
    HANG_AFTER = "hang after"
    RESET = "reset"
    RESET_AFTER = "reset after"
    #: Half of the answer, then the end of the connection.
    HALF = "half"
    DENIED = "denied"
    #: An empty list, as for a filter that OAR does not understand.
    EMPTY = "empty"
    #: A right answer, late.
    SLOW = "slow"


@attrs.define(kw_only=True)
class Rule:
    """When a fault happens."""

    fault: Fault
    #: Kinds of calls; empty: all.
    kinds: tuple[str, ...] = ()
    #: How many more requests it hits; `None`: it lasts.
    times: int | None = None
    #: Each so manieth of them.
    every: int = 1
    #: By how much an answer is late.
    seconds: float = 1.0
    _seen: int = attrs.field(default=0, init=False)

    def hits(self, kind: str) -> bool:
        """Return whether the fault happens to the request that has just come."""
        if self.times == 0 or (self.kinds and kind not in self.kinds):
            return False
        self._seen += 1
        if self._seen % self.every:
            return False
        if self.times is not None:
            self.times -= 1
        return True


def chosen(rules: Iterable[Rule], kind: str) -> Rule | None:
    """Return the first of *rules* that hits a request of *kind*."""
    return next((rule for rule in rules if rule.hits(kind)), None)
