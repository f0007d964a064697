"""Tasks that failed and are tried again by themselves, as often as their campaign allows."""

import json
from collections.abc import Mapping, Sequence

import attrs

from cigri.domain.model import CampaignId, JobKind
from cigri.domain.verdict import with_retries
from cigri.store.database import Connection
from cigri.store.reports import Report
from cigri.store.statements import load

sql = load("retries")


async def decide(db: Connection, reports: Sequence[Report]) -> list[Report]:
    """
    Return *reports* with the failures that are to be tried again marked as such.

    Nobody but the one who settles a task counts its failures, so this may come before that.
    """
    failed: dict[CampaignId, list[int]] = {}
    for report in reports:
        if tasks := _that_may_be_retried(report):
            failed.setdefault(report.job.campaign, []).extend(tasks)
    failures = {}
    for campaign, numbers in failed.items():
        wanted = {"campaign": campaign, "tasks": json.dumps(numbers)}
        for row in await db.all(sql.failures, wanted):
            failures[campaign, row["task"]] = row["failures"]
    return [
        _decided(report, failures) if report.job.campaign in failed else report
        for report in reports
    ]


def _that_may_be_retried(report: Report) -> list[int]:
    """Return the tasks whose attempts failed in a way that a retry may mend."""
    if not report.job.retries or report.job.kind is not JobKind.TASKS:
        return []
    return [
        end.task for end in report.ended if with_retries(end, failures=0, retries=1) is not end
    ]


def _decided(report: Report, failures: Mapping[tuple[CampaignId, int], int]) -> Report:
    if report.job.kind is not JobKind.TASKS:
        return report
    job = report.job
    ended = [
        with_retries(end, failures=failures.get((job.campaign, end.task), 0), retries=job.retries)
        for end in report.ended
    ]
    return attrs.evolve(report, ended=ended)


async def count(tx: Connection, campaign: CampaignId, tasks: Sequence[int]) -> None:
    """Count a failure of each of *tasks*, which are tried again."""
    if tasks:
        await tx.run_many(sql.count, [(campaign, task) for task in tasks])


async def forget(tx: Connection, campaign: CampaignId) -> None:
    """Let the tasks of a campaign be tried again as often as at first."""
    await tx.run(sql.forget, {"campaign": campaign})
