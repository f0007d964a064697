"""The commands of CiGri 3: the same options, and the same output byte for byte."""

import io
import json
import tomllib
from pathlib import Path

import pytest

from cigri.cli.grid import (
    gridclusters,
    griddel,
    gridevents,
    gridnotify,
    gridstat,
    gridsub,
    gridtoken,
    scripts,
)
from cigri.cli.main import run
from tests.cli.conftest import SLEEP, Ended

COMMANDS = {
    module.__name__.rpartition(".")[2]: vars(module)[module.__name__.rpartition(".")[2]]
    for module in (gridclusters, griddel, gridevents, gridnotify, gridstat, gridsub, gridtoken)
}

ABCD = {
    "id": 20960,
    "name": "ABCD_H_VX-new",
    "user": "xbahuibo",
    "state": "in_treatment",
    "has_events": True,
    "submission_time": 1644325402,
    "total_jobs": 6,
    "finished_jobs": 0,
    "clusters": {
        "3": {
            "cluster_name": "luke",
            "active_jobs": 0,
            "queued_jobs": 4,
            "prologue_ok": True,
            "epilogue_ok": True,
        }
    },
}
GIPSYX = {
    "id": 21039,
    "name": "abc_gipsyx_2018",
    "user": "boulabzi",
    "state": "in_treatment",
    "has_events": False,
    "submission_time": 1647768913,
    "total_jobs": 377271,
    "finished_jobs": 146295,
}
STATS = {
    "average_jobs_duration": None,
    "stddev_jobs_duration": None,
    "jobs_throughput": None,
    "remaining_time": None,
    "failures_rate": 0.979,
    "resubmit_rate": 0.978,
}
LIST = """\
Campaign id Name                User             Submission time     S  Progress
----------- ------------------- ---------------- ------------------- -- --------
20960       ABCD_H_VX-new       xbahuibo         2022-02-08 14-03-22 Re 0/6 (0%)
21039       abc_gipsyx_2018     boulabzi         2022-03-20 10-35-13 R  146295/377271 (38%)
"""
DETAILS = """\
Campaign: 20960
  Name: ABCD_H_VX-new
  User: xbahuibo
  Date: 2022-02-08 14-03-22
  State: in_treatment (events)
  Progress: 0/6 (0%)
  Stats: 
    average_jobs_duration: 
    stddev_jobs_duration: 
    jobs_throughput: ~ jobs/h
    remaining_time: ~ hours
    failures_rate: 97.9 %
    resubmit_rate: 97.8 %
  Clusters: 
    luke:
      active_jobs: 0
      queued_jobs: 4
      prologue_ok: true
      epilogue_ok: true
"""  # noqa: W291 - as CiGri 3 wrote it
JOB = {
    "id": 7,
    "name": "a",
    "parameters": "a 1",
    "state": "terminated",
    "cluster": "luke",
    "cigri_job_id": 31,
    "remote_id": "99",
    "links": [],
}
EVENT = {
    "id": 4,
    "code": "EXIT_ERROR",
    "state": "open",
    "job_id": 31,
    "date_open": 1644325402,
    "cluster_name": "luke",
    "parent": None,
    "message": "The job exited with exit status 2;\nNo such file",
}
CLUSTER = {
    "id": 3,
    "name": "luke",
    "driver": "local",
    "slots": 8,
    "busy": 2,
    "blacklisted": False,
    "under_stress": True,
    "ssh_host": "luke.lab",
    "stress_factor": "0.9/0.8",
    "links": [],
}


@pytest.fixture
def old(cigri, capfd):
    """Call an old command in this process."""

    def call(name, *arguments):
        capfd.readouterr()
        code = run([str(argument) for argument in arguments], COMMANDS[name])
        out, err = capfd.readouterr()
        return Ended(int(code), out, err)

    return call


def items(*found):
    return {"items": list(found), "total": len(found), "links": []}


def test_gridstat_lists_campaigns_as_ever(played, old):
    played.answers["GET /campaigns"] = items(GIPSYX, ABCD)

    ended = old("gridstat")

    assert (ended.code, ended.out, ended.err) == (0, LIST, "")


