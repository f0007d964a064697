"""`events`: what went wrong, and how to repair it."""

from collections.abc import Iterator

import asyncclick

from cigri.cli import causes
from cigri.cli.arguments import Selectors, any_campaigns, each_campaign
from cigri.cli.failures import Exit
from cigri.cli.session import Session, command
from cigri.client.bodies import Event

#: Events asked for at a time.
PAGE = 1_000


@command(
    "events",
    examples=(
        "cigri events 12",
        "cigri events last --all",
        "cigri events                  what befell the clusters",
    ),
)
@any_campaigns
@asyncclick.option("--all", "closed", is_flag=True, help="Show closed events, too.")
def events(session: Session, campaigns: Selectors, closed: bool) -> Exit | None:
    """
    Show what went wrong in CAMPAIGNS: equal failures together, each with its cause and its repair.

    Without CAMPAIGNS, what befell the clusters.
    """
    chosen = {"all": 1} if closed else {}
    if not campaigns and closed:
        raise asyncclick.UsageError("--all shows the closed events of campaigns: name some")
    if not campaigns:
        _show(session, "/events", chosen)
        return None
    return each_campaign(
        session, campaigns, lambda number: _show(session, f"/campaigns/{number}/events", chosen)
    )


def _show(session: Session, path: str, chosen: dict[str, int]) -> None:
    if session.as_json:
        session.write(session.client.get(path, **chosen).content)
        return
    session.show(causes.screen(_all(session, path, chosen)))


def _all(session: Session, path: str, chosen: dict[str, int]) -> Iterator[Event]:
    for page in session.client.pages(path, limit=PAGE, **chosen):
        yield from page["items"]
