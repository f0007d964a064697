"""A server of root and its ordinary users: each runs as themselves, none can turn it on others."""

import asyncio
import fcntl
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

import attrs
import pytest

from cigri.clusters import open_driver
from cigri.clusters.driver import (
    Batch,
    ClusterDriver,
    JobRef,
    JobReport,
    Output,
    RemoteState,
    TaskOrder,
)
from cigri.clusters.identity import Account, account, acting_as, own_login
from cigri.clusters.local import LocalDriver
from cigri.clusters.options import LocalOptions
from cigri.clusters.worker import LOCK, TASKS
from cigri.domain.model import CampaignId, ClusterSettings, JobId, RemoteId, TaskId, TaskNumber
from cigri.domain.verdict import Ending
from cigri.errors import SubmissionRejected

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0, reason="only root can run tasks as somebody else"
)

T = TypeVar("T")
R = RemoteState

#: Accounts that every Linux has and nobody works with.
CANDIDATES = ("daemon", "games", "mail", "bin", "nobody")
PYTHONS = (sys.executable, "/usr/bin/python3", "/usr/local/bin/python3")
#: Seconds that anything may take: what takes longer hangs.
PATIENCE = 20.0

SECRET = "the salary of the director\n"


def ordinary_users() -> list[Account]:
    names = {entry.pw_name for entry in pwd.getpwall()}
    return [account(name) for name in CANDIDATES if name in names][:2]


def runs_for(who: Account, python: str) -> bool:
    command = [python, "-I", "-S", "-c", "import sys; sys.exit(sys.version_info < (3, 9))"]
    with suppress(OSError):
        done = subprocess.run(
            command, user=who.uid, group=who.gid, extra_groups=[], cwd="/", check=False
        )
        return done.returncode == 0
    return False


