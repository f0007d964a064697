"""`init`: a configuration to start from, or a server for a whole host."""

import os
import re
import sys
from pathlib import Path

import asyncclick

from cigri import places
from cigri.cli import unit
from cigri.cli.failures import Exit, report, writing
from cigri.cli.group import with_examples
from cigri.errors import CigriError, Conflict, NotAllowed

#: It stands in a unit, and on the command line of useradd.
_LOGIN = re.compile(r"[a-z_][a-z0-9_-]{0,31}")

HELP = with_examples(
    """Write a configuration in which every key is explained, for `cigri serve` to read.

With --system, set up a server for all users of this host: the configuration in /etc, the
directory of its data, and a systemd unit. What will be done is printed first, and asked for.""",
    "cigri init",
    "cigri init --system --dry-run",
    "cigri init --system && systemctl enable --now cigri",
)


@asyncclick.command("init", help=HELP)
@asyncclick.option("--system", is_flag=True, help="Set up a server for all users of this host.")
@asyncclick.option(
    "--user",
    metavar="LOGIN",
    help="Run it as this account, made if missing, and not as root: for clusters elsewhere. "
    "On this host it then runs tasks of its own only.",
)
@asyncclick.option(
    "--root",
    type=asyncclick.Path(file_okay=False, exists=True, resolve_path=True, path_type=Path),
    metavar="DIR",
    help="Set up the system in DIR: an image.  [default: /]",
)
@asyncclick.option("-n", "--dry-run", is_flag=True, help="Only print what would be done.")
@asyncclick.option("-y", "--yes", is_flag=True, help="Do not ask.")
def init(*, system: bool, user: str | None, root: Path | None, dry_run: bool, yes: bool) -> int:
    """Set up what a server needs and return the exit code."""
    if user is not None and not _LOGIN.fullmatch(user):
        raise asyncclick.UsageError(f"{user!r} is no login")
    try:
        if system:
            return _system(user, root or Path("/"), dry_run=dry_run, yes=yes)
        if user is not None or root is not None:
            raise asyncclick.UsageError("--user and --root belong to --system")
        return _own(dry_run=dry_run)
    except CigriError as error:
        return report(error, command="cigri init", where="cigri init")


def _own(*, dry_run: bool) -> int:
    from cigri import example

    path = places.configuration(os.environ, os.getuid())
    if dry_run:
        _say(f"would write {path}")
        return Exit.DONE
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(example.text())
    except FileExistsError:
        raise Conflict(f"{path} exists: it is left as it is").trying(
            f"edit it, or move it away and do this again; cigri doctor --config {path} checks it"
        ) from None
    own = places.places(os.environ, os.getuid())
    cores = len(os.sched_getaffinity(0))
    _say(f"wrote    {path}")
    _say(f"data     {own.database}")
    _say(f"cluster  local: this host, {cores} {'core' if cores == 1 else 'cores'}")
    _say("next     cigri serve            then, in another terminal: cigri demo")
    return Exit.DONE


def _system(user: str | None, root: Path, *, dry_run: bool, yes: bool) -> int:
    from cigri.cli.installing import Plan

    if os.geteuid() != 0 and root == Path("/") and not dry_run:
        raise NotAllowed("only root can set up a server for the whole host").trying(
            "sudo cigri init --system, or cigri init for a server of your own"
        )
    plan = Plan(root=root, user=user)
    try:
        steps = list(plan.steps())
    except Conflict:
        if dry_run:
            _say(plan.unit())
        raise
    if not steps:
        _say("everything is there already")
        return _next(root)
    _say("this will", *map(str, steps))
    if dry_run:
        _say(f"\n{unit.PLACE}:", plan.unit(), "nothing done")
        return Exit.DONE
    if not (yes or _agreed()):
        _say("nothing done")
        return Exit.REFUSED
    for step in steps:
        step.act()
        _say(f"{step.verb:<8} {step.what}: done")
    return _next(root)


def _next(root: Path) -> int:
    if root == Path("/"):
        _say("next     cigri doctor", "         systemctl daemon-reload")
        _say("         systemctl enable --now cigri")
    return Exit.DONE


def _agreed() -> bool:
    """Ask on the terminal.

    Raises:
        UsageError: There is none.
    """
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise asyncclick.UsageError("nobody is there to be asked: give --yes, or --dry-run")
    sys.stderr.write("go on? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def _say(*lines: str) -> None:
    with writing():
        sys.stdout.write("".join(f"{line}\n" for line in lines))
