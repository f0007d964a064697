"""How tasks, groups and workers end before their time, and what the next worker makes of it."""

import fcntl
import os
import re
import signal
import subprocess
from pathlib import Path

import attrs
import pytest

from cigri.clusters import worker
from tests.clusters.groups import AT_GATE, PATIENCE, alive, poke, until

#: A family that nothing but signals ends: each process of it tells its number.
FAMILY = 'echo $$ >> family; sh -c "echo \\$\\$ >> family; sleep 1000; :" & sleep 1000; :'


def family(site, size=2):
    """Return the processes of FAMILY once all are there."""

    def members():
        try:
            pids = [int(line) for line in (site.home / "family").read_text().split()]
        except FileNotFoundError:
            return []
        return pids if len(pids) >= size else []

    return until(members, "the family")


def dead(pids):
    return lambda: not any(alive(pid) for pid in pids)


def test_walltime_ends_a_whole_process_group(site):
    group = site.lay([[FAMILY]], command="sh -c", walltime=0.3)

    site.run()

    end = group.ends()[0]
    assert (end.status, end.flag) == (-signal.SIGTERM, "walltime")
    assert end.end - end.start < 5
    until(dead(family(site)))


def test_a_task_may_use_the_signal_of_its_walltime(site):
    script = 'trap "echo saved; exit 3" TERM; echo ready; while :; do sleep 0.01; done'
    group = site.lay([[script]], command="sh -c", walltime=0.3)

    site.run()

    end = group.ends()[0]
    assert (end.status, end.flag) == (3, "walltime")
    assert group.output() == "ready\nsaved\n"


@pytest.mark.slow
def test_a_task_that_ignores_the_end_of_its_walltime_is_killed(site):
    group = site.lay(
        [['trap "" TERM; while :; do sleep 0.1; done']], command="sh -c", walltime=0.1
    )

    site.run()

    end = group.ends()[0]
    assert (end.status, end.flag) == (-signal.SIGKILL, "walltime")
    assert 5 <= end.end - end.start < 7


def test_withdraw_lets_what_runs_end(site):
    group = site.lay(5, command=f"sh -c '{AT_GATE}'")
    process = site.start(slots=2)
    until(lambda: len(group.started()) == 2)

    group.stop("withdraw")
    poke(process)
    (site.root / "slots").write_text("3")
    poke(process)
    site.open_gate()

    assert until(group.over) == "withdrawn"
    assert group.started() == [0, 1]
    assert {end.flag for end in group.ends().values()} == {"-"}


def test_kill_ends_what_runs_with_all_that_it_started(site):
    group = site.lay([[FAMILY], [FAMILY], [FAMILY]], command="sh -c")
    other = site.lay(1, name="g2", campaign=2, command=f"sh -c '{AT_GATE}'")
    process = site.start(slots=3)
    pids = family(site, 4)

    group.stop("kill")
    poke(process)

    assert until(group.over) == "killed"
    assert {(end.status, end.flag) for end in group.ends().values()} == {(-9, "killed")}
    assert len(group.ends()) == 2
    until(dead(pids))
    site.open_gate()
    assert until(other.over) == "done"


def test_a_withdrawn_group_can_still_be_killed(site):
    group = site.lay([[FAMILY], [FAMILY]], command="sh -c")
    process = site.start(slots=1)
    family(site)
    group.stop("withdraw")
    poke(process)

    group.stop("kill")
    poke(process)

    assert until(group.over) == "killed"


def test_a_group_stopped_before_it_was_claimed_runs_nothing(site):
    group = site.lay(3)
    group.stop("withdraw")

    site.run()

    assert group.started() == []
    assert group.over() == "withdrawn"


def test_a_group_whose_directory_is_gone_is_killed(site):
    group = site.lay([[FAMILY]], command="sh -c")
    process = site.start()
    pids = family(site)

    group.path.rename(site.root / "elsewhere")
    poke(process)

    until(dead(pids))


def test_a_group_handed_out_twice_runs_once(site, tmp_path):
    group = site.lay(200, command="sh -c 'echo $0 >> log'")
    twin = attrs.evolve(site, root=tmp_path / "twin")
    twin.root.mkdir()
    (twin.root / "groups").symlink_to(site.root / "groups")

    processes = [site.start(slots=1, idle=0), twin.start(slots=1, idle=0)]
    assert [process.wait(PATIENCE) for process in processes] == [0, 0]

    log = [int(line) for line in (site.home / "log").read_text().split()]
    assert sorted(log) == list(range(200))
    assert len(group.lines("B")) == len(group.lines("X")) == 1


