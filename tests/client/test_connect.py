"""`cigri.connect()`: what a script or a notebook gets, on answers that are played."""

import asyncio
import importlib
import inspect
import subprocess
import sys

import httpx
import pytest

import cigri
from cigri import errors
from cigri.client import aio, campaign, pictures, rows, sync, tasks
from cigri.client.composing import compose
from tests.client.played import Server

BODY = {
    "id": 12,
    "name": "<b>visc</b>",
    "user": "a&b",
    "state": "in_treatment",
    "submission_time": 0,
    "end_time": None,
    "total_jobs": 4,
    "finished_jobs": 2,
    "open_events": 0,
    "counts": {
        "pending": 1,
        "queued": 0,
        "running": 0,
        "terminated": 2,
        "failed": 1,
        "cancelled": 0,
    },
    "forecast": {"rate": None, "eta": None},
    "reason": "<script>",
}
JOB = {
    "id": 99,
    "task": 3,
    "parameters": "0.5 'a b' 007",
    "state": "failed",
    "exit_status": 2,
    "cluster": "local",
    "start_time": 1.0,
    "stop_time": 3.5,
    "duration": 2.5,
    "attempts": 1,
}
ENDED = BODY | {"state": "terminated"}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"params": ["a", 2, 0.5]}, {"params": ["a", "2", "0.5"]}),
        ({"params": [("a b", 1)]}, {"params": [["a b", "1"]]}),
        ({"params": range(2)}, {"params": ["0", "1"]}),
        ({"params": 7}, {"nb_jobs": 7}),
        ({"grid": {"T": range(1, 101)}}, {"param_grid": {"T": "1..100"}}),
        ({"grid": {"T": range(0, 4, 2)}}, {"param_grid": {"T": ["0", "2"]}}),
        ({"grid": {"T": "0:1:11"}}, {"param_grid": {"T": "0:1:11"}}),
        ({"zip": {"a": (1, 2), "b": "xy"}}, {"param_zip": {"a": ["1", "2"], "b": "xy"}}),
        (
            {"grid": {"T": [1]}, "params": "--temp {T}"},
            {"param_grid": {"T": ["1"]}, "params": ["--temp {T}"]},
        ),
        ({"clusters": "big"}, {"clusters": {"big": {}}}),
        ({"clusters": ["big", "old"]}, {"clusters": {"big": {}, "old": {}}}),
        ({"clusters": {"big": {"max_jobs": 3}}}, {"clusters": {"big": {"max_jobs": 3}}}),
        ({"walltime": "20m", "env": None}, {"walltime": "20m"}),
        ({"name": "visc"}, {"name": "visc"}),
    ],
)
def test_what_a_program_has_at_hand_becomes_a_description(arguments, expected):
    known = {"params", "clusters", "grid", "zip"}
    fields = {name: value for name, value in arguments.items() if name not in known}

    jdl = compose(
        "~/bin/run.sh -v",
        params=arguments.get("params"),
        grid=arguments.get("grid"),
        together=arguments.get("zip"),
        clusters=arguments.get("clusters"),
        fields=fields,
    ).jdl

    assert jdl == {"name": "run", "exec_file": "~/bin/run.sh -v"} | expected


def test_words_become_a_command_in_which_nothing_is_split():
    assert compose(["sh", "-c", "echo $1; x"], fields={}).jdl["exec_file"] == "sh -c 'echo $1; x'"


def test_arrays_of_numpy_are_axes_and_parameters():
    numpy = importlib.import_module("numpy")  # slow to import: for this test alone

    jdl = compose("x", grid={"T": numpy.array([0.5, 1])}, params=None, fields={}).jdl
    params = compose("x", params=numpy.arange(2), fields={}).jdl["params"]

    assert jdl["param_grid"] == {"T": ["0.5", "1.0"]}
    assert params == ["0", "1"]


