"""Groups on a node: the worker runs them with the cores and the time of one job."""

import json
import os
import re
import shutil
import signal
import stat
import sys
from pathlib import Path

import attrs
import pytest

from cigri.clusters import node
from cigri.clusters.driver import Output, RemoteState
from cigri.domain.model import Shape, TaskNumber
from cigri.domain.verdict import Ending
from cigri.errors import NotFound
from tests.clusters.groups import until
from tests.clusters.nodes import JOB, TAG, Home, batch, pack

ways = pytest.mark.parametrize("inline", [False, True], ids=["files", "inline"])
#: What a task runs, in a shell in its home, to wait for the test.
AT_GATE = "until [ -e open ]; do sleep 0.01; done"


@pytest.fixture
def home(tmp_path):
    path = tmp_path / "home"
    path.mkdir()
    return Home(path)


def group(*groups, **settings):
    return batch(*groups, shape=Shape.GROUP, **settings)


def shell(program):
    """Return the parameter of a task that runs *program* in a shell."""
    return ("-c", program)


def place(home, number=0):
    return home.path / node.directory(TAG) / str(number)


def journal(home, number=0):
    try:
        return (place(home, number) / "journal").read_bytes()
    except FileNotFoundError:
        return b""


def report(home, tasks, number=0, tail=None, running=None):
    """Return what a driver reads that was told the last *tail* lines of the journal."""
    job = attrs.evolve(
        JOB,
        place=number,
        shape=Shape.GROUP,
        open=dict(enumerate(map(TaskNumber, tasks))),
        running=running or {},
    )
    lines = journal(home, number).splitlines(keepends=True)
    count = node.journal_lines(job) if tail is None else tail
    return node.read_journal(b"".join(lines[-count:]), job)


@ways
def test_a_job_runs_the_tasks_of_its_place(home, inline):
    parcel = pack(group(["a", "'b c'"], ["d"], exec_file="echo"), inline=inline)
    home.lay(parcel)

    assert home.run(parcel, 0) == (Ending.EXITED, 0)
    assert home.run(parcel, 1) == (Ending.EXITED, 0)

    first, second = report(home, [0, 1]), report(home, [0], 1)
    assert first.state is second.state is RemoteState.ENDED
    assert sorted((end.task, end.ending, end.exit_status) for end in first.ended) == [
        (0, Ending.EXITED, 0),
        (1, Ending.EXITED, 0),
    ]
    assert [end.task for end in second.ended] == [0]
    assert (place(home) / "log").read_text() == f"{find_python()}\n"


def find_python():
    """Return the line by which the script tells which Python it has found."""
    return shutil.which("python3")


def test_tasks_run_side_by_side_on_the_cores_of_the_job(home):
    wait = "echo $$ >>started; until [ $(wc -l <started) -eq 4 ]; do sleep 0.01; done"
    nodes = Path(home.env["OAR_NODEFILE"])
    nodes.write_text("node7\n" * 8)
    parcel = pack(group([shell(wait)] * 4, exec_file="sh", cores=2), inline=False)
    home.lay(parcel)

    assert home.run(parcel) == (Ending.EXITED, 0)

    assert len(report(home, range(4)).ended) == 4


def test_a_task_that_spans_nodes_has_the_whole_job(home):
    nodes = Path(home.env["OAR_NODEFILE"])
    nodes.write_text("node7\nnode8\n")
    show = shell('cat "$CIGRI_NODE_FILE"; mkdir alone && sleep 0.05 && rmdir alone')
    parcel = pack(group([show] * 3, exec_file="sh", cores=2), inline=False)
    home.lay(parcel)

    home.run(parcel)

    assert [end.exit_status for end in report(home, range(3)).ended] == [0, 0, 0]
    assert (place(home) / "out.0").read_text() == "node7\nnode8\n" * 3


@pytest.mark.parametrize("nodefile", ["", "/no/such"])
def test_without_a_list_of_nodes_there_is_one_core(home, nodefile):
    home.env["OAR_NODEFILE"] = nodefile
    parcel = pack(group(["x"], exec_file="echo"), inline=False)
    home.lay(parcel)

    home.run(parcel)

    assert (place(home) / "nodes").read_text() == f"{os.uname().nodename}\n"