def test_the_next_worker_settles_what_a_killed_one_left(site):
    scripts = ["exit 4", FAMILY, f"setsid sh -c '{FAMILY}' & {FAMILY}", ""]
    group = site.lay([[script] for script in scripts], command="sh -c")
    process = site.start(slots=2)
    pids = family(site, 6)
    process.kill()
    process.wait(PATIENCE)
    assert all(alive(pid) for pid in pids)

    site.run()

    until(dead(pids))
    assert group.over() == "lost"
    assert {task: end.status for task, end in group.ends().items()} == {0: 4}
    assert group.started() == [0, 1, 2]


@pytest.mark.parametrize("lines", [1, 2, 3, 20, 100])
def test_a_worker_killed_at_any_moment_leaves_a_true_journal(site, lines):
    group = site.lay(1000, command="sh -c 'echo $0 >> log'")
    (site.home / "log").touch()
    process = site.start(slots=2)
    until(lambda: len(group.lines()) >= lines)

    process.kill()
    process.wait(PATIENCE)
    site.run()

    log = [int(line) for line in (site.home / "log").read_text().split()]
    assert len(log) == len(set(log))
    assert set(group.ends()) <= set(log) <= set(group.started())
    assert len(set(group.started()) - set(group.ends())) <= 2
    assert group.over() == "lost"


def test_what_another_group_runs_is_not_killed_with_a_lost_one(site):
    lost = site.lay([[FAMILY]], command="sh -c", name="g1")
    process = site.start(slots=2)
    family(site)
    process.kill()
    process.wait(PATIENCE)
    bystander = subprocess.Popen(["sleep", "1000"], env={"CIGRI_TOKEN": f"{site.root}/g10"})

    site.run()

    assert lost.over() == "lost"
    assert bystander.poll() is None
    bystander.kill()
    bystander.wait()


def test_half_a_line_of_a_dead_worker_is_taken_back(site):
    group = site.lay(2)
    (group.path / "journal").write_text("B 1 1.000\nS 0 1 0 1.000 0 0\nE 0 1 0 0 - 1.0")

    site.run()

    assert [line[0] for line in group.lines()] == ["B", "S", "X"]
    assert group.over() == "lost"


def test_a_group_that_is_over_is_left_alone(site):
    group = site.lay(2)
    text = "B 1 1.000\nX 2.000 killed\n"
    (group.path / "journal").write_text(text)

    site.run()

    assert (group.path / "journal").read_text() == text


def test_a_claim_without_a_line_is_no_beginning(site):
    group = site.lay(2)
    (group.path / "journal").touch()

    site.run()

    assert group.over() == "done"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_told_to_end_kills_what_runs(site, number):
    group = site.lay([[FAMILY], [""]], command="sh -c")
    wide = site.lay(1, name="g2", campaign=2, cores=2)
    process = site.start(slots=1)
    pids = family(site)

    process.send_signal(number)

    assert process.wait(PATIENCE) == 0
    until(dead(pids))
    assert (group.ends()[0].status, group.ends()[0].flag) == (-9, "killed")
    assert [group.over(), wide.over()] == ["killed", "killed"]


def test_a_worker_ends_when_it_has_been_idle(site):
    process = site.start(idle=0.2)

    assert process.wait(PATIENCE) == 0


def test_a_second_worker_leaves_at_once(site):
    first = site.started()
    second = site.start()

    assert second.wait(PATIENCE) == 75
    assert site.holder() == first.pid


