"""What several commands take."""

import math
import os
import pwd

import asyncclick

from cigri.cli.session import Session
from cigri.errors import NotFound

LAST = "last"


class CampaignArgument(asyncclick.ParamType[str]):
    """The number of a campaign, or `last`."""

    name = "campaign"

    def convert(
        self,
        value: object,
        param: asyncclick.Parameter | None,
        ctx: asyncclick.Context | None,
    ) -> str:
        """Return *value* if it is one of these."""
        text = str(value)
        if text != LAST and not (text.isascii() and text.isdigit()):
            self.fail(f"{text!r} is no campaign: give its number, or `last`", param, ctx)
        return text


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


CAMPAIGN = CampaignArgument()
SECONDS = Seconds()

one_campaign = asyncclick.argument("campaign", type=CAMPAIGN)
some_campaigns = asyncclick.argument("campaigns", type=CAMPAIGN, nargs=-1, required=True)
any_campaigns = asyncclick.argument("campaigns", type=CAMPAIGN, nargs=-1)

limit = asyncclick.option(
    "--limit",
    type=asyncclick.IntRange(1, 10_000),
    default=100,
    show_default=True,
    help="List so many.",
)


def identify(session: Session, campaign: str) -> int:
    """
    Return the number of a campaign; `last` is the newest one of who asks.

    Raises:
        NotFound: There is none.
    """
    if campaign != LAST:
        return int(campaign)
    user = _user()
    newest = session.client.newest(user)
    if newest is None:
        raise NotFound(f"no campaign of {user}")
    return newest["id"]


def _user() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())
