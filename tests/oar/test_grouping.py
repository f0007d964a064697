"""Short tasks share jobs of OAR, which is slow to start one."""

from collections import Counter
from pathlib import Path

import pytest

from tests.e2e.server import until
from tests.oar.serving import common_directory, program, shared
from tests.testbed.oar2 import CORES, Oar2, cluster

pytestmark = [pytest.mark.oar, pytest.mark.e2e, pytest.mark.slow]


def test_many_tasks_of_a_second_are_few_jobs(
    oar2: Oar2, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    tasks = 3 * request.config.getoption("--oar-tasks")
    last = oar2.last_job()
    with common_directory() as common, shared(tmp_path / "srv", cluster()) as server:
        marks = common / "marks"
        jdl = {
            "name": "short",
            "nb_jobs": tasks,
            "exec_file": str(program(common, f'echo "$1 $OAR_JOB_ID" >> {marks}; sleep 1')),
            "clusters": {
                "oar": {"walltime": "00:01:00", "type": "best-effort", "temporal_grouping": True}
            },
        }
        campaign = server.submit_as("bob", jdl)
        until(
            lambda: server.get(f"/campaigns/{campaign}")["state"] == "terminated",
            "it ends",
            900,
            0.5,
        )
        ran = [line.split() for line in marks.read_text().splitlines()]

    # What OAR kills for the jobs of others runs again; nothing else does.
    killed = {row["job_id"] for row in oar2.jobs_since(last) if row["state"] == "Error"}
    assert {task for task, _ in ran} == set(map(str, range(tasks)))
    well = Counter(task for task, job in ran if job not in killed)
    assert max(well.values()) == 1
    jobs = {job for _, job in ran}
    assert len(jobs) <= max(2 * CORES, tasks // 5)


def test_a_killed_group_loses_only_what_was_running(oar2: Oar2, tmp_path: Path) -> None:
    tasks = 12
    with common_directory() as common, shared(tmp_path / "srv", cluster()) as server:
        marks = common / "marks"
        # The last of the first ones waits for its job to be killed.
        text = f'echo "$1 $OAR_JOB_ID" >> {marks}\n[ "$1$CIGRI_ATTEMPT" != 31 ] || exec sleep 3600'
        jdl = {
            "name": "killed",
            "nb_jobs": tasks,
            "exec_file": str(program(common, text)),
            "clusters": {
                "oar": {
                    "walltime": "00:10:00",
                    "type": "best-effort",
                    "dimensional_grouping": True,
                    "temporal_grouping": True,
                    "max_jobs": tasks,
                }
            },
        }
        campaign = server.submit_as("alice", jdl)

        def stuck() -> str | None:
            lines = marks.read_text().splitlines() if marks.exists() else []
            return next((line.split()[1] for line in lines if line.split()[0] == "3"), None)

        job = until(stuck, "task 3 runs", 300, 0.2)
        (made,) = oar2.submit("bob", command="true", resource=f"/core={CORES},walltime=0:1:0")
        until(
            lambda: server.get(f"/campaigns/{campaign}")["state"] == "terminated",
            "it ends",
            600,
            0.5,
        )
        ran = [line.split() for line in marks.read_text().splitlines()]
        counts = Counter(int(task) for task, _ in ran)
        (killed,) = oar2.sql(f"SELECT state FROM jobs WHERE job_id = {int(job)}")  # noqa: S608

    assert made
    assert killed["state"] == "Error"
    assert counts[3] == 2
    assert set(counts) == set(range(tasks))
    # What ran beside it may have been hit as well; what had ended was not run again.
    assert sum(counts.values()) <= tasks + CORES
