"""`stat` and `wait`."""

import time
from collections.abc import Mapping, Sequence

import asyncclick

from cigri.cli import listing, screens
from cigri.cli.arguments import SECONDS, any_campaigns, identify, limit, some_campaigns
from cigri.cli.failures import Exit
from cigri.cli.following import follow_on, interruptible, outcome, with_reasons
from cigri.cli.session import Session, command


@command(
    "stat",
    examples=(
        "cigri stat                    those that are not finished",
        "cigri stat --all              all",
        "cigri stat 12                 one, cluster by cluster",
        "cigri stat last --watch       your newest, until it ends",
    ),
)
@any_campaigns
@asyncclick.option("--all", "everything", is_flag=True, help="List finished campaigns, too.")
@limit
@asyncclick.option("--watch", is_flag=True, help="Follow one campaign to its end.")
def stat(
    session: Session, campaigns: Sequence[str], everything: bool, limit: int, watch: bool
) -> Exit | None:
    """Show campaigns, or how far each of CAMPAIGNS is."""
    if watch:
        if len(campaigns) != 1:
            raise asyncclick.UsageError("--watch follows one campaign: give one number, or `last`")
        _watch(session, identify(session, campaigns[0]))
        return None
    if campaigns:
        return session.each(campaigns, lambda one: _show(session, identify(session, one)))
    _list(session, {"state": "all"} if everything else {}, limit)
    return None


@command(
    "wait",
    examples=("cigri wait last && cigri results last > visc.csv",),
)
@some_campaigns
@asyncclick.option("--timeout", type=SECONDS, metavar="SECONDS", help="Wait no longer: exit 124.")
def wait(session: Session, campaigns: Sequence[str], timeout: float | None) -> Exit:
    """
    Wait until CAMPAIGNS have ended, and exit with how they did.

    0: all tasks are done. 10: some failed. 11: cancelled. 124: the time is up. Of several
    campaigns, the highest.
    """
    end = None if timeout is None else time.monotonic() + timeout

    def once(campaign: str) -> Exit:
        number = identify(session, campaign)
        try:
            return _wait(session, number, end)
        except TimeoutError:
            session.say(f"campaign {number} has not ended after {timeout:g} s: it goes on")
            return Exit.TIME_IS_UP

    return session.each(campaigns, once)


def _list(session: Session, state: Mapping[str, str], limit: int) -> None:
    """Show the newest campaigns, which come last."""
    answer = session.client.get("/campaigns", limit=limit, **state)
    total = answer.json()["total"]
    if total > limit:
        answer = session.client.get("/campaigns", limit=limit, offset=total - limit, **state)
    session.answer(answer, lambda body: listing.campaigns(body, plain=session.plain))


def _show(session: Session, campaign: int) -> None:
    session.answer(
        session.client.get(f"/campaigns/{campaign}"),
        lambda body: screens.campaign(body, plain=session.plain),
    )


def _watch(session: Session, campaign: int) -> None:
    follow_on(session, campaign)
    if session.as_json:
        _show(session, campaign)


def _wait(session: Session, campaign: int, end: float | None) -> Exit:
    left = None if end is None else max(0.0, end - time.monotonic())
    with interruptible(session, campaign):
        *_, last = with_reasons(session, session.client.watch(campaign, timeout=left))
    if session.as_json:
        _show(session, campaign)
    else:
        session.show(screens.line(last))
    return outcome(last)
