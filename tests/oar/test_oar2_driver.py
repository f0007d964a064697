"""The driver against a real OAR 2.5: what becomes of jobs, and how OAR tells."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import attrs
import pytest

from cigri.clusters.driver import Batch, JobRef, JobReport, Output, RemoteState, TaskOrder
from cigri.clusters.oar import OarDriver
from cigri.clusters.oar.http import Unanswered
from cigri.clusters.oar.v2.api import Oar2Api
from cigri.clusters.options import Oar2Options
from cigri.domain.model import (
    CampaignId,
    CampaignType,
    ClusterSettings,
    JobId,
    Shape,
    TaskId,
    TaskNumber,
)
from cigri.domain.remote_ids import split_ids
from cigri.domain.verdict import Ending, TaskEnd
from cigri.errors import ClusterUnreachable, Fault, SubmissionRejected
from tests.testbed import oar2 as testbed
from tests.testbed.oar2 import Oar2

pytestmark = [pytest.mark.oar, pytest.mark.slow]

#: Looks at a job that is to end, of half a second.
LOOKS = 240


class Site:
    """A driver and what it has submitted."""

    def __init__(self, tmp_path: Path, **options: object) -> None:
        self.options = Oar2Options(url=testbed.URL, **options)
        self.driver = OarDriver(tmp_path, self.options)
        self.refs: list[JobRef] = []

    async def submit(
        self, *parameters: str, walltime: float = 120.0, **settings: object
    ) -> JobRef:
        """Run ``sh -c PARAMETER`` for each, as an array of alice's."""
        tag = f"cgtest-{uuid.uuid4().hex[:12]}"
        wanted = ClusterSettings(exec_file="sh -c", resources="/core=1", **settings)
        batch = Batch(
            tag=tag,
            user="alice",
            campaign=CampaignId(1),
            campaign_name="real",
            settings=wanted,
            jobs={
                JobId(1): [
                    TaskOrder(TaskNumber(n), 1, TaskId(100 + n), (parameter,))
                    for n, parameter in enumerate(parameters)
                ]
            },
            shape=Shape.ARRAY,
            walltime=walltime,
        )
        found = await self.driver.submit(batch)
        ref = JobRef(
            remote_id=found[JobId(1)],
            user="alice",
            shape=Shape.ARRAY,
            tag=tag,
            open={n: TaskNumber(n) for n in range(len(parameters))},
            positions=int,
        )
        self.refs.append(ref)
        return ref

    async def until(
        self, ref: JobRef, condition: Callable[[dict[int, TaskEnd], JobReport], bool]
    ) -> tuple[dict[int, TaskEnd], JobReport]:
        """Return how tasks have ended as soon as it is as wanted, and the last report."""
        ends: dict[int, TaskEnd] = {}
        for _ in range(LOOKS):
            report = (await self.driver.status([ref]))[ref.remote_id]
            ends |= {end.task: end for end in report.ended}
            open_ = {place: task for place, task in ref.open.items() if task not in ends}
            ref = attrs.evolve(ref, running=report.running, open=open_)
            if condition(ends, report):
                return ends, report
            await asyncio.sleep(0.5)
        raise AssertionError((ends, report))


@pytest.fixture
async def site(oar2: Oar2, tmp_path: Path) -> AsyncIterator[Site]:
    found = Site(tmp_path, checkpoint_warning=15)
    yield found
    await found.driver.kill(found.refs)
    await found.driver.close()


@pytest.fixture
async def full(oar2: Oar2) -> Callable[[], None]:
    """All cores are taken; returns what frees them."""
    (blocker,) = oar2.submit(
        "bob", command="sleep 300", resource=f"/resource_id={testbed.CORES},walltime=0:10:0"
    )
    for _ in range(LOOKS):
        if oar2.get(f"jobs/{blocker}.json")["state"] == "Running":
            break
        await asyncio.sleep(0.5)
    return lambda: oar2.delete("bob", blocker)


def over(count: int) -> Callable[[dict[int, TaskEnd], JobReport], bool]:
    return lambda ends, _: len(ends) == count


