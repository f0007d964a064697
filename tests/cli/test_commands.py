"""The commands, on a real server."""

import csv
import io
import json
import subprocess
import sys

import pytest

from cigri.client import Client
from tests.cli.conftest import SLEEP, environment

pytestmark = pytest.mark.e2e


@pytest.fixture
def finished(submitted, cigri, failing):
    """A campaign of two tasks that has ended, the second of them failed."""

    def finish():
        number = submitted(**failing)
        assert cigri("wait", number).code == 10
        return number

    return finish


def test_sub_prints_the_number_of_the_campaign(here, cigri, describe):
    ended = cigri("sub", describe())

    assert ended.code == 0
    assert ended.out.startswith("CAMPAIGN_ID=")
    assert ended.err == ""


def test_sub_reads_standard_input(here, describe):
    with describe().open("rb") as file:
        ended = subprocess.run(
            [sys.executable, "-m", "cigri", "sub", "-"],
            stdin=file,
            capture_output=True,
            check=True,
        )

    assert ended.stdout.startswith(b"CAMPAIGN_ID=")


def test_sub_sends_the_lines_of_the_parameter_file(here, cigri, describe, server):
    (here / "p.txt").write_bytes(b"a 1\r\n\r\nb 2\n")

    ended = cigri("sub", describe(nb_jobs=None, param_file="p.txt"), "-o", "json")

    number = json.loads(ended.out)["id"]
    assert [job["parameters"] for job in server.client.jobs(number)] == ["a 1", "b 2"]


def test_a_dry_run_shows_commands_and_submits_nothing(here, cigri, describe, server):
    before = server.client.campaigns(state="all")["total"]

    ended = cigri("sub", describe(nb_jobs=1000), "--dry-run")

    assert ended.code == 0
    assert ended.out.splitlines() == [
        "visc: 1000 tasks on local",
        "  #0    echo 0",
        "  #1    echo 1",
        "  #999  echo 999",
        "nothing submitted",
    ]
    assert server.client.campaigns(state="all")["total"] == before


def test_every_mistake_of_a_description_is_told(here, cigri, describe):
    path = describe(nb_jobs=-1, parms=[])

    ended = cigri("sub", path)

    assert ended.code == 1
    first, *mistakes, where, attempt = ended.err.splitlines()
    assert first == "error: the campaign description has 2 mistakes"
    assert [line.split(":")[0].strip() for line in mistakes] == ["/parms", "/nb_jobs"]
    assert where == f"where: {path}"
    assert attempt.startswith("try:   ")


@pytest.mark.parametrize(
    ("arguments", "path"),
    [
        (["stat"], "/campaigns?limit=100"),
        (["stat", "--all"], "/campaigns?limit=100&state=all"),
        (["stat", "{}"], "/campaigns/{}"),
        (["jobs", "{}"], "/campaigns/{}/jobs"),
        (["jobs", "{}", "--state", "failed"], "/campaigns/{}/jobs?state=failed"),
        (["events", "{}"], "/campaigns/{}/events"),
        (["wait", "{}"], "/campaigns/{}"),
    ],
)
def test_json_is_the_answer_of_the_server_byte_for_byte(finished, cigri, server, arguments, path):
    number = finished()

    ended = cigri(*(argument.format(number) for argument in arguments), "-o", "json")

    assert ended.out.encode() == server.client.get(path.format(number)).content


def test_stat_shows_a_campaign(finished, cigri):
    number = finished()

    ended = cigri("stat", number)

    assert ended.code == 0
    assert f"Campaign {number}  visc" in ended.out
    assert "1/2  50.0%" in ended.out
    assert f"cigri events {number}" in ended.out


def test_stat_hides_finished_campaigns_and_counts_them(finished, cigri):
    number = finished()

    unfinished, everything = cigri("stat").out, cigri("stat", "--all").out

    assert "not shown: --all" in unfinished
    assert str(number) in [line.split()[0] for line in everything.splitlines()[1:]]


def test_last_is_the_newest_campaign(finished, cigri):
    number = finished()

    assert f"Campaign {number} " in cigri("stat", "last").out


