"""What the fake OAR answers to SQL: a database of the rows that a query may mean, made for it."""

import re
import sqlite3
from collections.abc import Iterable
from contextlib import closing

from cigri.bench.fake.cluster import Cluster
from cigri.bench.fake.model import Job
from cigri.bench.fake.render import Record, event_record, events, raw, resource

_NUMBERS = re.compile(r"\bjob_id\s*(?:=|IN)\s*(\d+|\([\d,\s]+\))", re.IGNORECASE)
_NAME = re.compile(r"\bjob_name\s*=\s*'([^']*)'", re.IGNORECASE)


def select(query: str, cluster: Cluster) -> list[Record]:
    """Return the rows of `SELECT *` and *query*; none where it is no SQL."""
    jobs = _candidates(query, cluster)
    noted = (event_record(job.id, event) for job in jobs for event in events(job, cluster))
    with closing(sqlite3.connect(":memory:")) as db:
        db.row_factory = sqlite3.Row
        _fill(db, "jobs", map(raw, jobs), _JOB)
        _fill(db, "event_logs", noted, _EVENT)
        if "resources" in query:
            cores = range(1, cluster.options.cores + 1)
            _fill(db, "resources", (_core(core, cluster) for core in cores), _RESOURCE)
        try:
            return [dict(row) for row in db.execute(f"SELECT * {query}")]  # as OAR
        except sqlite3.Error:
            return []


_JOB = (
    "array_id", "initial_request", "job_name", "job_type", "job_user", "launching_directory",
    "message", "project", "properties", "queue_name", "reservation", "stderr_file", "stdout_file",
    "submission_time", "job_id", "array_index", "state", "command", "start_time", "stop_time",
    "exit_code", "assigned_moldable_job", "resubmit_job_id", "checkpoint", "checkpoint_signal",
    "accounted", "file_id", "info_type", "job_env", "job_group", "notify", "scheduler_info",
    "suspended",
)  # fmt: skip
_EVENT = ("event_id", "job_id", "type", "description", "date", "to_check")
_RESOURCE = ("resource_id", "state", "network_address", "type", "besteffort", "core", "cpu")


def _core(core: int, cluster: Cluster) -> Record:
    return {"resource_id": core, **resource(core, cluster), "links": None}


def _fill(
    db: sqlite3.Connection,
    table: str,
    records: Iterable[Record],
    columns: tuple[str, ...],
) -> None:
    db.execute(f"CREATE TABLE {table} ({', '.join(columns)})")
    places = ", ".join(f":{column}" for column in columns)
    db.executemany(f"INSERT INTO {table} VALUES ({places})", records)  # noqa: S608 # ours


def _candidates(query: str, cluster: Cluster) -> list[Job]:
    """Return the jobs that may be meant, few where an index of the database would tell."""
    found = _NUMBERS.search(query)
    if found:
        numbers = sorted(set(map(int, re.findall(r"\d+", found[1]))))
        return [cluster.jobs[number] for number in numbers if number in cluster.jobs]
    named = _NAME.search(query)
    if named:
        return [
            job
            for jobs in cluster.submissions
            if jobs[0].sub.name == named[1]
            for job in jobs
            if job.id in cluster.jobs
        ]
    return list(cluster.jobs.values())
