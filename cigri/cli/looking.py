"""`jobs` and `events`."""

from collections.abc import Sequence

import asyncclick

from cigri.cli import screens
from cigri.cli.arguments import identify, limit, one_campaign, some_campaigns
from cigri.cli.failures import Exit
from cigri.cli.session import Session, command
from cigri.client.bodies import Event

STATES = ("pending", "queued", "running", "terminated", "failed", "cancelled")


@command(
    "jobs",
    examples=(
        "cigri jobs 12 --state failed",
        "cigri jobs 12 --first 5000 --limit 20",
    ),
)
@one_campaign
@asyncclick.option("--state", type=asyncclick.Choice(STATES), help="Only tasks in this state.")
@asyncclick.option(
    "--first",
    type=asyncclick.IntRange(min=0),
    default=0,
    metavar="NUMBER",
    help="Begin with this task.",
)
@limit
def jobs(session: Session, campaign: str, state: str | None, first: int, limit: int) -> None:
    """List the tasks of CAMPAIGN."""
    number = identify(session, campaign)
    chosen = {} if state is None else {"state": state}
    response = session.client.get(f"/campaigns/{number}/jobs", offset=first, limit=limit, **chosen)
    session.answer(response, screens.jobs)


@command(
    "events",
    examples=(
        "cigri events 12",
        "cigri fix 12 --resubmit",
    ),
)
@some_campaigns
@asyncclick.option("--all", "closed", is_flag=True, help="Show closed events, too.")
def events(session: Session, campaigns: Sequence[str], closed: bool) -> Exit:
    """Show what went wrong in CAMPAIGNS: equal failures together, each with its cause."""
    return session.each(campaigns, lambda one: _events(session, identify(session, one), closed))


def _events(session: Session, campaign: int, closed: bool) -> None:
    chosen = {"all": 1} if closed else {}
    response = session.client.get(f"/campaigns/{campaign}/events", **chosen)
    session.answer(response, screens.events)
    if not session.as_json:
        _suggest(session, campaign, response.json()["items"])


def _suggest(session: Session, campaign: int, found: Sequence[Event]) -> None:
    """Name what repairs the open events: tasks that failed, holds, or both."""
    codes = {one["code"] for one in found if one["state"] == "open"}
    failures = codes - screens.HOLDING
    if failures - {screens.UNUSABLE}:
        session.suggest(f"cigri logs {campaign} --failed", "what the failed tasks wrote")
    if failures:
        session.suggest(f"cigri fix {campaign} --resubmit", "run the failed tasks again")
    if codes:
        session.suggest(f"cigri fix {campaign}", "close the events, lift their holds")