def test_watching_a_campaign_that_has_ended_shows_it_once(finished, cigri):
    number = finished()

    ended = cigri("stat", number, "--watch")

    assert ended.out == f"campaign {number}: terminated, 1/2 done, 1 failed\n"


def test_logs_come_as_they_are_or_under_a_line_that_names_them(finished, cigri):
    number = finished()

    assert cigri("logs", number, 0, "--stdout").out == "a\n"
    assert cigri("logs", number, "--failed").out == (
        "==> task 1 ('echo b >&2; exit 3'; failed, exit 3): stderr <==\nb\n"
    )
    assert cigri("logs", number, 0, 1, "--stderr").out == (
        "==> task 0 ('echo a'; terminated, exit 0): nothing <==\n"
        "==> task 1 ('echo b >&2; exit 3'; failed, exit 3): stderr <==\nb\n"
    )


def test_events_show_the_cause_and_fix_repairs_it(finished, cigri):
    number = finished()

    events = cigri("events", number)
    fixed = cigri("fix", number, "--resubmit")
    waited = cigri("wait", number)

    head, *commands = events.out.splitlines()
    assert head.split("  ")[1:5] == ["open", "EXIT_ERROR", "exit 3", "on local"]
    assert head.endswith("  b")
    assert [line.split("  ")[2] for line in commands] == [
        f"cigri logs {number} 1",
        f"cigri fix {number} {head.split()[1]} --resubmit",
    ]
    assert fixed.out == f"campaign {number}: 1 event closed, 1 task will run again\n"
    assert waited.code == 10
    (failed,) = cigri("jobs", number, "--state", "failed").out.splitlines()[1:]
    assert failed.split()[7] == "2"


def test_fix_alone_closes_the_events(finished, cigri):
    number = finished()

    assert cigri("fix", number).out == f"campaign {number}: 1 event closed\n"
    assert cigri("events", number).out == "no event\n"
    assert "closed" in cigri("events", number, "--all").out


def test_a_campaign_can_be_paused_resumed_and_cancelled(submitted, cigri):
    number = submitted(exec_file=SLEEP, nb_jobs=100)

    assert cigri("pause", number).code == 0
    assert "paused" in cigri("stat", number).out.splitlines()[0]
    assert cigri("resume", number).out == f"campaign {number} resumed\n"
    assert cigri("del", number).out == f"campaign {number} cancelled\n"
    assert cigri("wait", number).code == 11


def test_waiting_has_an_end(submitted, cigri):
    number = submitted(exec_file=SLEEP)

    ended = cigri("wait", number, "--timeout", "0.1")

    assert ended.code == 124
    assert ended.err == f"campaign {number} has not ended after 0.1 s: it goes on\n"
    assert cigri("stat", number, "-o", "json").out.count("in_treatment") == 1
    cigri("del", number)


def test_waiting_says_why_a_campaign_stands_still(submitted, cigri):
    number = submitted(exec_file="/no/such/program")
    text = f"campaign {number} waits: "

    while text not in (ended := cigri("wait", number, "--timeout", "1")).err:
        assert ended.code == 124

    assert "/no/such/program" in ended.err
    cigri("del", number)


def test_the_time_is_up_for_each_of_several_campaigns(submitted, cigri):
    done, first, second = submitted(), submitted(exec_file=SLEEP), submitted(exec_file=SLEEP)
    cigri("wait", done)

    ended = cigri("wait", first, done, second, "--timeout", "0")

    assert ended.code == 124
    assert [line.split()[1] for line in ended.err.splitlines()] == [str(first), str(second)]
    assert ended.out == f"campaign {done}: terminated, 3/3 done\n"
    cigri("del", first, second)


def test_several_campaigns_end_with_the_highest_code(finished, submitted, cigri):
    good, bad = submitted(), finished()

    assert cigri("wait", good, bad).code == 10
    assert cigri("wait", good).code == 0


def test_one_that_is_missing_does_not_keep_the_others_from_being_shown(submitted, cigri):
    number = submitted()

    ended = cigri("stat", 999999, number)

    assert ended.code == 3
    assert f"Campaign {number} " in ended.out
    assert "error: there is no campaign 999999\n" in ended.err
    assert "\ntry:   cigri stat --all" in ended.err