def test_gridstat_lists_those_of_one_user_without_titles(played, old):
    played.answers["GET /campaigns"] = items(ABCD, GIPSYX)

    assert old("gridstat", "-H", "-u", "boulabzi").out == LIST.splitlines(keepends=True)[3]


@pytest.mark.parametrize("arguments", [("-c", 20960), (20960,), ("--campaign", 20960)])
def test_gridstat_shows_a_campaign_as_ever(played, old, arguments):
    played.answers["GET /campaigns/20960"] = ABCD
    played.answers["GET /campaigns/20960/stats"] = STATS

    ended = old("gridstat", *arguments)

    assert (ended.code, ended.out, ended.err) == (0, DETAILS, "")


def test_gridstat_tells_no_share_of_a_campaign_without_an_end(played, old):
    endless = ABCD | {"endless": True, "finished_jobs": 208, "total_jobs": 2210, "end_time": None}
    played.answers["GET /campaigns"] = items(endless, endless | {"end_time": 9})

    first, second = old("gridstat", "-H").out.splitlines()

    assert first.endswith(" Re 208/-")
    assert second.endswith(" Re 208/2210 (9%)")


def test_gridstat_shows_numbers_that_are_known(played, old):
    played.answers["GET /campaigns/1"] = ABCD | {"has_events": False, "state": "paused"}
    played.answers["GET /campaigns/1/stats"] = {
        "average_jobs_duration": 12.34,
        "stddev_jobs_duration": 0.5,
        "jobs_throughput": 0.5,
        "remaining_time": 5400.0,
        "failures_rate": None,
        "resubmit_rate": 0.0,
    }

    lines = old("gridstat", 1).out.splitlines()

    assert lines[4] == "  State: paused"
    assert lines[7:13] == [
        "    average_jobs_duration: 12.34",
        "    stddev_jobs_duration: 0.50",
        "    jobs_throughput: 1800.00 jobs/h",
        "    remaining_time: 1.50 hours",
        "    failures_rate: 0.0 %",
        "    resubmit_rate: 0.0 %",
    ]


def test_gridstat_lists_tasks_and_says_where_to_go_on(played, old):
    path = "/campaigns/20960/jobs?offset={}&limit=100"
    played.answers["GET /campaigns/20960"] = ABCD
    played.answers["GET /campaigns/20960/stats"] = STATS
    for page in range(11):
        following = {"rel": "next", "href": path.format(page * 100 + 100)}
        pending = JOB | dict.fromkeys(("cluster", "cigri_job_id", "remote_id"))
        pending |= {"id": 8, "state": "pending", "parameters": ["a", "b c"]}
        played.answers[f"GET {path.format(page * 100)}"] = {
            "items": [JOB, pending],
            "links": [following],
        }

    ended = old("gridstat", "-f", "-c", 20960)

    head, _, tasks = ended.out.partition("  Jobs:\n")
    lines = tasks.splitlines()
    assert head == DETAILS
    assert lines[:2] == [
        "    7: 31,99,terminated,luke,a,a 1",
        '    8: *,*,pending,*,a,["a", "b c"]',
    ]
    assert len(lines) == 2 * 11 + 1
    assert lines[-1] == "WARNING: more jobs left. Next jobs with --offset=1100"


@pytest.mark.parametrize(
    ("arguments", "path"),
    [
        (("-d",), "/campaigns"),
        (("-d", "-p"), "/campaigns?pretty=true"),
        (("-d", "-c", "12"), "/campaigns/12"),
        (("-d", "-e", "12"), "/campaigns/12/events"),
        (("-d", "-f", "-o", "5", "12"), "/campaigns/12/jobs?offset=5"),
        (("-d", "-p", "-f", "-o", "5", "12"), "/campaigns/12/jobs?offset=5&pretty=true"),
        (("-J", "-c", "12"), "/campaigns/12/jdl"),
        (("-d", "-j", "7"), "/jobs/7"),
        (("-d", "-j", "7", "-C"), "/jobs/7/cinfos"),
    ],
)
def test_gridstat_prints_answers_as_they_are(played, old, arguments, path):
    played.answers[f"GET {path}"] = b'{ "as": "it is" }\n'

    ended = old("gridstat", *arguments)

    assert (ended.code, ended.out) == (0, '{ "as": "it is" }\n')


