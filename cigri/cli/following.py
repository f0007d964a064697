"""Following a campaign: a live screen on a terminal, a line for each change in a pipe."""

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator

from rich.live import Live

from cigri.cli import listing, screens
from cigri.cli.failures import Exit
from cigri.cli.session import Session
from cigri.client import pictures
from cigri.client.bodies import Campaign, CampaignList, Explanation
from cigri.errors import CigriError

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
        looks = explained(session, session.client.watch(campaign, every=LOOK))
        if not session.console.is_terminal:
            looks = with_reasons(session, looks)
        return follow(session, looks)


def outcome(campaign: Campaign) -> Exit:
    """Return the exit code of a campaign that has ended."""
    if campaign["state"] == "cancelled":
        return Exit.CANCELLED
    return Exit.TASKS_FAILED if campaign["counts"]["failed"] else Exit.DONE


def follow_all(session: Session, looks: Iterable[CampaignList]) -> None:
    """Show the campaigns at each of *looks*: as a list on a terminal, else their changes."""
    if not session.console.is_terminal:
        writers: dict[int, Callable[[Campaign], None]] = {}
        for look in looks:
            for campaign in look["items"]:
                writers.setdefault(campaign["id"], _changes(session))(campaign)
        return
    with Live(console=session.console, auto_refresh=False) as live:
        for look in looks:
            live.update(listing.campaigns(look, plain=session.plain), refresh=True)


@contextlib.contextmanager
def interruptible(session: Session, campaign: int | None = None) -> Iterator[None]:
    """Have Ctrl-C leave what is followed alone, and say so."""
    try:
        yield
    except KeyboardInterrupt:
        which, again = f"campaign {campaign} goes", f" {campaign}"
        if campaign is None:
            which, again = "the campaigns go", ""
        session.say(f"{which} on; see it again with: cigri stat{again} --watch")
        raise


def explained(session: Session, looks: Iterable[Campaign]) -> Iterator[Campaign]:
    """Yield *looks*; one of a campaign that has paused itself tells why, and what to do."""
    asked: dict[int, str | None] = {}
    for campaign in looks:
        # A campaign of somebody else has no reason here.
        if campaign["state"] != "paused" or not campaign["reason"]:
            asked.clear()
            yield campaign
            continue
        if campaign["open_events"] not in asked:
            asked[campaign["open_events"]] = _explanation(session, campaign)
        yield {**campaign, "reason": asked[campaign["open_events"]]}


def _explanation(session: Session, campaign: Campaign) -> str | None:
    if not campaign["open_events"]:
        return campaign["reason"]
    try:
        found: Explanation = session.client.get(f"/campaigns/{campaign['id']}/explain").json()
    except CigriError:
        return campaign["reason"]
    told = dict.fromkeys(
        f"{one['reason']}: {one['remedy']}" if one["remedy"] else one["reason"]
        for one in found["clusters"]
    )
    return "; ".join(told) or campaign["reason"]


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
        return campaign["reason"] or "it is paused"
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
            session.show(pictures.line(campaign))

    return write
