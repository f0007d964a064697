"""What the driver of OAR clusters decides, whichever version of OAR it speaks to."""

import base64
import itertools
import math
import random
from pathlib import Path

import attrs
import pytest

from cigri.clusters import node
from cigri.clusters.driver import Batch, JobRef, JobReport, Output, RemoteState, TaskOrder
from cigri.clusters.oar.api import OarJob
from cigri.clusters.oar.driver import FRESH, OarDriver
from cigri.clusters.oar.ends import OarEnd
from cigri.clusters.oar.reports import group_report
from cigri.clusters.oar.stopping import AGAIN
from cigri.clusters.oar.verdicts import PATIENCE
from cigri.clusters.oar.watch import Seen
from cigri.clusters.options import Oar2Options, Oar3Options
from cigri.domain import portions
from cigri.domain.model import (
    CampaignId,
    CampaignType,
    ClusterSettings,
    JobId,
    RemoteId,
    Shape,
    TaskId,
    TaskNumber,
)
from cigri.domain.verdict import Ending, TaskEnd
from cigri.errors import ClusterUnreachable, SubmissionRejected
from tests.fakes.oar3 import token
from tests.fakes.oar_played import PlayedOar

TAG = "cg12-1-000000001"
SETTINGS = ClusterSettings(exec_file="./run.sh", resources="/core=2", walltime=600.0)
ALICE = ("FRAG_JOB_REQUEST", "User alice requested to frag the job")


class Site:
    def __init__(self, tmp_path: Path, **options: object) -> None:
        self.oar = PlayedOar()
        given = Oar2Options(url="http://oar.example.org/oarapi", **options)
        self.driver = OarDriver(tmp_path, given, api=self.oar, now=lambda: self.oar.time)

    async def array(self, tasks: int = 3) -> JobRef:
        """Submit an array of *tasks*, numbered from 10."""
        found = await self.driver.submit(batch(tasks=tasks))
        return JobRef(
            remote_id=found[JobId(1)],
            user="alice",
            shape=Shape.ARRAY,
            tag=TAG,
            open={place: TaskNumber(10 + place) for place in range(tasks)},
            positions=lambda task: task - 10,
        )

    async def groups(self) -> list[JobRef]:
        """Submit two groups of two tasks."""
        wanted = batch(tasks=2, jobs=2, shape=Shape.GROUP)
        found = await self.driver.submit(wanted)
        return [
            JobRef(
                remote_id=found[job],
                user="alice",
                tag=TAG,
                place=place,
                open={n: order.task for n, order in enumerate(orders)},
            )
            for place, (job, orders) in enumerate(wanted.jobs.items())
        ]

    async def status(self, job: JobRef) -> JobReport:
        self.oar.calls.clear()
        return (await self.driver.status([job]))[job.remote_id]

    def write(self, job: JobRef, *lines: str) -> None:
        """Let the worker of a group write lines into its journal."""
        path = node.journal_file(job)
        before = self.oar.files.get(("alice", path), b"")
        self.oar.files["alice", path] = before + "".join(f"{line}\n" for line in lines).encode()


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def batch(
    *, tasks: int = 3, jobs: int = 1, shape: Shape = Shape.ARRAY, **settings: object
) -> Batch:
    return Batch(
        tag=TAG,
        user="alice",
        campaign=CampaignId(1),
        campaign_name="c",
        settings=attrs.evolve(SETTINGS, **settings),
        jobs={
            JobId(1 + job): [
                TaskOrder(TaskNumber(10 + job * tasks + n), 1, TaskId(100 + n), str(n))
                for n in range(tasks)
            ]
            for job in range(jobs)
        },
        shape=shape,
        walltime=600.0,
    )


def told(report: JobReport) -> list[tuple[int, Ending, int | None]]:
    return [(end.task, end.ending, end.exit_status) for end in report.ended]


# ----- submission


