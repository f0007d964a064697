"""What a task finds when it starts, and what the worker tells of it."""

import json
import os
import shlex
import sys

from tests.clusters.groups import AT_GATE, alive, poke, until

#: Print the arguments in hex, a word on a line, so that no byte of them can hide.
SHOW_WORDS = "import os, sys; [print(os.fsencode(word).hex()) for word in sys.argv[1:]]"
SHOW_SELF = """
import json, os, signal
ignored = [s for s in signal.valid_signals() if signal.getsignal(s) is signal.SIG_IGN]
print(json.dumps({
    "environment": dict(os.environ),
    "directory": os.getcwd(),
    "input": os.read(0, 1).decode(),
    "leads": os.getpgrp() == os.getpid(),
    "blocked": len(signal.pthread_sigmask(signal.SIG_BLOCK, [])),
    "files": sorted(int(fd) for fd in os.listdir("/proc/self/fd"))[:-1],
}))
"""


def python(program):
    """Return a command that runs *program*."""
    return f"{sys.executable} -I -S -c {shlex.quote(program)}"


def words_seen(group, task):
    return [bytes.fromhex(line).decode() for line in group.output(task).split("\n")[:-1]]


def test_a_journal_tells_the_life_of_a_group(site):
    group = site.lay(["0", "3"], command="sh -c 'exit $0'")

    site.run(slots=1)

    assert [line[0] for line in group.lines()] == ["B", "S", "E", "S", "E", "X"]
    assert {task: end.status for task, end in group.ends().items()} == {0: 0, 1: 3}
    assert group.over() == "done"
    assert all(end.start <= end.end for end in group.ends().values())


def test_a_signal_is_a_negative_status(site):
    group = site.lay(["KILL", "TERM"], command="sh -c 'kill -$0 $$'")

    site.run()

    assert [(end.status, end.flag) for _, end in sorted(group.ends().items())] == [
        (-9, "-"),
        (-15, "-"),
    ]


def test_what_a_task_finds(site):
    directory = site.home / "some where"
    directory.mkdir()
    group = site.lay(
        ["a 'b c'"],
        command=python(SHOW_SELF),
        directory="{HOME}/some where",
        cores=2,
        resources="/core=2",
        env={"COLOUR": "grün", "PATH": "/nowhere"},
    )

    site.run(slots=2, INHERITED="yes")

    found = json.loads(group.output())
    environment = found.pop("environment")
    assert found == {
        "directory": str(directory),
        "input": "",
        "leads": True,
        "blocked": 0,
        "files": [0, 1, 2],
    }
    nodes = group.path / "nodes"
    assert (
        environment.items()
        >= {
            "INHERITED": "yes",
            "COLOUR": "grün",
            "PATH": "/nowhere",
            "PWD": str(directory),
            "CIGRI_CAMPAIGN_ID": "12",
            "CIGRI_CAMPAIGNID": "12",
            "CIGRI_JOB_ID": "100",
            "CIGRI_JOBID": "100",
            "CIGRI_TASK": "0",
            "CIGRI_ATTEMPT": "1",
            "CIGRI_USER": "ann",
            "CIGRI_WORKDIR": str(directory),
            "CIGRI_WORKING_DIRECTORY": str(directory),
            "CIGRI_WALLTIME": "01:00:00",
            "CIGRI_WALLTIME_SECONDS": "3600",
            "CIGRI_RESOURCES": "/core=2",
            "CIGRI_NODE_FILE": str(nodes),
            "CIGRI_NODEFILE": str(nodes),
            "CIGRI_JOB_NAME": "visc",
            "CIGRI_JOBNAME": "visc",
            "CIGRI_PARAMETER": "a 'b c'",
            "CIGRI_TOKEN": f"{site.root}/g1",
        }.items()
    )
    assert nodes.read_text() == f"{os.uname().nodename}\n" * 2


def test_a_task_handles_signals_as_it_would_in_a_shell(site):
    group = site.lay([""], command="grep -E 'Sig(Blk|Ign)' /proc/self/status")

    site.run()

    blocked, ignored = (int(line.split()[1], 16) for line in group.output().splitlines())
    # Two signals are the C library's own.
    assert (blocked, ignored & ~(0b11 << 31)) == (0, 0)


def test_parameters_are_split_and_never_expanded(site):
    lines = [
        "plain  words\there",
        '\'single $HOME\' "double \\" `id`" back\\ slash',
        "~ $HOME {HOME} {CAMPAIGN_ID} * ?",
        "é ü \u2028 \xa0",
        "''",
        "",
        "-n --x=1",
    ]
    group = site.lay(lines, command=python(SHOW_WORDS))

    site.run()

    assert [words_seen(group, task) for task in range(len(lines))] == [
        shlex.split(line) for line in lines
    ]


