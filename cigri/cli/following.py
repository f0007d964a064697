"""Following a campaign: a live screen on a terminal, a line for each change in a pipe."""

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator

from rich.live import Live

from cigri.cli import screens
from cigri.cli.failures import Exit
from cigri.cli.session import Session
from cigri.client.bodies import Campaign

#: Seconds between two looks at a campaign that somebody watches.
LOOK = 0.25
#: Seconds between two lines in a pipe.
LINE = 1.0


def follow(session: Session, looks: Iterable[Campaign]) -> Campaign:
    """Show a campaign at each of *looks*, the last of which is returned."""
    return _live(session, looks) if session.console.is_terminal else _lines(session, looks)


def follow_on(session: Session, campaign: int) -> Campaign:
    """
    Follow a campaign that goes on without this command, and return it when it has ended.

    What a live screen shows of why it stands still, standard error tells elsewhere.
    """
    with interruptible(session, campaign):
        looks = session.client.watch(campaign, every=LOOK)
        if not session.console.is_terminal:
            looks = with_reasons(session, looks)
        return follow(session, looks)


def outcome(campaign: Campaign) -> Exit:
    """Return the exit code of a campaign that has ended."""
    if campaign["state"] == "cancelled":
        return Exit.CANCELLED
    return Exit.TASKS_FAILED if campaign["counts"]["failed"] else Exit.DONE


@contextlib.contextmanager
def interruptible(session: Session, campaign: int) -> Iterator[None]:
    """Have Ctrl-C leave a campaign alone, and say so."""
    try:
        yield
    except KeyboardInterrupt:
        session.say(
            f"campaign {campaign} goes on; see it again with: cigri stat {campaign} --watch"
        )
        raise


def with_reasons(session: Session, looks: Iterable[Campaign]) -> Iterator[Campaign]:
    """Yield *looks*, saying when and why nothing goes on."""
    told = None
    for campaign in looks:
        reason = stuck(campaign)
        if reason and reason != told:
            session.say(f"campaign {campaign['id']} waits: {reason}")
        told = reason
        yield campaign


def until_stuck(looks: Iterable[Campaign]) -> Iterator[Campaign]:
    """Yield *looks* until nothing of the campaign can run before somebody acts."""
    for campaign in looks:
        yield campaign
        if stuck(campaign):
            return


def stuck(campaign: Campaign) -> str | None:
    """Return why nothing of a campaign runs or will run by itself, or `None`."""
    counts = campaign["counts"]
    if counts["running"] or counts["queued"]:
        return None
    if campaign["state"] == "paused":
        return "it is paused"
    clusters = campaign.get("clusters", {}).values()
    if campaign["state"] != "in_treatment" or not all(one["blacklisted"] for one in clusters):
        return None
    reasons = dict.fromkeys(one["blacklist_reason"] or "no reason given" for one in clusters)
    return campaign["reason"] or "; ".join(reasons) or "it has no cluster"


def _live(session: Session, looks: Iterable[Campaign]) -> Campaign:
    iterator = iter(looks)
    campaign = next(iterator)
    plain = session.plain
    with Live(screens.campaign(campaign, plain=plain), console=session.console) as live:
        for campaign in iterator:
            live.update(screens.campaign(campaign, plain=plain), refresh=True)
    return campaign


def _lines(session: Session, looks: Iterable[Campaign]) -> Campaign:
    """Print a line when it differs from the last and that is a second old, and the last one."""
    write = _changes(session)
    due = 0.0
    iterator = iter(looks)
    campaign = next(iterator)
    write(campaign)
    for campaign in iterator:
        if time.monotonic() >= due:
            write(campaign)
            due = time.monotonic() + LINE
    write(campaign)
    return campaign


def _changes(session: Session) -> Callable[[Campaign], None]:
    shown = None

    def write(campaign: Campaign) -> None:
        nonlocal shown
        counts = (campaign["state"], campaign["counts"])
        if counts != shown:
            shown = counts
            session.show(screens.line(campaign))

    return write
