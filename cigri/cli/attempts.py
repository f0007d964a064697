"""The attempts at one task: where and when each ran, and who ended it."""

import time

from rich.console import Group, RenderableType
from rich.text import Text

from cigri.cli.tables import Cell, state, table
from cigri.client.bodies import Execution, JobDetails
from cigri.words import clean, ending_status, lasting, moment, parameter_words

#: What is said of endings that their names do not tell.
ENDED = {
    "-": "itself",
    "exited": "itself",
    "killed": "the cluster, or a cancel",
    "deleted": "somebody, on the cluster",
    "removed": "withdrawn before it started",
    "lost": "its job vanished",
    "walltime": "its walltime",
}


def screen(body: JobDetails) -> RenderableType:
    """Return a task, and every attempt at it with who ended it, the last one first."""
    head = Text(f"Task {body['task']}  ", "bold").append(state(body["state"]))
    head.append(f"  {clean(parameter_words(body['parameters']))}", "not bold")
    names = ("ATTEMPT>", "CLUSTER", "JOB", "START", "DURATION>", "EXIT>", "ENDED BY")
    total = len(body["executions"])
    rows = [_attempt_row(total - place, one) for place, one in enumerate(body["executions"])]
    return Group(head, table(names, rows)) if rows else Group(head, Text("no attempt", "dim"))


def _attempt_row(number: int, one: Execution) -> list[Cell]:
    begun, ended = one["start_time"], one["stop_time"]
    return [
        str(number),
        clean(one["cluster"] or ""),
        clean(one["remote_id"] or ""),
        "" if begun is None else moment(begun, time.time()),
        "" if begun is None or ended is None else lasting(ended - begun),
        ending_status(one["exit_status"]),
        _ended_by(one),
    ]


def _ended_by(one: Execution) -> Text:
    """Return who ended an attempt, as long as it runs its state."""
    if one["stop_time"] is None:
        return state(one["state"])
    if one["ending"] is None and one["exit_status"] is None:
        return Text("see its event")
    by = one["ending"] or "itself"
    return Text(clean(ENDED.get(by, by)))