@attrs.define
class Host:
    """The driver of a root server, and two ordinary users of it."""

    #: The directory of the cluster, into which users may go.
    base: Path
    one: Account
    other: Account
    slots: int = 4
    serial: int = 0
    #: The drivers of this server, and those of it before it was restarted.
    drivers: list[ClusterDriver] = attrs.field(factory=list)

    @property
    def driver(self) -> ClusterDriver:
        return self.drivers[-1]

    def restart(self) -> None:
        """Let the server forget all that is not in files."""
        options = LocalOptions(slots=self.slots, nice=0)
        self.drivers.append(LocalDriver(self.base / "local", options))

    def files(self, who: Account) -> Path:
        """Return where the files of a user are."""
        return self.base / "local" / who.name

    async def submit(self, who: Account, command: str, *parameters: str) -> JobRef:
        """Submit one job and return it."""
        self.serial += 1
        orders = [
            TaskOrder(TaskNumber(n), 1, TaskId(100 + n), text) for n, text in enumerate(parameters)
        ]
        batch = Batch(
            tag=f"cgtest-1-{self.serial:09}",
            user=who.name,
            campaign=CampaignId(self.serial),
            campaign_name="users",
            settings=ClusterSettings(exec_file=command, exec_directory="/"),
            jobs={JobId(self.serial): orders},
        )
        (remote_id,) = (await within(self.driver.submit(batch))).values()
        return JobRef(remote_id=remote_id, user=who.name, demand=len(orders))

    async def status(self, *jobs: JobRef) -> list[JobReport]:
        told = await within(self.driver.status(jobs))
        return [told[job.remote_id] for job in jobs]

    async def until(self, condition: Callable[[JobReport], object], *jobs: JobRef) -> None:
        """Return when the *condition* is true of all *jobs*."""
        for _ in range(round(PATIENCE / 0.01)):
            reports = await self.status(*jobs)
            if all(map(condition, reports)):
                return
            await asyncio.sleep(0.01)
        raise AssertionError(reports)

    async def until_running(self, *jobs: tuple[JobRef, set[int]]) -> None:
        """Return when these tasks of the jobs run, and no others."""
        for _ in range(round(PATIENCE / 0.01)):
            reports = await self.status(*(job for job, _ in jobs))
            found = [set(report.running) for report in reports]
            if found == [tasks for _, tasks in jobs]:
                return
            await asyncio.sleep(0.01)
        raise AssertionError(found)

    def slots_of(self, who: Account) -> str:
        """Return how many slots the worker of a user is told to use."""
        return (self.files(who) / "slots").read_text()

    async def run(self, who: Account, command: str, *parameters: str) -> list[str]:
        """Run tasks to their end and return what each printed."""
        job = await self.submit(who, command, *parameters)
        await self.until(is_over, job)
        return [await self.output(job, n) for n in range(len(parameters))]

    async def output(self, job: JobRef, task: int) -> str:
        number = TaskNumber(task)
        told = await within(self.driver.outputs(job, [number], Output.OUT, 10_000))
        return told[number].decode()

    def close(self) -> None:
        """Leave no process behind, not even of a worker that its user made hang."""
        known = [worker for driver in self.drivers for worker in driver._workers.values()]
        for process in [worker._process for worker in known if worker._process]:
            process.terminate()
            try:
                process.wait(0.5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(PATIENCE)
        for path in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if os.fsencode(self.base) in (path / "environ").read_bytes():
                    os.kill(int(path.name), signal.SIGKILL)


async def within(effect: Awaitable[T]) -> T:
    """Return what *effect* does; nothing that a user lays may make the server wait."""
    async with asyncio.timeout(PATIENCE):
        return await effect


def is_over(report: JobReport) -> bool:
    return report.state not in (R.WAITING, R.RUNNING)


def runs(report: JobReport) -> bool:
    return bool(report.running)


@pytest.fixture
def host() -> Iterator[Host]:
    users = ordinary_users()
    if len(users) < 2:
        pytest.skip(f"this host has not two of the accounts {', '.join(CANDIDATES)}")
    if not any(runs_for(users[0], path) for path in PYTHONS):
        pytest.skip(f"{users[0].name} can run none of {', '.join(PYTHONS)}")
    # Not pytest's directory: it is for root alone.
    base = Path(tempfile.mkdtemp(prefix="cigri-users."))
    base.chmod(0o711)
    found = Host(base, *users)
    found.restart()
    yield found
    found.close()
    shutil.rmtree(base)


@pytest.fixture
def secret(host: Host) -> Iterator[Path]:
    """A file of root's, which must stay as it is and unread."""
    path = host.base / "secret"
    path.write_text(SECRET)
    path.chmod(0o600)
    yield path
    assert path.read_text() == SECRET
    found = path.stat()
    assert (found.st_mode & 0o777, found.st_uid, found.st_nlink) == (0o600, 0, 1)


async def test_tasks_run_as_their_user(host: Host) -> None:
    told = await host.run(host.one, "id", "-u", "-g", "-G")

    groups = os.getgrouplist(host.one.name, host.one.gid)
    assert [int(told[0]), int(told[1])] == [host.one.uid, host.one.gid]
    assert {int(word) for word in told[2].split()} == set(groups)


async def test_tasks_of_a_mapped_user_run_under_their_other_login(host: Host) -> None:
    options = LocalOptions(slots=2, nice=0, users_mapping={"ann": host.other.name})
    mapped = open_driver("local", host.base / "local", options)
    # What `Host` does for a user of this host, for one who has no account here.
    ann = attrs.evolve(host.other, name="ann")
    plain = host.driver
    host.drivers.append(mapped)

    assert mapped.refusal("ann") is None
    assert await host.run(ann, "id", "-u", "-un") == [
        f"{host.other.uid}\n", f"{host.other.name}\n"
    ]  # fmt: skip
    host.drivers[1:] = [plain, mapped._driver]


async def test_tasks_have_no_powers_of_root(host: Host) -> None:
    told = await host.run(host.one, "grep -E '^Cap(Prm|Eff|Inh|Amb)' /proc/self/status", "")

    assert {int(line.split()[1], 16) for line in told[0].splitlines()} == {0}


async def test_tasks_find_the_environment_of_their_user_and_none_of_the_server(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PASSWORD_OF_THE_SERVER", "x")

    (told,) = await host.run(host.one, "env", "")

    found = dict(line.split("=", 1) for line in told.splitlines())
    ours = {name: value for name, value in found.items() if not name.startswith("CIGRI_")}
    assert ours.pop("PATH").startswith("/usr/local/bin:/usr/bin:/bin")
    assert ours.pop("LANG") == os.environ.get("LANG", "C.UTF-8")
    name = host.one.name
    assert ours == {
        "HOME": host.one.home,
        "LOGNAME": name,
        "PWD": "/",
        "SHELL": host.one.shell,
        "USER": name,
    }


@pytest.mark.parametrize(("name", "mask"), [("one", "0022"), ("own", "0027")])
async def test_tasks_have_an_ordinary_umask_or_that_of_their_server(
    host: Host, name: str, mask: str
) -> None:
    who = host.one if name == "one" else account(own_login())
    before = os.umask(0o027)
    try:
        (told,) = await host.run(who, "sh -c umask", "")
    finally:
        os.umask(before)

    assert told == f"{mask}\n"


async def test_the_files_of_a_user_are_for_that_user(host: Host) -> None:
    await host.run(host.one, "true", "")

    found = host.files(host.one).stat()
    assert (found.st_uid, found.st_gid, found.st_mode & 0o777) == (
        host.one.uid,
        host.one.gid,
        0o700,
    )
    assert {path.stat().st_uid for path in host.files(host.one).rglob("*")} == {host.one.uid}
    # Nobody can lay a link where the files of the next user will be.
    assert host.files(host.one).parent.stat().st_mode & 0o022 == 0


async def test_a_directory_that_a_crash_left_half_made_is_finished(host: Host) -> None:
    host.files(host.one).mkdir(parents=True, mode=0o700)

    assert await host.run(host.one, "id -un", "") == [f"{host.one.name}\n"]


def gated(host: Host) -> str:
    """Return a command that waits until the gate of its parameter is open."""
    gates = host.base / "gates"
    gates.mkdir()
    gates.chmod(0o755)
    script = gates / "wait"
    script.write_text(f"#!/bin/sh\nuntil [ -e {gates}/$1 ]; do sleep 0.02; done\n")
    script.chmod(0o755)
    return str(script)


def open_gates(host: Host, *names: str) -> None:
    for name in names:
        (host.base / "gates" / name).touch()


async def test_two_users_share_the_slots(host: Host) -> None:
    command = gated(host)
    alone = await host.submit(host.one, command, *(f"a{n}" for n in range(9)))
    await host.until_running((alone, {0, 1, 2, 3}))

    late = await host.submit(host.other, command, *(f"b{n}" for n in range(9)))
    assert (host.slots_of(host.one), host.slots_of(host.other)) == ("2", "2")
    open_gates(host, "a0", "a1", "a2", "a3")

    await host.until_running((alone, {4, 5}), (late, {0, 1}))

    # Who has ended leaves the slots to who has not.
    await within(host.driver.kill([alone]))
    await host.until(is_over, alone)
    await host.until_running((late, {0, 1, 2, 3}))


async def test_a_user_with_one_task_leaves_the_other_slots_to_the_others(host: Host) -> None:
    command = gated(host)
    last = await host.submit(host.one, command, "a0")
    many = await host.submit(host.other, command, *(f"b{n}" for n in range(9)))

    await host.until_running((last, {0}), (many, {0, 1, 2}))


def lay_link(path: Path, secret: Path) -> None:
    path.symlink_to(secret)


def lay_link_to_nothing(path: Path, secret: Path) -> None:
    path.symlink_to(secret.with_name("made-by-root"))


def lay_fifo(path: Path, secret: Path) -> None:
    os.mkfifo(path)


def lay_directory(path: Path, secret: Path) -> None:
    path.mkdir()
    (path / "full").touch()


def lay_nothing_that_can_be_read(path: Path, secret: Path) -> None:
    path.touch()
    path.chmod(0)


#: What a user may lay in the place of a file of theirs.
KINDS = [lay_link, lay_fifo, lay_directory]
MORE_KINDS = [*KINDS, lay_link_to_nothing, lay_nothing_that_can_be_read]
#: Files beside the groups, and in each group; those that go together are broken together.
OF_A_USER = ["groups", "ended", "slots .slots", LOCK, "worker.log"]
OF_A_GROUP = ["journal", "out.0 err.0", "stop .stop", f"{TASKS} nodes"]


def put(who: Account, path: Path, kind: Callable[[Path, Path], None], secret: Path) -> None:
    """Let a user lay something in the place of a file."""
    with acting_as(who):
        if path.exists() or path.is_symlink():
            path.rename(path.with_name(f"{path.name}.was"))
        kind(path, secret)


async def everything(host: Host, *jobs: JobRef) -> None:
    """Let the server do all that it ever does with some jobs: only what names a fault may fail."""
    driver = host.driver
    for job in jobs:
        for stream in Output:
            texts = await within(
                driver.outputs(job, [TaskNumber(0), TaskNumber(1)], stream, 10_000)
            )
            assert not any(SECRET in text.decode() for text in texts.values())
    told = await host.status(*jobs)
    assert SECRET.strip() not in repr(told)
    tags = {job.remote_id.rpartition(".")[0]: job.user for job in jobs}
    for tag, user in tags.items():
        await within(driver.find(tag, user, [JobId(1)]))
    await within(driver.withdraw(jobs))
    await within(driver.kill(jobs))
    await host.status(*jobs)
    await within(driver.forget(jobs))


async def check_the_other_is_served(host: Host) -> None:
    assert await host.run(host.other, "echo", "as ever") == ["as ever\n"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("names", OF_A_USER)
async def test_what_a_user_lays_among_their_files_harms_nobody_else(
    host: Host, secret: Path, names: str, kind: Callable[[Path, Path], None]
) -> None:
    ended = await host.submit(host.one, "echo", "1", "2")
    await host.until(is_over, ended)
    running = await host.submit(host.one, "sleep", "1000", "1000")
    await host.until(runs, running)

    for name in names.split():
        put(host.one, host.files(host.one) / name, kind, secret)
    refused = None
    for _ in range(2):
        try:
            await host.submit(host.one, "echo", "3")
        except SubmissionRejected as error:
            refused = str(error)
    await everything(host, ended, running)

    # Whoever is refused learns which file is in the way.
    assert refused is None or str(host.files(host.one)) in refused
    assert not (host.base / "made-by-root").exists()
    await check_the_other_is_served(host)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("names", OF_A_GROUP)
async def test_what_a_user_lays_in_a_group_harms_nobody_else(
    host: Host, secret: Path, names: str, kind: Callable[[Path, Path], None]
) -> None:
    ended = await host.submit(host.one, "echo", "1", "2")
    await host.until(is_over, ended)
    running = await host.submit(host.one, "sleep", "1000", "1000")
    await host.until(runs, running)

    for job in (ended, running):
        for name in names.split():
            put(host.one, host.files(host.one) / "groups" / job.remote_id / name, kind, secret)
    await everything(host, ended, running)

    assert not (host.base / "made-by-root").exists()
    await check_the_other_is_served(host)


@pytest.mark.parametrize("name", ["slots", ".slots"])
async def test_a_user_who_cannot_be_told_of_fewer_slots_is_in_nobodys_way(
    host: Host, secret: Path, name: str
) -> None:
    running = await host.submit(host.one, "sleep", *["1000"] * 9)
    await host.until(runs, running)

    put(host.one, host.files(host.one) / name, lay_directory, secret)

    assert await host.run(host.other, "echo", *["as ever"] * 9) == ["as ever\n"] * 9
    assert runs((await host.status(running))[0])


@pytest.mark.parametrize("kind", MORE_KINDS)
async def test_a_job_whose_journal_is_no_file_any_more_is_lost(
    host: Host, secret: Path, kind: Callable[[Path, Path], None]
) -> None:
    job = await host.submit(host.one, "sleep", "1000")
    await host.until(runs, job)

    put(host.one, host.files(host.one) / "groups" / job.remote_id / "journal", kind, secret)

    assert (await host.status(job))[0].state is R.LOST


async def test_a_journal_without_an_end_of_a_line_is_lost(host: Host) -> None:
    job = await host.submit(host.one, "sleep", "1000")
    await host.until(runs, job)

    with (host.files(host.one) / "groups" / job.remote_id / "journal").open("r+b") as file:
        file.truncate(0)
        file.truncate(10**12)

    assert (await host.status(job))[0].state is R.LOST


@pytest.mark.parametrize("kind", MORE_KINDS)
async def test_the_jobs_of_a_user_whose_lock_is_no_file_any_more_are_lost(
    host: Host, secret: Path, kind: Callable[[Path, Path], None]
) -> None:
    job = await host.submit(host.one, "sh -c 'echo; exec sleep $0'", "0", "1000")
    await host.until(lambda told: len(told.ended) == 1 and told.running, job)
    host.restart()

    put(host.one, host.files(host.one) / LOCK, kind, secret)
    (report,) = await host.status(job)

    assert report.state is R.LOST
    # What had ended has.
    assert [end.ending for end in report.ended] == [Ending.EXITED]
    with pytest.raises(SubmissionRejected, match=f"{host.files(host.one)}/{LOCK}"):
        await host.submit(host.one, "echo", "3")


@pytest.mark.parametrize("kind", [lay_link, lay_directory])
async def test_a_task_whose_output_has_no_place_is_told_to_its_user(
    host: Host, secret: Path, kind: Callable[[Path, Path], None]
) -> None:
    command = gated(host)
    busy = await host.submit(host.one, command, *(f"a{n}" for n in range(4)))
    await host.until(lambda told: len(told.running) == 4, busy)
    job = await host.submit(host.one, "echo", "1", "2")

    for slot in range(4):
        path = host.files(host.one) / "groups" / job.remote_id / f"out.{slot}"
        put(host.one, path, kind, secret)
    open_gates(host, "a0", "a1", "a2", "a3")
    await host.until(is_over, job)

    (report,) = await host.status(job)
    (end,) = report.ended
    assert end.ending is Ending.NOT_STARTED
    assert "out." in end.message


@attrs.frozen
class Victim:
    """A process that SIGUSR1 would end."""

    process: "subprocess.Popen[bytes]"

    def lives(self) -> bool:
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(0.2)
        return self.process.returncode is None


@contextmanager
def sleeping(uid: int, gid: int) -> Iterator[Victim]:
    with subprocess.Popen(["/bin/sleep", "1000"], user=uid, group=gid, cwd="/") as process:
        try:
            yield Victim(process)
        finally:
            process.kill()


@contextmanager
def locked(host: Host, text: bytes) -> Iterator[None]:
    """Hold the lock of a user as a worker does; let it say *text*."""
    path = host.files(host.one) / LOCK
    with path.open("r+b") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.truncate()
        lock.write(text)
        lock.flush()
        yield


async def without_worker(host: Host) -> None:
    """Let a user have files, and no worker."""
    await host.run(host.one, "true", "")
    host.close()


async def test_only_processes_of_the_user_are_signalled(host: Host) -> None:
    await without_worker(host)
    alive = {}

    for uid, gid in ((host.other.uid, host.other.gid), (0, 0), (host.one.uid, host.one.gid)):
        with sleeping(uid, gid) as victim, locked(host, b"%d 1\n" % victim.process.pid):
            await host.submit(host.one, "true", "")
            alive[uid] = victim.lives()

    assert alive == {host.other.uid: True, 0: True, host.one.uid: False}


@pytest.mark.parametrize(
    "text",
    [b"", b"0 1\n", b"1 1\n", b"-1 1\n", b"9" * 63, b"2147483648 1\n", b"\xff\n", b"\0" * 9],
)
async def test_whatever_the_lock_says_it_harms_nobody(host: Host, text: bytes) -> None:
    await without_worker(host)

    with locked(host, text):
        job = await host.submit(host.one, "true", "")
        assert (await host.status(job))[0].state is R.WAITING
        await within(host.driver.kill([job]))


@pytest.mark.parametrize("text", [b"", b"\xff\xfe", b"withdraw", b"k" * 10**6])
async def test_whatever_another_order_says_the_order_is_given(host: Host, text: bytes) -> None:
    job = await host.submit(host.one, "sleep", "1000")
    await host.until(runs, job)
    for name in ("stop", ".stop"):
        (host.files(host.one) / "groups" / job.remote_id / name).write_bytes(text)

    await within(host.driver.kill([job]))

    await host.until(lambda told: told.state is R.KILLED, job)


@pytest.mark.parametrize("kind", [lay_link, lay_link_to_nothing, lay_fifo])
async def test_what_is_no_directory_is_replaced(
    host: Host, secret: Path, kind: Callable[[Path, Path], None]
) -> None:
    job = await host.submit(host.one, "sleep", "1000")
    await host.until(runs, job)
    group = host.files(host.one) / "groups" / job.remote_id
    for name in ("stop", ".stop"):
        put(host.one, group / name, kind, secret)
    put(host.one, host.files(host.one) / ".slots", kind, secret)
    host.restart()

    await host.submit(host.one, "true", "")
    await within(host.driver.kill([job]))

    await host.until(lambda told: told.state is R.KILLED, job)
    assert not (host.base / "made-by-root").exists()


@pytest.mark.parametrize(
    "line",
    [
        f"E 0 1 0 0 - 1.0 2.0 0 {10**30} 0 0",
        f"E 0 1 0 0 - 1.0 2.0 {2**63 - 1} {2**63 - 1} 0 0",
        "E 0 1 0 0 - 1.0 2.0 -5 10 0 0",
        f"E 0 1 {'9' * 4000} 0 - 1.0 2.0 0 5 0 0",
        "E 0 1 ../../secret 0 - 1.0 2.0 0 5 0 0",
        f"S 0 1 0 1.0 {10**30} 0",
    ],
)
async def test_where_a_forged_journal_lays_output_nothing_else_is_read(
    host: Host, secret: Path, line: str
) -> None:
    job = await host.submit(host.one, "echo", "mine")
    await host.until(is_over, job)
    with (host.files(host.one) / "groups" / job.remote_id / "journal").open("a") as journal:
        journal.write(f"{line}\n")

    told = await within(host.driver.outputs(job, [TaskNumber(0)], Output.OUT, 10_000))

    assert set(told.values()) <= {b"", b"mine\n"}


async def test_a_user_who_is_gone_costs_the_others_nothing(host: Host) -> None:
    gone = JobRef(remote_id=RemoteId("cgtest-1-000000077.0"), user="cigri-gone", running={3: 1.0})
    here = await host.submit(host.one, "sleep", "1000")

    (lost, found) = await host.status(gone, here)

    assert (lost.state, lost.running) == (R.LOST, {3: 1.0})
    assert not is_over(found)
    await within(host.driver.kill([gone]))
    await within(host.driver.forget([gone]))
    assert await within(host.driver.find("cgtest-1-000000077", "cigri-gone", [JobId(1)])) == {}
    assert await within(host.driver.outputs(gone, [TaskNumber(0)], Output.OUT, 100)) == {}
    with pytest.raises(SubmissionRejected, match="no user cigri-gone"):
        await host.submit(attrs.evolve(host.one, name="cigri-gone"), "true", "")


def test_a_thread_that_acts_as_a_user_has_no_other_rights(host: Host, secret: Path) -> None:
    before = os.getgroups()
    for mode, groups in ((0o600, []), (0o660, [0])):
        secret.chmod(mode)
        os.setgroups(groups)
        with acting_as(host.one):
            for flags in (os.O_RDONLY, os.O_WRONLY):
                with pytest.raises(PermissionError):
                    os.open(secret, flags)
    os.setgroups(before)
    secret.chmod(0o600)


def test_the_rights_of_users_nest_and_end_with_their_blocks(host: Host, secret: Path) -> None:
    made = host.base / "open"
    made.mkdir()
    made.chmod(0o777)

    owners = []
    with acting_as(host.one):
        with suppress(ZeroDivisionError), acting_as(host.other):
            (made / "inner").touch()
            raise ZeroDivisionError
        (made / "outer").touch()
    (made / "after").touch()

    owners = [(made / name).stat().st_uid for name in ("inner", "outer", "after")]
    assert owners == [host.other.uid, host.one.uid, 0]
    assert secret.read_text() == SECRET


REFUSALS: Mapping[str, LocalOptions] = {
    "is not among the `users`": LocalOptions(users=("somebody",)),
    "": LocalOptions(),
}


@pytest.mark.parametrize("words", REFUSALS)
def test_who_may_run_tasks_here(host: Host, words: str) -> None:
    reason = LocalDriver(host.base / "local", REFUSALS[words]).refusal(host.one.name)

    assert (reason is None) if not words else (words in str(reason))


def test_root_may_not_unless_the_configuration_says_so(host: Host) -> None:
    asked = LocalDriver(host.base / "local", LocalOptions()).refusal("root")
    allowed = LocalDriver(host.base / "local", LocalOptions(allow_root=True)).refusal("root")

    assert "allow_root = true" in str(asked)
    assert allowed is None


def test_nobody_runs_tasks_for_a_name_that_is_no_account(host: Host) -> None:
    assert host.driver.refusal("cigri-gone") == "this host knows no user cigri-gone"
