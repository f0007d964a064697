"""`sub` and `run`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import asyncclick

from cigri.cli import causes, screens
from cigri.cli.amending import NO_CHANGES, Changes, amending, understood
from cigri.cli.description import Description, read
from cigri.cli.failures import Exit
from cigri.cli.following import (
    LOOK,
    explained,
    follow,
    follow_on,
    outcome,
    stuck,
    until_stuck,
)
from cigri.cli.private import reachable
from cigri.cli.session import Session, command
from cigri.cli.trying import first_task
from cigri.client.answer import Answer
from cigri.client.bodies import Campaign
from cigri.places import private_places

#: The file, and what follows the first word of `--grid` or `--zip`.
source = asyncclick.argument("words", nargs=-1, required=True, metavar="FILE")


@command(
    "sub",
    examples=(
        "cigri sub visc.json --dry-run",
        "cigri sub visc.json --grid T=0:9.9:100 seed=1..100 --watch",
        "cigri sub visc.json --try",
        "eval $(cigri sub visc.json) && cigri wait $CAMPAIGN_ID",
    ),
)
@source
@amending
@asyncclick.option("--watch", is_flag=True, help="Follow it to its end; exit as `cigri wait`.")
@asyncclick.option(
    "-n", "--dry-run", is_flag=True, help="Show what would run, and submit nothing."
)
@asyncclick.option(
    "--try", "attempt", is_flag=True, help="Run its first task here and now, and submit nothing."
)
def sub(
    session: Session,
    *,
    words: Sequence[str],
    watch: bool,
    dry_run: bool,
    attempt: bool,
    **chosen: Any,  # noqa: ANN401 - the options of `amending`
) -> Exit | None:
    """
    Submit the campaign that FILE describes; `-` is standard input.

    Its `param_file` is read here and may have millions of lines.
    """
    if watch + dry_run + attempt > 1:
        raise asyncclick.UsageError("--watch, --dry-run and --try exclude each other")
    description = described(session, *understood(words, **chosen))
    if dry_run:
        _preview(session, description)
        return None
    if attempt:
        return first_task(session, session.client.preview(description.jdl, description.lines()))
    response = submit(session, description)
    campaign = cast(Campaign, response.json())
    session.answer(response, lambda body: f"CAMPAIGN_ID={body['id']}")
    if not watch:
        session.suggest(f"cigri stat {campaign['id']} --watch", "follow it")
        return None
    return outcome(follow_on(session, campaign["id"]))


@command(
    "run",
    examples=("cigri run visc.json && cigri results last",),
)
@source
@amending
@asyncclick.option("--private", is_flag=True, help="Start a server even if one answers.")
@asyncclick.option(
    "--keep",
    type=asyncclick.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Where a server that is started keeps its things.  [default: a temporary directory]",
)
def run(
    session: Session,
    *,
    words: Sequence[str],
    private: bool,
    keep: Path | None,
    **chosen: Any,  # noqa: ANN401 - the options of `amending`
) -> Exit:
    """
    Submit the campaign that FILE describes, follow it, and exit as `cigri wait` does.

    If no server answers, one is started for as long as that takes.
    """
    description = described(session, *understood(words, **chosen))
    with reachable(session, keep, private=private) as directory:
        campaign = submit(session, description).json()["id"]
        last = follow_here(session, campaign, directory)
        code = _conclude(session, last)
    if directory is not None:
        session.say(f"kept: {directory} ({again(directory)})")
    return code


def again(directory: Path) -> str:
    """Return how to see what a private server has kept in *directory*."""
    database = private_places(directory).database
    return f"cigri serve --database {database} shows it again"


def described(session: Session, file: str, changes: Changes = NO_CHANGES) -> Description:
    """Return what *file* describes with *changes* to it, and have errors name it."""
    session.source = file
    return read(file, Path.cwd(), changes)


def submit(session: Session, description: Description) -> Answer:
    """Submit and say what the server remarks."""
    response = session.client.post(description.jdl, description.lines())
    _warn(session, response)
    return response


def follow_here(session: Session, campaign: int, private: Path | None) -> Campaign:
    """
    Follow a campaign to its end and return it.

    On a server that keeps its things in *private* nobody else can help a campaign that is stuck,
    and Ctrl-C ends both.
    """
    if private is None:
        return follow_on(session, campaign)
    try:
        looks = explained(session, session.client.watch(campaign, every=LOOK))
        return follow(session, until_stuck(looks))
    except KeyboardInterrupt:
        session.client.cancel(campaign)
        session.say(f"campaign {campaign} cancelled, as its server ends with this command")
        session.say(f"kept: {private} ({again(private)})")
        raise


def _conclude(session: Session, last: Campaign) -> Exit:
    """Tell how the campaign has ended, or why it cannot go on, and return the exit code."""
    number, blocked = last["id"], stuck(last)
    if blocked:
        session.say(f"campaign {number} cannot go on: {blocked}")
    code = Exit.TASKS_FAILED if blocked else outcome(last)
    if code is Exit.TASKS_FAILED:
        session.show(causes.screen(session.client.events(number)))
    if session.as_json:
        session.write(session.client.get(f"/campaigns/{number}").content)
    return code


def _preview(session: Session, description: Description) -> None:
    response = session.client.post(description.jdl, description.lines(), dry_run=1)
    session.answer(response, screens.preview)
    if not session.as_json:
        _warn(session, response)


def _warn(session: Session, response: Answer) -> None:
    for warning in response.json().get("warnings", ()):
        session.say(f"warning: {warning}")
