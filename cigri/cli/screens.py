"""What people see of the answers of the server."""

import time
from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.text import Text

from cigri.cli.bar import bar, tally
from cigri.cli.tables import Cell, state, table
from cigri.cli.words import (
    clean,
    counted,
    ending,
    ending_status,
    lasting,
    moment,
    parameter_words,
    speed,
)
from cigri.client.bodies import (
    Campaign,
    CampaignOnCluster,
    Event,
    EventList,
    Job,
    JobList,
    Preview,
)

BAR_WIDTH = 44
#: Codes of events that keep a campaign from running until they are fixed.
HOLDING = frozenset({"COMMAND_NOT_STARTED", "SUBMISSION_REJECTED", "DAMAGED_PARAMETERS"})
#: The code of tasks that failed before any program ran.
UNUSABLE = "UNUSABLE_PARAMETER"


def campaign(body: Campaign, *, plain: bool = False) -> RenderableType:
    """Return everything about how far a campaign is."""
    title = Text(f"Campaign {body['id']}  {clean(body['name'])}  {clean(body['user'])}  ", "bold")
    title.append(state(body["state"]))
    lines = [
        title,
        _progress(body, plain=plain),
        Text("   ".join([_lifetime(body), *_pace(body)])),
    ]
    if body["reason"]:
        lines.append(Text(f"nothing runs: {clean(body['reason'])}", "yellow"))
    clusters = [_cluster_row(one) for one in body.get("clusters", {}).values()]
    names = ("CLUSTER", "RUNNING>", "QUEUED>", "DONE>", "FAILED>", "AGAIN>", "MEAN>", "STATE")
    parts: list[RenderableType] = [*lines, table(names, clusters)]
    if body["open_events"]:
        note = f"{counted(body['open_events'], 'open event')}: cigri events {body['id']}"
        parts.append(Text(note, "red"))
    return Group(*parts)


def line(body: Campaign) -> str:
    """Return how far a campaign is on one line."""
    counts = body["counts"]
    numbers = f"{counts['terminated']}/{body['total_jobs']} done"
    for word in ("running", "queued", "failed", "cancelled"):
        if counts[word]:
            numbers += f", {counts[word]} {word}"
    if body["state"] != "in_treatment":
        return f"campaign {body['id']}: {body['state']}, {numbers}"
    return ", ".join([f"campaign {body['id']}: {numbers}", *_pace(body)])


def jobs(body: JobList) -> RenderableType:
    """Return a page of tasks."""
    if not body["items"]:
        return Text("no task", style="dim")
    names = ("TASK>", "STATE", "EXIT>", "CLUSTER", "START", "DURATION>", "ATTEMPTS>", "PARAMETER")
    listed = table(names, [_job_row(one) for one in body["items"]])
    if not any(link["rel"] == "next" for link in body["links"]):
        return listed
    return Group(listed, Text(f"more: --first {body['items'][-1]['task'] + 1}", style="dim"))


def events(body: EventList) -> RenderableType:
    """Return what happened, each with the command that tells more."""
    if not body["items"]:
        return Text("no event", style="dim")
    return Group(*(part for event in body["items"] for part in _event(event)))


def preview(body: Preview) -> RenderableType:
    """Return what a submission would create."""
    name, clusters = body["jdl"].get("name", "campaign"), body["jdl"].get("clusters")
    places = f" on {', '.join(clusters)}" if isinstance(clusters, dict) else ""
    lines = [f"{clean(str(name))}: {counted(body['tasks'], 'task')}{places}"]
    width = max((len(str(one["task"])) for one in body["commands"]), default=1)
    lines += [f"  #{one['task']:<{width}}  {clean(one['command'])}" for one in body["commands"]]
    return Text("\n".join([*lines, "nothing submitted"]))


def _progress(body: Campaign, *, plain: bool) -> Text:
    counts, total = body["counts"], body["total_jobs"]
    done = counts["terminated"]
    share = f"{100 * done / total:.1f}%" if total else ""
    text = bar(counts, BAR_WIDTH, plain=plain)
    text.append(f"  {done}/{total}  {share}\n{tally(counts)}")
    return text


def _pace(body: Campaign) -> list[str]:
    """Return how fast a campaign goes and when it will end, as far as that is known."""
    forecast = body["forecast"]
    rate, eta = speed(forecast["rate"]), ending(forecast["eta"], time.time())
    return [*([f"rate {rate}"] if rate else []), *([f"ETA {eta}"] if eta else [])]


def _lifetime(body: Campaign) -> str:
    begun = f"since {moment(body['submission_time'], time.time())}"
    if body["end_time"] is None:
        return begun
    return f"{begun}   took {lasting(body['end_time'] - body['submission_time'])}"


def _cluster_row(one: CampaignOnCluster) -> list[Cell]:
    mean = one["mean_duration"]
    held = Text(clean(f"held: {one['blacklist_reason'] or 'no reason given'}"), "red")
    return [
        clean(one["cluster_name"]),
        str(one["active_jobs"]),
        str(one["queued_jobs"]),
        str(one["finished_jobs"]),
        str(one["failed_jobs"]),
        str(one["resubmitted_jobs"]),
        "" if mean is None else lasting(mean),
        held if one["blacklisted"] else "ok",
    ]


def _job_row(one: Job) -> list[Cell]:
    begun, duration = one["start_time"], one["duration"]
    return [
        str(one["task"]),
        state(one["state"]),
        ending_status(one["exit_status"]),
        clean(one["cluster"] or ""),
        "" if begun is None else moment(begun, time.time()),
        "" if duration is None else lasting(duration),
        str(one["attempts"]),
        clean(parameter_words(one["parameters"])),
    ]


def _event(event: Event) -> Iterator[Text]:
    about = [f"event {event['id']}", event["state"], event["code"]]
    if event["exit_status"] is not None:
        about.append(f"exit {ending_status(event['exit_status'])}")
    about.append(f"×{event['count']}")
    if event["cluster_name"]:
        about.append(f"on {clean(event['cluster_name'])}")
    about.append(moment(event["date_open"], time.time()))
    yield Text("  ".join(about), "bold" if event["state"] == "open" else "dim")
    for said in event["message"].splitlines():
        yield Text(f"    {clean(said)}")
    hint = _hint(event)
    if hint:
        yield Text(f"    {hint}", "dim")


def _hint(event: Event) -> str:
    """Return where to read more, or what to do: a task that never ran has written nothing."""
    campaign, task = event["campaign_id"], event["task"]
    if event["code"] in HOLDING:
        return f"repair it, then: cigri fix {campaign}" if event["state"] == "open" else ""
    if event["code"] == UNUSABLE:
        return f"which tasks: cigri jobs {campaign} --state failed"
    return "" if task is None else f"e.g. task {task}: cigri logs {campaign} {task}"
