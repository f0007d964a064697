"""What OAR 2.5 answers, recorded from a real one, and what is made of it."""

import json
import time
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qs, urlsplit

import attrs
import pytest

from cigri.clusters.oar.api import OarOrder
from cigri.clusters.oar.reply import decode
from cigri.clusters.oar.v2.api import Oar2Api, _Table
from cigri.clusters.options import Oar2Options
from cigri.errors import (
    ClusterError,
    ClusterUnreachable,
    Fault,
    SubmissionRejected,
    SubmissionUnknown,
)
from tests.fakes.answering import HTML, Answer, Answering, answering

ORDER = OarOrder(
    user="alice",
    name="cg12-1-000000001",
    command="exec sh .cigri/cg12-1-000000001/run",
    lines=["0", "1", "2"],
    resource="/core=1,walltime=0:10:0",
    output=".cigri/cg12-1-000000001/log",
)
WHO = Answer('{"api_timestamp": 1795243904, "authenticated_user": "alice"}')
EMPTY = Answer('{\n   "items" : [],\n   "total" : 0,\n   "offset" : 0,\n   "links" : []\n}\n')
SQL_ERROR = Answer('{"title" : "SQL error", "message" : "SQL error", "code" : 500}', 500)
RULE = "[ADMISSION RULE] Modify resource description with type constraints\n"
CMD = '\n\nCmd:\noarsub  --resource=\\"/core=1\\" \\"/bin/true\\"'


def made(*lines: str) -> Answer:
    body = {"id": 4, "links": [], "api_timestamp": 1795243975, "cmd_output": "".join(lines)}
    return Answer(json.dumps(body, indent=3), 201)


def mistake(status: int, message: str, title: str = "Oar server error") -> Answer:
    return Answer(json.dumps({"code": status, "title": title, "message": message}), status)


def table(*items: dict[str, object], at: float = 1795243997) -> Answer:
    body = {"items": list(items), "total": len(items), "offset": 0, "api_timestamp": at}
    return Answer(json.dumps(body, indent=3))


async def asked(
    ask: Callable[[Oar2Api], Awaitable[object]], *plan: Answer
) -> tuple[object, Answering]:
    async with answering(*plan) as server:
        api = Oar2Api(Oar2Options(url=server.url))
        try:
            return await ask(api), server
        finally:
            await api.close()


async def submitted(answer: Answer, order: OarOrder = ORDER) -> tuple[object, Answering]:
    return await asked(lambda api: api.submit(order), WHO, answer)


async def refused(answer: Answer, order: OarOrder = ORDER) -> ClusterError:
    with pytest.raises(ClusterError) as caught:
        await submitted(answer, order)
    return caught.value


def sent(server: Answering) -> dict[str, object]:
    (post,) = [each for each in server.asked if each.method == "POST"]
    return json.loads(post.body)


# ----- submission


async def test_the_ids_are_those_that_oarsub_printed_in_the_order_of_the_lines() -> None:
    # Not contiguous: another submission came between.
    answer = made(
        RULE,
        "Simple array job submission is used\n",
        "OAR_JOB_ID=7\n",
        "OAR_JOB_ID=9\n",
        "OAR_JOB_ID=12\n",
        "OAR_ARRAY_ID=7\n",
    )

    ids, server = await submitted(answer)

    assert ids == [7, 9, 12]
    assert sent(server) == {
        "name": "cg12-1-000000001",
        "command": "exec sh .cigri/cg12-1-000000001/run",
        "param_file": "0\n1\n2\n",
        "resource": "/core=1,walltime=0:10:0",
        "stdout": ".cigri/cg12-1-000000001/log",
        "stderr": ".cigri/cg12-1-000000001/log",
    }


async def test_one_job_has_no_file_of_parameters() -> None:
    alone = attrs.evolve(
        ORDER, lines=["5"], types=["besteffort", "devel"], project="p", checkpoint=60
    )

    ids, server = await submitted(made(RULE, "OAR_JOB_ID=3\n"), alone)

    assert ids == [3]
    body = sent(server)
    assert body["command"] == "exec sh .cigri/cg12-1-000000001/run 5"
    assert "param_file" not in body
    # A list repeats the option: one text with commas would be one unknown type.
    assert body["type"] == ["besteffort", "devel"]
    assert (body["project"], body["checkpoint"]) == ("p", 60)


