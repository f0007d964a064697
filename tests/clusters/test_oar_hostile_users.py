"""Users of clusters of OAR can harm their own tasks, and nobody else's."""

from pathlib import Path

import pytest

from cigri.clusters import node
from cigri.clusters.driver import JobRef, Output, RemoteState
from cigri.clusters.oar.api import OarEvent, OarJob
from cigri.clusters.oar.driver import MOST_JOBS, OarDriver
from cigri.clusters.oar.ends import end_of
from cigri.clusters.oar.files import LONGEST_REST, REST, Files
from cigri.clusters.oar.v2.api import Oar2Api
from cigri.clusters.options import Oar2Options
from cigri.domain.model import JobId, Shape, TaskNumber
from cigri.domain.verdict import Ending
from cigri.errors import ClusterUnreachable, Fault, SubmissionRejected
from tests.clusters.test_oar_driver import TAG, Site, batch
from tests.fakes.answering import Answer, answering
from tests.fakes.oar_played import PlayedOar

STARTED = "S 10 1 0 1000.5 0 0\n"
HUNG = ClusterUnreachable("no answer within 30 s", fault=Fault.TIMEOUT)


class Homes(PlayedOar):
    """Some users' files hang, or cannot be written."""

    def __init__(self) -> None:
        super().__init__()
        self.hanging: dict[str, Exception] = {}
        self.closed: set[str] = set()

    async def read(self, path: str, user: str, **more: object) -> bytes | None:
        self._ask(f"read {user}")
        if user in self.hanging:
            raise self.hanging[user]
        return self.files.get((user, path))

    async def write(self, path: str, user: str, data: bytes) -> None:
        if user in self.closed:
            raise SubmissionRejected(f"{path} cannot be written in the home of {user}")
        await super().write(path, user, data)


@pytest.fixture
def homes() -> Homes:
    return Homes()


@pytest.fixture
def site(tmp_path: Path, homes: Homes) -> Site:
    site = Site(tmp_path)
    site.oar = homes
    options = Oar2Options(url="http://oar.example.org/oarapi")
    site.driver = OarDriver(tmp_path, options, api=homes, now=lambda: homes.time)
    return site


def group(user: str, number: int) -> JobRef:
    return JobRef(
        remote_id=str(number),  # type: ignore[arg-type]
        user=user,
        tag=TAG,
        open={0: TaskNumber(10), 1: TaskNumber(11)},
        shape=Shape.GROUP,
    )


ALICE, MALLORY = group("alice", 101), group("mallory", 102)


async def read_by(files: Files, homes: Homes, *jobs: JobRef) -> set[str]:
    """Return whose journals were read and told."""
    homes.calls.clear()
    told = await files.journals(jobs, jobs)
    return {job.user for job in jobs if job.remote_id in told}


async def test_a_journal_that_hangs_keeps_nobody_else_waiting(homes: Homes) -> None:
    files = Files(homes, lambda: homes.time)
    homes.files["alice", node.journal_file(ALICE)] = STARTED.encode()
    homes.hanging["mallory"] = HUNG

    assert await read_by(files, homes, ALICE, MALLORY) == {"alice"}
    assert await read_by(files, homes, ALICE, MALLORY) == {"alice"}
    assert homes.calls == ["read alice"]

    homes.time += REST
    assert await read_by(files, homes, ALICE, MALLORY) == {"alice"}
    assert "read mallory" in homes.calls
    homes.time += REST
    await read_by(files, homes, ALICE, MALLORY)
    assert "read mallory" not in homes.calls

    homes.time += LONGEST_REST
    del homes.hanging["mallory"]
    assert await read_by(files, homes, ALICE, MALLORY) == {"alice", "mallory"}


@pytest.mark.parametrize(
    "hanging",
    [
        {"alice": HUNG, "mallory": HUNG},
        {"mallory": ClusterUnreachable("html", fault=Fault.SERVER_ERROR)},
    ],
    ids=["several users", "another fault"],
)
async def test_a_cluster_that_hangs_is_told_from_a_user(
    homes: Homes, hanging: dict[str, Exception]
) -> None:
    homes.hanging |= hanging

    with pytest.raises(ClusterUnreachable):
        await Files(homes, lambda: homes.time).journals([ALICE, MALLORY], [ALICE, MALLORY])


async def test_who_closes_their_directory_has_no_cluster_held(site: Site, homes: Homes) -> None:
    """OAR has made another job for a group, whose worker is to be told that it is not wanted."""
    job, _ = await site.groups()
    homes.closed.add("alice")
    homes.err(101, why=[("RESUBMIT_JOB_AUTOMATICALLY", "(new id = 700)")])

    report = await site.status(job)

    assert report.state is RemoteState.ENDED
    assert "delete 700" in homes.calls


async def test_a_list_of_cancelled_tasks_holds_only_those_of_its_job(site: Site) -> None:
    job, _ = await site.groups()
    path = node.cancel_file(job)
    site.oar.files["alice", path] = b"11\n\xff$(id) 99999\n" + b"x" * 1_000_000

    await site.driver.cancel(job, [TaskNumber(10)])

    assert site.oar.files["alice", path] == b"10\n11\n"


