"""Applies what clusters report: tasks settled or back in the bag, jobs and counters moved on."""

from collections.abc import Sequence

from cigri.domain import bag
from cigri.domain.bag import Range
from cigri.domain.lifecycle import JobEvent, StepEvent
from cigri.domain.model import CampaignId, CampaignState, JobKind, JobState, TaskNumber
from cigri.domain.reactions import REACTIONS, EventCode
from cigri.domain.remote_ids import RemoteNumbers
from cigri.domain.steps import came_to_its_end, succeeded
from cigri.domain.verdict import Ending
from cigri.store import attempts, brakes, campaigns, events, jobs, retries, steps, tasks
from cigri.store.database import Connection
from cigri.store.events import Incident
from cigri.store.records import CHUNK
from cigri.store.reports import Report
from cigri.store.sheet import Sheet
from cigri.store.steps import Step
from cigri.store.tasks import Leaning

#: The one task of a step has ended.
_STEP_ENDED = b"\x01"


async def settle(
    tx: Connection, cluster_id: int, reports: Sequence[Report], at: float
) -> list[CampaignId]:
    """Apply *reports* of one cluster and return the campaigns that they end."""
    finished = []
    for campaign in sorted({report.job.campaign for report in reports}):
        own = [report for report in reports if report.job.campaign == campaign]
        for report in own:
            if report.job.kind is not JobKind.TASKS:
                await _settle_step(tx, cluster_id, report, at)
        with_tasks = [report for report in own if report.job.kind is JobKind.TASKS]
        if with_tasks:
            await _settle_tasks(tx, campaign, cluster_id, with_tasks, at)
        if await campaigns.finish_if_done(tx, campaign, at):
            finished.append(campaign)
        else:
            await brakes.check(tx, campaign, at)
    return finished


async def _settle_step(tx: Connection, cluster_id: int, report: Report, at: float) -> None:
    """Record what became of a prologue or an epilogue: its script counts among no tasks."""
    job, left = report.job, report.job.left
    row = await campaigns.row(tx, job.campaign)
    end = report.ended[0] if report.ended and left else None
    step = Step(job.campaign, job.kind)
    if end is not None and came_to_its_end(end):
        left = 0
        event = StepEvent.SUCCEEDED if succeeded(end) else StepEvent.FAILED
        await steps.happen(tx, step, cluster_id, event)
        in_bag_or_flight = row["pending"] + row["queued"] + row["running"]
        if job.kind is JobKind.EPILOGUE and (in_bag_or_flight or await jobs.overtaken(tx, job)):
            # Tasks came back while it ran, and it ran too early.
            await steps.happen(tx, step, cluster_id, StepEvent.DUE_AGAIN)
    elif left and (end is not None or report.over):
        left = 0
        begun = bool(report.running) or (end is not None and end.ending is not Ending.REMOVED)
        stopped = begun and row["state"] == CampaignState.CANCELLED
        killed = stopped and job.kind is JobKind.PROLOGUE
        event = StepEvent.STOPPED if killed else StepEvent.UNDONE
        await steps.happen(tx, step, cluster_id, event)
        if report.over is JobEvent.VANISHED:
            await events.record(tx, _vanished(step, cluster_id), at)
    running = report.running if left and not report.over else {}
    ended = b"" if left else _STEP_ENDED
    await jobs.set_progress(
        tx, job.id, running=running, left=left, read_to=report.read_to, ended=ended
    )
    await _renumber(tx, report)
    await jobs.happen(tx, job, _events(report))


async def _renumber(tx: Connection, report: Report) -> None:
    """Follow the tasks of an array whose remote jobs were replaced by others."""
    job = report.job
    places = {job.positions.of(task): number for task, number in report.moved.items()}
    numbers = {place: number for place, number in places.items() if place is not None}
    if numbers and job.remote_id is not None:
        await jobs.renumber(tx, job.id, RemoteNumbers(job.remote_id).replaced(numbers))


def _vanished(step: Step, cluster_id: int) -> Incident:
    return Incident(
        code=EventCode.JOB_LOST,
        message=f"the job of the {step.kind} vanished; it runs again",
        campaign=step.campaign,
        cluster_id=cluster_id,
    )


async def _settle_tasks(
    tx: Connection,
    campaign: CampaignId,
    cluster_id: int,
    reports: Sequence[Report],
    at: float,
) -> None:
    cancelled = (await campaigns.row(tx, campaign))["state"] == CampaignState.CANCELLED
    sheet = Sheet(cluster_id, cancelled=cancelled)
    touched = {end.task // CHUNK for report in reports for end in report.ended}
    touched |= {task // CHUNK for r in reports for task in r.running.keys() - r.job.running.keys()}
    touched |= {task // CHUNK for report in reports for task in report.moved}
    touched |= {n // CHUNK for r in reports if r.over for i in r.job.tasks for n in _ends(i)}
    await sheet.load(tx, campaign, touched)
    for report in reports:
        left = sheet.apply(report, at)
        await jobs.set_progress(
            tx,
            report.job.id,
            running=left.running,
            left=left.count,
            read_to=report.read_to,
            ended=left.ended,
        )
        await _renumber(tx, report)
        await jobs.happen(tx, report.job, _events(report))
    await tasks.write_records(tx, campaign, sheet.changed())
    await attempts.remember(tx, campaign, sheet.past)
    await _put_back(tx, campaign, cluster_id, sheet, at)
    await retries.count(tx, campaign, sheet.retried)
    await campaigns.move(tx, campaign, sheet.change(), cluster_id=cluster_id)
    if sheet.came_back:
        await campaigns.test_again(tx, campaign, cluster_id)
    if sheet.lost:
        await events.record(tx, _lost(campaign, cluster_id, sheet.lost), at)


async def _put_back(
    tx: Connection, campaign: CampaignId, cluster_id: int, sheet: Sheet, at: float
) -> None:
    """Put what comes back in the bag, where it should run next with it."""
    first, last = sheet.again_first, sheet.again_last
    await tasks.put_back(tx, campaign, bag.ranges(first))
    await tasks.put_back(tx, campaign, bag.ranges(last), at_the_end=True)
    nearby = Leaning(at=at, prefers=cluster_id)
    await tasks.put_back(tx, campaign, bag.ranges(sheet.with_checkpoint), leaning=nearby)
    elsewhere = Leaning(at=at, avoids=cluster_id)
    await tasks.put_back(tx, campaign, bag.ranges(sheet.elsewhere), leaning=elsewhere)


def _ends(item: Range) -> Sequence[int]:
    """Return a task in each chunk that a range touches."""
    return [*item.numbers()[::CHUNK], item.first + item.size - 1]


def _events(report: Report) -> list[JobEvent]:
    started = report.begun and report.job.state is JobState.SUBMITTED
    happened = [JobEvent.STARTED] if started else []
    return [*happened, report.over] if report.over else happened


def _lost(campaign: CampaignId, cluster_id: int, lost: Sequence[int]) -> Incident:
    meaning = REACTIONS[EventCode.JOB_LOST].meaning
    return Incident(
        code=EventCode.JOB_LOST,
        message=f"{meaning}; first of them: task {min(lost)}",
        count=len(lost),
        campaign=campaign,
        cluster_id=cluster_id,
        task=TaskNumber(min(lost)),
    )
