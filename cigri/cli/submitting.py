"""`sub` and `run`."""

from pathlib import Path
from typing import cast

import asyncclick

from cigri.cli import screens
from cigri.cli.description import Description, read
from cigri.cli.failures import Exit
from cigri.cli.following import LOOK, follow, follow_on, outcome, stuck, until_stuck
from cigri.cli.private import reachable
from cigri.cli.session import Session, command
from cigri.client.answer import Answer
from cigri.client.bodies import Campaign
from cigri.places import private_places

source = asyncclick.argument("file")


@command(
    "sub",
    examples=(
        "cigri sub visc.json --dry-run",
        "cigri sub visc.json --watch",
        "eval $(cigri sub visc.json) && cigri wait $CAMPAIGN_ID",
    ),
)
@source
@asyncclick.option("--watch", is_flag=True, help="Follow it to its end; exit as `cigri wait`.")
@asyncclick.option(
    "-n", "--dry-run", is_flag=True, help="Show what would run, and submit nothing."
)
def sub(session: Session, file: str, watch: bool, dry_run: bool) -> Exit | None:
    """
    Submit the campaign that FILE describes; `-` is standard input.

    Its `param_file` is read here and may have millions of lines.
    """
    description = described(session, file)
    if dry_run:
        _preview(session, description)
        return None
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
@asyncclick.option("--private", is_flag=True, help="Start a server even if one answers.")
@asyncclick.option(
    "--keep",
    type=asyncclick.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Where a server that is started keeps its things.  [default: a temporary directory]",
)
def run(session: Session, file: str, private: bool, keep: Path | None) -> Exit:
    """
    Submit the campaign that FILE describes, follow it, and exit as `cigri wait` does.

    If no server answers, one is started for as long as that takes.
    """
    description = described(session, file)
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


def described(session: Session, file: str) -> Description:
    """Return what *file* describes, and have errors name it."""
    session.source = file
    return read(file, Path.cwd())


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
        return follow(session, until_stuck(session.client.watch(campaign, every=LOOK)))
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
        session.show(screens.events(session.client.get(f"/campaigns/{number}/events").json()))
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