@pytest.mark.parametrize("params", ["a b", 0.5, b"a b", {"T": [1, 2]}])
def test_what_is_no_list_of_parameters_is_refused_before_anything_is_sent(params):
    with (
        Server().connect() as c,
        pytest.raises(errors.InvalidJdl, match="list of parameters"),
    ):
        c.submit("echo", params=params, clusters="local")


def test_an_iterator_is_sent_as_it_is_read():
    server = Server(httpx.Response(201, json=BODY))

    with server.connect() as c:
        c.submit("echo", params=(str(number) for number in range(3)), clusters="local")

    head, *lines = server.requests[0].read().splitlines()
    assert head.startswith(b'{"name": "echo"')
    assert lines == [b"0", b"1", b"2"]


def test_the_only_cluster_needs_no_name():
    server = Server({"items": [{"name": "lab"}]}, httpx.Response(201, json=BODY))

    with server.connect() as c:
        c.submit("echo", params=1)

    assert b'"clusters": {"lab": {}}' in server.requests[1].read()


def test_of_several_clusters_one_has_to_be_chosen():
    server = Server({"items": [{"name": "lab"}, {"name": "dahu"}]})

    with server.connect() as c, pytest.raises(errors.InvalidJdl, match="lab, dahu"):
        c.submit("echo", params=1)


def test_every_post_has_a_key_of_its_own():
    server = Server(*[httpx.Response(201, json=BODY)] * 3)

    with server.connect() as c:
        made = c.submit("echo", params=1, clusters="local")
        made.add(["x"])
        made.go()

    keys = {request.headers["Idempotency-Key"] for request in server.requests}
    assert len(keys) == 3


async def test_both_kinds_of_connection_send_the_same():
    plain, awaited = Server(*_answers()), Server(*_answers())

    with plain.connect() as c:
        one = c.submit("echo", params=["a"], clusters="local").wait()
        rows_ = one.to_dicts()
        one.pause()
        output = one.task(3).stdout(tail=1)
    async with awaited.connect_async() as c:
        one = await (await c.submit("echo", params=["a"], clusters="local")).wait()
        assert await one.to_dicts() == rows_
        await one.pause()
        assert await (await one.task(3)).stdout(tail=1) == output

    assert [_sent(each) for each in plain.requests] == [_sent(each) for each in awaited.requests]
    assert len(plain.requests) == 7


def _answers():
    page = {"items": [JOB], "links": [{"rel": "next", "href": "/campaigns/12/jobs?offset=4"}]}
    last = {"items": [JOB], "links": []}
    output = httpx.Response(200, content=b"out\n")
    return httpx.Response(201, json=BODY), ENDED, page, last, BODY, last, output


def _sent(request):
    return request.method, str(request.url), request.read()


@pytest.mark.parametrize(
    ("plain", "awaited"),
    [
        (sync.Cigri, aio.Cigri),
        (campaign.Campaign, aio.Campaign),
        (tasks.Tasks, aio.Tasks),
        (tasks.Task, aio.Task),
    ],
)
def test_both_kinds_of_connection_have_the_same_calls(plain, awaited):
    assert _calls(plain) == _calls(awaited)


def _calls(kind):
    return {
        name: list(inspect.signature(value).parameters)
        for name, value in inspect.getmembers(kind, inspect.isfunction)
        if not name.startswith("_")
    }


async def test_calls_that_wait_work_where_an_event_loop_runs_already():
    server = Server(BODY, ENDED)

    with server.connect() as c:
        one = c.campaign(12).wait()

    assert one.state == "terminated"
    assert asyncio.get_running_loop().is_running()


def test_ctrl_c_ends_the_waiting_and_nothing_else(capsys):
    server = Server(BODY, BODY, KeyboardInterrupt(), ENDED)

    with server.connect() as c:
        one = c.campaign(12)
        with pytest.raises(KeyboardInterrupt):
            one.wait(progress=True)
        one.wait()

    assert [request.method for request in server.requests] == ["GET"] * 4
    assert capsys.readouterr().err == ("campaign 12: 2/4 done, 1 failed\ncampaign 12 goes on\n")


