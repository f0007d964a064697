"""Tasks that failed and are tried again by themselves, as often as their campaign allows."""

import json
from collections.abc import Iterable, Sequence

import attrs

from cigri.domain.model import CampaignId, JobKind
from cigri.domain.verdict import with_retries
from cigri.store.database import Connection
from cigri.store.reports import Report
from cigri.store.statements import load

sql = load("retries")


async def decide(db: Connection, reports: Iterable[Report]) -> list[Report]:
    """
    Return *reports* with the failures that are to be tried again marked as such.

    Nobody but the one who settles a task counts its failures, so this may come before that.
    """
    return [
        report
        if not report.job.retries or report.job.kind is not JobKind.TASKS
        else await _decided(db, report)
        for report in reports
    ]


async def _decided(db: Connection, report: Report) -> Report:
    retries = report.job.retries
    failed = [
        end.task for end in report.ended if with_retries(end, failures=0, retries=1) is not end
    ]
    if not failed:
        return report
    wanted = {"campaign": report.job.campaign, "tasks": json.dumps(failed)}
    failures = {row["task"]: row["failures"] for row in await db.all(sql.failures, wanted)}
    return attrs.evolve(
        report,
        ended=[
            with_retries(end, failures=failures.get(end.task, 0), retries=retries)
            for end in report.ended
        ],
    )


async def count(tx: Connection, campaign: CampaignId, tasks: Sequence[int]) -> None:
    """Count a failure of each of *tasks*, which are tried again."""
    if tasks:
        await tx.run_many(sql.count, [(campaign, task) for task in tasks])


async def forget(tx: Connection, campaign: CampaignId) -> None:
    """Let the tasks of a campaign be tried again as often as at first."""
    await tx.run(sql.forget, {"campaign": campaign})