def test_what_does_not_fit_into_the_time_of_the_job_is_left(home):
    # The worker's own clock, or the test would last as long as a job.
    program = home.path / "worker.py"
    text = node.PROGRAM.replace("UNHURRIED = 30.0", "UNHURRIED = 0.2")
    program.write_text(text)
    parcel = pack(group(["0.15"] * 50, exec_file="sleep", lasts=60.5, cores=2), inline=False)
    home.lay(attrs.evolve(parcel, shared=dict.fromkeys(parcel.shared, text.encode())))

    assert home.run(parcel) == (Ending.EXITED, 0)

    told = report(home, range(50))
    assert told.state is RemoteState.ENDED
    assert 1 <= len(told.ended) < 10
    assert journal(home).endswith(b"withdrawn\n")


@pytest.mark.parametrize("lasts", [600.0, 1.0])
def test_a_job_that_is_as_long_as_a_task_runs_it(home, lasts):
    parcel = pack(group(["x"], exec_file="echo", walltime=600.0, lasts=lasts), inline=False)
    home.lay(parcel)

    home.run(parcel)

    assert [end.exit_status for end in report(home, [0]).ended] == [0]


def test_the_cluster_knows_best_how_long_a_job_lasts(home):
    home.env["OAR_JOB_WALLTIME_SECONDS"] = "10000"
    text = node.PROGRAM.replace("UNHURRIED = 30.0", "UNHURRIED = 0.0")
    parcel = pack(group(["x"] * 3, exec_file="echo", lasts=1.0), inline=False)
    home.lay(attrs.evolve(parcel, shared=dict.fromkeys(parcel.shared, text.encode())))

    home.run(parcel)

    assert len(report(home, range(3)).ended) == 3


WARNED = shell("trap 'echo warned; exit 66' USR2; touch ready.$$; while :; do sleep 0.02; done")


def warn(home, process, count):
    until(lambda: len(list(home.path.glob("ready.*"))) == count, "the tasks")
    worker = int((place(home) / "journal").read_text().split()[1])
    assert worker == process.pid, "a cluster would signal another process"
    process.send_signal(signal.SIGUSR2)


def test_a_warning_reaches_the_tasks_that_want_it_and_no_more_start(home):
    parcel = pack(group([WARNED] * 5, exec_file="sh", checkpointing_type="signal"), inline=False)
    home.lay(parcel)

    with home.start(parcel) as process:
        warn(home, process, 2)
        assert process.wait() == 0

    told = report(home, range(5))
    assert [end.exit_status for end in told.ended] == [66, 66]
    assert told.state is RemoteState.ENDED


def test_a_task_is_warned_before_its_own_walltime_though_the_job_lasts(home):
    wants = group([WARNED] * 2, exec_file="sh", checkpointing_type="signal", walltime=4.0)
    parcel = pack(wants, inline=False, warning=60.0)
    home.lay(parcel)

    home.run(parcel)

    ended = report(home, range(2)).ended
    assert [(end.ending, end.exit_status) for end in ended] == [(Ending.EXITED, 66)] * 2
    # As long as it lasts twice the time, a program has some to prepare itself.
    assert all(end.ended_at - end.started_at >= 2.0 for end in ended)


def test_a_warning_does_not_harm_tasks_that_know_nothing_of_it(home):
    slow = shell(f"touch ready.$$; {AT_GATE}")
    parcel = pack(group([slow] * 3, exec_file="sh"), inline=False)
    home.lay(parcel)

    with home.start(parcel) as process:
        warn(home, process, 2)
        (home.path / "open").touch()
        assert process.wait() == 0

    assert [end.exit_status for end in report(home, range(3)).ended] == [0, 0]


@pytest.mark.parametrize(("order", "state"), [("withdraw", "ended"), ("kill", "killed")])
def test_it_obeys_the_files_of_the_server(home, order, state):
    parcel = pack(group([shell(f"touch ready.$$; {AT_GATE}")] * 3, exec_file="sh"), inline=False)
    home.lay(parcel)
    job = attrs.evolve(JOB, shape=Shape.GROUP)

    with home.start(parcel) as process:
        until(lambda: len(list(home.path.glob("ready.*"))) == 2, "the tasks")
        (home.path / node.stop_file(job)).write_text(order)
        if order == "withdraw":
            # Only once it was seen may the gate open, or the third would start, too.
            process.send_signal(signal.SIGUSR1)
            (home.path / node.cancel_file(job)).write_text("1\n")
            until(lambda: b"E 1 " in journal(home), "the end of the cancelled task")
            (home.path / "open").touch()
        assert process.wait() == 0

    told = report(home, range(3))
    assert told.state == state
    assert {end.task for end in told.ended if end.ending is Ending.KILLED} == (
        {1} if order == "withdraw" else {0, 1}
    )