def test_waiting_has_an_end():
    with Server(BODY, BODY).connect() as c, pytest.raises(TimeoutError, match="it goes on"):
        c.campaign(12).wait(timeout=0)


def test_progress_without_a_terminal_is_lines_that_tell_what_changed(capsys):
    with Server(BODY, BODY, BODY, ENDED).connect() as c:
        c.campaign(12).wait(progress=True)

    assert capsys.readouterr().err.splitlines() == [
        "campaign 12: 2/4 done, 1 failed",
        "campaign 12: terminated, 2/4 done, 1 failed",
    ]


def test_progress_on_a_terminal_is_a_bar(capsys, monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)

    with Server(BODY, ENDED).connect() as c:
        c.campaign(12).wait(progress=True)

    assert "campaign 12" in (said := capsys.readouterr().err)
    assert "2/4" in said


def test_a_notebook_gets_the_bar_and_nothing_that_others_wrote_as_code():
    with Server(BODY, ENDED).connect() as c:
        shown = c.campaign(12)._repr_html_()

    assert "Campaign 12" in shown
    assert "width:50.000%" in shown
    assert "done 2 · failed 1 · pending 1 · 4 in all" in shown
    assert "&lt;b&gt;visc&lt;/b&gt;" in shown
    assert "a&amp;b" in shown
    assert "&lt;script&gt;" in shown
    assert "<b>visc" not in shown
    assert "<script" not in shown


def test_a_notebook_shows_the_last_that_is_known_when_the_server_is_gone():
    with Server(BODY, httpx.ReadTimeout("slow")).connect() as c:
        assert "Campaign 12" in c.campaign(12)._repr_html_()


def test_a_console_gets_a_short_line():
    with Server(BODY).connect() as c:
        one = c.campaign(12)

    assert repr(one) == "<Campaign 12 '<b>visc</b>': in_treatment, 2/4 done>"
    assert repr(one.failed()) == "<failed tasks of campaign 12>"
    assert repr(c) == "<Cigri at here>"


def test_a_campaign_without_an_end_tells_no_total():
    endless = BODY | {"endless": True, "total_jobs": 2003}
    with Server(endless, endless).connect() as c:
        one = c.campaign(12)
        drawn = one._repr_html_()

    assert repr(one) == "<Campaign 12 '<b>visc</b>': in_treatment, 2 done, no end>"
    assert "done 2 · failed 1 · no end" in drawn
    assert "2003" not in drawn


def test_the_end_is_told_as_far_as_it_is_known(monkeypatch):
    monkeypatch.setattr("time.time", lambda: 1000.0)

    def line(*eta):
        return pictures.line(BODY | {"forecast": {"rate": 1.0, "eta": eta}}).rpartition(", ")[2]

    assert line(1010, 1020) == "ETA 10 … 20 s"
    assert line(1120, 1600) == "ETA 2m00 … 10m00"


def test_the_words_of_a_sweep_are_columns():
    row = rows.row(JOB, ("T", "state", "seed"))

    assert row == {
        "number": 3,
        "parameter": "0.5 'a b' 007",
        "T": 0.5,
        "state_": "a b",
        "seed": "007",
        "state": "failed",
        "exit_status": 2,
        "cluster": "local",
        "start": 1.0,
        "end": 3.5,
        "duration": 2.5,
        "attempts": 1,
    }


def test_a_campaign_that_was_not_submitted_here_knows_the_axes_of_its_sweep():
    server = Server(BODY | {"parameter_names": ["T", "word"]}, {"items": [JOB], "links": []})

    with server.connect() as c:
        (row,) = c.campaign(12).to_dicts()

    assert (row["T"], row["word"]) == (0.5, "a b")


def test_a_file_without_a_row_has_its_columns(tmp_path):
    swept = BODY | {"parameter_names": ["T", "state"]}
    with Server(swept, {"items": [], "links": []}).connect() as c:
        c.campaign(12).to_csv(tmp_path / "none.csv")

    head = "number,parameter,T,state_,state,exit_status,cluster,start,end,duration,attempts\n"
    assert (tmp_path / "none.csv").read_text() == head