def test_an_array_is_the_exact_words(site):
    arrays = [["two words", "", "'", '"', "\\", "\n", "~", "$HOME"], [], ["-"]]
    group = site.lay(arrays, command=f"{python(SHOW_WORDS)} fixed")

    site.run()

    assert [words_seen(group, task) for task in range(3)] == [["fixed", *a] for a in arrays]


def test_the_variable_of_an_array_can_be_split_into_it(site):
    words = ["-c", 'printf %s "$CIGRI_PARAMETER"', "", "it's"]
    group = site.lay([words], command="sh")

    site.run()

    assert shlex.split(group.output()) == words


def test_a_parameter_never_becomes_a_second_command(site):
    attacks = [
        "; touch pwned",
        "& touch pwned",
        "| touch pwned",
        "&& touch pwned",
        "$(touch pwned)",
        "`touch pwned`",
        "\ntouch pwned\n",
        "> pwned",
        "'; touch pwned; '",
        '"$(touch pwned)"',
        "${IFS}touch${IFS}pwned",
        "\\\ntouch pwned",
        "<(touch pwned)",
    ]
    lines = site.lay(attacks, name="lines", command=python(SHOW_WORDS))
    arrays = site.lay([[attack] for attack in attacks], name="arrays", command=python(SHOW_WORDS))

    site.run()

    for task, attack in enumerate(attacks):
        assert words_seen(lines, task) == shlex.split(attack)
        assert words_seen(arrays, task) == [attack]
    assert list(site.home.iterdir()) == []


def test_a_program_is_found_on_path_or_from_the_directory(site):
    directory = site.home / "bin"
    directory.mkdir()
    for name in ("mine", "true"):
        program = directory / name
        program.write_text(f"#!/bin/sh\necho {name} of home\n")
        program.chmod(0o755)
    groups = [
        site.lay([""], name="from-path", command="mine", env={"PATH": f"/none:{directory}"}),
        site.lay([""], name="from-directory", command="bin/mine"),
        site.lay([""], name="from-home", command="~/bin/true"),
        site.lay([["mine"]], name="from-parameter", command="env", env={"PATH": str(directory)}),
        site.lay(["bin/mine"], name="no-command", command=""),
    ]

    site.run()

    shown = [group.output() if group.ends() else group.refusals() for group in groups]
    assert shown[:3] == ["mine of home\n", "mine of home\n", "true of home\n"]
    assert shown[3] == {0: (2, "env: not found on PATH")}
    assert shown[4] == "mine of home\n"


def test_a_script_that_names_no_interpreter_is_a_shell_script(site):
    script = site.home / "run.sh"
    script.write_text('echo "$1 from $0"\n')
    script.chmod(0o755)
    group = site.lay(["'a b'"], command="~/run.sh")

    site.run()

    assert group.output() == f"a b from {script}\n"


def test_outputs_are_packed_and_each_can_be_found(site):
    count = 40
    group = site.lay(count, command="sh -c 'echo out $0; echo err $0 >&2; printf %$0s'")

    site.run(slots=3)

    assert sorted(path.name for path in group.path.glob("out.*")) == ["out.0", "out.1", "out.2"]
    for task in range(count):
        assert group.output(task) == f"out {task}\n" + " " * task
        assert group.output(task, "err") == f"err {task}\n"


def test_the_output_of_a_running_task_can_be_found(site):
    group = site.lay(["", "x"], command=f"sh -c 'echo begun; {AT_GATE}; echo through' sh")
    site.start(slots=1)
    until(lambda: group.started() == [0] and (group.path / "out.0").read_text())
    assert (group.path / "out.0").read_text() == "begun\n"

    site.open_gate()
    until(group.over)

    for (_, _, _, slot, _, *begins), end in zip(
        group.lines("S"), group.ends().values(), strict=True
    ):
        assert (int(slot), *map(int, begins)) == (end.slot, end.out[0], end.err[0])


def test_a_task_that_cuts_its_output_short_still_has_its_own(site):
    scripts = ["echo a longer line", "echo cut > /dev/stdout", "echo next"]
    group = site.lay([[script] for script in scripts], command="sh -c")

    site.run(slots=1)

    assert [group.output(task) for task in (1, 2)] == ["cut\n", "next\n"]


def test_what_a_task_leaves_in_the_background_is_killed(site):
    group = site.lay([""], command="sh -c 'sleep 1000 & echo $!'")

    site.run()

    until(lambda: not alive(int(group.output())))