async def test_an_array_is_one_request_and_one_job(site: Site) -> None:
    ref = await site.array()

    assert ref.remote_id == "101-103"
    (order,) = site.oar.orders
    assert (order.name, order.user, len(order.lines)) == (TAG, "alice", 3)
    assert order.resource == "/core=2,walltime=0:10:0"
    assert order.types == ("besteffort",)
    # What it needs is there before it is.
    assert site.oar.calls[-1] == "submit"
    assert f"write .cigri/{TAG}/run" in site.oar.calls


async def test_groups_of_a_submission_are_one_request_too(site: Site) -> None:
    refs = await site.groups()

    assert [ref.remote_id for ref in refs] == ["101", "102"]
    (order,) = site.oar.orders
    assert len(order.lines) == 2
    # They may last a little longer than their tasks.
    assert order.resource == "/core=2,walltime=0:11:0"


async def test_what_a_campaign_asks_of_oar_goes_along(site: Site) -> None:
    await site.driver.submit(
        batch(
            type=CampaignType.NORMAL,
            properties="host='node1'",
            project="p",
            cluster_job_type="devel, x",
            checkpointing_type="signal",
        )
    )

    (order,) = site.oar.orders
    assert (order.properties, order.project) == ("host = 'node1'", "p")
    assert order.types == ("devel", "x")
    assert order.checkpoint == 60


async def test_a_short_task_is_not_warned_before_it_can_know_what_to_do(site: Site) -> None:
    await site.driver.submit(attrs.evolve(batch(checkpointing_type="signal"), walltime=50.0))

    (order,) = site.oar.orders
    assert order.checkpoint == 25


async def test_the_longest_group_fits_into_one_command(tmp_path: Path) -> None:
    """Where no file can be written, all of a group is in the command of its job."""
    oar = PlayedOar(can_write=False)
    driver = OarDriver(tmp_path, Oar3Options(url="http://oar.example.org"), api=oar)
    assert driver.credentials is not None
    driver.credentials.put("alice", token("alice"))
    chance = random.Random(1)
    words = [base64.b64encode(chance.randbytes(75)).decode() for _ in range(2000)]
    most = driver.capacity.most_parameter_bytes or math.inf
    sizes = portions.within([len(words)], [len(word) + 1 for word in words], most)
    orders = [TaskOrder(TaskNumber(n), 1, TaskId(100 + n), word) for n, word in enumerate(words)]
    cuts = list(itertools.pairwise([0, *itertools.accumulate(sizes)]))
    jobs = {JobId(n): orders[first:end] for n, (first, end) in enumerate(cuts)}

    await driver.submit(attrs.evolve(batch(shape=Shape.GROUP), jobs=jobs))

    (order,) = oar.orders
    assert len(order.lines) == len(sizes) < 10


async def test_files_of_all_submissions_are_sent_once(site: Site) -> None:
    await site.groups()
    sent = [call for call in site.oar.calls if "worker-" in call]
    await site.groups()

    assert len(sent) == 1
    assert [call for call in site.oar.calls if "worker-" in call] == sent


@pytest.mark.parametrize("user", ["alice-evil", "jean-pierre", "root", "oar", "é"])
async def test_who_would_be_taken_for_somebody_else_submits_nothing(site: Site, user: str) -> None:
    assert site.driver.refusal(user)
    with pytest.raises(SubmissionRejected):
        await site.driver.submit(attrs.evolve(batch(), user=user))

    assert not site.oar.calls


async def test_only_those_who_may_use_it_submit(tmp_path: Path) -> None:
    site = Site(tmp_path, users=("bob",))

    assert site.driver.refusal("bob") is None
    assert "alice" in str(site.driver.refusal("alice"))


def test_without_a_token_oar_3_knows_nobody(tmp_path: Path) -> None:
    options = Oar3Options(url="http://oar.example.org")
    driver = OarDriver(tmp_path, options, api=PlayedOar(can_write=False))

    assert "token" in str(driver.refusal("alice"))
    assert driver.credentials is not None


# ----- looking for what was submitted


