"""`gridevents`: shows events, or closes them."""

from typing import Any

import asyncclick

from cigri.cli.failures import Exit
from cigri.cli.grid.events import print_events
from cigri.cli.grid.frame import failed, flag, identifier, missing, old, say, value
from cigri.cli.session import Session
from cigri.errors import CigriError, NotFound


@old("gridevents")
@value("-c", "--campaign", "ID", "Show or close the events of this campaign.")
@flag("-g", "--global", "Show the open events that concern no campaign.")
@value("-e", "--event", "ID", "Show or close this event.")
@flag("-f", "--fix", "Close the events.")
@flag("-r", "--resubmit", "Run the tasks that they concern again (used with -f).")
@flag("-a", "--all", "Show closed events, too.")
@flag("-v", "--verbose", "Say what was done.")
@asyncclick.option("--blacklist-cluster", metavar="ID", help="Submit nothing more to a cluster.")
@asyncclick.option("--mark-job-event", metavar="ID", help="Open an event of this job.")
@asyncclick.argument("campaign_id", required=False)
def gridevents(
    session: Session,
    *,
    campaign: str | None,
    campaign_id: str | None,
    blacklist_cluster: str | None,
    mark_job_event: str | None,
    **chosen: Any,  # noqa: ANN401 - flags, and the number of an event
) -> Exit | None:
    """Show what happened to CAMPAIGN_ID, or close it."""
    named = campaign or campaign_id
    if chosen["resubmit"] and not chosen["fix"]:
        return missing("--resubmit is used with --fix!", Exit.USAGE)
    if blacklist_cluster is not None or mark_job_event is not None:
        return _open(session, blacklist_cluster, mark_job_event)
    if named is None and chosen["event"] is None and not chosen["global"]:
        return missing("Missing CAMPAIGN_ID")
    if chosen["fix"]:
        if named is None and chosen["event"] is None:
            return missing("Global events are fixed one by one: name one with -e!", Exit.USAGE)
        return _fix(session, named, chosen)
    _show(session, named, chosen)
    return None


def _show(session: Session, campaign: str | None, chosen: dict[str, Any]) -> None:
    if chosen["event"] is not None:
        number = identifier(chosen["event"], "event")
        print_events([session.client.get(f"/events/{number}").json()])
    elif chosen["global"]:
        print_events(_found(session, "/events"))
    else:
        number = identifier(campaign or "", "campaign")
        session.client.campaign(number)  # where there is none, that is no lack of events
        more = "?all=1" if chosen["all"] else ""
        print_events(_found(session, f"/campaigns/{number}/events{more}"))


def _found(session: Session, path: str) -> list[dict[str, Any]]:
    try:
        return [event for page in session.client.pages(path) for event in page["items"]]
    except NotFound:  # as CiGri 3 says that there is none
        return []


def _fix(session: Session, campaign: str | None, chosen: dict[str, Any]) -> Exit | None:
    if chosen["event"] is not None:
        what, path = f"event {chosen['event']}", f"/events/{identifier(chosen['event'], 'event')}"
    else:
        number = identifier(campaign or "", "campaign")
        what, path = f"campaign {number}", f"/campaigns/{number}/events"
    options = {"resubmit": 1} if chosen["resubmit"] else {}
    try:
        answer = session.client.change("DELETE", path, **options)
    except CigriError as error:
        return failed(f"Failed to fix {what}", error)
    if chosen["verbose"]:
        say(f"{answer.json()['message']}.")
    return None


def _open(session: Session, cluster: str | None, job: str | None) -> Exit | None:
    if cluster is not None:
        event: dict[str, object] = {"class": "cluster", "code": "CLUSTER_MANUALLY_DISABLED"}
        event |= {"cluster_id": identifier(cluster, "cluster"), "message": "disabled by hand"}
    else:
        event = {"class": "job", "code": "MANUAL_EVENT", "message": "marked by hand"}
        event |= {"job_id": identifier(job or "", "job")}
    try:
        session.client.post_json("/events", event)
    except CigriError as error:
        return failed("Failed to open an event", error)
    return None
