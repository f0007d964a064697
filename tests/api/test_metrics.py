"""What Prometheus is told."""

import os
import re

import pytest
from prometheus_client.parser import text_string_to_metric_families

from cigri.api import metrics, wire
from cigri.clusters.driver import JobRef, JobReport, RemoteState
from cigri.domain.model import RemoteId
from cigri.domain.reactions import EventCode
from cigri.domain.verdict import Ending, TaskEnd
from cigri.engine.measured import measured
from cigri.engine.metrics import Metrics
from cigri.errors import ClusterUnreachable
from cigri.store import events
from cigri.store.events import Incident
from tests.api import face


async def samples(client):
    """Return the values by their names and labels."""
    answer = await client.get("/metrics")
    assert answer.status_code == 200
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


async def test_tasks_are_counted_by_user_and_state(client, campaign):
    await client.post("/campaigns", json=face.JDL | {"nb_jobs": 4})

    found = await samples(client)

    key = ("cigri_tasks", ("campaign_user", face.OWN), ("state", "pending"))
    assert found[key] == 7
    states = {labels[1][1] for (name, *labels) in found if name == "cigri_tasks"}
    assert states == {state.value for state in wire.words.JobState}


async def test_campaigns_that_are_over_are_counted_no_more(client, campaign):
    await client.delete(campaign)

    assert not [name for name, *_ in await samples(client) if name == "cigri_tasks"]


async def test_those_who_have_few_tasks_are_one_user(client, campaign, runtime, monkeypatch):
    monkeypatch.setattr(metrics, "MOST_USERS", 1)
    for user, count in (("ann", 2), ("bob", 1)):
        made = await client.post("/campaigns", json=face.JDL | {"nb_jobs": count})
        values = {"user": user, "id": made.json()["id"]}
        async with runtime.database.write() as tx:
            await tx.run("UPDATE campaign SET user = :user WHERE id = :id", values)

    found = await samples(client)

    pending = {
        labels[0][1]: value
        for (name, *labels), value in found.items()
        if name == "cigri_tasks" and labels[1] == ("state", "pending")
    }
    assert pending == {face.OWN: 3, "(others)": 3}


async def test_clusters_and_open_events_are_told(client, campaign, runtime):
    async with runtime.database.write() as tx:
        code = EventCode.SUBMISSION_REJECTED
        await events.record(tx, Incident(code=code, message="no"), runtime.now())
        await tx.run("UPDATE cluster SET hold_reason = 'down', hold_since = 1")

    found = await samples(client)

    assert found["cigri_cluster_up", ("cluster", "local")] == 0
    assert found["cigri_jobs_running", ("cluster", "local")] == 0
    assert found["cigri_events_open", ("code", str(code))] == 1


async def test_the_load_of_a_cluster_is_told_where_it_is_known(client, runtime, monkeypatch):
    monkeypatch.setattr(os, "getloadavg", lambda: (3.0, 0.0, 0.0))
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    stress = "cigri_cluster_stress", ("cluster", "local")
    assert (await samples(client))[stress] == 0.75

    def unknown():
        raise OSError("no load average here")

    monkeypatch.setattr(os, "getloadavg", unknown)
    assert stress not in await samples(client)


async def test_answers_and_transactions_are_timed(client, campaign):
    await client.get("/campaigns/99")
    await client.get("/nowhere")

    found = await samples(client)

    def count(route, status):
        return found["cigri_http_request_seconds_count", ("route", route), ("status", status)]

    assert count("/campaigns", "201") == 1
    assert count("/campaigns/{campaign}", "404") == 1
    assert count("(none)", "404") == 1
    assert found["cigri_db_write_seconds_count",] > 0


async def test_what_is_meant_to_take_long_is_not_timed(client, campaign):
    await client.get(f"{campaign}?wait=state&timeout=0")
    await client.delete(campaign)
    await client.get(f"{campaign}/stream")

    found = await samples(client)

    routes = {
        dict(labels)["route"]
        for name, *labels in found
        if name == "cigri_http_request_seconds_count"
    }
    assert routes == {"/campaigns", "/campaigns/{campaign}"}
    waited = ("route", "/campaigns/{campaign}"), ("status", "200")
    assert ("cigri_http_request_seconds_count", *waited) not in found


async def test_turns_are_timed(client, runtime):
    async def cycle():
        return 1.0

    await runtime.turns.watched("poller local", cycle)()

    found = await samples(client)
    assert found["cigri_turn_seconds_count", ("loop", "poller local")] == 1


async def test_no_label_names_a_campaign(client, campaign):
    await client.get(campaign)
    answer = await client.get("/metrics")

    labels = set(re.findall(r"[{,](\w+)=\"", answer.text))
    assert labels <= {
        "campaign_user", "cluster", "code", "le", "loop", "op", "route", "state", "status"
    }  # fmt: skip
    assert not re.search(r"/campaigns/\d", answer.text)


async def test_who_is_not_known_is_told_nothing(server):
    async with server.over_tcp() as anybody:
        assert (await anybody.get("/metrics")).status_code == 401
    async with server.over_tcp(**face.BEARER) as prometheus:
        assert (await prometheus.get("/metrics")).status_code == 200


async def test_it_is_told_in_the_newer_format_too(client):
    answer = await client.get("/metrics", headers={"Accept": "application/openmetrics-text"})

    assert answer.headers["Content-Type"].startswith("application/openmetrics-text")
    assert answer.text.endswith("# EOF\n")


class Flaky:
    """A driver that does as it is told."""

    name = "flaky"

    def __init__(self, *outcomes):
        self._outcomes = list(outcomes)

    async def submit(self, batch):
        return self._next()

    async def status(self, jobs):
        return self._next()

    async def output(self, *given):
        return self._next()

    def _next(self):
        outcome = self._outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


def value(metrics, name, **labels):
    return metrics.registry.get_sample_value(name, labels)


async def test_calls_of_a_cluster_are_timed_and_their_failures_counted():
    known = Metrics()
    driver = measured(Flaky({}, ClusterUnreachable("down")), "c", known)

    await driver.submit(None)
    with pytest.raises(ClusterUnreachable):
        await driver.submit(None)

    assert driver.name == "flaky"
    assert value(known, "cigri_submit_seconds_count", cluster="c") == 1
    errors = "cigri_cluster_call_errors_total"
    assert value(known, errors, cluster="c", op="submit") == 1
    assert value(known, errors, cluster="c", op="outputs") == 0


async def test_tasks_that_ran_are_timed():
    ends = [
        TaskEnd(0, Ending.EXITED, 0, 10.0, 12.0),
        TaskEnd(1, Ending.WALLTIME, None, 10.0, 9.0),
        TaskEnd(2, Ending.EXITED, 0, float("nan"), 9.0),
        TaskEnd(3, Ending.KILLED, None, 10.0, 99.0),
    ]
    known = Metrics()
    report = JobReport(state=RemoteState.ENDED, ended=ends)
    driver = measured(Flaky({RemoteId("1"): report}), "c", known)

    await driver.status([JobRef(remote_id=RemoteId("1"), user="ann")])

    assert value(known, "cigri_task_duration_seconds_count", cluster="c") == 3
    assert value(known, "cigri_task_duration_seconds_sum", cluster="c") == 2.0