async def test_an_array_is_found_by_its_tag(site: Site) -> None:
    ref = await site.array()

    assert await site.driver.find(TAG, "alice", [JobId(1)]) == {JobId(1): ref.remote_id}
    assert await site.driver.find("cg12-1-000000002", "alice", [JobId(1)]) == {}


async def test_half_an_array_is_paired_by_place_not_by_number(site: Site) -> None:
    await site.array(4)
    for number in (102, 104):
        del site.oar.names[number]

    assert await site.driver.find(TAG, "alice", [JobId(1)]) == {JobId(1): "101,-,103"}


async def test_groups_are_found_one_by_one(site: Site) -> None:
    await site.groups()
    del site.oar.names[101]

    assert await site.driver.find(TAG, "alice", [JobId(1), JobId(2)]) == {JobId(2): "102"}


# ----- status


async def test_one_request_tells_of_all_jobs(site: Site) -> None:
    refs = [await site.array(), await site.array()]
    site.oar.run(101)
    site.oar.end(102, code=768)
    site.oar.end(106, code=9)

    site.oar.calls.clear()
    reports = await site.driver.status(refs)

    assert site.oar.calls == ["jobs 101,102,103,104,105,106"]
    first, second = (reports[ref.remote_id] for ref in refs)
    assert (first.state, dict(first.running)) == (RemoteState.RUNNING, {10: 1000.0})
    assert told(first) == [(11, Ending.EXITED, 3)]
    assert told(second) == [(12, Ending.EXITED, -9)]


async def test_an_array_is_over_when_all_of_it_is(site: Site) -> None:
    ref = await site.array(2)
    assert (await site.status(ref)).state is RemoteState.WAITING

    site.oar.end(101)
    report = await site.status(ref)
    assert report.state is RemoteState.RUNNING

    left = attrs.evolve(ref, open={1: TaskNumber(11)})
    site.oar.end(102)
    assert (await site.status(left)).state is RemoteState.ENDED
    assert told(await site.status(left)) == [(11, Ending.EXITED, 0)]


async def test_events_are_asked_for_where_a_job_is_in_error_only(site: Site) -> None:
    ref = await site.array(4)
    site.oar.end(101)
    site.oar.err(102, why=[("WALLTIME", ""), ALICE])
    site.oar.err(103, why=[("BESTEFFORT_KILL", ""), ALICE])
    site.oar.err(104, why=[ALICE], start=0.0)

    report = await site.status(ref)

    assert site.oar.calls == ["jobs 101,102,103,104", "events 102,103,104"]
    assert told(report) == [
        (10, Ending.EXITED, 0),
        (11, Ending.WALLTIME, None),
        (12, Ending.KILLED, None),
        (13, Ending.REMOVED, None),
    ]
    assert "alice" in report.ended[3].message


async def test_what_is_not_listed_goes_on_as_it_was(site: Site) -> None:
    site.oar._room = 2
    ref = await site.array(3)
    site.oar.run(101)
    running = await site.status(ref)
    site.oar.unseen.add(101)

    report = await site.status(attrs.evolve(ref, running=running.running))

    assert dict(report.running) == {10: 1000.0}
    assert not report.ended


async def test_the_job_that_oar_makes_instead_takes_over(site: Site) -> None:
    ref = await site.array(2)
    again = ("RESUBMIT_JOB_AUTOMATICALLY", "[bipbip 101] ... (new id = 120)")
    site.oar.err(101, why=[("BESTEFFORT_KILL", ""), again])

    report = await site.status(ref)

    assert report.moved == {10: 120}
    assert told(report) == [(10, Ending.KILLED, None)]
    assert report.state is RemoteState.RUNNING


async def test_oar_is_waited_for_before_a_failed_node_counts(site: Site) -> None:
    ref = await site.array(1)
    site.oar.err(101, why=[("PING_CHECKER_NODE_SUSPECTED", "node1")])

    report = await site.status(ref)
    assert (report.state, report.ended) == (RemoteState.WAITING, [])

    site.oar.time += PATIENCE + 1
    report = await site.status(ref)
    assert told(report) == [(10, Ending.NODE_FAILED, None)]


