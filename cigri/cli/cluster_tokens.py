"""`token cluster`: the tokens by which some clusters know their users."""

import getpass
import json
import sys
import time
from pathlib import Path
from typing import Any, BinaryIO

import asyncclick
from rich.console import RenderableType
from rich.text import Text

from cigri.cli.clusters import segment
from cigri.cli.failures import Exit
from cigri.cli.group import with_examples
from cigri.cli.session import Session, command
from cigri.cli.tables import Cell, table
from cigri.errors import CigriError, NotFound
from cigri.words import clean, moment

#: Bytes of any token; more is another file.
_MOST = 10_000

_HELP = with_examples(
    """Give, list and take back the tokens by which clusters know you.

A cluster of OAR 3 runs your tasks only with a token of yours, which `oarsub --api-token` prints \
there. The server keeps it where it alone can read it.""",
    "ssh dahu oarsub --api-token | cigri token cluster add dahu",
    "cigri token cluster list",
)


@asyncclick.group("cluster", help=_HELP)
def cluster() -> None:
    """Have what the three commands have in common: nothing."""


@command(
    "token cluster add",
    examples=(
        "cigri token cluster add dahu",
        "ssh dahu oarsub --api-token | cigri token cluster add dahu",
        "cigri token cluster add dahu --file token",
    ),
)
@asyncclick.argument("cluster")
@asyncclick.option(
    "--file",
    type=asyncclick.File("rb"),
    metavar="FILE",
    help="Read it from this file instead of standard input.",
)
def add(session: Session, cluster: str, file: BinaryIO | None) -> None:
    """Give the token by which CLUSTER knows you, instead of the one before."""
    # Never as an argument: everybody on this host can read those.
    token = _read(cluster, file)
    try:
        response = session.client.post_json("/tokens", {"cluster_id": cluster, "token": token})
    except NotFound as error:
        raise error.trying("cigri clusters shows them all") from error
    session.answer(response, lambda body: str(body["message"]))
    session.suggest("cigri token cluster list", "shows until when it is good")


@command("token cluster list")
def listed(session: Session) -> None:
    """List your tokens on clusters, without their secrets."""
    response = session.client.get("/tokens")
    if session.as_json:
        # Whoever wants the secrets finds them at GET /tokens.
        body = response.json()
        for item in body["items"]:
            del item["cluster_login"]
        session.write(f"{json.dumps(body)}\n".encode())
        return
    session.answer(response, lambda body: _listing(body, time.time()))


@command("token cluster remove", examples=("cigri token cluster remove dahu",))
@asyncclick.argument("clusters", nargs=-1, required=True)
def remove(session: Session, clusters: tuple[str, ...]) -> Exit:
    """Take back the tokens by which CLUSTERS know you."""

    def act(name: str) -> None:
        try:
            response = session.client.change("DELETE", f"/tokens/{segment(name)}")
        except NotFound as error:
            raise error.trying("cigri token cluster list shows yours") from error
        session.answer(response, lambda body: str(body["message"]))

    return session.each(clusters, act)


cluster.add_command(add, "add")
cluster.add_command(listed, "list")
cluster.add_command(remove, "remove")


def _read(cluster: str, file: BinaryIO | None) -> str:
    """
    Return the token that is typed, or comes along.

    Raises:
        CigriError: There is none.
    """
    if file is None and sys.stdin.isatty():
        text = getpass.getpass(f"Your token on {clean(cluster)}: ")
    else:
        text = (file or sys.stdin.buffer).read(_MOST).decode("utf-8", "replace")
    if not text.strip():
        where = "standard input" if file is None else clean(Path(file.name).name)
        raise CigriError(f"there is no token in {where}").trying(
            f"ssh {clean(cluster)} oarsub --api-token | cigri token cluster add {clean(cluster)}"
        )
    return text.strip()


def _listing(body: dict[str, Any], now: float) -> RenderableType:
    items = body["items"]
    if not items:
        return Text("no token on any cluster: `cigri token cluster add` gives one", style="dim")
    return table(["ID>", "CLUSTER", "LOGIN", "ENDS"], [_row(item, now) for item in items])


def _row(item: dict[str, Any], now: float) -> list[Cell]:
    end = item["expires_at"]
    if end is None:
        ends = Text("it does not say", "bright_black")
    else:
        ends = Text(moment(end, now), "red" if end <= now else "")
    return [str(item["cluster_id"]), clean(item["cluster_name"]), clean(item["login"]), ends]