def test_nothing_of_a_renounced_submission_starts(home):
    parcel = pack(group(["x"], exec_file="touch"), inline=False)
    home.lay(parcel)
    (home.path / node.void_file(TAG)).touch()

    assert home.run(parcel) == (Ending.REMOVED, None)

    assert not place(home).exists()


def test_a_job_that_the_cluster_runs_twice_runs_its_tasks_once(home):
    parcel = pack(group(["x"], exec_file="echo"), inline=False)
    home.lay(parcel)
    home.run(parcel)
    once = journal(home)

    assert home.run(parcel) == (Ending.EXITED, 0)

    assert journal(home) == once


def test_a_node_without_python_says_so(home):
    bare = home.path / "bin"
    bare.mkdir()
    for name in ("sh", "dd", "gzip", "sed", "tail", "wc", "ln", "rm", "mkdir", "uname"):
        (bare / name).symlink_to(f"/bin/{name}")
    old = bare / "python3"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    home.env["PATH"] = str(bare)
    parcel = pack(group(["x"], exec_file="echo"), inline=False)
    home.lay(parcel)

    assert home.run(parcel) == (Ending.NOT_STARTED, None)

    complaint = place(home) / "log"
    assert "no Python 3.9 or newer" in complaint.read_text()


def test_inline_the_worker_lies_there_once(home):
    parcel = pack(group(["x"], ["y"], exec_file="echo"), inline=True)

    home.run(parcel, 0)
    home.run(parcel, 1)

    (worker,) = (home.path / ".cigri").glob("worker-*")
    assert worker.read_text() == node.PROGRAM
    assert stat.S_IMODE((home.path / ".cigri").stat().st_mode) == 0o700


def test_the_worker_is_sent_once_for_each_version():
    one = pack(group(["x"]), inline=False)
    single = pack(batch(["x"]), inline=False)

    assert list(one.shared.values()) == [node.PROGRAM.encode()]
    assert not single.shared


def test_the_end_of_a_journal_tells_all_that_is_open(home):
    parcel = pack(
        group([shell("exit $CIGRI_TASK")] * 40, exec_file="sh"),
        inline=False,
    )
    home.lay(parcel)
    home.run(parcel)

    told = report(home, [0, 7, 39], tail=10_000)

    assert {end.task: end.exit_status for end in told.ended} == {0: 0, 7: 7, 39: 39}
    assert told.running == {}
    assert told.read_to == 0


def test_an_end_without_its_start_counts_if_the_task_is_open():
    lines = b"E 3 1 0 0 - 10.5 12.5 0 0 0 0\nS 4 1 0 12.5 0 0\nE 9 1 1 0 - 11 12 0 0 0 0\nS 5"
    job = attrs.evolve(
        JOB,
        shape=Shape.GROUP,
        open={0: TaskNumber(3), 1: TaskNumber(4), 2: TaskNumber(5), 3: TaskNumber(6)},
        running={6: 8.5, 3: 10.5},
    )

    told = node.read_journal(lines, job)

    assert [(end.task, end.started_at) for end in told.ended] == [(3, 10.5)]
    assert told.running == {4: 12.5, 6: 8.5}
    assert told.state is RemoteState.RUNNING


def test_a_journal_that_is_not_there_says_nothing():
    job = attrs.evolve(JOB, shape=Shape.GROUP, open={0: TaskNumber(3)}, running={3: 1.5})

    told = node.read_journal(b"", job)

    assert (told.state, told.ended, told.running) == (RemoteState.WAITING, [], {3: 1.5})