async def test_a_submission_that_was_made_void_ran_nothing(site: Site) -> None:
    ref = await site.array(1)
    site.oar.end(101, code=45)

    (end,) = (await site.status(ref)).ended
    assert (end.ending, end.message) == (Ending.REMOVED, "renounced")


async def test_a_job_that_was_never_made_gives_its_task_back(site: Site) -> None:
    ref = attrs.evolve(await site.array(2), remote_id=RemoteId("101,-"))

    report = await site.status(ref)

    assert told(report) == [(11, Ending.REMOVED, None)]
    assert report.state is not RemoteState.ENDED


async def test_a_job_that_oar_forgot_is_lost_after_a_while(site: Site) -> None:
    ref = attrs.evolve(await site.array(2), running={10: 1000.0})
    site.oar.jobs_by_id.clear()

    assert not (await site.status(ref)).ended
    site.oar.time += 61

    report = await site.status(ref)
    assert told(report) == [(10, Ending.LOST, None), (11, Ending.REMOVED, None)]
    assert report.state is RemoteState.ENDED


# ----- groups


async def test_a_waiting_group_has_no_journal_to_read(site: Site) -> None:
    ref, _ = await site.groups()

    assert (await site.status(ref)).state is RemoteState.WAITING
    assert site.oar.calls == ["jobs 101"]


async def test_the_journal_of_a_group_is_read_with_one_request(site: Site) -> None:
    ref, _ = await site.groups()
    site.oar.run(101)
    site.oar.files["alice", node.journal_file(ref)] = b""

    report = await site.status(ref)

    assert report.state is RemoteState.RUNNING
    assert site.oar.calls == ["jobs 101", f"read .cigri/{TAG}/0/journal"]


def test_a_killed_group_loses_only_what_ran() -> None:
    ref = JobRef(
        remote_id=RemoteId("101"), user="alice", open={n: TaskNumber(n) for n in range(4)}
    )
    heard = JobReport(
        state=RemoteState.RUNNING,
        ended=[TaskEnd(TaskNumber(0), Ending.EXITED, 0, 1.0, 2.0)],
        running={1: 2.0},
    )
    over = OarJob(id=101, state="Error", start_time=1.0, stop_time=9.0)
    seen = Seen(jobs={101: over}, lost=(), at=9.0)

    for why, ending in [
        (Ending.KILLED, Ending.KILLED),
        # Its own walltime is not that of its tasks.
        (Ending.WALLTIME, Ending.KILLED),
        (Ending.DELETED, Ending.DELETED),
        (Ending.NODE_FAILED, Ending.NODE_FAILED),
        (Ending.EXITED, Ending.LOST),
    ]:
        report = group_report(ref, seen, {101: OarEnd(why)}, heard)
        assert told(report) == [(0, Ending.EXITED, 0), (1, ending, None)]
        assert (report.state, dict(report.running)) == (RemoteState.ENDED, {})
        assert report.ended[1].ended_at == 9.0


async def test_nothing_is_concluded_from_a_journal_that_lacks_its_end(site: Site) -> None:
    """The file system, or the API, may show it in a moment: its tasks have run."""
    ref, other = await site.groups()
    site.oar.end(101, start=900.0)
    site.oar.err(102, why=[("BESTEFFORT_KILL", "")], start=900.0)

    assert (await site.status(ref)).state is RemoteState.RUNNING
    assert (await site.status(other)).state is RemoteState.RUNNING
    ends = [f"E {task} 1 0 0 - 901.0 902.0 0 0 0 0" for task in (10, 11)]
    site.write(ref, "B 7 900.0", *ends, "X 903.0 done")
    site.write(other, "B 7 900.0", "E 12 1 0 0 - 901.0 902.0 0 0 0 0", "S 13 1 0 902.0 0 0")

    report, killed = await site.status(ref), await site.status(other)

    assert report.state is killed.state is RemoteState.ENDED
    assert told(report) == [(10, Ending.EXITED, 0), (11, Ending.EXITED, 0)]
    assert told(killed) == [(12, Ending.EXITED, 0), (13, Ending.KILLED, None)]