def test_gridstat_shows_a_job(played, old):
    played.answers["GET /jobs/7"] = JOB | {"exit_status": None, "tags": ["x"]}

    assert old("gridstat", "-j", 7).out.splitlines() == [
        *("id: 7", "name: a", "parameters: a 1", "state: terminated", "cluster: luke"),
        *("cigri_job_id: 31", "remote_id: 99", "exit_status: ", 'tags: ["x"]'),
    ]


@pytest.mark.parametrize(("option", "stream"), [("-O", "stdout"), ("-E", "stderr")])
def test_gridstat_prints_what_a_job_wrote(played, old, option, stream):
    played.answers[f"GET /jobs/7/{stream}"] = {"output": "one\ntwo"}

    assert old("gridstat", "-j", 7, option).out == "one\ntwo"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("-e",), "You must give a campaign id to print the events!"),
        (("-f",), "You must provide a campaign id with --full!"),
        (("-J",), "You must give a campaign id to print the JDL!"),
        (("-O",), "You must provide a job id with -j!"),
    ],
)
def test_gridstat_says_which_option_is_missing(played, old, arguments, message):
    ended = old("gridstat", *arguments)

    assert (ended.code, ended.out, ended.err) == (1, "", f"{message}\n")


def test_gridstat_says_what_is_not_there(played, old):
    assert old("gridstat", 12).code == 3
    assert "not found" in old("gridstat", "twelve").err
    assert played.requests == [("GET", "/campaigns/12", b"")]


def test_gridsub_submits_and_prints_the_number(played, old):
    played.answers["POST /campaigns"] = (201, {"id": 12})

    ended = old("gridsub", "-j", '{"name": "x"}')

    assert (ended.code, ended.err) == (0, "")
    assert ended.out == "Campaign successfully submitted\nCAMPAIGN_ID=12\n"
    assert played.requests == [("POST", "/campaigns", b'{"name": "x"}')]


def test_gridsub_submits_everything_that_it_is_given(played, old, describe):
    played.answers["POST /campaigns"] = (201, {"id": 12, "warnings": ["look out"]})

    ended = old("gridsub", "-f", describe(name="a"), "-f", describe(name="b"), "-j", "{}")

    assert ended.out.count("CAMPAIGN_ID=12\n") == 3
    assert ended.err == "Warning: look out\n" * 3
    assert [json.loads(body).get("name") for _, _, body in played.requests] == ["a", "b", None]


def test_gridsub_dumps_the_answer(played, old):
    played.answers["POST /campaigns"] = (201, b'{"as":"it is", "id":12}\n')

    assert old("gridsub", "-d", "-j", "{}").out == '{"as":"it is", "id":12}\n'


def test_gridsub_adds_tasks(played, old, nowhere):
    played.answers["POST /campaigns/12/jobs"] = (201, {"id": 12})
    (nowhere / "more.json").write_text('["b"]')

    texts = old("gridsub", "-c", 12, "-J", '["a"]').out
    files = old("gridsub", "-c", 12, "-F", "more.json").out

    assert texts == files == "Jobs successfully added to campaign 12\n"
    assert [body for _, _, body in played.requests] == [b'["a"]', b'["b"]']


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ((), 2, "Nothing to submit"),
        (("-J", "[]"), 1, "You must provide a campaign id"),
        (("-c", "12"), 1, "No jobs to add"),
        (("-c", "x", "-J", "[]"), 3, "Failed to add jobs to campaign x"),
        (("-f", "/no/such"), 2, "cannot read /no/such"),
    ],
)
def test_gridsub_says_what_is_missing(played, old, arguments, code, message):
    ended = old("gridsub", *arguments)

    assert (ended.code, ended.out) == (code, "")
    assert message in ended.err


def test_a_refusal_is_told_and_ends_with_an_exit_code(played, old):
    problem = {"status": 400, "title": "Admission rule error", "message": "not for you"}
    played.answers["POST /campaigns"] = (400, problem)

    ended = old("gridsub", "-j", "{}")

    assert (ended.code, ended.out) == (1, "")
    assert ended.err == "Failed to submit campaign: not for you.\n"


