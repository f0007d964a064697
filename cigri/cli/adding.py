"""`add`: more tasks for a campaign."""

from typing import Any

import asyncclick

from cigri.cli.arguments import identify, one_campaign
from cigri.cli.description import given, lines_of
from cigri.cli.selectors import Part
from cigri.cli.session import Session, command
from cigri.words import counted


@command(
    "add",
    examples=(
        "cigri add 12 --params more.txt",
        "seq 1000 1999 | cigri add last --params -",
        """echo '["a 1", ["exactly", "these words"]]' | cigri add 12 --json -""",
    ),
)
@one_campaign
@asyncclick.option("--params", "lines", metavar="FILE", help="One task for each line of FILE.")
@asyncclick.option("--json", "array", metavar="FILE", help="One for each element of its array.")
def add(
    session: Session, campaign: tuple[Part, ...], lines: str | None, array: str | None
) -> None:
    """
    Append tasks to CAMPAIGN, also to one that has ended; `-` is standard input.

    Either all of them are there afterwards or, when anything is wrong, none.
    """
    if (lines is None) == (array is None):
        raise asyncclick.UsageError("give the tasks with --params FILE, or with --json FILE")
    source = lines if lines is not None else array
    assert source is not None  # noqa: S101 - for the type checker
    number = identify(session, campaign)
    session.source = "standard input" if source == "-" else source
    if array is not None:
        response = session.client.post_array(number, given(source)[1])
    else:
        response = session.client.post_lines(number, lines_of(source))
    session.answer(response, _told)
    for warning in response.json().get("warnings", ()):
        session.say(f"warning: {warning}")
    session.suggest(f"cigri stat {number} --watch", "follow it")


def _told(body: dict[str, Any]) -> str:
    return f"campaign {body['id']} has {counted(body['total_jobs'], 'task')} now"
