"""Campaigns on a played OAR 3, whose jobs run: all faults of the real one, and nothing is lost."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cigri.clusters.identity import own_login
from cigri.errors import NotAllowed
from tests.e2e.server import Server, serving, until
from tests.fakes.oar3 import Oar3, token
from tests.fakes.oar3_thread import Played, playing_beside

pytestmark = pytest.mark.e2e

CONFIG = """
[clusters.third]
driver = "oar3"
url = "{url}"
timeout = 3
{more}
[clusters.third.users_mapping]
"{me}" = "alice"
"""


@pytest.fixture
def played(tmp_path: Path) -> Iterator[Played]:
    with playing_beside(tmp_path / "homes", cores=4) as found:
        yield found


@pytest.fixture
def server(tmp_path: Path, played: Played) -> Iterator[Server]:
    config = CONFIG.format(url=played.url, me=own_login(), more="")
    with serving(tmp_path / "server", config) as found:
        body = {"cluster_id": "third", "token": token("alice")}
        found.client.post_json("/tokens", body)
        yield found


def script(place: Path, text: str) -> Path:
    """Write the program of a campaign: each attempt leaves a line."""
    path = place / "task.sh"
    path.write_text(f'echo "$1" >>{place}/log\n{text}\n')
    return path


def described(place: Path, count: int, **fields: Any) -> dict[str, Any]:
    return {
        "name": "third",
        "nb_jobs": count,
        "walltime": "00:10:00",
        "exec_file": f"/bin/sh {place}/task.sh",
        "clusters": {"third": {}},
        **fields,
    }


def ran(place: Path) -> Counter[str]:
    path = place / "log"
    return Counter(path.read_text().split() if path.exists() else [])


def once(count: int) -> Counter[str]:
    return Counter(str(number) for number in range(count))


@pytest.mark.parametrize("grouping", [False, True])
def test_each_task_runs_once_and_its_end_is_told(
    tmp_path: Path, played: Played, server: Server, grouping: bool
) -> None:
    script(tmp_path, 'echo "out of $1"; [ "$1" != 7 ] || { echo "no file" >&2; exit 4; }')
    fields: dict[str, Any] = {"temporal_grouping": True} if grouping else {}
    campaign = server.submit(described(tmp_path, 30, **fields))

    found = server.wait(campaign)

    assert ran(tmp_path) == once(30)
    assert (found["counts"]["terminated"], found["counts"]["failed"]) == (29, 1)
    (event,) = server.get(f"/campaigns/{campaign}/events")["items"]
    assert (event["code"], "no file" in event["message"]) == ("EXIT_ERROR", True)
    assert played.do(lambda oar: oar.overlaps) == 0
    jobs = played.do(lambda oar: len(oar.cluster.jobs))
    assert jobs < 30 if grouping else jobs == 30
    # One POST for each submission, and no request for each task.
    posts = played.do(lambda oar: len(oar.asked("POST")))
    assert posts < 10


def test_a_prologue_comes_first_and_an_epilogue_last(
    tmp_path: Path, played: Played, server: Server
) -> None:
    script(tmp_path, "")
    log = tmp_path / "log"
    steps = {"prologue": [f"echo prologue >>{log}"], "epilogue": [f"echo epilogue >>{log}"]}
    server.wait(server.submit(described(tmp_path, 5, **steps)))

    written = log.read_text().split()
    assert (written[0], written[-1]) == ("prologue", "epilogue")
    assert len(written) == 7


@pytest.mark.parametrize("kind", ["500-after", "reset-after", "cut", "html-after", "half-made"])
def test_a_lost_answer_loses_nothing_and_runs_nothing_twice(
    tmp_path: Path, played: Played, server: Server, kind: str
) -> None:
    def spoil(oar: Oar3) -> None:
        # A half of the kind that is whole.
        oar._breakage = 1
        oar.fault(kind, "POST", "/jobs")

    script(tmp_path, "")
    played.do(spoil)
    found = server.wait(server.submit(described(tmp_path, 12)))

    assert ran(tmp_path) == once(12)
    assert found["counts"]["terminated"] == 12


def test_a_poisoned_api_is_a_hold_that_ends_by_itself(
    tmp_path: Path, played: Played, server: Server
) -> None:
    script(tmp_path, f"until [ -e {tmp_path}/open ]; do sleep 0.05; done")
    campaign = server.submit(described(tmp_path, 8))
    until(lambda: ran(tmp_path), "a task runs")

    played.do(lambda oar: oar._poison())
    path = "/events"
    until(
        lambda: [
            event
            for event in server.get(path)["items"]
            if event["code"] == "CLUSTER_API_SERVER_ERROR"
        ],
        "the cluster is held",
    )
    (tmp_path / "open").touch()
    played.do(lambda oar: oar.restart())
    found = server.wait(campaign)

    assert found["counts"]["terminated"] == 8
    assert ran(tmp_path) == once(8)


def test_what_the_cluster_takes_away_runs_again_first(
    tmp_path: Path, played: Played, server: Server
) -> None:
    script(tmp_path, f"[ -e {tmp_path}/open ] || exec sleep 1000")
    campaign = server.submit(described(tmp_path, 4))
    until(lambda: len(ran(tmp_path)) == 4, "all run")
    (tmp_path / "open").touch()

    def take(oar: Oar3) -> None:
        for job in oar.cluster.live():
            oar.cluster.preempt(job.id)

    played.do(take)
    found = server.wait(campaign)

    assert found["counts"]["terminated"] == 4
    assert found["counts"]["failed"] == 0
    assert set(ran(tmp_path).values()) == {2}
    assert server.get(f"/campaigns/{campaign}/events")["items"] == []


def test_a_server_that_dies_and_comes_back_runs_nothing_twice(
    tmp_path: Path, played: Played, server: Server
) -> None:
    script(tmp_path, "sleep 0.2")
    campaign = server.submit(described(tmp_path, 30))
    until(lambda: ran(tmp_path), "a task runs")

    server.kill()
    server.start()
    found = server.wait(campaign)

    assert found["counts"]["terminated"] == 30
    assert ran(tmp_path) == once(30)


def test_without_a_token_no_campaign_is_taken(tmp_path: Path, played: Played) -> None:
    config = CONFIG.format(url=played.url, me=own_login(), more="")
    script(tmp_path, "")
    with (
        serving(tmp_path / "server", config) as server,
        pytest.raises(NotAllowed, match=r"third: .*cigri token cluster add"),
    ):
        server.submit(described(tmp_path, 2))


def test_a_token_that_is_revoked_stops_the_campaign_until_there_is_another(
    tmp_path: Path, played: Played, server: Server
) -> None:
    script(tmp_path, "")
    played.do(lambda oar: oar.revoked.add("alice"))
    campaign = server.submit(described(tmp_path, 3))
    (event,) = until(
        lambda: server.get(f"/campaigns/{campaign}/events")["items"], "there is an event"
    )

    assert event["code"] == "SUBMISSION_REJECTED"
    assert "revoked by an admin" in event["message"]
    assert "cigri token cluster add" in event["message"]
    played.do(lambda oar: oar.revoked.clear())
    server.client.fix(campaign)
    server.wait(campaign)
    assert ran(tmp_path) == once(3)