def running(*tasks: int) -> Callable[[dict[int, TaskEnd], JobReport], bool]:
    return lambda _, report: set(tasks) <= report.running.keys()


async def test_programs_end_as_they_end_here(site: Site, oar2: Oar2) -> None:
    ref = await site.submit("exit 0", "exit 3", "exit 255", "kill -9 $$", "no-such-command")

    ends, report = await site.until(ref, over(5))

    assert [ends[n].exit_status for n in range(5)] == [0, 3, 255, -9, 127]
    assert {end.ending for end in ends.values()} == {Ending.EXITED}
    assert report.state is RemoteState.ENDED
    ids = split_ids(ref.remote_id)
    rows = [row for row in oar2.jobs_since(0) if int(row["job_id"]) in ids]
    assert [row["job_name"] for row in rows] == [ref.tag] * 5
    assert [(float(r["start_time"]), float(r["stop_time"])) for r in rows] == [
        (ends[n].started_at, ends[n].ended_at) for n in range(5)
    ]


async def test_whoever_deletes_a_job_is_named(site: Site, oar2: Oar2) -> None:
    ref = await site.submit("exec sleep 100")
    await site.until(ref, running(0))

    oar2.delete("alice", *filter(None, split_ids(ref.remote_id)))

    ends, _ = await site.until(ref, over(1))
    assert ends[0].ending is Ending.DELETED
    assert "User alice" in ends[0].message


@pytest.mark.usefixtures("full")
async def test_what_is_deleted_before_it_starts_never_ran(site: Site, oar2: Oar2) -> None:
    ref = await site.submit("exec sleep 100")

    oar2.delete("alice", *filter(None, split_ids(ref.remote_id)))

    ends, _ = await site.until(ref, over(1))
    assert ends[0].ending is Ending.REMOVED


async def test_the_walltime_ends_a_task(site: Site) -> None:
    ref = await site.submit("exec sleep 100", walltime=5.0)

    ends, _ = await site.until(ref, over(1))

    assert ends[0].ending is Ending.WALLTIME
    assert ends[0].ended_at - ends[0].started_at >= 5.0


async def test_jobs_of_the_owners_come_first_and_oar_tries_again(site: Site, oar2: Oar2) -> None:
    ref = await site.submit(*["exec sleep 100"] * 3, cluster_job_type="idempotent")
    plain = await site.submit("exec sleep 100")
    await site.until(ref, running(0, 1, 2))
    await site.until(plain, running(0))

    oar2.submit("bob", command="sleep 2", resource=f"/resource_id={testbed.CORES},walltime=0:1:0")

    ends, _ = await site.until(plain, over(1))
    assert ends[0].ending is Ending.KILLED
    moved: dict[int, int] = {}
    ends, _ = await site.until(
        ref, lambda _, report: moved.update(report.moved) or len(moved) == 3
    )
    assert {end.ending for end in ends.values()} == {Ending.KILLED}
    assert min(moved.values()) > max(filter(None, split_ids(ref.remote_id)))
    # A search by name finds what was submitted, not what OAR made of it.
    assert await site.driver.find(ref.tag, "alice", [JobId(1)]) == {JobId(1): ref.remote_id}
    for number in moved.values():
        oar2.delete("alice", number)


async def test_a_task_is_warned_before_its_end(site: Site) -> None:
    ref = await site.submit(
        "trap 'echo warned; exit 66' USR2; while :; do sleep 0.2; done",
        walltime=40.0,
        checkpointing_type="signal",
    )

    ends, _ = await site.until(ref, over(1))

    assert (ends[0].ending, ends[0].exit_status) == (Ending.EXITED, 66)
    found = await site.driver.outputs(ref, [TaskNumber(0)], Output.OUT, 100)
    assert found == {0: b"warned\n"}


async def test_a_submission_that_was_renounced_runs_nothing(
    site: Site, full: Callable[[], None]
) -> None:
    ref = await site.submit(*["echo ran"] * 3)
    await site.driver.renounce(ref.tag, "alice")
    full()

    ends, _ = await site.until(ref, over(3))

    assert {(end.ending, end.message) for end in ends.values()} == {(Ending.REMOVED, "renounced")}
    assert not await site.driver.outputs(ref, [TaskNumber(0)], Output.OUT, 100)