def test_every_mistake_of_a_description_is_told(played, old):
    mistakes = [{"pointer": "/name", "detail": "missing"}, {"pointer": "/parms", "detail": "no"}]
    problem = {"status": 400, "type": "/docs/errors#jdl", "errors": mistakes}
    played.answers["POST /campaigns"] = (400, problem)

    assert old("gridsub", "-j", "{}").err == (
        "Failed to submit campaign: the campaign description is wrong\n"
        "  /name: missing\n  /parms: no\n"
    )


def test_gridevents_prints_events_as_ever(played, old):
    played.answers["GET /campaigns/12"] = ABCD
    played.answers["GET /campaigns/12/events"] = items(EVENT)

    assert old("gridevents", 12).out.splitlines() == [
        "-" * 78,
        "4: (open) EXIT_ERROR of job 31 at 2022-02-08 14-03-22 on luke",
        "The job exited with exit status 2;",
        "No such file",
    ]


@pytest.mark.parametrize("answer", [(404, {"message": "none"}), items()])
def test_no_events_are_told(played, old, answer):
    played.answers["GET /campaigns/12"] = ABCD
    played.answers["GET /campaigns/12/events?all=1"] = answer

    assert old("gridevents", "-a", "-c", 12).out == "No events!\n"
    assert old("gridevents", 13).code == 3


@pytest.mark.parametrize(
    ("arguments", "request_"),
    [
        (("-g",), ("GET", "/events")),
        (("-e", 4), ("GET", "/events/4")),
        (("-f", 12), ("DELETE", "/campaigns/12/events")),
        (("-f", "-r", "-c", 12), ("DELETE", "/campaigns/12/events?resubmit=1")),
        (("-f", "-e", 4), ("DELETE", "/events/4")),
    ],
)
def test_gridevents_asks_for_what_is_wanted(played, old, arguments, request_):
    played.answers["GET /events"] = items(EVENT)
    played.answers["GET /events/4"] = EVENT
    for path in ("/campaigns/12/events", "/campaigns/12/events?resubmit=1", "/events/4"):
        played.answers[f"DELETE {path}"] = (202, {"message": "2 events closed"})

    ended = old("gridevents", *arguments, "-v")

    assert ended.code == 0
    assert [found[:2] for found in played.requests] == [request_]
    assert ("2 events closed.\n" in ended.out) == (request_[0] == "DELETE")


@pytest.mark.parametrize(
    ("arguments", "event"),
    [
        (("--blacklist-cluster", 3), {"code": "CLUSTER_MANUALLY_DISABLED", "cluster_id": 3}),
        (("--mark-job-event", 7), {"code": "MANUAL_EVENT", "job_id": 7}),
    ],
)
def test_gridevents_opens_events_for_root(played, old, arguments, event):
    played.answers["POST /events"] = (201, EVENT)

    assert old("gridevents", *arguments).code == 0
    assert event.items() <= json.loads(played.requests[0][2]).items()


def test_gridevents_resubmits_only_what_it_fixes(played, old):
    assert old("gridevents", "-r", 12).code == 2
    assert old("gridevents", "-g", "-f").err.startswith("Global events are fixed one by one")
    assert old("gridevents").err == "Missing CAMPAIGN_ID\n"


@pytest.mark.parametrize(
    ("arguments", "paths"),
    [
        ((12,), ["/campaigns/12"]),
        (("12,13", 14), ["/campaigns/12", "/campaigns/13", "/campaigns/14"]),
        (("-c", "12,13"), ["/campaigns/12", "/campaigns/13"]),
        (("-p", 12), ["/campaigns/12?hold=1"]),
        (("-r", 12), ["/campaigns/12?resume=1"]),
        (("--purge", 12), ["/campaigns/12?purge=1"]),
        (("-j", 7), ["/jobs/7"]),
    ],
)
def test_griddel_is_silent_unless_it_is_told_to_speak(played, old, arguments, paths):
    for path in paths:
        played.answers[f"DELETE {path}"] = (202, {"message": "Campaign N cancelled"})

    silent = old("griddel", *arguments)
    spoken = old("griddel", *arguments, "-v")

    assert (silent.code, silent.out, silent.err) == (0, "", "")
    assert spoken.out == "Campaign N cancelled.\n" * len(paths)
    assert [path for _, path, _ in played.requests] == paths * 2