def test_a_task_that_is_missing_is_not_found(submitted, cigri):
    number = submitted()

    ended = cigri("logs", number, 999)

    assert ended.code == 3
    assert ended.err.startswith(f"error: campaign {number} has no task 999\n")
    assert ended.err.endswith(f"\ntry:   cigri jobs {number} shows its tasks\n")


def test_results_are_one_row_a_task(finished, cigri):
    rows = list(csv.DictReader(io.StringIO(cigri("results", finished()).out)))

    assert [row["state"] for row in rows] == ["terminated", "failed"]
    assert [row["exit_status"] for row in rows] == ["0", "3"]
    assert all(row["cluster"] == "local" and row["attempts"] == "1" for row in rows)


def test_results_of_a_sweep_have_a_column_for_each_axis(here, cigri, describe):
    sweep = ("--grid", "T=0.5,1", 'suffix="",a b')
    number = cigri("sub", describe(), *sweep).out.removeprefix("CAMPAIGN_ID=").strip()
    cigri("wait", number)

    head, *rows = cigri("results", number).out.splitlines()
    (first, *_) = cigri("results", number, "-o", "ndjson").out.splitlines()

    assert head.startswith("number,parameter,T,suffix,state,")
    assert [row.split(",")[2:5] for row in rows] == [
        ["0.5", "", "terminated"],
        ["0.5", "a b", "terminated"],
        ["1", "", "terminated"],
        ["1", "a b", "terminated"],
    ]
    assert [json.loads(first)[name] for name in ("T", "suffix")] == [0.5, ""]


def test_a_reader_that_goes_away_is_no_error(submitted, server):
    number = submitted(nb_jobs=20_000, exec_file=SLEEP)
    server.client.pause(number)
    url = f"unix:{server.directory}/cigri.sock"

    writer = subprocess.Popen(
        [sys.executable, "-m", "cigri", "results", str(number)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(url),
    )
    assert writer.stdout.readline().startswith(b"number,")
    writer.stdout.close()

    assert writer.stderr.read() == b""
    assert writer.wait(30) == 141
    writer.stderr.close()
    server.client.cancel(number)


def test_no_server_is_code_5_and_names_the_places_that_were_tried(nowhere, cigri):
    ended = cigri("stat")

    assert ended.code == 5
    assert ended.err.startswith(f"error: no server answers at unix:{nowhere}/cigri.sock")
    assert "\ntry:   cigri serve" in ended.err


def test_a_server_that_is_named_wins_over_the_environment(here, cigri):
    assert cigri("stat", "--url", "unix:/no/such.sock").code == 5
    assert cigri("--url", "unix:/no/such.sock", "stat").code == 5
    assert cigri("stat").code == 0


def test_colours_are_for_terminals_or_for_who_asks(finished, cigri, monkeypatch):
    number = finished()

    assert "\x1b[" not in cigri("stat", number).out
    assert "\x1b[" in cigri("stat", number, "--color", "always").out
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[3" not in cigri("stat", number, "--color", "always").out


def test_pictures_are_drawn_in_ascii_where_the_terminal_knows_no_more(finished, server):
    number = finished()

    ended = subprocess.run(
        [sys.executable, "-m", "cigri", "stat", str(number)],
        env=environment(f"unix:{server.directory}/cigri.sock") | {"PYTHONIOENCODING": "ascii"},
        capture_output=True,
        check=True,
    )

    assert b"######################!!!!!!!!!!!!!!!!!!!!!!" in ended.stdout


def test_a_client_does_everything_from_python(here, server):
    jdl = {"name": "x", "exec_file": "echo", "clusters": {"local": {}}, "params": ["a", "b"]}

    with Client() as cigri:
        number = cigri.submit(jdl)["id"]
        last = cigri.wait(number, timeout=60)
        rows = list(cigri.results(number))
        output = cigri.output(cigri.job(number, 1)["id"])

    assert last["state"] == "terminated"
    assert [row["parameter"] for row in rows] == ["a", "b"]
    assert output == b"b\n"
