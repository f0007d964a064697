"""`fix`, `go`, `pause`, `resume` and `del`."""

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import asyncclick

from cigri.cli.arguments import CAMPAIGNS, Selectors, each_campaign, identify, some_campaigns
from cigri.cli.failures import Exit, tell
from cigri.cli.selectors import Part, is_plain, written
from cigri.cli.session import Session, command
from cigri.client.answer import Answer
from cigri.client.bodies import Campaign
from cigri.client.pictures import unending
from cigri.errors import NotFound
from cigri.words import counted

#: Unfinished tasks from which on a person is asked before they are thrown away.
MANY = 100
EVENT = asyncclick.IntRange(min=1)


@command(
    "fix",
    examples=(
        "cigri fix 12 --resubmit       all that failed",
        "cigri fix 12 311 --resubmit   what event 311 tells of",
    ),
)
@asyncclick.argument("campaigns", type=CAMPAIGNS, required=False)
@asyncclick.argument("events", type=EVENT, nargs=-1)
@asyncclick.option("--resubmit", is_flag=True, help="Run the failed tasks again.")
@asyncclick.option("--event", type=EVENT, help="Close this one, which is of no campaign.")
def fix(
    session: Session,
    *,
    campaigns: tuple[Part, ...] | None,
    events: Sequence[int],
    resubmit: bool,
    event: int | None,
) -> Exit:
    """
    Close the open events of CAMPAIGNS, or only EVENTS of one, once their cause is repaired.

    What they held goes on.
    """
    chosen = {"resubmit": 1} if resubmit else {}

    def told(body: dict[str, Any]) -> str:
        tasks = counted(body["resubmitted"], "task")
        again = f", {tasks} will run again" if resubmit else ""
        return f"{counted(body['closed'], 'event')} closed{again}"

    def whole(number: int) -> Answer:
        return session.client.change("DELETE", f"/campaigns/{number}/events", **chosen)

    def one(event: int) -> None:
        response = _close(session, event, chosen)
        session.answer(response, lambda body: f"event {event}: {told(body)}")

    if (event is None) == (campaigns is None):
        raise asyncclick.UsageError("give campaigns, or --event with an event of a cluster")
    if event is not None:
        return session.each([event], one)
    assert campaigns is not None  # noqa: S101 - for the type checker
    if not events:
        return _each(
            session, [campaigns], whole, lambda number, body: f"campaign {number}: {told(body)}"
        )
    if not is_plain(campaigns):
        raise asyncclick.UsageError("events are of one campaign: give its number, or `last`")
    number = identify(session, campaigns)

    def one_of_it(event: int) -> None:
        _check_event(session, number, event)
        one(event)

    return session.each(dict.fromkeys(events), one_of_it)


@command("go")
@some_campaigns
def go(session: Session, campaigns: Selectors) -> Exit:
    """
    End the test of CAMPAIGNS, and run the rest of them.

    A campaign that asks for a test (`test_mode`, `cigri sub --test`) waits for this after it.
    """

    def act(number: int) -> Answer:
        return session.client.change("POST", f"/campaigns/{number}/go")

    return _each(session, campaigns, act, lambda number, _: f"campaign {number} goes on")


@command("pause")
@some_campaigns
def pause(session: Session, campaigns: Selectors) -> Exit:
    """
    Start no more tasks of CAMPAIGNS; what runs goes on.

    `cigri resume` takes them up again.
    """
    return _set_state(session, campaigns, "paused", "paused; what runs goes on")


@command("resume")
@some_campaigns
def resume(session: Session, campaigns: Selectors) -> Exit:
    """Take up paused CAMPAIGNS again."""
    return _set_state(session, campaigns, "in_treatment", "resumed")


@command("del", examples=("cigri del 12", "cigri del all --yes"))
@some_campaigns
@asyncclick.option("-y", "--yes", is_flag=True, help="Do not ask.")
def delete(session: Session, campaigns: Selectors, yes: bool) -> Exit:
    """
    Cancel CAMPAIGNS: what runs is killed, what was written stays.

    It asks before it throws away more than a hundred unfinished tasks.
    """
    doomed: list[Campaign] = []
    code = each_campaign(session, campaigns, lambda number: _look(session, number, doomed))
    left = sum(map(_left, doomed))
    if left > MANY and not yes:
        if not session.interactive:
            what = f"that throws away {left} unfinished tasks: say --yes if you mean it"
            tell(what, session.command, session.repeated(*map(written, campaigns), "--yes"))
            return Exit.USAGE
        named = ", ".join(str(one["id"]) for one in doomed)
        if not _confirmed(session, f"cancel {named} with {left} unfinished tasks?"):
            session.say("nothing cancelled")
            return Exit.REFUSED

    def cancel(campaign: Campaign) -> None:
        response = session.client.change("DELETE", f"/campaigns/{campaign['id']}")
        session.answer(response, lambda _: f"campaign {campaign['id']} cancelled")

    return max(code, session.each(doomed, cancel))


def _look(session: Session, number: int, found: list[Campaign]) -> None:
    found.append(session.client.campaign(number))


def _left(campaign: Campaign) -> int:
    """Return how many tasks are lost with a campaign; those kept ready without an end are not."""
    counts = campaign["counts"]
    pending = 0 if unending(campaign) else counts["pending"]
    return pending + counts["queued"] + counts["running"]


def _close(session: Session, event: int, chosen: Mapping[str, int]) -> Answer:
    try:
        return session.client.change("DELETE", f"/events/{event}", **chosen)
    except NotFound as error:
        raise error.trying("cigri events shows those of clusters") from error


def _check_event(session: Session, campaign: int, event: int) -> None:
    """
    Refuse an event of another campaign: one digit less repairs what nobody looked at.

    Raises:
        NotFound: The campaign has no such event.
    """
    try:
        found = session.client.get(f"/events/{event}").json()["campaign_id"]
    except NotFound:
        found = None
    if found != campaign:
        missing = NotFound(f"campaign {campaign} has no event {event}")
        raise missing.trying(f"cigri events {campaign} shows them")


def _set_state(session: Session, campaigns: Selectors, state: str, done: str) -> Exit:
    def act(number: int) -> Answer:
        return session.client.change("PUT", f"/campaigns/{number}", state=state)

    return _each(session, campaigns, act, lambda number, _: f"campaign {number} {done}")


def _each(
    session: Session,
    campaigns: Selectors,
    act: Callable[[int], Answer],
    told: Callable[[int, dict[str, Any]], str],
) -> Exit:
    """Act on each campaign and tell what was done."""

    def once(number: int) -> None:
        session.answer(act(number), lambda body: told(number, body))

    return each_campaign(session, campaigns, once)


def _confirmed(session: Session, question: str) -> bool:
    session.say(f"{question} [y/N]")
    return sys.stdin.readline().strip().lower() in {"y", "yes"}
