"""Prologues and epilogues: what becomes of their lines, and what their ends mean."""

import subprocess

import pytest

from cigri.domain.model import CampaignType, ClusterSettings, JobKind, TaskNumber
from cigri.domain.steps import came_to_its_end, script, script_of, step_settings, succeeded
from cigri.domain.verdict import Ending, TaskEnd

SETTINGS = ClusterSettings(
    exec_file="x {T}",
    exec_directory="/work",
    walltime=60.0,
    cores=4,
    resources="4",
    prologue=("a", "b"),
    epilogue=("c",),
    epilogue_walltime=5.0,
    parameter_names=("T",),
    env={"A": "b"},
)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "echo {HOME} ${HOME} $HOME \\$HOME \\{HOME}",
            "/home/ann /home/ann /home/ann /home/ann /home/ann",
        ),
        ("echo {CAMPAIGN_ID} \\$CIGRI_CAMPAIGN_ID", "12 12"),
        ("echo {OAR_JOB_ID} $OAR_JOB_ID", "77 77"),
        ('echo ~/x "~/x" "~" a~b \'~\'', "/home/ann/x /home/ann/x /home/ann a~b ~"),
        ("echo \\$(echo it) {TASK}", "it {TASK}"),
    ],
)
def test_macros_mean_what_they_meant(line, said):
    environment = {"HOME": "/home/ann", "CIGRI_CAMPAIGN_ID": "12", "OAR_JOB_ID": "77"}
    done = subprocess.run(
        ["/bin/sh", "-c", script([line])],
        capture_output=True,
        text=True,
        env=environment,
        check=True,
    )

    assert done.stdout == f"{said}\n"


def test_lines_are_one_script():
    assert script_of(SETTINGS, JobKind.PROLOGUE) == "a\nb\n"
    assert script_of(SETTINGS, JobKind.EPILOGUE) == "c\n"


def test_a_step_takes_one_core_in_the_home_and_is_not_killed_for_others():
    asked = step_settings(SETTINGS, JobKind.PROLOGUE)

    assert (asked.cores, asked.resources, asked.exec_directory) == (1, "1", "$HOME")
    assert (asked.type, asked.walltime, asked.parameter_names) == (CampaignType.NORMAL, 60.0, ())
    assert asked.env == {"A": "b"}
    assert step_settings(SETTINGS, JobKind.EPILOGUE).walltime == 5.0


END = TaskEnd(TaskNumber(0), Ending.EXITED, 0, 1.0, 2.0)


@pytest.mark.parametrize(
    ("ending", "status", "ended", "well"),
    [
        (Ending.EXITED, 0, True, True),
        (Ending.EXITED, 1, True, False),
        # No task asks to run again here.
        (Ending.EXITED, 66, True, False),
        (Ending.EXITED, -9, True, False),
        (Ending.WALLTIME, -15, True, False),
        (Ending.WALLTIME, 0, True, False),
        (Ending.NOT_STARTED, None, True, False),
        (Ending.KILLED, -9, False, False),
        (Ending.LOST, None, False, False),
    ],
)
def test_what_the_end_of_a_step_means(ending, status, ended, well):
    end = END._replace(ending=ending, exit_status=status)

    assert (came_to_its_end(end), succeeded(end)) == (ended, well)
