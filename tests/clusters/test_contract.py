"""What every driver promises: the same tests on each of them."""

import time
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path

import attrs
import pytest

from cigri.clusters.driver import Batch, JobRef, JobReport, Output, RemoteState, TaskOrder
from cigri.domain.model import (
    CampaignId,
    ClusterSettings,
    JobId,
    JobKind,
    RemoteId,
    Shape,
    TaskId,
    TaskNumber,
)
from cigri.domain.verdict import Ending, TaskEnd
from tests.clusters.sites import Site, local, oar2, oar3, real_oar2, simulated

#: Seconds after which a test gives up.
PATIENCE = 90.0
#: How a task has ended that was killed with its job.
KILLED = frozenset({Ending.KILLED, Ending.DELETED})

SITES = [
    pytest.param((local, Shape.GROUP), id="local"),
    *(
        pytest.param((site, shape), id=f"{site.__name__}-{shape}", marks=marks)
        for site, marks in [(simulated, ()), (oar2, ()), (oar3, ()), (real_oar2, pytest.mark.oar)]
        for shape in (Shape.GROUP, Shape.ARRAY)
    ),
]


@pytest.fixture(params=SITES)
async def site(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Site]:
    make, shape = request.param
    async with make(tmp_path, shape) as found:
        yield found


def batch(site: Site, command: str, *, jobs: int = 2, tasks: int = 3) -> Batch:
    """Return so many tasks for each of so many jobs; an array is one job with all of them."""
    if site.shape is Shape.ARRAY:
        jobs, tasks = 1, jobs * tasks
    orders = {
        JobId(10 + job): [
            TaskOrder(TaskNumber(n), 1, TaskId(100 + n), f"parameter {n}")
            for n in range(job * tasks, (job + 1) * tasks)
        ]
        for job in range(jobs)
    }
    return Batch(
        tag=site.tag,
        user=site.user,
        campaign=CampaignId(1),
        campaign_name="contract",
        settings=ClusterSettings(
            exec_file=command, exec_directory="/", resources=site.resources, cores=site.cores
        ),
        jobs=orders,
        shape=site.shape,
        walltime=600.0,
    )


def refs(sent: Batch, remote_ids: Mapping[JobId, RemoteId]) -> list[JobRef]:
    """Return the jobs of a batch as they are asked about."""

    def ref(place: int, job: JobId) -> JobRef:
        tasks = {position: order.task for position, order in enumerate(sent.jobs[job])}
        positions = {task: position for position, task in tasks.items()}
        return JobRef(
            remote_id=remote_ids[job],
            user=sent.user,
            shape=sent.shape,
            tag=sent.tag,
            place=place if sent.shape is Shape.GROUP else 0,
            open=tasks,
            positions=positions.get,
        )

    return [ref(place, job) for place, job in enumerate(sent.jobs) if job in remote_ids]


async def submitted(site: Site, sent: Batch) -> list[JobRef]:
    return refs(sent, await site.driver.submit(sent))