async def test_a_journal_that_never_comes_is_told_of(site: Site) -> None:
    ref, other = await site.groups()
    site.oar.end(101, start=900.0)
    site.oar.err(102, why=[("BESTEFFORT_KILL", "")], start=900.0)
    await site.driver.status([ref, other])
    site.oar.time += PATIENCE + 1

    report, killed = (await site.driver.status([ref, other])).values()

    assert told(report) == [(10, Ending.NOT_STARTED, None)]
    assert "no journal" in report.ended[0].message
    assert (killed.state, killed.ended) == (RemoteState.ENDED, [])


async def test_why_a_group_never_began_is_told_of_one_task(site: Site) -> None:
    ref, other = await site.groups()
    site.oar.end(101, code=46)
    site.oar.err(102, why=[ALICE], start=0.0)

    assert told(await site.status(ref)) == [(10, Ending.NOT_STARTED, None)]
    assert told(await site.status(other)) == [(12, Ending.REMOVED, None)]


async def test_a_worker_that_is_gone_is_told_of_and_sent_again(site: Site) -> None:
    ref, _ = await site.groups()
    site.oar.end(101, code=2 << 8)

    report = await site.status(ref)

    assert told(report) == [(10, Ending.NOT_STARTED, None)]
    assert "worker" in report.ended[0].message
    await site.groups()
    assert len([call for call in site.oar.calls if "worker-" in call]) == 1


async def test_a_group_that_oar_submits_again_is_stopped(site: Site) -> None:
    """Its tasks go back to the bag: two workers would run them twice."""
    ref, _ = await site.groups()
    again = ("RESUBMIT_JOB_AUTOMATICALLY", "101 => 120) (due to event CPUSET_ERROR")
    site.oar.err(101, why=[("CPUSET_ERROR", ""), again], start=0.0)
    site.oar.run(120)

    assert (await site.status(ref)).state is RemoteState.WAITING
    assert site.oar.files["alice", node.stop_file(ref)] == b"kill\n"
    assert "delete 120" in site.oar.calls

    # What the other job ran until it was over is done.
    site.write(ref, "B 7 900.0", "E 10 1 0 0 - 901.0 902.0 0 0 0 0", "X 903.0 killed")
    site.oar.end(120)
    report = await site.status(ref)
    assert report.state is RemoteState.ENDED
    assert not report.moved
    assert told(report) == [(10, Ending.EXITED, 0), (11, Ending.NODE_FAILED, None)]


# ----- stopping


async def test_a_large_array_is_deleted_with_one_request(site: Site) -> None:
    ref = await site.array(8)
    site.oar.calls.clear()

    await site.driver.kill([ref])
    await site.driver.kill([ref])
    assert site.oar.calls == ["delete array 101"]

    site.oar.time += AGAIN
    await site.driver.kill([ref])
    assert site.oar.calls == ["delete array 101"] * 2


@pytest.mark.parametrize(
    ("remote_id", "deleted"),
    [
        # A part of it appeared late: the others are what was asked for.
        ("-,-,103-108", "103,104,105,106,107,108"),
        # OAR has made another job in the stead of the first.
        ("120,102-108", "102,103,104,105,106,107,108,120"),
    ],
)
async def test_an_array_whose_number_nobody_knows_is_deleted_one_by_one(
    site: Site, remote_id: str, deleted: str
) -> None:
    ref = attrs.evolve(await site.array(8), remote_id=RemoteId(remote_id))
    site.oar.calls.clear()

    await site.driver.kill([ref])

    (call,) = site.oar.calls
    assert sorted(call.removeprefix("delete ").split(",")) == deleted.split(",")


async def test_what_is_left_of_an_array_is_deleted_by_number(site: Site) -> None:
    ref = await site.array(8)
    site.oar.calls.clear()

    await site.driver.kill([attrs.evolve(ref, open={3: TaskNumber(13), 7: TaskNumber(17)})])

    assert site.oar.calls == ["delete 104,108"]


