"""What an application needs for requests that last, come again, or ask for what they have."""

from aiohttp import web

from cigri.api import etags
from cigri.api.context import CAMPAIGNS
from cigri.api.idempotency import CLAIMS
from cigri.api.newsroom import NEWSROOM, Newsroom
from cigri.api.seats import SEATS, Seats


def prepare(app: web.Application) -> None:
    """Make *app*, whose engine is known, ready for such requests."""
    app[etags.EPOCH] = etags.epoch()
    app[CLAIMS] = set()
    app[SEATS] = Seats()
    app[NEWSROOM] = Newsroom(app[CAMPAIGNS])
    app.on_response_prepare.append(etags.mark)
    app.on_shutdown.append(_let_go)


async def _let_go(app: web.Application) -> None:
    """Let nobody wait for a server that stops."""
    app[CAMPAIGNS].news.notices.close()
