"""What a shell can complete: the campaigns of who asks, if a server answers at once."""

import threading
from collections.abc import Mapping
from typing import Any

import asyncclick
from asyncclick.shell_completion import CompletionItem

#: Seconds that a person waits for a completion without wondering.
PATIENCE = 0.3
#: Campaigns that are offered.
MOST = 100


def campaigns(context: asyncclick.Context, begun: str) -> list[CompletionItem[Any]]:
    """Return the campaigns of the user which are not over and whose numbers begin so."""
    url = context.params.get("url") or context.find_root().params.get("url")
    found: list[Mapping[str, Any]] = []
    # A thread that is left behind when its time is up: whatever it waits for, nobody else does.
    thread = threading.Thread(target=_ask, args=(url, found), name="completion", daemon=True)
    thread.start()
    thread.join(PATIENCE)
    items = [CompletionItem(str(one["id"]), help=_said(one)) for one in list(found)]
    items.append(CompletionItem("last", help="your newest campaign"))
    return [item for item in items if item.value.startswith(begun)]


def _ask(url: str | None, found: list[Mapping[str, Any]]) -> None:
    from cigri.cli.arguments import user
    from cigri.client import Client
    from cigri.errors import CigriError

    try:
        with Client(url) as client:
            page = client.get("/campaigns", user=user(), limit=MOST)
    except CigriError:
        return  # no server, no campaigns
    found.extend(page.json()["items"])


def _said(body: Mapping[str, Any]) -> str:
    from cigri.words import clean

    return clean(f"{body['name']}, {body['state']}, {body['finished_jobs']}/{body['total_jobs']}")