def test_a_task_with_fewer_words_than_axes_has_all_columns(tmp_path):
    swept = BODY | {"parameter_names": ["T", "word", "more", "last"]}
    short = JOB | {"parameters": "7"}
    with Server(swept, {"items": [short, JOB], "links": []}).connect() as c:
        c.campaign(12).to_csv(tmp_path / "some.csv")

    _, first, second = (tmp_path / "some.csv").read_text().splitlines()
    assert first.startswith("3,7,7,,,,failed,")
    assert second.startswith("3,0.5 'a b' 007,0.5,a b,007,,failed,")


@pytest.mark.parametrize(
    ("names", "columns"),
    [
        (["T"], ["T"]),
        (["state", "number"], ["state_", "number_"]),
        (["state", "state_"], ["state__", "state_"]),
    ],
)
def test_an_axis_hides_no_other_column(names, columns):
    found = list(rows.row(JOB, names))

    assert found[2 : 2 + len(names)] == columns
    assert found == list(rows.columns(names))


def test_a_data_frame_has_a_row_for_each_task():
    with Server(BODY, {"items": [JOB], "links": []}).connect() as c:
        frame = c.campaign(12).to_pandas()

    assert list(frame["exit_status"]) == [2]


def test_only_failed_tasks_can_run_again():
    with Server(BODY).connect() as c, pytest.raises(ValueError, match="only failed tasks"):
        c.campaign(12).tasks("terminated").resubmit()


async def test_tasks_are_chosen_by_all_that_the_server_knows():
    plain = Server(BODY, {"items": [JOB], "links": []})
    awaited = Server(BODY, {"items": [JOB], "links": []})
    chosen = {"state": "failed", "cluster": "a b", "exit": 0, "match": "x&y"}

    with plain.connect() as c:
        assert [one.number for one in c.campaign(12).tasks(**chosen)] == [3]
    async with awaited.connect_async() as c:
        found = (await c.campaign(12)).tasks(**chosen)
        assert [one.number async for one in found] == [3]

    assert [_sent(one) for one in plain.requests] == [_sent(one) for one in awaited.requests]
    assert dict(plain.requests[1].url.params) == {
        "limit": "5000", "state": "failed", "cluster": "a b", "exit": "0", "q": "x&y"
    }  # fmt: skip


def test_some_of_the_failed_tasks_cannot_run_again_alone():
    server = Server(BODY)
    with server.connect() as c:
        some = c.campaign(12).tasks("failed", exit=137)
        with pytest.raises(ValueError, match="and all of them"):
            some.resubmit()

    assert len(server.requests) == 1
    assert repr(some) == "<failed tasks of campaign 12 with exit=137>"


def test_a_task_that_does_not_exist_is_not_found():
    with (
        Server(BODY, {"items": [], "links": []}).connect() as c,
        pytest.raises(errors.NotFound, match="campaign 12 has no task 7"),
    ):
        c.campaign(12).task(7)


async def test_a_lost_answer_is_asked_for_again_where_it_is_awaited_too():
    server = Server(BODY, httpx.ReadError("gone"), BODY)

    async with server.connect_async() as c:
        await c.campaign(12)
        await c.campaign(12)

    assert len(server.requests) == 3


def test_importing_the_package_imports_nothing_else():
    program = "import sys; old = set(sys.modules); import cigri; print(*set(sys.modules) - old)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert [name for name in done.stdout.split() if name.startswith("cigri.")] == []
    assert "httpx" not in done.stdout


def test_what_the_package_has_not_is_no_attribute():
    assert {"aio", "connect", "errors"} <= set(dir(cigri))
    assert cigri.aio.connect is aio.connect
    assert cigri.errors.NotFound is errors.NotFound
    with pytest.raises(AttributeError, match="'cigri' has no attribute 'conect'"):
        _ = cigri.conect
