"""The OAR that the tests run on: each daemon can be killed, and is back when asked for."""

import httpx
import pytest

from tests.testbed.oar2 import CORES, DAEMONS, Oar2, answers

pytestmark = pytest.mark.oar


def test_all_nodes_are_alive(oar2: Oar2) -> None:
    resources = oar2.get("resources.json")["items"]

    assert [one["state"] for one in resources] == ["Alive"] * CORES


def test_a_job_is_found_in_its_database_with_its_events(oar2: Oar2) -> None:
    last = oar2.last_job()
    (made,) = oar2.submit("bob", command="sleep 60", name="found", resource="/core=1")

    oar2.delete("bob", made)

    (job,) = oar2.jobs_since(last)
    assert (job["job_id"], job["job_user"], job["job_name"]) == (str(made), "bob", "found")
    assert "FRAG_JOB_REQUEST" in job["events"]


@pytest.mark.parametrize("daemon", DAEMONS)
def test_each_daemon_can_be_killed_and_started_again(oar2: Oar2, daemon: str) -> None:
    oar2.kill(daemon)
    if daemon in {"database", "api"}:
        assert not answers()

    oar2.start(daemon)

    assert answers()
    (made,) = oar2.submit("alice", command="true", resource="/core=1,walltime=0:5:0")
    assert made == oar2.last_job()


def test_the_api_that_asks_for_a_password_asks_for_it() -> None:
    assert httpx.get("http://127.0.0.1:6668/oarapi-priv/whoami.json").status_code == 401
