"""What every driver promises: the same tests on each of them."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path

import attrs
import pytest

from cigri.clusters.driver import (
    Batch,
    ClusterDriver,
    JobRef,
    JobReport,
    Output,
    RemoteState,
    TaskOrder,
)
from cigri.clusters.identity import own_login
from cigri.clusters.local import LocalDriver
from cigri.clusters.options import LocalOptions
from cigri.clusters.simulated import SimulatedCluster
from cigri.domain.model import (
    CampaignId,
    ClusterSettings,
    JobId,
    JobKind,
    RemoteId,
    TaskId,
    TaskNumber,
)
from cigri.domain.verdict import Ending


@attrs.frozen(kw_only=True)
class Site:
    """A driver, how to let time pass, and what to run there."""

    driver: ClusterDriver
    #: Lets a little time pass.
    wait: Callable[[], object]
    #: A command that ends at once, and one that does not end.
    quick: str
    endless: str


async def _local(tmp_path: Path) -> AsyncIterator[Site]:
    async def wait() -> None:
        await asyncio.sleep(0.02)

    driver = LocalDriver(tmp_path / "local", LocalOptions(slots=2, allow_root=True))
    yield Site(driver=driver, wait=wait, quick="/bin/echo", endless="/bin/sh -c 'exec sleep 1000'")
    for worker in driver._workers.values():
        process = worker._process
        if process is not None:
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGTERM)
            process.wait(20)


async def _simulated(tmp_path: Path) -> AsyncIterator[Site]:
    now = [1000.0]

    async def wait() -> None:
        now[0] += 1.0

    cluster = SimulatedCluster(lambda: now[0], slots=2)
    yield Site(driver=cluster, wait=wait, quick="1", endless="1000000")


@pytest.fixture(params=[_local, _simulated], ids=["local", "simulated"])
async def site(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Site]:
    async for found in request.param(tmp_path):
        yield found


def batch(command: str, tag: str = "cgtest-1-000000001", jobs: int = 2, tasks: int = 3) -> Batch:
    orders = {
        JobId(10 + job): [
            TaskOrder(TaskNumber(n), 1, TaskId(100 + n), f"parameter {n}")
            for n in range(job * tasks, (job + 1) * tasks)
        ]
        for job in range(jobs)
    }
    return Batch(
        tag=tag,
        user=own_login(),
        campaign=CampaignId(1),
        campaign_name="contract",
        settings=ClusterSettings(exec_file=command, exec_directory="/"),
        jobs=orders,
    )


def refs(remote_ids: dict[JobId, RemoteId]) -> list[JobRef]:
    return [JobRef(remote_id=found, user=own_login()) for found in remote_ids.values()]


async def until(
    site: Site, jobs: list[JobRef], condition: Callable[[list[JobReport]], bool]
) -> list[JobReport]:
    """Return the reports, each from the beginning, as soon as they are as wanted."""
    for _ in range(1500):
        told = await site.driver.status(jobs)
        reports = [told[job.remote_id] for job in jobs]
        if condition(reports):
            return reports
        await site.wait()  # type: ignore[misc]
    raise AssertionError(reports)


def over(reports: list[JobReport]) -> bool:
    return all(
        report.state not in (RemoteState.WAITING, RemoteState.RUNNING) for report in reports
    )


async def test_jobs_run_all_their_tasks_and_tell_how_each_ended(site: Site) -> None:
    given = await site.driver.submit(batch(site.quick))

    reports = await until(site, refs(dict(given)), over)

    assert len(set(given.values())) == 2
    assert [report.state for report in reports] == [RemoteState.ENDED] * 2
    ended = [end for report in reports for end in report.ended]
    assert sorted(end.task for end in ended) == list(range(6))
    assert {(end.ending, end.exit_status) for end in ended} == {(Ending.EXITED, 0)}
    assert all(end.ended_at >= end.started_at for end in ended)


async def test_what_was_told_is_not_told_again(site: Site) -> None:
    given = await site.driver.submit(batch(site.quick))
    reports = await until(site, refs(dict(given)), over)

    again = [
        attrs.evolve(job, read_to=report.read_to)
        for job, report in zip(refs(dict(given)), reports, strict=True)
    ]

    assert all(not report.ended for report in (await site.driver.status(again)).values())


async def test_jobs_are_found_by_their_tag_and_by_no_other(site: Site) -> None:
    wanted = batch(site.quick)
    given = await site.driver.submit(wanted)

    assert await site.driver.find(wanted.tag, own_login(), list(wanted.jobs)) == given
    assert await site.driver.find("cgtest-1-000000002", own_login(), list(wanted.jobs)) == {}
    more = [*wanted.jobs, JobId(99)]
    assert await site.driver.find(wanted.tag, own_login(), more) == given


async def test_jobs_that_ended_are_still_found(site: Site) -> None:
    wanted = batch(site.quick)
    given = await site.driver.submit(wanted)
    await until(site, refs(dict(given)), over)
    await site.driver.forget(refs(dict(given)))

    assert await site.driver.find(wanted.tag, own_login(), list(wanted.jobs)) == given
    reports = await until(site, refs(dict(given)), over)
    assert len(reports[0].ended) == 3


async def test_a_job_that_the_cluster_does_not_know_is_lost(site: Site) -> None:
    unknown = JobRef(remote_id=RemoteId("cgtest-1-000000077.0"), user=own_login())

    told = await site.driver.status([unknown])

    assert told[unknown.remote_id].state is RemoteState.LOST


async def test_a_killed_job_ends_and_its_tasks_say_so(site: Site) -> None:
    given = await site.driver.submit(batch(site.endless, jobs=1))
    jobs = refs(dict(given))
    (running,) = await until(site, jobs, lambda told: bool(told[0].running))
    assert running.state is RemoteState.RUNNING

    await site.driver.kill(jobs)
    (report,) = await until(site, jobs, over)

    assert report.state is RemoteState.KILLED
    assert {end.ending for end in report.ended} == {Ending.KILLED}
    # Others may have started since.
    assert {end.task for end in report.ended} >= set(running.running)
    await site.driver.kill(jobs)  # no error
    await site.driver.withdraw(jobs)


async def test_a_withdrawn_job_ends_with_what_runs(site: Site) -> None:
    given = await site.driver.submit(batch(site.endless, jobs=1))
    jobs = refs(dict(given))
    await until(site, jobs, lambda told: bool(told[0].running))

    await site.driver.withdraw(jobs)
    report = await site.driver.status(jobs)
    assert report[jobs[0].remote_id].state is RemoteState.RUNNING

    await site.driver.kill(jobs)
    (ended,) = await until(site, jobs, over)
    assert len(ended.ended) < 3


async def test_the_output_of_a_task_can_be_read(site: Site) -> None:
    given = await site.driver.submit(batch(site.quick, jobs=1))
    jobs = refs(dict(given))
    await until(site, jobs, over)

    text = await site.driver.output(jobs[0], TaskNumber(1), Output.OUT, 100)

    assert text in (b"parameter 1\n", b"out of task 1\n")
    assert await site.driver.output(jobs[0], TaskNumber(1), Output.OUT, 2) == text[-2:]


async def test_the_outputs_of_several_tasks_are_read_at_once(site: Site) -> None:
    given = await site.driver.submit(batch(site.quick, jobs=1))
    jobs = refs(dict(given))
    await until(site, jobs, over)
    wanted = [TaskNumber(n) for n in (0, 2, 77)]

    found = await site.driver.outputs(jobs[0], wanted, Output.OUT, 100)

    assert {task: await site.driver.output(jobs[0], task, Output.OUT, 100) for task in found} == (
        found
    )
    assert sorted(found) == [0, 2]
    lost = JobRef(remote_id=RemoteId("cgtest-1-000000077.0"), user=own_login())
    assert await site.driver.outputs(lost, wanted, Output.OUT, 100) == {}


async def test_cancelled_tasks_end_or_never_begin_and_the_others_go_on(site: Site) -> None:
    given = await site.driver.submit(batch(site.endless, jobs=1, tasks=5))
    jobs = refs(dict(given))
    (report,) = await until(site, jobs, lambda told: bool(told[0].running))
    running = next(iter(report.running))
    waiting = 4

    await site.driver.cancel(jobs[0], [TaskNumber(running), TaskNumber(waiting)])
    (report,) = await until(site, jobs, lambda told: bool(told[0].ended) and told[0].running)
    assert {(end.task, end.ending) for end in report.ended} == {(running, Ending.KILLED)}
    others = [TaskNumber(n) for n in range(4)]
    for task in others:
        await site.driver.cancel(jobs[0], [task])
    (report,) = await until(site, jobs, over)

    assert waiting not in {end.task for end in report.ended}
    await site.driver.cancel(jobs[0], others)  # no error


@pytest.mark.parametrize("kind", [JobKind.PROLOGUE, JobKind.EPILOGUE])
async def test_a_step_is_a_job_with_one_order(site: Site, kind: JobKind) -> None:
    order = TaskOrder(TaskNumber(0), 1, TaskId(0), "")
    step = attrs.evolve(
        batch("", jobs=1), jobs={JobId(10): [order]}, kind=kind, script="cd /\ntrue\n"
    )
    given = await site.driver.submit(step)

    (report,) = await until(site, refs(dict(given)), over)

    assert report.state is RemoteState.ENDED
    assert [(end.task, end.ending, end.exit_status) for end in report.ended] == [
        (0, Ending.EXITED, 0)
    ]
    assert await site.driver.find(step.tag, own_login(), [JobId(10)]) == given