def test_who_only_looks_at_the_lock_keeps_no_worker_away(site):
    with (site.root / worker.LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        process = site.start()
        until(lambda: any(same_file(fd, lock) for fd in Path(f"/proc/{process.pid}/fd").iterdir()))

    until(lambda: site.holder() == process.pid)


def same_file(link, file):
    try:
        return os.path.samestat(link.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False


def test_the_lock_tells_who_holds_it(site):
    (site.root / worker.LOCK).write_text("4194304 99999999999999999999\n")

    process = site.started()

    stat = Path(f"/proc/{process.pid}/stat").read_text()
    started = stat.rpartition(")")[2].split()[19]
    assert (site.root / worker.LOCK).read_text() == f"{process.pid} {started}\n"


def test_pokes_at_any_moment_do_no_harm(site):
    process = site.started()
    group = site.lay(300)
    poke(process)

    until(lambda: (poke(process), group.over())[1])

    assert sorted(group.ends()) == list(range(300))


def test_when_descriptors_are_short_tasks_wait(site):
    group = site.lay(8, command="sh -c 'echo $0'")
    process = site.start(slots=8, descriptors=12)

    until(lambda: (site.holder() and poke(process), group.over())[1])

    assert [group.output(task) for task in range(8)] == [f"{task}\n" for task in range(8)]
    assert 1 <= len({end.slot for end in group.ends().values()}) < 8


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 64 KiB in memory."""
    place = tmp_path / "small"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", place]
    try:
        done = subprocess.run(mount, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no mount command")
    if done.returncode:
        pytest.skip(f"no small file system: {done.stderr.strip() or 'mount failed'}")
    yield place
    subprocess.run(["umount", "--lazy", place], check=True)


def fill(path):
    """Fill the disk that *path* is on, to the last byte."""
    with path.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(4096)):
                pass
        except OSError:
            return


def test_on_a_full_disk_no_line_is_lost(site, small_disk):
    site.root = small_disk
    (site.root / "slots").write_text("0")
    (site.root / "two").write_text("2")
    group = site.lay(300)
    process = site.start()
    until(lambda: group.lines("B"))

    fill(small_disk / "filler")
    (site.root / "two").rename(site.root / "slots")
    poke(process)
    # A page of the journal was there before the disk was full.
    until(lambda: (group.path / "journal").stat().st_size == 4096)
    (small_disk / "filler").unlink()
    poke(process)

    assert until(group.over) == "done"
    assert sorted(group.ends()) == list(range(300))
    assert all(re.fullmatch(LINE, " ".join(line)) for line in group.lines())


LINE = re.compile(
    r"B \d+ [\d.]+|S \d+ 1 \d [\d.]+ 0 0|E \d+ 1 \d 0 - [\d.]+ [\d.]+ 0 0 0 0|X [\d.]+ done"
)


def test_a_cancelled_task_is_killed_and_those_that_wait_are_left_out(site):
    group = site.lay(5, command=f"sh -c '{AT_GATE}'")
    process = site.started(slots=2)
    poke(process)
    until(lambda: group.started() == [0, 1], "two starts")

    (group.path / "cancel").write_text("1\n2\n3\n")
    poke(process)
    until(lambda: group.started() == [0, 1, 4], "the fifth")
    site.open_gate()
    until(group.over, "the end")

    assert {task: (end.status, end.flag) for task, end in group.ends().items()} == {
        0: (0, "-"),
        1: (-signal.SIGKILL, "killed"),
        4: (0, "-"),
    }


@pytest.mark.parametrize("text", ["x", "1 two", "\0\0", "-1"])
def test_a_list_of_cancelled_tasks_that_is_none_harms_nobody(site, text):
    group = site.lay(2)
    (group.path / "cancel").write_text(text)

    site.run()

    assert group.over() == "done"
    assert len(group.ends()) == 2


def test_what_a_worker_of_before_left_is_settled(site):
    begun, fresh = site.lay(2), site.lay(2, name="g2")
    for group in (begun, fresh):
        (group.path / worker.TASKS).rename(group.path / worker.FIRST_TASKS)
    (begun.path / "journal").write_text("B 4194304 1.000\nS 0 1 0 1.000 0 0\n")

    site.run()

    assert begun.over() == "lost"
    assert (fresh.over(), fresh.started()) == ("done", [0, 1])


def test_a_group_that_another_worker_holds_is_left_to_it(site):
    group = site.lay(2)
    (group.path / worker.TASKS).rename(group.path / worker.FIRST_TASKS)
    with (group.path / worker.FIRST_TASKS).open() as tasks:
        fcntl.flock(tasks, fcntl.LOCK_EX)
        other = site.lay(2, name="g2")
        process = site.started()
        until(lambda: other.over() == "done")
        poke(process)
        assert group.lines() == []

    until(lambda: group.over() == "done")
