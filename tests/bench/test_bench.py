"""The benchmarks run; what they find is for people to judge."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.e2e


def bench(*arguments):
    done = subprocess.run(
        [sys.executable, "-m", "cigri.bench", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_local_compares_cigri_with_others():
    only = ["--only", "floor", "xargs", "cigri"]

    text = bench("local", "--tasks", "50", "--rounds", "1", *only)

    assert "| cigri " in text
    assert "times as fast as xargs" in text


def test_what_a_machine_does_not_have_is_said():
    only = ["--only", "hyperqueue", "--hyperqueue-python", "/bin/false"]

    text = bench("local", "--tasks", "50", "--rounds", "1", *only)

    assert "not measured: HyperQueue (Python API): /bin/false has no package hyperqueue" in text


def test_oar_counts_what_a_campaign_asks_of_a_fake():
    text = bench("oar", "--tasks", "1000", "--seconds", "0.2")

    assert "1000 tasks of 0.2 s: " in text
    assert " 1 submit, " in text
    assert "CPU us per job" in text


def test_million_measures_submission_pages_and_restart():
    text = bench("million", "--tasks", "2000", "--seconds", "0.4")

    assert "| lines " in text
    assert "answers after kill -9" in text
