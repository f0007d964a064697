"""What becomes of tasks on a played OAR 3 when something happens to their jobs."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import attrs
import pytest

from cigri.clusters.driver import Batch, JobRef, JobReport, RemoteState
from cigri.clusters.oar import OarDriver
from cigri.clusters.options import Oar3Options
from cigri.domain.model import JobId, Shape
from cigri.domain.verdict import Ending
from cigri.errors import SubmissionRejected, SubmissionUnknown
from tests.clusters.sites import Site
from tests.clusters.test_contract import batch, over, refs, submitted, until
from tests.fakes.oar3 import Oar3, playing, token

JOB = JobId(10)


@pytest.fixture
async def played(tmp_path: Path) -> AsyncIterator[Oar3]:
    async with playing(tmp_path / "homes", cores=4) as server:
        yield server


@pytest.fixture
def now() -> list[float]:
    return [1000.0]


@pytest.fixture
async def site(played: Oar3, tmp_path: Path, now: list[float]) -> AsyncIterator[Site]:
    async def wait() -> None:
        now[0] += 1.0

    driver = OarDriver(tmp_path / "oar", Oar3Options(url=played.url), now=lambda: now[0])
    assert driver.credentials is not None
    driver.credentials.put("alice", token("alice"))
    yield attrs.evolve(ARRAY, driver=driver, wait=wait)
    await driver.close()


ARRAY = Site(
    driver=None,  # type: ignore[arg-type]
    wait=None,  # type: ignore[arg-type]
    unknown=None,  # type: ignore[arg-type]
    endless="/bin/sh -c 'exec sleep 1000'",
    user="alice",
    shape=Shape.ARRAY,
)


async def running(site: Site, sent: Batch) -> list[JobRef]:
    jobs = await submitted(site, sent)
    await until(site, jobs, lambda told: len(told[0].running) == len(jobs[0].open))
    return jobs


async def ended(site: Site, jobs: list[JobRef]) -> dict[int, Ending]:
    (report,) = await until(site, jobs, over)
    return {int(end.task): end.ending for end in report.ended}


async def test_walltime_is_told_from_other_kills(site: Site) -> None:
    sent = attrs.evolve(batch(site, site.endless, jobs=1, tasks=1), walltime=1.0)

    assert await ended(site, await submitted(site, sent)) == {0: Ending.WALLTIME}


async def test_what_somebody_deletes_had_run_or_had_not(site: Site, played: Oar3) -> None:
    jobs = await submitted(site, batch(site, site.endless, jobs=1, tasks=5))
    await until(site, jobs, lambda told: len(told[0].running) == 4)

    for number in played.cluster.jobs:
        played._frag("alice", number)

    assert await ended(site, jobs) == {
        **dict.fromkeys(range(4), Ending.DELETED),
        4: Ending.REMOVED,
    }


async def test_what_is_preempted_was_killed(site: Site, played: Oar3) -> None:
    jobs = await running(site, batch(site, site.endless, jobs=1, tasks=1))
    played.cluster.preempt(700001)

    assert await ended(site, jobs) == {0: Ending.KILLED}


@pytest.mark.parametrize(
    ("happen", "ending"),
    [
        (lambda oar: oar.cluster.preempt(700001), Ending.KILLED),
        (lambda oar: oar.cluster._bring_node_down(oar.cluster.jobs[700001]), Ending.NODE_FAILED),
    ],
    ids=["preempted", "node down"],
)
async def test_what_oar_submits_again_is_followed(
    site: Site, played: Oar3, happen: Callable[[Oar3], None], ending: Ending
) -> None:
    sent = batch(site, site.endless, jobs=1, tasks=1)
    settings = attrs.evolve(sent.settings, cluster_job_type="idempotent")
    jobs = await running(site, attrs.evolve(sent, settings=settings))
    happen(played)

    (report,) = await until(site, jobs, lambda told: bool(told[0].moved))

    assert report.moved == {0: 700002}
    assert [end.ending for end in report.ended] == [ending]
    assert report.state is RemoteState.RUNNING


async def test_an_array_with_a_hole_is_found_with_it(site: Site, played: Oar3) -> None:
    sent = batch(site, site.endless, jobs=1)
    played.fault("steal", "POST", "/jobs")
    with pytest.raises(SubmissionUnknown):
        await site.driver.submit(sent)

    found = await site.driver.find(sent.tag, "alice", [JOB])

    assert found == {JOB: "700001,-,700003"}
    (report,) = await until(site, refs(sent, found), lambda told: len(told[0].running) == 2)
    assert [(end.task, end.ending) for end in report.ended] == [(1, Ending.REMOVED)]


async def test_a_journal_that_may_not_be_read_loses_no_task(site: Site, played: Oar3) -> None:
    group = attrs.evolve(site, shape=Shape.GROUP)
    jobs = await submitted(group, batch(group, site.quick, jobs=1))
    await until(site, jobs, lambda _: not played.cluster.live())
    played.revoked.add("alice")

    report = (await site.driver.status(jobs))[jobs[0].remote_id]
    assert report == JobReport(state=RemoteState.RUNNING)

    played.revoked.clear()
    assert await ended(site, jobs) == dict.fromkeys(range(3), Ending.EXITED)


async def test_a_token_of_somebody_else_is_no_token(site: Site) -> None:
    credentials = site.driver.credentials
    assert credentials is not None
    credentials.put("alice", token("bob"))

    with pytest.raises(SubmissionRejected, match="is one of 'bob'"):
        await submitted(site, batch(site, site.quick))
    credentials.remove("alice")
    assert "cigri token cluster add" in (site.driver.refusal("alice") or "")


async def test_all_of_it_is_read_where_nothing_can_be_written(site: Site, played: Oar3) -> None:
    sent = batch(site, site.quick, jobs=1)
    jobs = await submitted(site, sent)
    await until(site, jobs, over)

    await site.driver.renounce(sent.tag, "alice")
    await site.driver.withdraw(jobs)

    assert played.asked("POST", "/media") == []


@pytest.mark.parametrize("text", ["mem!=-1", "mem>4and core<100", "mem > 4\u2003"])
async def test_a_condition_that_its_database_misreads_does_not_arrive_so(
    site: Site, played: Oar3, text: str
) -> None:
    sent = batch(site, site.quick, jobs=1, tasks=1)
    settings = attrs.evolve(sent.settings, properties=text)

    await site.driver.submit(attrs.evolve(sent, settings=settings))

    assert not played.poisoned
