"""Tasks and groups that cannot be started."""

import errno
import sys

import pytest

from cigri.clusters import worker
from tests.clusters.groups import AT_GATE, poke, until


def program(site, text, mode=0o755):
    """Make an executable in the home."""
    path = site.home / "run"
    path.write_text(text)
    path.chmod(mode)
    return path


@pytest.mark.parametrize("command", ["~/missing", "missing-from-path", "bin/missing"])
def test_a_missing_program_refuses_the_group(site, command):
    group = site.lay(5, command=command)

    site.run(slots=1)

    assert group.started() == [0]
    number, message = group.refusals()[0]
    assert number == errno.ENOENT
    assert "missing" in message
    assert group.over() == "refused"


def test_a_program_that_may_not_be_executed_refuses_the_group(site):
    path = program(site, "#!/bin/sh\n", mode=0o644)
    group = site.lay(5, command="~/run")

    site.run()

    assert group.refusals() == {0: (errno.EACCES, f"{path}: Permission denied")}
    assert group.over() == "refused"


def test_a_missing_interpreter_is_named_as_the_fault(site):
    path = program(site, "#!/no/such/python\n")
    group = site.lay(1, command="~/run")

    site.run()

    fault = f"{path}: the interpreter that it names does not exist"
    assert group.refusals() == {0: (errno.ENOENT, fault)}


def test_a_missing_directory_refuses_the_group(site):
    group = site.lay(5, directory="~/no\nwhere")

    site.run()

    nowhere = f"{site.home}/no where: No such file or directory"
    assert group.refusals() == {0: (errno.ENOENT, nowhere)}
    assert group.over() == "refused"


def test_a_directory_that_goes_and_comes_again_is_found(site):
    (site.home / "here").mkdir()
    again = ["rmdir ../here; mkdir ../here", "echo found > mark"]
    group = site.lay([[script] for script in again], command="sh -c", directory="~/here")

    site.run(slots=1)

    assert (site.home / "here/mark").read_text() == "found\n"
    assert group.over() == "done"


def test_a_refusal_lets_what_runs_end(site):
    path = program(site, f"#!/bin/sh\nrm run; {AT_GATE}\n")
    group = site.lay(3, command="~/run")
    process = site.start(slots=1)
    until(lambda: group.started() and not path.exists())

    (site.root / "slots").write_text("2")
    poke(process)
    until(group.refusals)
    assert group.over() is None
    site.open_gate()

    assert until(group.over) == "refused"
    assert (group.started(), group.ends()[0].status) == ([0, 1], 0)


@pytest.mark.parametrize("parameter", ["'", ["a\0b"], "\0", ["\ud800"]])
def test_a_parameter_that_no_program_can_get_is_the_fault_of_one_task(site, parameter):
    group = site.lay(["a", parameter, "b"])

    site.run()

    assert list(group.refusals()) == [1]
    assert group.refusals()[1][0] == errno.EINVAL
    assert sorted(group.ends()) == [0, 2]
    assert group.over() == "done"


def test_a_command_with_an_open_quote_starts_nothing(site):
    group = site.lay(3, command="true '")

    site.run()

    assert {number for number, _ in group.refusals().values()} == {errno.EINVAL}
    assert sorted(group.refusals()) == [0, 1, 2]
    assert group.over() == "done"


def test_no_command_at_all_starts_nothing(site):
    group = site.lay([""], command="")

    site.run()

    assert group.refusals() == {0: (errno.EINVAL, "no program is named")}


def test_a_parameter_too_long_for_a_variable_is_left_out_of_the_environment(site):
    words = "word " * 30_000
    group = site.lay([words, "short"], command=f"{sys.executable} -I -S -c '{SHOW_LENGTHS}'")

    site.run()

    assert [group.output(task) for task in (0, 1)] == ["30000 None\n", "1 short\n"]


SHOW_LENGTHS = 'import os, sys; print(len(sys.argv) - 1, os.environ.get("CIGRI_PARAMETER"))'


def test_a_word_too_long_for_the_system_is_the_fault_of_one_task(site):
    group = site.lay(["x" * 200_000, "short"])

    site.run()

    assert {task: number for task, (number, _) in group.refusals().items()} == {0: errno.E2BIG}
    assert list(group.ends()) == [1]


@pytest.mark.parametrize(
    "header", [{"version": 3}, {"walltime": "soon"}, {"cores": None}, {"directory": 7}]
)
def test_a_header_that_it_does_not_understand_refuses_the_group(site, header):
    group = site.lay(3, **header)
    other = site.lay(1, name="g2")

    site.run()
    site.run()

    assert [line[0] for line in group.lines()] == ["X"]
    assert group.over() == "refused"
    assert other.over() == "done"


def test_tasks_that_it_does_not_understand_refuse_the_group(site):
    (site.root / "slots").write_text("1")
    group = site.lay(1)
    with (group.path / worker.TASKS).open("a") as file:
        file.write('[1, 1]\n[2, 1, 102, ""]\n')

    site.run()

    assert group.started() == [0]
    assert group.over() == "refused"