async def test_many_jobs_are_watched_through_windows(
    site: Site, oar2: Oar2, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Oar2Api, "room", lambda _self, _ids: 1)
    ref = await site.submit(*["sleep 1"] * 8)

    ends, _ = await site.until(ref, over(8))

    assert {end.exit_status for end in ends.values()} == {0}


@pytest.mark.usefixtures("full")
async def test_what_is_withdrawn_never_starts(site: Site) -> None:
    ref = await site.submit(*["exec sleep 100"] * 8)

    await site.driver.withdraw([ref])

    ends, _ = await site.until(ref, over(8))
    assert {end.ending for end in ends.values()} == {Ending.REMOVED}


SSL = testbed.CERTIFICATES
KNOWN = {"ca_certificate": SSL / "ca.crt"}
SHOWN = {"client_certificate": SSL / "cigri.crt", "client_key": SSL / "cigri.key"}
ANOTHER = {"client_certificate": SSL / "server.crt", "client_key": SSL / "server.key"}


async def test_the_certificate_of_cigri_opens_the_door(oar2: Oar2, tmp_path: Path) -> None:
    driver = OarDriver(tmp_path, Oar2Options(url=testbed.TLS_URL, **KNOWN, **SHOWN))

    assert await driver.slots() == testbed.CORES
    await driver.close()


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        # With TLS 1.3 the refusal comes when the request is already on its way.
        (KNOWN, Fault.TLS),
        (SHOWN, Fault.TLS),
        ({**KNOWN, **ANOTHER}, Fault.DENIED),
    ],
    ids=["none", "the cluster's is not known", "that of another"],
)
async def test_nothing_else_does(
    oar2: Oar2, tmp_path: Path, options: dict[str, Path], fault: Fault
) -> None:
    site = Site(tmp_path)
    site.driver = OarDriver(tmp_path, Oar2Options(url=testbed.TLS_URL, **options))

    with pytest.raises(ClusterUnreachable) as caught:
        await site.submit("true")
    await site.driver.close()

    assert caught.value.fault is fault
    assert not isinstance(caught.value, Unanswered)


REFUSED = [
    {"properties": "nosuch = 1"},
    {"cluster_job_type": "nonsense"},
    {"resources": "/core=1000"},
    {"resources": "/nosuch=1"},
]


@pytest.mark.parametrize("settings", REFUSED, ids=str)
async def test_what_oar_refuses_makes_no_job(
    site: Site, oar2: Oar2, settings: dict[str, object]
) -> None:
    tag = f"cgtest-{uuid.uuid4().hex[:12]}"
    ref = Batch(
        tag=tag,
        user="alice",
        campaign=CampaignId(1),
        campaign_name="real",
        settings=ClusterSettings(exec_file="true", **{"resources": "/core=1", **settings}),
        jobs={JobId(1): [TaskOrder(TaskNumber(0), 1, TaskId(1), "")]},
        shape=Shape.ARRAY,
        walltime=60.0,
    )

    with pytest.raises(SubmissionRejected):
        await site.driver.submit(ref)

    assert not oar2.sql(f"SELECT job_id FROM jobs WHERE job_name = '{tag}'")  # noqa: S608


async def test_a_user_whom_the_cluster_does_not_know_is_refused(site: Site, oar2: Oar2) -> None:
    batch = Batch(
        tag="cgtest-unknown",
        user="nobodyatall",
        campaign=CampaignId(1),
        campaign_name="real",
        settings=ClusterSettings(exec_file="true", type=CampaignType.NORMAL),
        jobs={JobId(1): [TaskOrder(TaskNumber(0), 1, TaskId(1), "")]},
        shape=Shape.ARRAY,
        walltime=60.0,
    )

    with pytest.raises(SubmissionRejected, match="nobodyatall"):
        await site.driver.submit(batch)