REFUSALS = {
    "a property that there is none of": mistake(
        400,
        "Oarsub command exited with status 8: [ADMISSION RULE] Set default walltime to 7200.\n"
        'Bad resource request (ERROR:  column "nosuch" does not exist\nLINE 4: ...\n)\n'
        f"OAR_JOB_ID=-5\n[ERROR] Oarsub failed, please verify your request syntax.{CMD}",
        "Bad query",
    ),
    "more than there is": mistake(
        400,
        "Oarsub command exited with status 8: There are not enough resources for your request\n"
        f"OAR_JOB_ID=-5\n[ERROR] Oarsub failed.{CMD}",
        "Bad query",
    ),
    "the syntax of resources": mistake(
        500,
        "Oarsub command exited with status 255: /!\\ Cannot recognize the resource description"
        f" : zork{CMD}",
    ),
    "an admission rule": mistake(
        500,
        "Oarsub command exited with status 254: [ADMISSION RULE] Error: unknown job type:"
        f" nonsense\n{CMD}",
    ),
    "a queue": mistake(
        500,
        f"Oarsub command exited with status 248: ERROR : The queue nosuch does not exist{CMD}",
    ),
    "an option": mistake(500, f"Oarsub command exited with status 1: Unknown option: foobar{CMD}"),
    "newer, without a number": mistake(500, "/!\\ Cannot recognize the resource description : z"),
    "newer, a rule": mistake(400, "[ADMISSION RULE] Error: unknown job type: nonsense"),
    "an unknown user": mistake(
        401,
        "Oardodo error: 52: [OARDODO] ERROR: Cannot get information regarding the target user\n",
        "Permission denied",
    ),
    "JSON that is none": mistake(400, "expected while parsing object", "JSON data not understood"),
}


@pytest.mark.parametrize("answer", REFUSALS.values(), ids=REFUSALS)
async def test_a_refusal_proves_that_no_job_was_made(answer: Answer) -> None:
    error = await refused(answer)

    assert isinstance(error, SubmissionRejected)
    # OAR's words are there, the command that it has run is not, nor what tells nothing.
    assert "oarsub  --" not in str(error)
    assert "OAR_JOB_ID" not in str(error)
    assert "please verify" not in str(error)
    assert "\n" not in str(error)


DOUBTS = {
    # Its server is down; the jobs are in the database and run when it is back.
    "500 with a number": mistake(
        500,
        "Oarsub command exited with status 9: OAR_JOB_ID=46371\n[ERROR] Cannot connect to executor"
        f" 127.0.0.1:6666. Job is killed.{CMD}",
    ),
    "400 with a number": mistake(400, "Oarsub command exited with status 8: OAR_JOB_ID=46371"),
    "500 of another number": mistake(500, f"Oarsub command exited with status 3: what{CMD}"),
    "500 without a word": mistake(500, ""),
    "an id that could not be read": mistake(
        500, "Job submitted but the id could not be parsed.\nCmd:\noarsub", "Parse error"
    ),
    "html": HTML,
    "a gateway's time-out": Answer("<html>", 504, "text/html"),
    "nothing": Answer(status=0, cut=0),
    "half an answer": made("OAR_JOB_ID=7\n")._replace(cut=60),
    "a number that is missing": made(RULE, "OAR_JOB_ID=7\n", "OAR_JOB_ID=8\n"),
    "no JSON": Answer("yes", 201),
    "a page of who handed it on": Answer("<html>", 200, "text/html"),
    "another answer": Answer("{}", 200),
}


@pytest.mark.parametrize("answer", DOUBTS.values(), ids=DOUBTS)
async def test_what_does_not_prove_it_leaves_a_doubt(answer: Answer) -> None:
    assert isinstance(await refused(answer), SubmissionUnknown)


async def test_an_unanswered_submission_is_sent_once() -> None:
    async with answering(WHO, HTML) as server:
        api = Oar2Api(Oar2Options(url=server.url))
        with pytest.raises(SubmissionUnknown):
            await api.submit(ORDER)
        await api.close()

    assert [each.method for each in server.asked].count("POST") == 1


