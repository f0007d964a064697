"""`gridstat`: shows campaigns and tasks."""

import asyncclick

from cigri.cli.failures import Exit
from cigri.cli.grid import campaigns
from cigri.cli.grid.events import print_events
from cigri.cli.grid.frame import (
    dumped,
    flag,
    identifier,
    missing,
    old,
    print_pairs,
    say,
    value,
)
from cigri.cli.session import Session


@old("gridstat")
@value("-c", "--campaign", "ID", "Only print this campaign.")
@flag("-d", "--dump", "Print the answer as JSON.")
@flag("-p", "--pretty", "Print JSON on several lines (used with -d).")
@flag("-f", "--full", "Print all tasks of a campaign, too (used with -c).")
@value("-o", "--offset", "N", "Print tasks from this one on (used with -f).", type=int, default=0)
@flag("-e", "--events", "Print the open events of a campaign (used with -c).")
@value("-j", "--job", "ID", "Print a task.")
@flag("-C", "--cinfos", "Print what its cluster says of a task (used with -j).")
@flag("-O", "--stdout", "Print the standard output of a task (used with -j).")
@flag("-E", "--stderr", "Print the standard error of a task (used with -j).")
@flag("-J", "--jdl", "Print the description of a campaign (used with -c).")
@value("-u", "--username", "USER", "Only print the campaigns of this user.")
@flag("-H", "--headerless", "Print no titles over the columns.")
@asyncclick.argument("campaign_id", required=False)
def gridstat(
    session: Session,
    *,
    campaign: str | None,
    campaign_id: str | None,
    job: str | None,
    **chosen: object,
) -> Exit | None:
    """Print the campaigns that are not over, or CAMPAIGN_ID, or a task."""
    named = campaign or campaign_id
    reason = _lacking(named, job, chosen)
    if reason:
        return missing(reason)
    if job is not None:
        _job(session, identifier(job, "Job"), chosen)
    elif named is None:
        _list(session, chosen)
    else:
        _campaign(session, identifier(named, "Campaign"), chosen)
    return None


def _lacking(campaign: str | None, job: str | None, chosen: dict[str, object]) -> str | None:
    """Return which option needs another one that is not there."""
    if chosen["events"] and campaign is None:
        return "You must give a campaign id to print the events!"
    if chosen["jdl"] and campaign is None:
        return "You must give a campaign id to print the JDL!"
    if chosen["full"] and campaign is None:
        return "You must provide a campaign id with --full!"
    if (chosen["cinfos"] or chosen["stdout"] or chosen["stderr"]) and job is None:
        return "You must provide a job id with -j!"
    return None


def _list(session: Session, chosen: dict[str, object]) -> None:
    if chosen["dump"]:
        dumped(session, "/campaigns", pretty=bool(chosen["pretty"]))
        return
    user = chosen["username"]
    found = [one for page in session.client.pages("/campaigns") for one in page["items"]]
    if not chosen["headerless"]:
        say(*campaigns.TITLES)
    for one in sorted(found, key=lambda each: int(each["id"])):
        if user is None or one["user"] == user:
            say(campaigns.line(one))


def _campaign(session: Session, number: int, chosen: dict[str, object]) -> None:
    path = f"/campaigns/{number}"
    pretty = bool(chosen["pretty"])
    if chosen["jdl"]:
        dumped(session, f"{path}/jdl", pretty=pretty)
    elif chosen["dump"]:
        part = "/events" if chosen["events"] else ""
        offset = f"?offset={chosen['offset']}" if chosen["offset"] else ""
        part = f"/jobs{offset}" if chosen["full"] else part
        dumped(session, f"{path}{part}", pretty=pretty)
    elif chosen["events"]:
        print_events(session.client.events(number))
    else:
        body = session.client.campaign(number)
        stats = session.client.get(f"{path}/stats").json()
        say(*campaigns.details(body, stats))
        if chosen["full"]:
            campaigns.print_tasks(session, number, int(str(chosen["offset"])))


def _job(session: Session, number: int, chosen: dict[str, object]) -> None:
    path = f"/jobs/{number}"
    if chosen["stdout"] or chosen["stderr"]:
        stream = "stdout" if chosen["stdout"] else "stderr"
        session.write(session.client.get(f"{path}/{stream}").json()["output"].encode())
        return
    path += "/cinfos" if chosen["cinfos"] else ""
    if chosen["dump"]:
        dumped(session, path, pretty=bool(chosen["pretty"]))
    else:
        print_pairs(session.client.get(path).json())
