"""`fix`, `pause`, `resume` and `del`."""

import sys
from collections.abc import Callable, Sequence
from typing import Any

import asyncclick

from cigri.cli.arguments import identify, some_campaigns
from cigri.cli.failures import Exit
from cigri.cli.session import Session, command
from cigri.cli.words import counted
from cigri.client.answer import Answer

#: Unfinished tasks from which on a person is asked before they are thrown away.
MANY = 100


@command(
    "fix",
    examples=("cigri fix 12 --resubmit",),
)
@some_campaigns
@asyncclick.option("--resubmit", is_flag=True, help="Run the failed tasks again.")
def fix(session: Session, campaigns: Sequence[str], resubmit: bool) -> Exit:
    """Close the open events of CAMPAIGNS, once their cause is repaired."""
    chosen = {"resubmit": 1} if resubmit else {}

    def told(number: int, body: dict[str, Any]) -> str:
        tasks = counted(body["resubmitted"], "task")
        again = f", {tasks} will run again" if resubmit else ""
        return f"campaign {number}: {counted(body['closed'], 'event')} closed{again}"

    def act(number: int) -> Answer:
        return session.client.change("DELETE", f"/campaigns/{number}/events", **chosen)

    return _each(session, campaigns, act, told)


@command("pause")
@some_campaigns
def pause(session: Session, campaigns: Sequence[str]) -> Exit:
    """
    Start no more tasks of CAMPAIGNS; what runs goes on.

    `cigri resume` takes them up again.
    """
    return _set_state(session, campaigns, "paused", "paused; what runs goes on")


@command("resume")
@some_campaigns
def resume(session: Session, campaigns: Sequence[str]) -> Exit:
    """Take up paused CAMPAIGNS again."""
    return _set_state(session, campaigns, "in_treatment", "resumed")


@command("del")
@some_campaigns
@asyncclick.option("-y", "--yes", is_flag=True, help="Do not ask.")
def delete(session: Session, campaigns: Sequence[str], yes: bool) -> Exit:
    """
    Cancel CAMPAIGNS: what runs is killed, what was written stays.

    On a terminal it asks before it throws away more than a hundred unfinished tasks.
    """

    def act(number: int) -> Answer | None:
        if not yes and session.interactive and not _confirmed(session, number):
            session.say(f"campaign {number} left as it is")
            return None
        return session.client.change("DELETE", f"/campaigns/{number}")

    return _each(session, campaigns, act, lambda number, _: f"campaign {number} cancelled")


def _set_state(session: Session, campaigns: Sequence[str], state: str, done: str) -> Exit:
    def act(number: int) -> Answer:
        return session.client.change("PUT", f"/campaigns/{number}", state=state)

    return _each(session, campaigns, act, lambda number, _: f"campaign {number} {done}")


def _each(
    session: Session,
    campaigns: Sequence[str],
    act: Callable[[int], Answer | None],
    told: Callable[[int, dict[str, Any]], str],
) -> Exit:
    """Act on each campaign and tell what was done; `None` is a change of mind."""

    def once(campaign: str) -> Exit | None:
        number = identify(session, campaign)
        response = act(number)
        if response is None:
            return Exit.REFUSED
        session.answer(response, lambda body: told(number, body))
        return None

    return session.each(campaigns, once)


def _confirmed(session: Session, number: int) -> bool:
    counts = session.client.campaign(number)["counts"]
    left = counts["pending"] + counts["queued"] + counts["running"]
    if left <= MANY:
        return True
    session.say(f"cancel campaign {number} with {counted(left, 'unfinished task')}? [y/N]")
    return sys.stdin.readline().strip().lower() in {"y", "yes"}