async def test_a_web_server_that_lets_nobody_in_has_made_nothing() -> None:
    error = await refused(Answer("<html>Forbidden</html>", 403, "text/html"))

    assert isinstance(error, ClusterUnreachable)
    assert error.fault is Fault.DENIED


MISREAD = {
    "command": {"command": "exec sh $HOME/x"},
    "a comment in a line": {"lines": ["0", "1 # 2"]},
    "an empty line": {"lines": ["0", ""]},
    "a line in two": {"lines": ["0", "1\n2"]},
    "a slash would be a directory": {"output": "/dev/null;x"},
    "a long name": {"name": "x" * 101},
    "a name of a file": {"name": "a/b"},
    "a property": {"properties": "host='`id`'"},
    "a quoted property": {"properties": 'host="node1"'},
    "a variable in a resource": {"resource": "/core=$X,walltime=1"},
    "a project": {"project": "p\\"},
    "latin letters": {"project": "é"},
    "a login": {"user": "alice-evil"},
}


@pytest.mark.parametrize("change", MISREAD.values(), ids=MISREAD)
async def test_what_oar_would_misread_is_not_sent(change: dict[str, object]) -> None:
    async with answering(WHO, made("OAR_JOB_ID=1\n")) as server:
        api = Oar2Api(Oar2Options(url=server.url))
        with pytest.raises(SubmissionRejected):
            await api.submit(attrs.evolve(ORDER, **change))
        await api.close()

    assert not [each for each in server.asked if each.method == "POST"]


async def test_a_body_that_the_web_server_would_cut_off_is_not_sent() -> None:
    error = await refused(HTML, attrs.evolve(ORDER, lines=["x" * 50] * 3000))

    assert isinstance(error, SubmissionRejected)
    assert "request_limit_kib" in str(error)


# ----- looking


async def test_jobs_are_asked_for_with_all_of_them_at_once() -> None:
    rows = [
        {"id": 4, "state": "Terminated", "exit_code": 768, "start_time": 5, "stop_time": 9},
        {"id": 9, "state": "Waiting", "exit_code": None, "start_time": 0, "stop_time": 0},
    ]

    look, server = await asked(lambda api: api.jobs([4, 9], "alice"), table(*rows))

    assert [(job.id, job.state, job.exit_code) for job in look.jobs] == [
        (4, "Terminated", 768),
        (9, "Waiting", None),
    ]
    assert 1795243996 < look.server_time <= 1795243997
    # Without a limit the first 500 come, and the others look as if they did not exist.
    (request,) = server.asked
    assert request.path == "/oarapi/jobs/table.json?ids=4:9&limit=0"


def selected(*rows: dict[str, object]) -> Answer:
    none = {"job_id": 0, "array_index": 0, "array_id": 0, "state": "", "exit_code": 0}
    return Answer(json.dumps({"items": [*rows, none], "total": len(rows) + 1}, indent=3))


async def test_an_empty_list_is_checked_before_it_is_believed() -> None:
    found = {"job_id": 4, "array_index": 1, "array_id": 4, "state": "Running", "start_time": 7}

    look, server = await asked(lambda api: api.jobs([4, 9], "alice"), EMPTY, selected(found))

    assert [(job.id, job.state) for job in look.jobs] == [(4, "Running")]
    query = parse_qs(urlsplit(server.asked[1].path).query)["query"][0]
    assert "job_id IN (4,9)" in query


async def test_an_error_of_the_database_is_no_empty_list() -> None:
    with pytest.raises(ClusterUnreachable) as caught:
        await asked(lambda api: api.jobs([4], "alice"), EMPTY, SQL_ERROR)

    assert caught.value.fault is Fault.SERVER_ERROR


async def test_jobs_are_found_by_their_name_and_their_place() -> None:
    rows = [
        {"job_id": 9, "array_index": 2, "array_id": 7, "state": "Waiting", "exit_code": None},
        {"job_id": 7, "array_index": 1, "array_id": 7, "state": "Running", "exit_code": None},
    ]

    found, server = await asked(
        lambda api: api.named("cg12-1-000000001", "alice"), selected(*rows)
    )

    assert [(job.id, job.array_index) for job in found] == [(7, 1), (9, 2)]
    query = parse_qs(urlsplit(server.asked[0].path).query)["query"][0]
    # What OAR submits again by itself has the same name.
    assert "job_name = 'cg12-1-000000001'" in query
    assert "job_user = 'alice'" in query
    assert "resubmit_job_id = 0" in query


