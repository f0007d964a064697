"""What several commands take."""

import math
import os
import pwd
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import asyncclick
from asyncclick.shell_completion import CompletionItem

from cigri.cli.failures import Exit
from cigri.cli.selectors import ALL, BadSelector, Numbers, Part, is_plain, parse
from cigri.cli.session import Session
from cigri.errors import NotFound


class CampaignArgument(asyncclick.ParamType[tuple[Part, ...]]):
    """A selector of campaigns, or of no more than one."""

    name = "campaign"

    def __init__(self, *, several: bool) -> None:
        self.several = several

    def convert(
        self,
        value: object,
        param: asyncclick.Parameter | None,
        ctx: asyncclick.Context | None,
    ) -> tuple[Part, ...]:
        """Return the parts of *value* if it is one of these."""
        if isinstance(value, tuple):
            return value
        try:
            parts = parse(str(value))
        except BadSelector as error:
            self.fail(str(error), param, ctx)
        if not self.several and not is_plain(parts):
            self.fail(
                f"{value!r} may name several campaigns: give one number, or `last`", param, ctx
            )
        return parts

    def shell_complete(
        self, ctx: asyncclick.Context, param: asyncclick.Parameter, incomplete: str
    ) -> list[CompletionItem[Any]]:
        """Return the campaigns that a shell may offer."""
        from cigri.cli.completing import campaigns

        return campaigns(ctx, incomplete)


class Seconds(asyncclick.ParamType[float]):
    """How long to wait, which may be `inf`."""

    name = "seconds"

    def convert(
        self,
        value: object,
        param: asyncclick.Parameter | None,
        ctx: asyncclick.Context | None,
    ) -> float:
        """Return *value* if it is one."""
        try:
            seconds = float(str(value))
        except ValueError:
            seconds = math.nan
        if math.isnan(seconds) or seconds < 0:
            self.fail(f"{value!r} is no number of seconds from 0 on", param, ctx)
        return seconds


CAMPAIGN = CampaignArgument(several=False)
CAMPAIGNS = CampaignArgument(several=True)
SECONDS = Seconds()

one_campaign = asyncclick.argument("campaign", type=CAMPAIGN)
some_campaigns = asyncclick.argument("campaigns", type=CAMPAIGNS, nargs=-1, required=True)
any_campaigns = asyncclick.argument("campaigns", type=CAMPAIGNS, nargs=-1)

#: Several selectors, each of which has parts.
Selectors = Sequence[tuple[Part, ...]]

limit = asyncclick.option(
    "--limit",
    type=asyncclick.IntRange(1, 10_000),
    default=100,
    show_default=True,
    help="List so many.",
)


def identify(session: Session, campaign: tuple[Part, ...]) -> int:
    """
    Return the number of the one campaign that a selector names.

    Raises:
        NotFound: There is none.
    """
    (number,) = _numbers(session, campaign[0])
    return number


def each_campaign(
    session: Session, campaigns: Selectors, act: Callable[[int], Exit | None]
) -> Exit:
    """Act once on each campaign that is named, whether or not others fail; return the highest."""
    done: set[int] = set()

    def once(number: int) -> Exit | None:
        done.add(number)
        return act(number)

    def on_part(part: Part) -> Exit:
        found = (number for number in _numbers(session, part) if number not in done)
        return session.each(found, once)

    return session.each((part for parts in campaigns for part in parts), on_part)


def user() -> str:
    """Return the name of who asks, as a server of this host knows it."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def _numbers(session: Session, part: Part) -> Iterable[int]:
    """Return the campaigns that *part* of a selector names; a single number need not exist."""
    if isinstance(part, Numbers):
        return [part.first] if part.single else _existing(session, part)
    if part == ALL:
        return _unfinished(session)
    newest = session.client.newest(user())
    if newest is None:
        raise NotFound(f"no campaign of {user()}")
    return [newest["id"]]


def _existing(session: Session, numbers: Numbers) -> list[int]:
    """Return the campaigns of a range, in which numbers may be missing."""
    found = []
    for number in range(numbers.first, numbers.last + 1):
        try:
            session.client.campaign(number)
        except NotFound:
            continue
        found.append(number)
    if not found:
        raise NotFound(f"there is no campaign from {numbers.first} to {numbers.last}")
    return found


def _unfinished(session: Session) -> list[int]:
    who = user()
    found = [one["id"] for one in session.client.unfinished(who)]
    if not found:
        session.say(f"no unfinished campaign of {who}")
    return found