def test_a_task_of_several_cores_keeps_the_others_waiting(site):
    program = "sh -c 'echo + $CIGRI_TASK >> log; echo - $CIGRI_TASK >> log'"
    wide = site.lay(6, name="g1", cores=2, command=program)

    site.run(slots=3)

    marks = (site.home / "log").read_text().split()[::2]
    assert marks == ["+", "-"] * 6
    assert wide.over() == "done"


def test_campaigns_take_turns(site):
    for name, campaign in (("a1", 1), ("a2", 1), ("b1", 2), ("c1", 3)):
        site.lay(
            2, name=name, campaign=campaign, command="sh -c 'echo $CIGRI_CAMPAIGN_ID >> log' sh"
        )

    site.run(slots=1)

    assert (site.home / "log").read_text().split() == ["1", "2", "3", "1", "2", "3", "1", "1"]


def test_the_oldest_group_of_a_campaign_goes_first(site):
    for name in ("g10", "g09", "g11"):
        site.lay(2, name=name, command=f"sh -c 'echo {name} >> log' sh")

    site.run(slots=1)

    assert (site.home / "log").read_text().split() == ["g09", "g09", "g10", "g10", "g11", "g11"]


def test_the_file_of_slots_wins_and_is_read_again(site):
    (site.root / "slots").write_text("0")
    group = site.lay(4, command=f"sh -c '{AT_GATE}'")
    process = site.start(slots=4)
    until(lambda: group.lines("B"))
    assert group.started() == []

    (site.root / "slots").write_text("3")
    poke(process)
    until(lambda: len(group.started()) == 3)
    (site.root / "slots").write_text("no number")
    site.open_gate()
    until(group.over)

    assert {end.slot for end in group.ends().values()} == {0, 1, 2}


def test_a_group_too_wide_for_the_slots_lets_the_others_pass(site):
    wide = site.lay(1, name="g1", campaign=1, cores=4)
    narrow = site.lay(1, name="g2", campaign=2)
    process = site.start(slots=2)
    until(narrow.over)
    assert wide.started() == []

    (site.root / "slots").write_text("4")
    poke(process)

    assert until(wide.over) == "done"


def test_groups_that_come_later_are_run(site):
    process = site.started()
    group = site.lay(3)
    site.lay(1, name=".hidden.not")

    poke(process)

    assert until(group.over) == "done"


def test_an_empty_group_is_done_at_once(site):
    group = site.lay([])

    site.run()

    assert [line[0] for line in group.lines()] == ["B", "X"]


def test_the_locale_does_not_change_a_parameter(site):
    group = site.lay(["é→", ["é→"]], command=python(SHOW_WORDS))

    site.run(LC_ALL="POSIX", PYTHONUTF8="0")

    assert words_seen(group, 0) == words_seen(group, 1) == ["é→"]


def test_a_task_finds_the_variables_of_its_campaign_but_none_in_the_name_of_cigri(site):
    env = {"COLOUR": "grün", "CIGRI_TASK": "9", "CIGRI_MINE": "x", "HOME": "/elsewhere"}
    group = site.lay(["a"], command=python(SHOW_SELF), env=env)

    site.run()

    found = json.loads(group.output())["environment"]
    assert (found["COLOUR"], found["HOME"]) == ("grün", "/elsewhere")
    assert found["CIGRI_TASK"] == "0"
    assert "CIGRI_MINE" not in found


def test_named_words_come_where_the_command_names_them(site):
    command = python(SHOW_WORDS) + " at={T} {L}"
    group = site.lay(
        ["300 'two words'", ["4", "$HOME"]], version=2, command=command, names=["T", "L"]
    )

    site.run()

    assert words_seen(group, 0) == ["at=300", "two words"]
    assert words_seen(group, 1) == ["at=4", "$HOME"]


def test_a_parameter_without_a_word_for_each_name_fails_alone(site):
    group = site.lay(["1", "1 2"], version=2, command="true", names=["A", "B"])

    site.run()

    assert group.refusals() == {0: (22, "1 words for the names A, B")}
    assert group.ends()[1].status == 0


def test_a_script_runs_in_the_home_and_is_no_task(site):
    script = 'set -u\npwd; echo "$CIGRI_CAMPAIGN_ID ${CIGRI_TASK-none} $OAR_JOB_ID"; exit 3\n'
    group = site.lay([""], version=2, script=script, command="ignored")

    site.run()

    assert group.ends()[0].status == 3
    assert group.output().splitlines() == [str(site.home), f"12 none {site.root}/g1"]


def test_a_script_runs_where_there_is_no_bash(site):
    group = site.lay([""], version=2, script="echo $0", env={"PATH": "/nowhere"})

    site.run()

    assert group.ends()[0].status == 0
    assert group.output() == f"{group.path}/script\n"
