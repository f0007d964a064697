"""A database of an older version comes through with all that it holds."""

import sqlite3
from pathlib import Path

import pytest

from cigri.domain.model import CampaignId, Counts, TaskId, TaskNumber
from cigri.domain.verdict import Ending, TaskEnd
from cigri.store import (
    audit,
    campaigns,
    database,
    jobs,
    parameters,
    settlement,
    spans,
    task_pages,
)
from cigri.store.parameters import pack_lines
from cigri.store.records import SUCCEEDED, Records
from cigri.store.reports import hear

OLD = """
INSERT INTO cluster (id, name) VALUES (1, 'here');
INSERT INTO campaign (id, name, user, state, submitted_at, jdl, first_task_id, total, has_chunks,
  pending, succeeded) VALUES
  (1, 'counted', 'ann', 'in_treatment', 0, '{}', 1, 1500, 0, 1500, 0),
  (2, 'given', 'bob', 'terminated', 0, '{}', 1501, 2300, 1, 0, 2300),
  (3, 'empty', 'bob', 'terminated', 0, '{}', 3801, 0, 0, 0, 0),
  (4, 'cut off', 'bob', 'loading', 0, '{}', 0, 0, 1, 0, 0),
  (5, 'last', 'ann', 'paused', 0, '{}', 3801, 1, 0, 1, 0);
INSERT INTO campaign_cluster (campaign_id, cluster_id, settings)
  SELECT id, 1, '{"exec_file": "x"}' FROM campaign;
"""


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """Return a database as the version before campaigns could grow has made it."""
    path = tmp_path / "cigri.db"
    with sqlite3.connect(path) as connection:
        for number, sql in database.migrations():
            if number <= 2:
                connection.executescript(f"{sql}\nPRAGMA user_version = {number};")
        connection.executescript(OLD)
        for campaign in (2, 4):
            for chunk in range(3):
                numbers = range(chunk * 1000, min(2300, (chunk + 1) * 1000))
                piece = pack_lines("\n".join(f"line {n}" for n in numbers).encode())
                connection.execute(
                    "INSERT INTO parameter_chunk VALUES (?, ?, ?, ?, ?)",
                    (campaign, chunk, piece.encoding, piece.data, piece.crc),
                )
    connection.close()
    return path


async def test_tasks_keep_their_parameters_and_their_ids(old: Path) -> None:
    expected = {
        1: (range(1500), str, 1),
        2: (range(2300), "line {}".format, 1501),
        5: (range(1), str, 3801),
    }
    async with database.open_database(old) as opened, opened.read() as db:
        for number, (tasks, parameter, first) in expected.items():
            campaign = CampaignId(number)
            given = await parameters.of_tasks(db, campaign, tasks)
            ids = await spans.ids(db, campaign, tasks)
            assert given == {task: parameter(task) for task in tasks}
            assert ids == {task: first + task for task in tasks}
            assert await audit.gaps(db, campaign) == []
        assert (await task_pages.task(db, TaskId(1500))).campaign == 1
        assert (await task_pages.task(db, TaskId(1501))).campaign == 2
        assert (await task_pages.task(db, TaskId(3801))).campaign == 5


async def test_ids_go_on_where_they_were(old: Path) -> None:
    async with database.open_database(old) as opened:
        async with opened.write() as tx:
            await spans.allot(tx, CampaignId(3), 0, 10)
        async with opened.read() as db:
            assert await spans.ids(db, CampaignId(3), [0, 9]) == {0: 3802, 9: 3811}


async def test_an_upload_that_was_cut_off_is_gone(old: Path) -> None:
    async with database.open_database(old) as opened, opened.read() as db:
        for table, column in (("campaign", "id"), ("parameter_chunk", "campaign_id")):
            rows = await db.all(f"SELECT 1 FROM {table} WHERE {column} = 4")  # noqa: S608
            assert not rows


async def test_a_migrated_schema_is_a_new_one(old: Path, tmp_path: Path) -> None:
    dumps = []
    for path in (old, tmp_path / "new.db"):
        async with database.open_database(path) as opened, opened.read() as db:
            found = await db.all("SELECT name, sql FROM sqlite_schema ORDER BY name")
            dumps.append([tuple(row) for row in found])

    assert dumps[0] == dumps[1]


async def test_a_job_that_was_open_goes_on(tmp_path: Path) -> None:
    """Before jobs kept a list of what has ended in them, the records alone told."""
    path = tmp_path / "cigri.db"
    records = Records()
    records.state[0], records.job[0], records.cluster[0] = SUCCEEDED, 2, 1
    with sqlite3.connect(path) as connection:
        for number, sql in database.migrations():
            if number <= 5:
                connection.executescript(f"{sql}\nPRAGMA user_version = {number};")
        connection.executescript(
            """
            INSERT INTO cluster (id, name) VALUES (1, 'here');
            INSERT INTO campaign (id, name, user, state, submitted_at, jdl, total, cursor,
              pending, queued, running, succeeded)
              VALUES (1, 'c', 'ann', 'in_treatment', 0, '{}', 4, 4, 0, 2, 1, 1);
            INSERT INTO campaign_cluster (campaign_id, cluster_id, settings, queued, running,
              succeeded) VALUES (1, 1, '{"exec_file": "x", "type": "normal"}', 2, 1, 1);
            INSERT INTO span VALUES (1, 1, 0, 4);
            INSERT INTO parameter_chunk VALUES (1, 0, 4, 'count', x'', 0);
            INSERT INTO submission (id, tag, campaign_id, cluster_id, at) VALUES (1, 't', 1, 1, 5);
            INSERT INTO job (id, submission_id, campaign_id, cluster_id, state, remote_id, tasks,
              running, left) VALUES
              (1, 1, 1, 1, 'running', 't.0', '[[3,1]]', '{}', 1),
              (2, 1, 1, 1, 'running', 't.1', '[[0,3]]', '{"1":7.0}', 2);
            """
        )
        connection.execute("INSERT INTO task_chunk VALUES (1, 0, ?, 1, 0)", (records.encode(),))
    connection.close()
    async with database.open_database(path) as opened:
        async with opened.read() as db:
            _, job = await jobs.open_on_cluster(db, 1)
            page = await task_pages.page(db, CampaignId(1), first=0, limit=4)
        assert (job.place, job.tag, job.submitted_at, job.shape) == (1, "t", 5.0, "group")
        assert [task.state for task in page.tasks] == ["succeeded", "running", "queued", "queued"]
        async with opened.write() as tx:
            told = [TaskEnd(TaskNumber(n), Ending.EXITED, 1, 7.0, 9.0) for n in (0, 1)]
            report = hear(job, ended=told, running={2: 9.0}, read_to=9)
            await settlement.settle(tx, 1, [report], 10.0)
        async with opened.read() as db:
            found = await campaigns.get(db, CampaignId(1))
            assert found.counts == await audit.recount(db, CampaignId(1))
    assert found.counts == Counts(succeeded=1, failed=1, running=1, queued=1)