def test_griddel_tells_of_those_that_fail_and_goes_on(played, old):
    played.answers["DELETE /campaigns/12"] = (403, {"message": "not yours"})
    played.answers["DELETE /campaigns/13"] = (202, {"message": "Campaign 13 cancelled"})

    ended = old("griddel", 12, 13, "-v")

    assert ended.code == 4
    assert ended.out == "Campaign 13 cancelled.\n"
    assert ended.err == "Failed to cancel campaign 12: not yours.\n"
    assert old("griddel").err == "Missing CAMPAIGN_ID\n"


def test_gridclusters_lists_clusters(played, old):
    played.answers["GET /clusters"] = items(CLUSTER | {"id": 10, "name": "dahu"}, CLUSTER)

    assert old("gridclusters").out == "3: luke\n10: dahu\n"


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({}, "3: luke , luke.lab (stress:0.9/0.8, UNDER_STRESS)"),
        (
            {"blacklisted": True, "under_stress": False, "ssh_host": None},
            "3: luke , local (stress:0.9/0.8, BLACKLISTED)",
        ),
    ],
)
def test_gridclusters_tells_how_they_are(played, old, change, line):
    played.answers["GET /clusters"] = items(CLUSTER)
    played.answers["GET /clusters/3"] = CLUSTER | change

    assert old("gridclusters", "-i").out == f"{line}\n"


def test_gridclusters_tells_everything(played, old):
    played.answers["GET /clusters"] = items(CLUSTER)
    played.answers["GET /clusters/3"] = CLUSTER | {"properties": None}

    assert old("gridclusters", "-I").out.splitlines() == [
        *("3: luke", "    id: 3", "    name: luke", "    driver: local", "    slots: 8"),
        *("    busy: 2", "    blacklisted: false", "    under_stress: true"),
        *("    ssh_host: luke.lab", "    stress_factor: 0.9/0.8"),
    ]


def test_gridclusters_draws_bars_of_eighty_cells(played, old):
    played.answers["GET /clusters"] = items(CLUSTER)
    played.answers["GET /clusters/3"] = CLUSTER

    head, bar, legend = old("gridclusters", "-b").out.splitlines()

    assert head == "3: luke , luke.lab (stress:0.9/0.8, UNDER_STRESS) (8 resources)"
    assert bar == "\033[47m \033[0m" * 20 + "\033[42m \033[0m" * 60
    assert "free" in legend


def test_gridclusters_counts_and_keeps_quiet_about_one_that_is_blacklisted(played, old):
    played.answers["GET /clusters"] = items(CLUSTER)
    played.answers["GET /clusters/3"] = CLUSTER
    counted = old("gridclusters", "-u").out
    played.answers["GET /clusters/3"] = CLUSTER | {"blacklisted": True}

    assert "    max_resources: 8\n    used_resources: 2\n" in counted
    assert old("gridclusters", "-u").out.splitlines()[1] == "    Data temporarily unavailable"


def test_gridclusters_shows_what_others_use_and_what_does_not_work(played, old):
    played.answers["GET /clusters"] = items(CLUSTER)
    played.answers["GET /clusters/3"] = CLUSTER | {"down": 1, "used_by_others": 4}

    counted = old("gridclusters", "-u").out
    bar = old("gridclusters", "-b").out.splitlines()[1]

    assert "    used_resources: 6\n    used_by_cigri: 2\n    unavailable_resources: 1\n" in counted
    cells = [f"\033[{colour}m \033[0m" * width for colour, width in _SHARES]
    assert bar == "".join(cells)


_SHARES = ((41, 10), (43, 40), (47, 20), (42, 10))


def test_gridtoken_reads_a_token_that_nobody_else_is_to_see(played, old, monkeypatch):
    played.answers["POST /tokens"] = (201, {"message": "Token registered"})
    monkeypatch.setattr("sys.stdin", io.StringIO("abc\n"))

    old("gridtoken", "-i", 3, "-t", "-")

    assert json.loads(played.requests[0][2]) == {"cluster_id": 3, "token": "abc"}