async def test_groups_are_deleted_one_by_one_though_they_are_an_array(site: Site) -> None:
    ref, _ = await site.groups()
    site.oar.calls.clear()

    await site.driver.kill([ref])

    assert site.oar.calls == ["delete 101"]


async def test_to_withdraw_what_waits_is_to_delete_it(site: Site) -> None:
    ref = await site.array(8)
    site.oar.calls.clear()

    await site.driver.withdraw([ref])

    assert site.oar.calls == ["delete array 101"]


async def test_what_runs_goes_on_when_the_rest_is_withdrawn(site: Site) -> None:
    ref = await site.array(8)
    site.oar.run(101, 102)
    await site.status(ref)
    site.oar.calls.clear()

    await site.driver.withdraw([ref])

    assert site.oar.calls == [
        f"write {node.void_file(TAG)}",
        "delete 103,104,105,106,107,108",
    ]


async def test_a_running_group_is_told_by_a_file(site: Site) -> None:
    ref, other = await site.groups()
    site.oar.run(101)
    await site.driver.status([ref, other])
    site.oar.calls.clear()

    await site.driver.withdraw([ref, other])
    await site.driver.withdraw([ref, other])

    assert site.oar.calls == [f"write {node.stop_file(ref)}", "delete 102"]
    assert site.oar.files["alice", node.stop_file(ref)] == b"withdraw\n"


async def test_single_tasks_are_cancelled_alone(site: Site) -> None:
    ref = await site.array(8)
    site.oar.calls.clear()

    await site.driver.cancel(ref, [TaskNumber(12), TaskNumber(99)])

    assert site.oar.calls == ["delete 103"]


async def test_cancelled_tasks_of_a_group_add_up(site: Site) -> None:
    ref, _ = await site.groups()

    await site.driver.cancel(ref, [TaskNumber(10)])
    await site.driver.cancel(ref, [TaskNumber(11), TaskNumber(10)])

    assert site.oar.files["alice", node.cancel_file(ref)] == b"10\n11\n"


async def test_what_may_yet_appear_is_made_void(site: Site) -> None:
    await site.driver.renounce(TAG, "alice")

    assert ("alice", node.void_file(TAG)) in site.oar.files


async def test_where_no_file_can_be_written_nothing_is_made_void(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.oar.can_write = False

    await site.driver.renounce(TAG, "alice")

    assert not site.oar.calls


# ----- outputs


async def test_outputs_are_read_by_place(site: Site) -> None:
    ref = await site.array()
    site.oar.files["alice", f".cigri/{TAG}/1.out"] = b"hello\n"

    found = await site.driver.outputs(ref, [TaskNumber(10), TaskNumber(11)], Output.OUT, 4)

    assert found == {11: b"llo\n"}


# ----- the cluster itself


async def test_only_cores_that_are_alive_count(site: Site) -> None:
    assert await site.driver.slots() == 3
    assert await site.driver.slots() == 3
    assert site.oar.calls == ["resources"]

    site.oar.time += FRESH
    await site.driver.slots()
    assert site.oar.calls == ["resources"] * 2


async def test_after_an_illness_the_cluster_itself_is_asked(tmp_path: Path) -> None:
    site = Site(tmp_path, slots=7)
    assert await site.driver.slots() == 7
    ref = await site.array()
    site.oar.fail = ClusterUnreachable("away")
    with pytest.raises(ClusterUnreachable):
        await site.driver.status([ref])

    with pytest.raises(ClusterUnreachable):
        await site.driver.slots()
    site.oar.fail = None
    assert await site.driver.slots() == 7


async def test_the_clocks_are_compared(site: Site) -> None:
    assert site.driver.clock_skew == 5.0


async def test_the_load_is_asked_for_now_and_then(site: Site) -> None:
    assert [await site.driver.stress() for _ in range(3)] == [0.5] * 3
    assert site.oar.calls == ["stress"]
