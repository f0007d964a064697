"""What people see of the answers of the server."""

import time

from rich.console import Group, RenderableType
from rich.text import Text

from cigri.cli.bar import bar, tally
from cigri.cli.tables import Cell, state, table
from cigri.client.asking import next_of
from cigri.client.bodies import (
    Campaign,
    CampaignOnCluster,
    Job,
    JobList,
    Preview,
)
from cigri.client.pictures import pace, standing, unending
from cigri.words import (
    clean,
    counted,
    ending_status,
    lasting,
    moment,
    parameter_words,
)

BAR_WIDTH = 44
#: How the scripts before the first and after the last task stand, where that is worth a word.
STEPS = {"waiting": "waits", "in_flight": "runs", "done": "done", "failed": "failed"}


def campaign(body: Campaign, *, plain: bool = False) -> RenderableType:
    """Return everything about how far a campaign is."""
    title = Text(f"Campaign {body['id']}  {clean(body['name'])}  {clean(body['user'])}  ", "bold")
    title.append(state(standing(body)))
    if body.get("tags"):
        title.append(f"  {clean(' '.join(f'#{tag}' for tag in body['tags'] or ()))}", "dim")
    lines = [
        title,
        _progress(body, plain=plain),
        Text("   ".join([_lifetime(body), *pace(body)])),
    ]
    if body["reason"]:
        lines.append(Text(f"nothing runs: {clean(body['reason'])}", "yellow"))
    clusters = [_cluster_row(one, body) for one in body.get("clusters", {}).values()]
    names = ("CLUSTER", "RUNNING>", "QUEUED>", "DONE>", "FAILED>", "AGAIN>", "MEAN>", "STATE")
    parts: list[RenderableType] = [*lines, table(names, clusters)]
    if body["open_events"]:
        note = f"{counted(body['open_events'], 'open event')}: cigri events {body['id']}"
        parts.append(Text(note, "red"))
    return Group(*parts)


def jobs(body: JobList) -> RenderableType:
    """Return a page of tasks."""
    if not body["items"]:
        return Text("no task", style="dim")
    names = ("TASK>", "STATE", "EXIT>", "CLUSTER", "START", "DURATION>", "ATTEMPTS>", "PARAMETER")
    listed = table(names, [_job_row(one) for one in body["items"]])
    if next_of(body) is None:
        return listed
    return Group(listed, Text(f"more: --first {body['items'][-1]['task'] + 1}", style="dim"))


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
    if unending(body):
        return Text(f"{done} done, no end until it is stopped\n{tally({**counts, 'pending': 0})}")
    share = f"{100 * done / total:.1f}%" if total else ""
    text = bar(counts, BAR_WIDTH, plain=plain)
    text.append(f"  {done}/{total}  {share}\n{tally(counts)}")
    return text


def _lifetime(body: Campaign) -> str:
    begun = f"since {moment(body['submission_time'], time.time())}"
    if body["end_time"] is None:
        return begun
    return f"{begun}   took {lasting(body['end_time'] - body['submission_time'])}"


def _cluster_row(one: CampaignOnCluster, body: Campaign) -> list[Cell]:
    mean = one["mean_duration"]
    return [
        clean(one["cluster_name"]),
        str(one["active_jobs"]),
        str(one["queued_jobs"]),
        str(one["finished_jobs"]),
        str(one["failed_jobs"]),
        str(one["resubmitted_jobs"]),
        "" if mean is None else lasting(mean),
        _on_cluster(one, body),
    ]


def _on_cluster(one: CampaignOnCluster, body: Campaign) -> Text:
    """Return what holds a campaign on a cluster, and how far its scripts there are."""
    state, told = body["state"], body["reason"] or ""
    said = []
    steps = {"prologue": one.get("prologue", "none"), "epilogue": one.get("epilogue", "none")}
    for name, step in steps.items():
        due = step != "waiting" or (name == "prologue" and state == "in_treatment")
        if step in STEPS and due:
            said.append(f"{name} {STEPS[step]}")
    if one["blacklisted"]:
        reason = one["blacklist_reason"] or "no reason given"
        said = [step for step in said if step not in reason]
        said.insert(0, "held" if reason in told else f"held: {clean(reason)}")
        return Text(", ".join(said), "red")
    return Text(", ".join(said) or "ok", "red" if any("failed" in one for one in said) else "")


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
