"""Runs one real task on each cluster, times each step, and tells what is in the way of one."""

import secrets
import time
from collections.abc import Iterator, Mapping
from typing import Any

from cigri.client import Client
from cigri.doctor import repairs
from cigri.doctor.finding import Finding, fail, ok, warn
from cigri.errors import CigriError, InvalidInput, NotAllowed

#: Seconds that a cluster has to start the task and to end it.
PATIENCE = 300.0
#: For people who find it among their campaigns.
NAME = "doctor-probe"
#: Seconds between two looks, and for which a cluster may be held: one lost answer is no illness.
_LOOK = 1.0
_GRACE = 5.0


def probe(
    client: Client, patience: float = PATIENCE, urls: Mapping[str, str] | None = None
) -> Iterator[Finding]:
    """
    Run a task on each cluster of the server, and yield how that went.

    Args:
        client: Speaks with the server.
        patience: Seconds that each cluster has.
        urls: The addresses of the clusters that have one, for what is advised.
    """
    for cluster in client.get("/clusters").json()["items"]:
        name = cluster["name"]
        subject = f"probe {name}"
        patient = _Patient(client, cluster, (urls or {}).get(name, ""))
        try:
            yield patient.examine(subject, patience)
        except (NotAllowed, InvalidInput) as refusal:
            yield warn(subject, f"not run: {refusal}", "do this as a user of that cluster")
        except CigriError as error:
            yield fail(subject, str(error), f"cigri clusters tells how {name} is")


class _Ill(Exception):
    """Nothing will come of waiting any longer."""


class _Patient:
    """One cluster, with the task that is run on it."""

    def __init__(self, client: Client, cluster: Mapping[str, Any], url: str) -> None:
        self._client = client
        self._name = str(cluster["name"])
        self._is_oar = str(cluster["driver"]).startswith("oar")
        self._url = url
        self._began = time.perf_counter()
        self._submitted = time.time()
        #: What has been seen, in order, and when.
        self._steps: dict[str, float] = {}

    def examine(self, subject: str, patience: float) -> Finding:
        """Run a task, and return how long each step took or what keeps it."""
        word = f"cigri-probe-{secrets.token_hex(4)}"
        settings = {self._name: {"walltime": "00:05:00", "type": "best-effort"}}
        jdl = {"name": NAME, "exec_file": "echo", "params": [word], "clusters": settings}
        number = self._client.submit(jdl)["id"]
        self._note("accepted after")
        try:
            self._watch(number, patience)
        except (TimeoutError, _Ill) as error:
            told = self._stuck(subject, number, error, patience)
            self._client.cancel(number)
            return told
        self._note("ended")
        (job,) = self._client.jobs(number)
        if job["state"] != "terminated":
            return fail(subject, self._failure(number, job), f"cigri events {number}")
        begin = time.perf_counter()
        output = self._client.output(job["id"])
        read = time.perf_counter() - begin
        if output != f"{word}\n".encode():
            text = f"it wrote {output[:80]!r} for {word!r}"
            return fail(subject, text, f"cigri logs {number} 0")
        # The cluster's own clock tells it better than our looks.
        self._steps["started"] = max(0.0, (job["start_time"] or self._submitted) - self._submitted)
        return ok(subject, f"{self._timed()}; output read in {_short(read)}")

    def _watch(self, number: int, patience: float) -> None:
        """Return when the campaign has ended; raise TimeoutError, or `_Ill` when it is held."""
        held = 0.0
        for seen in self._client.watch(number, every=_LOOK, timeout=patience):
            if seen["counts"]["queued"] or seen["counts"]["running"]:
                self._note("on the cluster")
            if seen["counts"]["running"]:
                self._note("started")
            if not self._is_held(seen):
                held = 0.0
            elif not held:
                held = time.perf_counter()
            elif time.perf_counter() - held > _GRACE:
                raise _Ill(self._reason(number))
            if self._is_oar and self._of_nodes(number):
                raise _Ill(str(self._of_nodes(number)))

    def _is_held(self, campaign: Mapping[str, Any]) -> bool:
        return any(one["blacklisted"] for one in campaign["clusters"].values())

    def _of_nodes(self, number: int) -> str | None:
        """Return what is said of nodes that failed under the task, if any did."""
        told = self._client.events(number, closed=True)
        return next((one["message"] for one in told if one["code"] == "NODE_FAILED"), None)

    def _stuck(self, subject: str, number: int, error: Exception, patience: float) -> Finding:
        """Return why the task does not end, and what to do."""
        if isinstance(error, _Ill):
            text, repair = str(error), self._repair(number, str(error))
        else:
            reason = self._reason(number)
            text = f"the task did not end within {patience:g} s: {reason}"
            repair = self._repair(number, reason) or self._waiting(number)
        steps = f" ({self._timed()})" if self._steps else ""
        return fail(subject, f"{text}{steps}", repair or f"cigri explain {number}")

    def _repair(self, number: int, said: str) -> str | None:
        if not self._is_oar:
            return None
        for event in self._client.events(number):
            found = repairs.of_oar(self._name, self._url, event["message"], event["code"])
            if found is not None:
                return found
        return repairs.of_oar(self._name, self._url, said)

    def _waiting(self, number: int) -> str | None:
        """Return what to look at where a job waits and waits."""
        job: Mapping[str, Any]
        (job,) = self._client.jobs(number)
        if not self._is_oar or job["remote_id"] is None:
            return None
        return repairs.of_waiting(self._url, job["remote_id"])

    def _failure(self, number: int, job: Mapping[str, Any]) -> str:
        events = self._client.events(number)
        said = f": {events[0]['message'].splitlines()[0]}" if events else ""
        return f"the task is {job['state']}, exit status {job['exit_status']}{said}"

    def _reason(self, number: int) -> str:
        body = self._client.get(f"/campaigns/{number}/explain").json()
        return "; ".join(one["reason"] for one in body["clusters"])

    def _note(self, step: str) -> None:
        self._steps.setdefault(step, time.perf_counter() - self._began)

    def _timed(self) -> str:
        steps = sorted(self._steps.items(), key=lambda step: step[1])
        return ", ".join(f"{step} {_short(seconds)}" for step, seconds in steps)


def _short(seconds: float) -> str:
    return f"{1000 * seconds:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"
