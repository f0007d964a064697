"""`token`: the bearer tokens by which programs and other hosts come in over TCP."""

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

import asyncclick
from rich.console import RenderableType
from rich.text import Text

from cigri.cli import cluster_tokens
from cigri.cli.arguments import limit
from cigri.cli.failures import Exit
from cigri.cli.group import with_examples
from cigri.cli.session import Session, command
from cigri.cli.tables import Cell, table
from cigri.errors import CigriError, NotFound
from cigri.words import clean, moment

#: What a token can be good for; each includes those before it.
SCOPES = ("read", "submit", "admin")

_STYLES = {"valid": "", "expired": "bright_black", "revoked": "bright_black"}

_HELP = with_examples(
    """Make, list and revoke your bearer tokens.

A token lets a program act as you over TCP, no further than its scope: read looks, submit does what
you may do, admin does so for administrators. On the host of the server nobody needs one.
Of another kind are the tokens by which a cluster knows you: see `cigri token cluster --help`.""",
    "cigri token create --name ci --scope submit --days 90 --out ~/.cigri-token",
    "CIGRI_TOKEN_FILE=~/.cigri-token cigri stat --url https://cigri.example.org",
    "cigri token revoke 3",
)


@asyncclick.group("token", help=_HELP)
def token() -> None:
    """Have what the commands have in common: nothing."""


@command(
    "token create",
    examples=("cigri token create --name ci --scope submit --days 90 --out ~/.cigri-token",),
)
@asyncclick.option("--name", required=True, metavar="WORDS", help="What it is for.")
@asyncclick.option(
    "--scope",
    type=asyncclick.Choice(SCOPES),
    default="submit",
    show_default=True,
    help="What it is good for.",
)
@asyncclick.option(
    "--days", type=asyncclick.IntRange(1), metavar="N", help="It ends after so many days."
)
@asyncclick.option("--never", is_flag=True, help="It never ends; of administrators only.")
@asyncclick.option(
    "--out",
    type=asyncclick.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write it to this new file, which only you can read.",
)
def create(
    session: Session, *, name: str, scope: str, days: int | None, never: bool, out: Path | None
) -> Exit | None:
    """Make a token and print it: it is shown this once."""
    if never and days is not None:
        raise asyncclick.UsageError("--days and --never exclude each other")
    wanted: dict[str, object] = {"name": name, "scope": scope}
    wanted |= {} if days is None else {"days": days}
    wanted |= {"never": True} if never else {}
    if out is None:
        response = session.client.post_json("/access_tokens", wanted)
        session.answer(response, lambda body: str(body["token"]))
        _tell(session, response.json())
        return None
    # Before the token is made: one that cannot be written would be lost.
    with _new_file(out) as file:
        response = session.client.post_json("/access_tokens", wanted)
        body = response.json()
        file.write(f"{body.pop('token')}\n")
    if session.as_json:
        session.write(f"{json.dumps(body)}\n".encode())
    session.say(f"wrote {out}, which only you can read")
    _tell(session, body)
    return None


@command("token list")
@asyncclick.option("--all", "everybody", is_flag=True, help="Those of all users.")
@limit
def listed(session: Session, everybody: bool, limit: int) -> None:
    """List your tokens, without their secrets."""
    chosen = {"all": 1} if everybody else {}
    response = session.client.get("/access_tokens", limit=limit, **chosen)
    session.answer(response, lambda body: _listing(body, time.time(), users=everybody))


@command("token revoke", examples=("cigri token revoke 3",))
@asyncclick.argument("tokens", nargs=-1, required=True, type=asyncclick.IntRange(1))
def revoke(session: Session, tokens: tuple[int, ...]) -> Exit:
    """Let TOKENS, given by their ids, be good no more."""

    def act(number: int) -> None:
        try:
            response = session.client.change("DELETE", f"/access_tokens/{number}")
        except NotFound as error:
            raise error.trying("cigri token list shows yours") from error
        session.answer(response, lambda body: f"token {number} ({clean(body['name'])}) revoked")

    return session.each(tokens, act)


token.add_command(create, "create")
token.add_command(listed, "list")
token.add_command(revoke, "revoke")
token.add_command(cluster_tokens.cluster, "cluster")


@contextmanager
def _new_file(path: Path) -> Iterator[TextIO]:
    """
    Open a new file for its owner alone, which is gone again when the block raises.

    Raises:
        CigriError: There is something, or nothing can be there.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    try:
        opened = os.fdopen(os.open(path, flags, 0o600), "w", encoding="ascii")
    except FileExistsError:
        raise CigriError(f"{path} is there already: name a new file") from None
    except OSError as error:
        raise CigriError(f"cannot write {path}: {error.strerror}") from error
    try:
        with opened:
            yield opened
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _tell(session: Session, body: dict[str, Any]) -> None:
    """Say what the token is good for, and how it is taken back."""
    end = body["expires_at"]
    until = "it never ends" if end is None else f"it ends {moment(end, time.time())}"
    session.say(f"token {body['id']} is good for {body['scope']}; {until}")
    session.suggest(f"cigri token revoke {body['id']}", "when it is needed no more")


def _listing(body: dict[str, Any], now: float, *, users: bool) -> RenderableType:
    items = body["items"]
    if not items:
        return Text("no token: `cigri token create` makes one", style="dim")
    names = ["ID>", "TOKEN", "SCOPE", "STATE", "ENDS", "USED", "NAME"]
    if users:
        names.insert(1, "USER")
    return table(names, [_row(item, now, users=users) for item in items])


def _row(item: dict[str, Any], now: float, *, users: bool) -> list[Cell]:
    row: list[Cell] = [
        str(item["id"]),
        f"{clean(item['prefix'])}…",
        item["scope"],
        Text(item["state"], _STYLES.get(item["state"], "")),
        _at(item["expires_at"], now),
        _at(item["last_used_at"], now),
        clean(item["name"]),
    ]
    if users:
        row.insert(1, clean(item["user"]))
    return row


def _at(at: float | None, now: float) -> str:
    return "never" if at is None else moment(at, now)