async def test_a_journal_of_millions_of_lines_is_read_from_its_end(site: Site) -> None:
    """A cluster may send more than the lines that were asked for."""
    job, _ = await site.groups()
    site.oar.run(101)
    site.oar.files["alice", node.journal_file(job)] = b"\n" * 4_000_000 + STARTED.encode()

    report = await site.status(job)

    assert report.running == {10: 1000.5}


async def test_jobs_of_others_in_a_listing_are_passed_over(site: Site) -> None:
    job = await site.array(1)
    site.oar.end(101)
    site.oar.told.clear()
    others = [OarJob(id=number, state="Error") for number in range(5000, 5100)]
    before = site.oar.jobs

    async def more(ids: list[int], user: str) -> object:
        look = await before(ids, user)
        return look._replace(jobs=[*look.jobs, *others])

    site.oar.jobs = more  # type: ignore[method-assign]
    report = await site.status(job)

    assert [end.ending for end in report.ended] == [Ending.EXITED]
    assert not any(call.startswith("events") for call in site.oar.calls)


async def test_a_place_that_no_array_has_fills_no_memory(site: Site) -> None:
    async def named(name: str, user: str) -> list[OarJob]:
        return [
            OarJob(id=7, state="Waiting", array_index=1),
            OarJob(id=8, state="Waiting", array_index=10**12),
            OarJob(id=9, state="Waiting", array_index=-3),
            OarJob(id=10, state="Waiting", array_index=MOST_JOBS),
        ]

    site.oar.named = named  # type: ignore[method-assign]
    found = await site.driver.find(TAG, "alice", [JobId(1)])

    assert found[JobId(1)].startswith("7,-,")
    assert found[JobId(1)].endswith(",10")


@pytest.mark.parametrize("number", ["9" * 5000, "9" * 19])
def test_a_number_that_no_job_has_is_none(number: str) -> None:
    job = OarJob(id=1, state="Error", start_time=5.0)
    said = OarEvent(
        job_id=1, type="RESUBMIT_JOB_AUTOMATICALLY", description=f"(new id = {number})"
    )

    assert end_of(job, [said]).moved is None


def test_what_a_cluster_says_moves_no_cursor() -> None:
    job = OarJob(id=1, state="Error", start_time=5.0)
    said = OarEvent(job_id=1, type="EXIT_VALUE_OAREXEC", description="\x1b[2J\x9bgone\r\nso")

    assert end_of(job, [said]).message == "EXIT_VALUE_OAREXEC: [2J gone so"


@pytest.mark.parametrize(
    "answer",
    [
        Answer('{"code": 500, "title": "Chmod error", "message": "\\u001b[31mno"}', 500),
        Answer('{"code": 403, "title": "Forbidden", "message": "no"}', 403),
        Answer('{"code": 401, "title": "x", "message": "no such user"}', 401),
    ],
    ids=["500", "403", "401"],
)
async def test_a_home_that_cannot_be_written_is_its_users_own(answer: Answer) -> None:
    who = Answer('{"authenticated_user": "alice"}')
    for before in ([who], [who, Answer("", 201, "application/octet-stream")]):
        async with answering(*before, answer) as server:
            api = Oar2Api(Oar2Options(url=server.url))
            try:
                with pytest.raises(SubmissionRejected) as caught:
                    await api.write(".cigri/a/run", "alice", b"x")
            finally:
                await api.close()

        assert str(caught.value).isprintable()


async def test_a_user_whom_the_cluster_has_forgotten_is_no_illness_of_it() -> None:
    gone = Answer('{"code": 401, "title": "x", "message": "Oardodo error: 52"}', 401)
    async with answering(gone) as server:
        api = Oar2Api(Oar2Options(url=server.url))
        try:
            with pytest.raises(SubmissionRejected, match="alice"):
                await api.read(".cigri/a", "alice", limit=10)
        finally:
            await api.close()


async def test_a_condition_is_sent_as_no_database_misreads_it(site: Site) -> None:
    """OAR 3 answers nobody any more once its database has not understood something."""
    await site.driver.submit(
        batch(properties="mem!=-1and\thost='a  b'\u2003", resources="{mem>4or core=1}/core=2")
    )

    (order,) = site.oar.orders
    assert order.properties == "mem != -1 and host = 'a  b'"
    assert order.resource.startswith("{mem > 4 or core = 1}/core=2,")


async def test_output_of_a_long_forged_journal_is_looked_for_aside(site: Site) -> None:
    job, _ = await site.groups()
    forged = b"S 10 1 0 1.5 -5 99999999999999999999\n" * 50_000
    real = b"S 10 1 0 1.5 0 0\nE 10 1 0 0 - 1.5 2.5 0 4 0 0\n"
    site.oar.files["alice", node.journal_file(job)] = forged + real
    site.oar.files["alice", node.packed_file(job, 0, Output.OUT)] = b"one\ntwo\n"

    found = await site.driver.outputs(job, [TaskNumber(10)], Output.OUT, 100)

    assert found == {10: b"one\n"}