def test_the_output_of_a_task_is_cut_out_of_that_of_its_slot(home):
    Path(home.env["OAR_NODEFILE"]).write_text("node7\n")
    parcel = pack(group(["one", "two", "three"], exec_file="echo"), inline=False)
    home.lay(parcel)
    home.run(parcel)
    text = journal(home)
    job = attrs.evolve(JOB, shape=Shape.GROUP)

    slot = node.places_of(text, [1])[1].slot
    packed = (home.path / node.packed_file(job, slot, Output.OUT)).read_bytes()

    assert node.cut_output(text, packed, 1, Output.OUT, 100) == b"two\n"
    assert node.cut_output(text, packed, 1, Output.OUT, 2) == b"o\n"
    # The file has become shorter than the journal says.
    assert node.cut_output(text, packed[:6], 1, Output.OUT, 100) == b"tw"
    assert node.places_of(text, [8]) == {}
    with pytest.raises(NotFound, match="no task 8"):
        node.cut_output(text, packed, 8, Output.OUT, 100)


@pytest.mark.parametrize(
    ("task", "seen", "found"),
    [
        # How much of the end of "aaaabbbbbbcc" was read, and what of it is the task's.
        (1, 8, b"bbbbbb"),
        (1, 4, b"bb"),
        (2, 4, b"cc"),
        (2, 2, b"cc"),
        (1, 2, None),
        (0, 8, None),
    ],
)
def test_of_a_long_file_the_end_will_do(task, seen, found):
    text = (
        b"S 0 1 0 1 0 0\nE 0 1 0 0 - 1 2 0 4 0 0\n"
        b"S 1 1 0 2 4 0\nE 1 1 0 0 - 2 3 4 10 0 0\n"
        b"S 2 1 0 3 10 0\nE 2 1 0 0 - 3 4 10 12 0 0\nS 3 1 1 3 0 0\n"
    )
    end = b"aaaabbbbbbcc"[-seen:]

    if found is None:
        with pytest.raises(NotFound, match="too far back"):
            node.cut_output(text, end, task, Output.OUT, 100, is_whole=False)
    else:
        got = node.cut_output(text, end, task, Output.OUT, 100, is_whole=False)
        assert got == found


def test_of_a_long_file_that_grows_only_the_last_task_is_known():
    text = b"S 0 1 0 1 0 0\nE 0 1 0 0 - 1 2 0 4 0 0\nS 1 1 0 2 4 0\n"

    assert node.cut_output(text, b"bbbb", 1, Output.OUT, 3, is_whole=False) == b"bbb"
    with pytest.raises(NotFound, match="too far back"):
        node.cut_output(text, b"bbbb", 0, Output.OUT, 3, is_whole=False)


def test_tasks_find_in_groups_what_they_find_alone(home):
    program = "import os, json; print(json.dumps(dict(os.environ)))"
    command = f"{sys.executable} -I -S -c '{program}'"
    alone = pack(batch(["a 'b'"], exec_file=command), inline=False)
    home.lay(alone)
    home.run(alone)
    first = json.loads(home.output())
    grouped = pack(group(["a 'b'"], exec_file=command), inline=False)
    home.lay(grouped)
    home.run(grouped)
    second = json.loads((place(home) / "out.0").read_text())

    # What shells, and programs that look for a Python, leave there of their own.
    others = {name for name in {*first, *second} if re.search("^SHLVL$|^_|PYENV|^PATH$", name)}
    assert first.keys() - others == second.keys() - others
    different = {name for name in first.keys() - others if first[name] != second[name]}
    assert different == {"CIGRI_TOKEN", "CIGRI_NODE_FILE", "CIGRI_NODEFILE"}


@pytest.mark.parametrize(
    ("status", "ending"),
    [
        (0, (Ending.EXITED, 0)),
        (768, (Ending.EXITED, 3)),
        (66 << 8, (Ending.EXITED, 66)),
        (65280, (Ending.EXITED, 255)),
        (9, (Ending.EXITED, -9)),
        (128 + 11, (Ending.EXITED, -11)),
        (45, (Ending.REMOVED, None)),
        (46, (Ending.NOT_STARTED, None)),
        (47, (Ending.NO_DIRECTORY, None)),
        (48, (Ending.UNUSABLE, None)),
        (173 << 8, (Ending.EXITED, 173)),
        # What no process ever leaves.
        (127, (Ending.EXITED, 255)),
        (-1, (Ending.EXITED, 255)),
    ],
)
def test_how_a_job_ended_by_its_wait_status(status, ending):
    assert node.ending_of(status) == ending