async def test_no_job_of_a_name_is_told_from_an_error() -> None:
    found, _ = await asked(lambda api: api.named("cg12-1-000000002", "alice"), selected())
    assert found == []

    for answer in (SQL_ERROR, EMPTY, HTML):
        with pytest.raises(ClusterUnreachable):
            await asked(lambda api: api.named("cg12-1-000000002", "alice"), answer)


@pytest.mark.parametrize("name", ["x' OR '1'='1", "a;b", "a\nb", 'a"b'])
async def test_no_name_becomes_a_query(name: str) -> None:
    async with answering(selected()) as server:
        api = Oar2Api(Oar2Options(url=server.url))
        with pytest.raises(SubmissionRejected):
            await api.named(name, "alice")
        await api.close()

    assert not server.asked


async def test_events_come_oldest_first_and_without_the_row_that_is_always_there() -> None:
    rows = [
        {"job_id": 9, "type": "WALLTIME", "description": "x", "date": 20, "event_id": 2},
        {"job_id": 9, "type": "FRAG_JOB_REQUEST", "description": "y", "date": 10, "event_id": 1},
        {"job_id": 0, "type": "", "description": "", "date": 0, "event_id": 0},
    ]

    found, _ = await asked(
        lambda api: api.events([9], "alice"), Answer(json.dumps({"items": rows}))
    )

    assert [event.type for event in found] == ["FRAG_JOB_REQUEST", "WALLTIME"]


async def test_what_is_new_is_asked_for_by_the_time_of_the_cluster() -> None:
    look, server = await asked(lambda api: api.changed(1795243990.7, "alice"), table())
    assert look.jobs == []
    assert server.asked[0].path == "/oarapi/jobs/table.json?from=1795243990&user=alice&limit=0"

    # An empty list has no time in it, the answer has.
    dated = EMPTY._replace(headers="Date: Sat, 21 Nov 2026 16:42:48 GMT\r\n")
    look, server = await asked(lambda api: api.changed(1795243990.0, None), dated)
    assert server.asked[0].path == "/oarapi/jobs/table.json?from=1795243990&limit=0"
    assert 1795279366 < look.server_time <= 1795279368


async def test_parameters_in_latin_1_do_not_break_a_listing() -> None:
    row = '{"id": 4, "state": "Running", "job_name": "caf\xe9", "command": "caf\xe9"}'
    body = f'{{"items": [{row}], "api_timestamp": 5}}'.encode("latin-1")

    look, _ = await asked(lambda api: api.jobs([4], "alice"), Answer(body))

    assert [job.id for job in look.jobs] == [4]


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (HTML, Fault.SERVER_ERROR),
        (Answer("<html>hello</html>", 200, "text/html"), Fault.GARBLED),
        (Answer('{"items": [{"id": 4, "sta'), Fault.GARBLED),
        (Answer('{"items": 5}'), Fault.GARBLED),
        (Answer('{"items": [{"id": "x", "state": "Running"}]}'), Fault.GARBLED),
        (mistake(500, "Cannot connect to the database"), Fault.SERVER_ERROR),
        (Answer("Unauthorized", 401, "text/html"), Fault.DENIED),
        (mistake(404, "No way to handle your request /jobs/table.json"), Fault.GARBLED),
    ],
)
async def test_an_answer_that_is_none_has_its_own_kind(answer: Answer, fault: Fault) -> None:
    with pytest.raises(ClusterUnreachable) as caught:
        await asked(lambda api: api.jobs([4], "alice"), answer)

    assert caught.value.fault is fault


def test_as_many_ids_are_asked_for_as_fit_into_a_request_line() -> None:
    api = Oar2Api(Oar2Options(url="http://oar.example.org/oarapi"))
    ids = list(range(1_000_000, 1_010_000))

    count = api.room(ids)

    line = f"GET /oarapi/jobs/table.json?ids={':'.join(map(str, ids[:count]))}&limit=0 HTTP/1.1"
    assert 7000 < len(line) <= 8190
    assert api.room(ids[:10]) == 10
    assert api.room([10**4200] * 3) == 1