def test_gridnotify_subscribes_and_lists(played, old):
    played.answers["POST /notifications/mail"] = (201, {"message": "subscribed"})
    played.answers["DELETE /notifications/jabber?identity=a%40b"] = (202, {"message": "gone"})
    played.answers["GET /notifications"] = items({"type": "xmpp", "identity": "a@b"})

    assert old("gridnotify", "-m", "a@b", "-s", "low", "-v").out == "subscribed.\n"
    assert old("gridnotify", "-u", "-j", "a@b", "-v").out == "gone.\n"
    assert old("gridnotify", "-l").out == (
        "You have the following notification subscriptions:\n"
        " - jabber on a@b with severity medium\n"
    )
    assert json.loads(played.requests[0][2]) == {"identity": "a@b", "severity": "low"}


def test_gridnotify_says_that_it_comes_later(played, old):
    later = (501, {"status": 501, "message": "notifications come with a later version"})
    played.answers["GET /notifications"] = played.answers["POST /notifications/mail"] = later

    for arguments in [("-l",), ("-m", "a@b", "-s", "low")]:
        ended = old("gridnotify", *arguments)
        assert ended.code == 1
        assert "notifications come with a later version" in ended.err


@pytest.mark.parametrize("arguments", [(), ("-m", "a@b"), ("-m", "a@b", "-s", "loud")])
def test_gridnotify_wants_to_know_whom_and_how(played, old, arguments):
    assert old("gridnotify", *arguments).code == 2


def test_gridtoken_registers_removes_and_lists(played, old):
    played.answers["POST /tokens"] = (201, {"message": "Token registered"})
    played.answers["DELETE /tokens/3"] = (403, {"message": "cluster luke does not take tokens"})
    played.answers["GET /tokens"] = items({"cluster_id": 3, "cluster_login": "Bearer abc"})

    assert old("gridtoken", "-i", 3, "-t", "abc").out == "Token registered.\n"
    assert json.loads(played.requests[0][2]) == {"cluster_id": 3, "token": "abc"}
    refused = old("gridtoken", "-r", "-i", 3)
    assert (refused.code, refused.err) == (
        4,
        "Failed to remove JWT token on cluster 3: cluster luke does not take tokens.\n",
    )
    assert old("gridtoken", "-l").out == "You have the following tokens:\n - Cluster #3 : abc\n"
    assert old("gridtoken").code == 2


@pytest.mark.parametrize("name", COMMANDS)
def test_every_old_command_has_help_and_a_version(nowhere, old, name):
    for option in ("-h", "--help"):
        ended = old(name, option)
        assert ended.code == 0
        assert ended.out.startswith(f"Usage: {name} ")
    assert old(name, "--version").out.startswith(f"{name} v4.")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_old_command_is_installed(name):
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))

    assert project["project"]["scripts"][name] == f"{scripts.__name__}:{name}"
    assert callable(getattr(scripts, name))


def test_without_a_server_old_commands_say_so(nowhere, old):
    ended = old("gridstat")

    assert ended.code == 5
    assert ended.err.startswith("API server not reachable: ")


@pytest.mark.e2e
def test_the_old_commands_on_a_real_server(here, old, describe):
    (here / "p.txt").write_text("a\nb\n")
    jdl = describe(name="old", nb_jobs=None, param_file="p.txt", exec_file=SLEEP)

    number = old("gridsub", "-f", jdl).out.splitlines()[1].removeprefix("CAMPAIGN_ID=")
    added = old("gridsub", "-c", number, "-J", '["c"]')
    listed = old("gridstat", "-H").out
    shown = old("gridstat", "-f", number)
    paused = old("griddel", "-p", number, "-v")
    cancelled = old("griddel", number, "-v")

    assert added.out == f"Jobs successfully added to campaign {number}\n"
    assert any(
        line.startswith(number) and line.endswith("0/3 (0%)") for line in listed.splitlines()
    )
    assert "  Name: old\n" in shown.out
    assert len(shown.out.partition("  Jobs:\n")[2].splitlines()) == 3
    assert paused.out == f"Campaign {number} paused.\n"
    assert cancelled.out == f"Campaign {number} cancelled.\n"
    assert old("gridevents", number).code == 0
    assert old("gridclusters", "-i").out.startswith("1: local , ")
    assert old("gridtoken", "-l").out == ""
    assert old("gridnotify", "-l").code == 1
