"""What the fake OAR answers, laid out as OAR lays it out: the bytes cost as much to read."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from cigri.bench.fake.cluster import Cluster
from cigri.bench.fake.model import Event, Job, State, Submission

Record = dict[str, Any]

_LINKS = """[
            {
               "href" : "/oarapi/jobs/%d",
               "rel" : "self"
            },
            {
               "title" : "resources",
               "href" : "/oarapi/jobs/%d/resources",
               "rel" : "collection"
            },
            {
               "href" : "/oarapi/jobs/%d/nodes",
               "title" : "nodes",
               "rel" : "collection"
            }
         ]"""
#: Columns of the table that are the same for all jobs of a submission.
_SHARED = (
    "array_id", "initial_request", "job_name", "job_type", "job_user", "launching_directory",
    "message", "project", "properties", "queue_name", "reservation", "stderr_file", "stdout_file",
    "submission_time",
)  # fmt: skip


def page(value: Any) -> bytes:  # noqa: ANN401 # JSON
    """Return JSON as OAR lays it out."""
    return (
        json.dumps(value, indent=3, separators=(",", " : "), ensure_ascii=False) + "\n"
    ).encode("utf-8", "surrogateescape")


def properties(sub: Submission) -> str:
    """Return the SQL that the admission rules make."""
    besteffort = "(besteffort = 'YES') AND " if "besteffort" in sub.types else ""
    inner = f"{besteffort}desktop_computing = 'NO'"
    return f"({inner}) AND drain='NO'"


def table_record(sub: Submission) -> Record:
    """Return the columns that all jobs of *sub* share, as the table has them."""
    stem = f"OAR.{sub.name}.%jobid%" if sub.name else "OAR.%jobid%"
    words = [f"R={sub.cores},W={_duration(sub.walltime)},J=B"]
    words += [f"N={sub.name}"] if sub.name else []
    words += [f"P={sub.project}"] if sub.project != "default" else []
    words += [f"T={'|'.join(sub.types)}"] if sub.types else []
    return {
        "array_id": sub.first,
        "initial_request": sub.initial_request,
        "job_name": sub.name,
        "job_type": "PASSIVE",
        "job_user": sub.user,
        "launching_directory": sub.directory,
        "message": ",".join(words) + " (Karma=0.000,quota_ok)",
        "project": sub.project,
        "properties": properties(sub),
        "queue_name": sub.queue,
        "reservation": "None",
        "stderr_file": sub.stderr or f"{stem}.stderr",
        "stdout_file": sub.stdout or f"{stem}.stdout",
        "submission_time": int(sub.time),
    }


class Tables:
    """Lays out rows of `jobs/table`: what the jobs of a submission share, once for all of them."""

    def __init__(self) -> None:
        self._templates: dict[int, str] = {}

    def row(self, job: Job, now: int) -> str:
        """Return the row of *job* as text."""
        template = self._templates.get(job.sub.first)
        if template is None:
            template = self._templates[job.sub.first] = _template(job.sub)
        number, started, lines = job.id, job.start, job.sub.lines
        line = "" if lines is None else lines[job.index]
        return template % (
            number,
            now,
            number,
            number,
            job.state,
            started,
            job.stop,
            "null" if job.exit_code is None else job.exit_code,
            job.sub.walltime if started else "null",
            number if started else 0,
            line if line.isalnum() else _inner(line),
            number,
            number,
            number,
        )


def _template(sub: Submission) -> str:
    shared = table_record(sub)
    command = (sub.command if sub.lines is None else f"{sub.command} ").replace("%", "%%")
    fixed = [
        f'         "{name}" : {json.dumps(shared[name], ensure_ascii=False)}'.replace("%", "%%")
        for name in _SHARED
    ]
    own = [
        '         "id" : %d',
        '         "api_timestamp" : %d',
        '         "job_id" : %d',
        '         "Job_Id" : %d',
        '         "state" : "%s"',
        '         "start_time" : %d',
        '         "stop_time" : %d',
        '         "exit_code" : %s',
        '         "walltime" : %s',
        '         "assigned_moldable_job" : %d',
        f'         "command" : "{_inner(command)}%s"',
        f'         "links" : {_LINKS}',
    ]
    return "      {\n" + ",\n".join(own + fixed) + "\n      }"


def _inner(text: str) -> str:
    """Return *text* as it stands between the quotes of JSON."""
    return json.dumps(text, ensure_ascii=False)[1:-1]


def listing(
    items: Sequence[str], *, total: int, offset: int, links: Sequence[Mapping[str, str]], now: int
) -> bytes:
    """Return a list of rows that are text already; an empty one has less in it."""
    if not total:
        return page({"items": [], "offset": 0, "links": [], "total": 0})
    head = f'{{\n   "total" : {total},\n   "offset" : {offset},\n   "api_timestamp" : {now},\n'
    linked = json.dumps(links, separators=(",", " : "))
    body = ",\n".join(items)
    text = f'{head}   "links" : {linked},\n   "items" : [\n{body}\n   ]\n}}\n'
    return text.encode("utf-8", "surrogateescape")


def short(job: Job, now: int) -> Record:
    """Return a job as `/jobs` lists it."""
    return {
        "id": job.id,
        "state": str(job.state),
        "owner": job.sub.user,
        "queue": job.sub.queue,
        "name": job.sub.name,
        "submission": int(job.sub.time),
        "api_timestamp": now,
        "links": _links(job.id),
    }


def whole(job: Job, cluster: Cluster, *, asker: str, listed: bool = False) -> Record:
    """Return a job as `/jobs/ID` and `/jobs/details` show it."""
    shared = table_record(job.sub)
    number = str(job.id)
    visible = asker in {job.sub.user, "oar", "root"}
    wanted = f"/core={job.sub.cores},walltime={_duration(job.sub.walltime)}"
    return {
        "id": job.id,
        "state": str(job.state),
        "owner": job.sub.user,
        "queue": job.sub.queue,
        "name": job.sub.name,
        "project": job.sub.project,
        "type": "PASSIVE",
        "types": list(job.sub.types),
        "command": job.command,
        "initial_request": job.sub.initial_request if visible else "",
        "launching_directory": job.sub.directory,
        "properties": shared["properties"],
        "message": _message(job, shared["message"]),
        "array_id": job.sub.first,
        "array_index": None if listed else job.index + 1,
        "resubmit_job_id": None if listed else job.resubmitted_from,
        "submission_time": int(job.sub.time),
        "start_time": int(job.start),
        "stop_time": int(job.stop),
        "scheduled_start": None,
        "walltime": job.sub.walltime if job.start else None,
        "exit_code": job.exit_code,
        "reservation": "None",
        "dependencies": [],
        "cpuset_name": None,
        "wanted_resources": f"-l \"{{type = 'default'}}{wanted}\" ",
        "stdout_file": shared["stdout_file"].replace("%jobid%", number),
        "stderr_file": shared["stderr_file"].replace("%jobid%", number),
        "events": [event_record(job.id, event) for event in events(job, cluster)],
        "api_timestamp": int(cluster.now()),
        "links": _links(job.id),
    }


def raw(job: Job) -> Record:
    """Return a job as its row of the database."""
    shared = table_record(job.sub)
    return {
        **shared,
        "job_id": job.id,
        "array_index": job.index + 1,
        "state": str(job.state),
        "command": job.command,
        "start_time": int(job.start),
        "stop_time": int(job.stop),
        "exit_code": job.exit_code,
        "assigned_moldable_job": job.id if job.start else 0,
        "resubmit_job_id": job.resubmitted_from,
        "message": _message(job, shared["message"]),
        "checkpoint": job.sub.checkpoint,
        "checkpoint_signal": 12,
        "accounted": "NO", "file_id": None, "info_type": "vm:", "job_env": None, "job_group": "",
        "notify": None, "scheduler_info": "", "suspended": "NO",
    }  # fmt: skip


def events(job: Job, cluster: Cluster) -> list[Event]:
    """Return what happened to *job*; a job that just ends has but one event."""
    said = cluster.events.get(job.id, [])
    if job.state is not State.TERMINATED:
        return said
    text = f"[bipbip {job.id}] Ask to change the job state"
    return [*said, Event("SWITCH_INTO_TERMINATE_STATE", text, job.stop, 0)]


def event_record(job: int, event: Event) -> Record:
    """Return an event as its row of the database."""
    return {
        "event_id": event.id,
        "job_id": job,
        "type": event.type,
        "description": event.description,
        "date": int(event.time),
        "to_check": "NO",
    }


def resource(core: int, cluster: Cluster) -> Record:
    """Return a core as `/resources/full` shows it."""
    node = f"node{(core - 1) // cluster.options.cores_per_node + 1}"
    return {
        "id": core,
        "state": "Alive",
        "network_address": node,
        "host": node,
        "type": "default",
        "besteffort": "YES",
        "available_upto": 2147483647,
        "core": core,
        "cpu": (core - 1) // cluster.options.cores_per_node + 1,
        "cpuset": (core - 1) % cluster.options.cores_per_node,
        "mem": 2048,
        "state_num": 1,
        "next_state": "UnChanged",
        "desktop_computing": "NO",
        "deploy": "NO",
        "drain": "NO",
        "expiry_date": 0,
        "finaud_decision": "NO",
        "last_available_upto": 0,
        "last_job_date": 0,
        "next_finaud_decision": "NO",
        "scheduler_priority": 0,
        "suspended_jobs": "NO",
        "cluster": "fake",
        "api_timestamp": int(cluster.now()),
        "links": [
            {"rel": "member", "href": f"/oarapi/resources/nodes/{node}", "title": "node"},
            {"rel": "self", "href": f"/oarapi/resources/{core}"},
            {"rel": "collection", "href": f"/oarapi/resources/{core}/jobs", "title": "jobs"},
        ],
    }


def _message(job: Job, usual: str) -> str:
    killed = job.state is State.ERROR and not job.start
    return "Job killed by Leon directly" if killed else usual


def _links(number: int) -> list[dict[str, str]]:
    return [
        {"rel": "self", "href": f"/oarapi/jobs/{number}"},
        {"rel": "collection", "href": f"/oarapi/jobs/{number}/resources", "title": "resources"},
        {"rel": "collection", "href": f"/oarapi/jobs/{number}/nodes", "title": "nodes"},
    ]


def _duration(seconds: int) -> str:
    return f"{seconds // 3600}:{seconds // 60 % 60}:{seconds % 60}"