async def test_the_load_is_a_number_though_it_comes_as_text() -> None:
    for said, wanted in [('"1.65"', 1.65), ("2", 2.0), ("0", 0.0), ("null", None), ('"x"', None)]:
        body = Answer(f'{{"GLOBAL_STRESS": {said}}}')
        assert (await asked(lambda api: api.stress(), body))[0] == wanted
    assert (await asked(lambda api: api.stress(), mistake(404, "x")))[0] is None


async def test_all_resources_are_asked_for_not_the_first_hundreds() -> None:
    core = {
        "id": 1,
        "state": "Alive",
        "network_address": "node1",
        "type": "default",
        "besteffort": "YES",
        "cpuset": 0,
        "mem": 2048,
    }

    found, server = await asked(lambda api: api.resources(), table(core))

    assert [(each.type, each.state) for each in found] == [("default", "Alive")]
    # To this list 0 means none.
    assert "limit=0" not in server.asked[0].path.split("&")
    assert int(parse_qs(urlsplit(server.asked[0].path).query)["limit"][0]) > 1_000_000


# ----- deletion


@pytest.mark.parametrize(
    "answer",
    [
        Answer('{"id": "1", "status": "Delete request registered"}', 202),
        mistake(400, "Cannot frag 1 ; This job was already killed."),
        mistake(400, "Cannot frag 999999 ; You are not the right user."),
        mistake(400, "Could not connect to the socket"),
        mistake(400, "Cannot frag 5 ; is not a valid array job"),
        mistake(404, "Job not found"),
    ],
)
async def test_a_deletion_that_has_nothing_to_do_is_no_error(answer: Answer) -> None:
    await asked(lambda api: api.delete([1], "alice"), answer)
    if "404" not in str(answer.status):
        _, server = await asked(lambda api: api.delete_array(1, "alice"), answer)
        assert server.asked[0].path == "/oarapi/jobs/array/1/deletions/new.json"


async def test_a_deletion_that_was_cut_off_is_told() -> None:
    with pytest.raises(ClusterUnreachable):
        await asked(lambda api: api.delete_array(1, "alice"), HTML)


# ----- files


async def test_a_file_is_read_by_its_end_as_its_owner() -> None:
    octets = Answer(b"one\ntwo\n", kind="application/octet-stream")

    text, server = await asked(
        lambda api: api.read(".cigri/t/0.out", "alice", tail=5, limit=6), octets
    )

    assert text == b"e\ntwo\n"
    assert server.asked[0].path == "/oarapi/media/~/.cigri/t/0.out?tail=5"


async def test_a_file_that_is_not_there_is_nothing() -> None:
    for answer in (mistake(404, "File not found: /x"), mistake(403, "File could not be read: /x")):
        assert (await asked(lambda api: api.read(".cigri/x", "alice", limit=9), answer))[0] is None


async def test_a_page_of_a_web_server_is_no_file() -> None:
    """Taken for a journal, it would say that no task of a group had run."""
    page = Answer("<html>Maintenance</html>", 200, "text/html")

    with pytest.raises(ClusterUnreachable) as error:
        await asked(lambda api: api.read(".cigri/t/0/journal", "alice", limit=99), page)

    assert error.value.fault is Fault.GARBLED


EVIL = [
    ".cigri/x;id",
    ".cigri/$(id)",
    ".cigri/`id`",
    ".cigri/a b",
    "../bob/x",
    ".cigri/../../x",
    "/etc/passwd",
    ".cigri/x\ny",
    ".cigri/é",
    "",
    "-rf",
    ".cigri/x?tail=1",
    "x&y",
    "x|y",
]


@pytest.mark.parametrize("path", EVIL)
async def test_a_path_that_oar_would_run_is_never_asked_for(path: str) -> None:
    async with answering(WHO, Answer()) as server:
        api = Oar2Api(Oar2Options(url=server.url))
        with pytest.raises(SubmissionRejected):
            await api.read(path, "alice", limit=9)
        with pytest.raises(SubmissionRejected):
            await api.write(path, "alice", b"x")
        with pytest.raises(SubmissionRejected):
            await api.remove(path, "alice")
        await api.close()

    assert not server.asked


