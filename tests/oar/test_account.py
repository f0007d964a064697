"""Two users' campaigns, some jobs killed by OAR for others, are accounted for row by row."""

import asyncio
import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from cigri.domain.attempt import Attempt
from cigri.domain.model import CampaignId
from cigri.domain.verdict import Ending
from cigri.store import executions
from cigri.store.database import open_database
from tests.e2e.server import until
from tests.oar.serving import SharedServer, common_directory, program, shared
from tests.testbed.oar2 import CORES, USERS, Oar2, cluster

pytestmark = [pytest.mark.oar, pytest.mark.e2e, pytest.mark.slow]

#: Of a hundred tasks: those that fail once, and those that never end by themselves.
FAILING, ENDLESS = 10, 2
#: Of a hundred tasks, how many OAR kills for the jobs of others.
KILLED = 20
#: Seconds for which a campaign may last, whatever the machine.
PATIENCE = 1500.0

PROGRAM = """
echo "$OAR_JOB_ID $CIGRI_CAMPAIGN_ID $2 $CIGRI_ATTEMPT" >> {marks}.$LOGNAME
case $1 in
  once) mkdir {marks}.$LOGNAME.$2 2>/dev/null && exit 3; exit 0 ;;
  endless) exec sleep 3600 ;;
  *) exec sleep "$1" ;;
esac
"""


def parameters(tasks: int) -> list[list[str]]:
    """Return tasks of mixed lengths, of which some fail once and some never end."""
    kinds = []
    for number in range(tasks):
        kind = str(number % 4)
        if number % 100 < FAILING:
            kind = "once"
        elif number % 100 < FAILING + ENDLESS:
            kind = "endless"
        kinds.append([kind, str(number)])
    return kinds


def test_all_ends_as_it_should_and_matches_the_database_of_oar(
    oar2: Oar2, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    tasks = request.config.getoption("--oar-tasks") // len(USERS)
    last = oar2.last_job()
    with common_directory() as common, shared(tmp_path / "srv", cluster()) as server:
        marks = common / "marks"
        jdl = {
            "name": "mixed",
            "params": parameters(tasks),
            "exec_file": str(program(common, PROGRAM.format(marks=marks))),
            "retries": 1,
            "clusters": {"oar": {"walltime": "00:00:20", "type": "best-effort"}},
        }
        campaigns = {user: server.submit_as(user, jdl) for user in USERS}
        wanted = len(USERS) * tasks * KILLED // 100
        assert kill_for_others(oar2, server, campaigns.values(), wanted, last) >= wanted
        for campaign in campaigns.values():
            check_ends(server, campaign, tasks)
        started = Counter(
            int(line.split()[0])
            for user in USERS
            for line in Path(f"{marks}.{user}").read_text().splitlines()
        )
        server.stop()
        check_account(server, oar2.jobs_since(last), campaigns, started)
        server.start()


def kill_for_others(
    oar2: Oar2, server: SharedServer, campaigns: Any, wanted: int, last: int
) -> int:
    """
    Run normal jobs on all cores, while campaigns are on them, until *wanted* were killed.

    Returns at the end of the campaigns how many were.
    """
    running = f"SELECT count(*) FROM jobs WHERE job_id > {last} AND state = 'Running'"  # noqa: S608

    def killed() -> int:
        return len([job for job in oar2.jobs_since(last) if "BESTEFFORT_KILL" in job["events"]])

    def look() -> bool:
        if ended(server, campaigns):
            return True
        if killed() < wanted and int(oar2.sql(running)[0]["count"]) >= CORES // 2:
            (made,) = oar2.submit(
                "bob", command="true", resource=f"/core={CORES},walltime=0:1:0", name="other"
            )
            until(
                lambda: oar2.get(f"jobs/{made}.json")["state"] == "Terminated", "it ran", 300, 0.5
            )
        return False

    until(look, "the campaigns end", PATIENCE, 0.5)
    return killed()


def ended(server: SharedServer, campaigns: Any) -> bool:
    return all(server.get(f"/campaigns/{one}")["state"] == "terminated" for one in campaigns)


def check_ends(server: SharedServer, campaign: int, tasks: int) -> None:
    """Check that what never ends was ended by its walltime, twice, and all else has succeeded."""
    endless = {n for n, (kind, _) in enumerate(parameters(tasks)) if kind == "endless"}
    found = server.tasks(campaign)
    assert {task["task"] for task in found if task["state"] != "terminated"} == endless
    assert {task["state"] for task in found if task["task"] in endless} <= {"event", "failed"}
    codes = {event["code"] for event in server.client.events(campaign)}
    assert codes == ({"WALLTIME"} if endless else set())


def check_account(
    server: SharedServer,
    rows: Sequence[Mapping[str, str]],
    campaigns: Mapping[str, int],
    started: Mapping[int, int],
) -> None:
    """Compare every attempt with a row of OAR's table of jobs, and every row with an attempt."""
    database = server.directory / "cigri.db"
    with closing(sqlite3.connect(database)) as connection:
        tags = {tag for (tag,) in connection.execute("SELECT tag FROM submission")}
    ours = {int(row["job_id"]): row for row in rows if row["job_name"] in tags}
    told = {
        int(attempt.remote_id or 0): (user, attempt)
        for user, campaign in campaigns.items()
        for attempt in attempts(database, campaign)
    }
    assert len(told) == sum(len(attempts(database, one)) for one in campaigns.values())
    # What was taken back before it had started was no attempt.
    ran = {number for number, row in ours.items() if int(row["start_time"])}
    assert told.keys() == ran
    for number, (user, attempt) in told.items():
        assert problems(ours[number], user, attempt) == [], (ours[number], attempt)
    # The programs themselves say the same; one may be killed before it says anything.
    assert set(started.values()) == {1}
    silent = told.keys() - started.keys()
    assert all("KILL" in ours[number]["events"] for number in silent)
    assert started.keys() <= told.keys()


def attempts(database: Path, campaign: int) -> list[Attempt]:
    async def read() -> list[Attempt]:
        async with open_database(database) as opened, opened.read() as db:
            return await executions.of_campaign(db, CampaignId(campaign))

    return asyncio.run(read())


def problems(row: Mapping[str, str], user: str, attempt: Attempt) -> list[str]:
    """Return in what an attempt differs from its row."""
    found = []
    events = row["events"].split()
    if row["job_user"] != user:
        found.append("the user")
    if abs(int(row["start_time"]) - attempt.started_at) > 1:
        found.append("its start")
    if abs(int(row["stop_time"]) - attempt.ended_at) > 1:
        found.append("its end")
    expected: set[Ending | None]
    status = None
    if row["state"] == "Terminated":
        status = int(row["exit_code"]) >> 8
        expected = {Ending.RETRIED, Ending.EXITED, None}
    elif "WALLTIME" in events:
        expected = {Ending.RETRIED, Ending.WALLTIME, None}
    else:
        expected = {Ending.KILLED} if "BESTEFFORT_KILL" in events else set()
    if attempt.ending not in expected:
        found.append(f"its ending, of {expected}")
    if attempt.exit_status != status:
        found.append(f"its exit status, {status}")
    return found
