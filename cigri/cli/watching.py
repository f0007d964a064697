"""`stat` and `wait`."""

import time
from collections.abc import Iterator, Sequence

import asyncclick
from rich.console import RenderableType

from cigri.cli import listing, screens
from cigri.cli.arguments import (
    SECONDS,
    Selectors,
    any_campaigns,
    each_campaign,
    limit,
    some_campaigns,
)
from cigri.cli.failures import Exit
from cigri.cli.following import (
    LINE,
    explained,
    follow_all,
    follow_on,
    interruptible,
    outcome,
    with_reasons,
)
from cigri.cli.session import Session, command
from cigri.client import pictures
from cigri.client.answer import Answer
from cigri.client.asking import OVER
from cigri.client.bodies import Campaign, CampaignList

#: Options of the list of campaigns.
Chosen = dict[str, str]


@command(
    "stat",
    outputs=("table", "json", "ids"),
    examples=(
        "cigri stat                    those that are not finished",
        "cigri stat --all --tag paper  all with this tag",
        "cigri stat 12                 one, cluster by cluster",
        "cigri stat last --watch       your newest, until it ends",
    ),
)
@any_campaigns
@asyncclick.option("--all", "everything", is_flag=True, help="List finished campaigns, too.")
@asyncclick.option("--user", metavar="NAME", help="List those of this user.")
@asyncclick.option("--tag", metavar="WORD", help="List those with this tag.")
@limit
@asyncclick.option("--watch", is_flag=True, help="Follow them to their end.")
def stat(
    session: Session,
    *,
    campaigns: Selectors,
    everything: bool,
    user: str | None,
    tag: str | None,
    limit: int,
    watch: bool,
) -> Exit | None:
    """Show campaigns, or how far each of CAMPAIGNS is."""
    asked = {"state": "all" if everything else None, "user": user, "tag": tag}
    chosen = {name: value for name, value in asked.items() if value is not None}
    if session.output == "ids" and (campaigns or watch):
        raise asyncclick.UsageError("-o ids lists campaigns: name none, and do not watch")
    if campaigns and chosen:
        raise asyncclick.UsageError("name campaigns, or choose with --all, --user and --tag")
    if campaigns:
        return _watch(session, campaigns) if watch else _show_each(session, campaigns)
    if watch:
        with interruptible(session):
            follow_all(session, _lists(session, chosen, limit))
        return None
    response = _newest(session, chosen, limit)
    if session.output == "ids":
        session.list_ids(one["id"] for one in response.json()["items"])
    else:
        session.answer(response, lambda body: listing.campaigns(body, plain=session.plain))
    return None


@command(
    "wait",
    examples=("cigri wait last && cigri results last > visc.csv",),
)
@some_campaigns
@asyncclick.option("--timeout", type=SECONDS, metavar="SECONDS", help="Wait no longer: exit 124.")
def wait(session: Session, campaigns: Selectors, timeout: float | None) -> Exit:
    """
    Wait until CAMPAIGNS have ended, and exit with how they did.

    0: all tasks are done. 10: some failed. 11: cancelled. 124: the time is up. Of several
    campaigns, the highest.
    """
    end = None if timeout is None else time.monotonic() + timeout

    def once(number: int) -> Exit:
        try:
            return _wait(session, number, end)
        except TimeoutError:
            session.say(f"campaign {number} has not ended after {timeout:g} s: it goes on")
            return Exit.TIME_IS_UP

    return each_campaign(session, campaigns, once)


def _newest(session: Session, chosen: Chosen, limit: int) -> Answer:
    """Return the list of the newest campaigns, the very newest of which comes last."""
    answer = session.client.get("/campaigns", limit=limit, **chosen)
    total = answer.json()["total"]
    if total > limit:
        answer = session.client.get("/campaigns", limit=limit, offset=total - limit, **chosen)
    return answer


def _show_each(session: Session, campaigns: Selectors) -> Exit:
    shown: list[int] = []

    def show(number: int) -> None:
        if shown and not session.as_json:
            session.show("")
        _show(session, number)
        shown.append(number)

    return each_campaign(session, campaigns, show)


def _show(session: Session, campaign: int) -> None:
    def screen(body: Campaign) -> RenderableType:
        return screens.campaign(next(explained(session, [body])), plain=session.plain)

    session.answer(session.client.get(f"/campaigns/{campaign}"), screen)


def _watch(session: Session, campaigns: Selectors) -> Exit:
    numbers: list[int] = []
    code = each_campaign(session, campaigns, numbers.append)
    if len(numbers) == 1:
        follow_on(session, numbers[0])
    elif numbers:
        with interruptible(session):
            follow_all(session, _looks(session, numbers))
    if session.as_json:
        code = max(code, session.each(numbers, lambda number: _show(session, number)))
    return code


def _looks(session: Session, numbers: Sequence[int]) -> Iterator[CampaignList]:
    """Yield the campaigns until all of them have ended."""
    seen: dict[int, Campaign] = {}
    while True:
        for number in numbers:
            if number not in seen or seen[number]["state"] not in OVER:
                seen[number] = session.client.campaign(number)
        yield {"items": list(seen.values()), "total": len(seen), "finished": 0}
        if all(campaign["state"] in OVER for campaign in seen.values()):
            return
        time.sleep(LINE)


def _lists(session: Session, chosen: Chosen, limit: int) -> Iterator[CampaignList]:
    """Yield the list until no campaign of it goes on."""
    while True:
        body: CampaignList = _newest(session, chosen, limit).json()
        yield body
        if all(campaign["state"] in OVER for campaign in body["items"]):
            return
        time.sleep(LINE)


def _wait(session: Session, campaign: int, end: float | None) -> Exit:
    left = None if end is None else max(0.0, end - time.monotonic())
    with interruptible(session, campaign):
        looks = explained(session, session.client.watch(campaign, timeout=left))
        *_, last = with_reasons(session, looks)
    if session.as_json:
        _show(session, campaign)
    else:
        session.show(pictures.line(last))
    return outcome(last)