async def test_the_directory_is_closed_to_others_before_anything_lies_there() -> None:
    created, changed = Answer("{}", 201), Answer("", 202)

    async def write(api: Oar2Api) -> None:
        await api.write(".cigri/t/run", "alice", b"x")
        await api.write(".cigri/t/part.0", "alice", b"0")

    _, server = await asked(write, WHO, created, changed, created, created)

    paths = [each.path.removeprefix("/oarapi") for each in server.asked]
    assert paths == [
        "/whoami.json",
        "/media/force/~/.cigri/README",
        "/media/chmod/~/.cigri",
        "/media/force/~/.cigri/t/run",
        "/media/force/~/.cigri/t/part.0",
    ]
    assert json.loads(server.asked[2].body) == {"mode": "700"}
    assert server.asked[3].body == b"x"
    # To Perl a 0 is false, and OAR would write nothing.
    assert server.asked[4].body != b"0"


async def test_a_home_that_is_full_refuses_the_submission() -> None:
    full = mistake(500, "Error creating file: /home/alice/.cigri/README", "write error")

    with pytest.raises(SubmissionRejected, match="alice"):
        await asked(lambda api: api.write(".cigri/x", "alice", b"x"), WHO, full)


async def test_html_at_an_upload_is_no_refusal() -> None:
    with pytest.raises(ClusterUnreachable):
        await asked(lambda api: api.write(".cigri/x", "alice", b"x"), WHO, HTML)


LARGE = Answer("<html>Request Entity Too Large</html>", 413, "text/html")


async def test_too_large_a_submission_is_its_campaigns_matter() -> None:
    """A cluster that was held for one campaign would do nothing for anybody."""
    error = await refused(LARGE)

    assert isinstance(error, SubmissionRejected)
    assert "request_limit_kib" in str(error)
    with pytest.raises(SubmissionRejected, match="request_limit_kib"):
        await asked(lambda api: api.write(".cigri/x", "alice", b"x"), WHO, LARGE)


@pytest.mark.parametrize(
    ("ask", "done"),
    [
        (lambda api: api.remove(".cigri/x", "alice"), Answer("", 204)),
        (lambda api: api.delete([4], "alice"), Answer("{}", 202)),
        (lambda api: api.delete_array(4, "alice"), Answer("{}", 202)),
    ],
)
async def test_what_may_be_done_twice_survives_the_web_servers_own_errors(
    ask: Callable[[Oar2Api], Awaitable[object]], done: Answer
) -> None:
    """One of fifty requests is answered so by a web server as it is installed."""
    _, server = await asked(ask, HTML, HTML, done)

    assert len(server.asked) == 3


async def test_an_upload_survives_them_too() -> None:
    made_it = Answer("", 201)
    plan = (WHO, HTML, made_it, HTML, Answer("{}", 202), HTML, HTML, made_it)

    _, server = await asked(lambda api: api.write(".cigri/x", "alice", b"x"), *plan)

    assert len(server.asked) == len(plan)


async def test_a_web_server_that_takes_us_for_another_one_is_found_out() -> None:
    other = Answer('{"authenticated_user": "bob"}')

    with pytest.raises(SubmissionRejected, match="bob"):
        await asked(lambda api: api.write(".cigri/x", "alice", b"x"), other)


# ----- cost


def test_a_job_of_a_long_list_costs_little() -> None:
    row = {
        "id": 4711,
        "state": "Running",
        "exit_code": None,
        "start_time": 1795243976,
        "stop_time": 0,
        "job_name": "cg12-1-000000001",
        "job_user": "alice",
        "command": "exec sh .cigri/cg12-1-000000001/run 17",
        "message": "R=1,W=0:10:0",
        "initial_request": "oarsub " + "x" * 300,
        "links": [{"href": "/x", "rel": "self"}] * 3,
    }
    body = json.dumps({"items": [row] * 5000, "api_timestamp": 5}, indent=3).encode()

    begun = time.process_time()
    found = decode(body, _Table)
    cost = (time.process_time() - begun) / 5000

    assert len(found.items) == 5000
    assert cost < 3e-6 * 5  # a busy machine is given its time
