"""Runs one real task on each cluster, and times each step."""

import secrets
import time
from collections.abc import Iterator, Mapping
from typing import Any

from cigri.client import Client
from cigri.doctor.finding import Finding, fail, ok, warn
from cigri.errors import CigriError, InvalidInput, NotAllowed

#: Seconds that a cluster has to start the task and to end it.
PATIENCE = 300.0
#: For people who find it among their campaigns.
NAME = "doctor-probe"


def probe(client: Client, patience: float = PATIENCE) -> Iterator[Finding]:
    """Run a task on each cluster of the server, and yield how that went."""
    for cluster in client.get("/clusters").json()["items"]:
        name = cluster["name"]
        subject = f"probe {name}"
        try:
            yield _task(client, subject, name, patience)
        except (NotAllowed, InvalidInput) as refusal:
            yield warn(subject, f"not run: {refusal}", "do this as a user of that cluster")
        except CigriError as error:
            yield fail(subject, str(error), f"cigri clusters tells how {name} is")


def _task(client: Client, subject: str, cluster: str, patience: float) -> Finding:
    word = f"cigri-probe-{secrets.token_hex(4)}"
    settings = {cluster: {"walltime": "00:05:00", "type": "best-effort"}}
    jdl = {"name": NAME, "exec_file": "echo", "params": [word], "clusters": settings}
    submitted, begin = time.time(), time.perf_counter()
    number = client.submit(jdl)["id"]
    accepted = time.perf_counter() - begin
    try:
        client.wait(number, timeout=patience)
    except TimeoutError:
        why = _reason(client, number)
        client.cancel(number)
        text = f"the task did not end within {patience:g} s: {why}"
        return fail(subject, text, f"cigri explain {number}")
    ended = time.perf_counter() - begin
    (job,) = client.jobs(number)
    if job["state"] != "terminated":
        return fail(subject, _failure(client, number, job), f"cigri events {number}")
    begin = time.perf_counter()
    output = client.output(job["id"])
    read = time.perf_counter() - begin
    if output != f"{word}\n".encode():
        return fail(subject, f"it wrote {output[:80]!r} for {word!r}", f"cigri logs {number} 0")
    started = max(0.0, (job["start_time"] or submitted) - submitted)
    return ok(
        subject,
        f"accepted after {_short(accepted)}, started {_short(started)}, ended {_short(ended)}; "
        f"output read in {_short(read)}",
    )


def _failure(client: Client, number: int, job: Mapping[str, Any]) -> str:
    events = client.events(number)
    said = f": {events[0]['message'].splitlines()[0]}" if events else ""
    return f"the task is {job['state']}, exit status {job['exit_status']}{said}"


def _reason(client: Client, number: int) -> str:
    body = client.get(f"/campaigns/{number}/explain").json()
    return "; ".join(one["reason"] for one in body["clusters"])


def _short(seconds: float) -> str:
    return f"{1000 * seconds:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"