async def until(
    site: Site, jobs: list[JobRef], condition: Callable[[list[JobReport]], bool]
) -> list[JobReport]:
    """Return the reports, each from the beginning, as soon as they are as wanted."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        told = await site.driver.status(jobs)
        reports = [told[job.remote_id] for job in jobs]
        if condition(reports):
            return reports
        await site.wait()
    raise AssertionError(reports)


def over(reports: list[JobReport]) -> bool:
    return all(
        report.state not in (RemoteState.WAITING, RemoteState.RUNNING) for report in reports
    )


def ran(report: JobReport) -> list[TaskEnd]:
    """Return the ends of tasks that had started."""
    return [end for end in report.ended if end.ending is not Ending.REMOVED]


async def test_jobs_run_all_their_tasks_and_tell_how_each_ended(site: Site) -> None:
    sent = batch(site, site.quick)
    jobs = await submitted(site, sent)

    reports = await until(site, jobs, over)

    assert len({job.remote_id for job in jobs}) == len(sent.jobs)
    assert {report.state for report in reports} == {RemoteState.ENDED}
    ended = [end for report in reports for end in report.ended]
    assert sorted(end.task for end in ended) == list(range(6))
    assert {(end.ending, end.exit_status) for end in ended} == {(Ending.EXITED, 0)}
    assert all(end.ended_at >= end.started_at > 0 for end in ended)


async def test_what_was_told_is_not_told_again(site: Site) -> None:
    jobs = await submitted(site, batch(site, site.quick))
    reports = await until(site, jobs, over)

    again = [
        attrs.evolve(job, read_to=report.read_to, open={})
        for job, report in zip(jobs, reports, strict=True)
    ]

    assert all(not report.ended for report in (await site.driver.status(again)).values())


async def test_jobs_are_found_by_their_tag_and_by_no_other(site: Site) -> None:
    wanted = batch(site, site.quick)
    given = await site.driver.submit(wanted)

    assert await site.driver.find(wanted.tag, site.user, list(wanted.jobs)) == given
    assert await site.driver.find(f"{wanted.tag}0", site.user, list(wanted.jobs)) == {}
    more = [*wanted.jobs, JobId(99)]
    if site.shape is Shape.GROUP:
        assert await site.driver.find(wanted.tag, site.user, more) == given


async def test_jobs_that_ended_are_still_found(site: Site) -> None:
    wanted = batch(site, site.quick)
    given = await site.driver.submit(wanted)
    jobs = refs(wanted, given)
    await until(site, jobs, over)
    await site.driver.forget(jobs)

    assert await site.driver.find(wanted.tag, site.user, list(wanted.jobs)) == given
    reports = await until(site, jobs, over)
    assert len(reports[0].ended) == len(jobs[0].open)


async def test_a_job_that_the_cluster_does_not_know_is_lost(site: Site) -> None:
    sent = batch(site, site.quick, jobs=1, tasks=1)
    (unknown,) = refs(sent, {JobId(10): site.unknown})

    await site.driver.status([unknown])
    site.wait_long()
    told = (await site.driver.status([unknown]))[unknown.remote_id]

    if site.shape is Shape.GROUP:
        assert told.state is RemoteState.LOST
    else:
        assert over([told])
        assert [end.task for end in told.ended] == [0]
        assert not ran(told)


async def test_a_killed_job_ends_and_its_tasks_say_so(site: Site) -> None:
    jobs = await submitted(site, batch(site, site.endless, jobs=1))
    (running,) = await until(site, jobs, lambda told: bool(told[0].running))
    assert running.state is RemoteState.RUNNING

    await site.driver.kill(jobs)
    (report,) = await until(site, jobs, over)

    assert report.state in (RemoteState.KILLED, RemoteState.ENDED)
    assert {end.ending for end in ran(report)} <= KILLED
    # Others may have started since.
    assert {end.task for end in ran(report)} >= set(running.running)
    await site.driver.kill(jobs)  # no error
    await site.driver.withdraw(jobs)


async def test_a_withdrawn_job_ends_with_what_runs(site: Site) -> None:
    jobs = await submitted(site, batch(site, site.endless, jobs=1))
    # What is told to run may not have begun, and then it never does.
    await until(site, jobs, lambda told: 0 < len(told[0].running) <= site.begun())

    await site.driver.withdraw(jobs)
    (report,) = await until(site, jobs, lambda told: bool(told[0].running))
    assert report.state is RemoteState.RUNNING

    await site.driver.kill(jobs)
    (ended,) = await until(site, jobs, over)
    assert len(ran(ended)) < 3


async def test_the_ends_of_what_tasks_wrote_can_be_read(site: Site) -> None:
    sent = batch(site, site.quick, jobs=1)
    jobs = await submitted(site, sent)
    await until(site, jobs, over)
    wanted = [TaskNumber(n) for n in (0, 2, 77)]

    found = await site.driver.outputs(jobs[0], wanted, Output.OUT, 100)

    assert sorted(found) == [0, 2]
    assert found[TaskNumber(2)] in (b"parameter 2\n", b"out of task 2\n")
    ends = {task: text[-2:] for task, text in found.items()}
    assert await site.driver.outputs(jobs[0], wanted, Output.OUT, 2) == ends
    lost = attrs.evolve(sent, tag="cgtest-1-000000077")
    (unknown,) = refs(lost, {JobId(10): site.unknown})
    assert await site.driver.outputs(unknown, wanted, Output.OUT, 100) == {}


async def test_cancelled_tasks_end_or_never_begin_and_the_others_go_on(site: Site) -> None:
    jobs = await submitted(site, batch(site, site.endless, jobs=1, tasks=5))
    (report,) = await until(site, jobs, lambda told: bool(told[0].running))
    running = TaskNumber(next(iter(report.running)))
    waiting = TaskNumber(4)

    await site.driver.cancel(jobs[0], [running, waiting])
    if site.steerable:
        (report,) = await until(
            site, jobs, lambda told: running in {e.task for e in told[0].ended}
        )
        assert {end.task for end in ran(report)} == {running}
        assert {end.ending for end in ran(report)} <= KILLED
        others = [TaskNumber(n) for n in range(4) if n != running]
        for task in others:
            await site.driver.cancel(jobs[0], [task])
    (report,) = await until(site, jobs, over)

    assert waiting not in {end.task for end in ran(report)}
    await site.driver.cancel(jobs[0], [running])  # no error


@pytest.mark.parametrize("kind", [JobKind.PROLOGUE, JobKind.EPILOGUE])
async def test_a_step_is_a_job_with_one_order(site: Site, kind: JobKind) -> None:
    order = TaskOrder(TaskNumber(0), 1, TaskId(0), "")
    step = attrs.evolve(
        batch(site, "", jobs=1), jobs={JobId(10): [order]}, kind=kind, script="cd /\ntrue\n"
    )
    if site.driver.capacity.arrays:
        step = attrs.evolve(step, shape=Shape.ARRAY)
    given = await site.driver.submit(step)

    (report,) = await until(site, refs(step, given), over)

    assert report.state is RemoteState.ENDED
    assert [(end.task, end.ending, end.exit_status) for end in report.ended] == [
        (0, Ending.EXITED, 0)
    ]
    assert await site.driver.find(step.tag, site.user, [JobId(10)]) == given
