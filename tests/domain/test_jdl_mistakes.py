"""Broken JDLs: each with the places that the answer must name, in order, and no others."""

import json

import pytest

from cigri.domain.jdl import ClusterFacts, Site, check_name, read
from cigri.domain.model import ClusterName
from cigri.errors import InvalidJdl

SITE = Site(
    clusters={
        ClusterName("local"): ClusterFacts(slots=4),
        ClusterName("fukushima"): ClusterFacts(),
    },
    max_tasks=1000,
)

#: A campaign without mistakes, to which each row adds some.
GOOD = {"name": "n", "nb_jobs": 2, "exec_file": "run.sh", "clusters": {"local": {}}}

TEXTS = {
    "nothing": (b"", [("", "the text is empty")]),
    "white space": (b" \n ", [("", "the text is empty")]),
    "an array": (b"[]", [("", "must be an object, not an array")]),
    "a text": (b'"x"', [("", "must be an object, not a string")]),
    "null": (b"null", [("", "must be an object, not null")]),
    "cut off": (b'{"name": "n"', [("", "not JSON at line 1, column 13")]),
    "two values": (b"{} {}", [("", "not JSON at line 1, column 4: extra data")]),
    "single quotes": (b"{'name': 'n'}", [("", "JSON takes double quotes")]),
    "a comma too many": (b'{"name": "n",\n}', [("", "not JSON at line")]),
    "a comment": (b'{\n// mine\n"name": "n"}', [("", "JSON has no comments")]),
    "Python's true": (b'{"test_mode": True}', [("", "JSON writes true in lower case")]),
    "a line end in a string": (b'{"name": "a\nb"}', [("", "invalid control character")]),
    "UTF-16": ('{"name": "n"}'.encode("utf-16"), [("", "UTF-16")]),
    "UTF-16 without a mark": ('{"name": "n"}'.encode("utf-16-le"), [("", "UTF-16")]),
    "Latin-1": ('{\n"name": "é"}'.encode("latin-1"), [("", "line 2 has the byte 0xe9")]),
    "a depth bomb": (b'{"name": ' + b"[" * 60_000, [("", "nested too deeply")]),
    "a large depth bomb": (b'{"name": ' + b"[" * 100_000, [("", "nested too deeply")]),
    "a million keys": (
        b"{" + b",".join(b'"k%d": 1' % n for n in range(10_000)) + b"}",
        [("", "bytes beside its params: the limit is 65536")],
    ),
    "a large text that is cut off": (b'{"params": ["' + b"x" * 70_000, [("", "cut off")]),
    "a large text with a comma too many": (
        b'{\n"params": ["' + b"x" * 70_000 + b'",]}',
        [("", "line 2, column 70015: trailing comma")],
    ),
    "a large array": (b"[" + b"1," * 50_000 + b"1]", [("", "not a JSON object")]),
}


@pytest.mark.parametrize(("text", "expected"), TEXTS.values(), ids=TEXTS)
def test_a_text_that_is_no_description_is_refused_with_the_place(text, expected):
    assert_mistakes(text, expected)


#: What is added to GOOD (a key set to `...` is taken out), and the mistakes.
ADDED = {
    "no name": ({"name": ...}, [("/name", "missing")]),
    "null as a name": ({"name": None}, [("/name", "missing")]),
    "a number as a name": ({"name": 3}, [("/name", "must be a text, not a number")]),
    "a blank name": ({"name": "  "}, [("/name", "empty")]),
    "an escape sequence in a name": ({"name": "a\x1b[2J"}, [("/name", r"\u001b[2J")]),
    "a NUL in a name": ({"name": "a\0"}, [("/name", "control character")]),
    "a line end in a name": ({"name": "a\nb"}, [("/name", "control character or line end")]),
    "a name written backwards": ({"name": "a\u202eb"}, [("/name", "control character")]),
    "a long name": ({"name": "x" * 256}, [("/name", "256 characters: the limit is 255")]),
    "no clusters": ({"clusters": ...}, [("/clusters", "missing")]),
    "clusters as an array": (
        {"clusters": ["local"]},
        [("/clusters", 'not an array (write {"local": {}}')],
    ),
    "empty clusters": ({"clusters": {}}, [("/clusters", "no cluster")]),
    "an unknown cluster": (
        {"clusters": {"lokal": {}}},
        [("/clusters/lokal", 'did you mean "local"? the clusters are fukushima, local')],
    ),
    "a cluster's name in need of escapes": (
        {"clusters": {"a/b~c": {}}},
        [("/clusters/a~1b~0c", "unknown cluster")],
    ),
    "a cluster that is a text": ({"clusters": {"local": "x"}}, [("/clusters/local", "write {}")]),
    "a cluster that is null": ({"clusters": {"local": None}}, [("/clusters/local", "write {}")]),
    "an unknown key": ({"wall_time": "1h"}, [("/wall_time", 'did you mean "walltime"?')]),
    "an unknown key of a cluster": (
        {"clusters": {"local": {"exec_fil": "x"}}},
        [("/clusters/local/exec_fil", 'did you mean "exec_file"?')],
    ),
    "a key unlike all others": ({"zzzzzz": 1}, [("/zzzzzz", 'unknown key "zzzzzz"')]),
    "upper case within a cluster": (
        {"clusters": {"local": {"WALLTIME": "1h"}}},
        [("/clusters/local/WALLTIME", 'did you mean "walltime"?')],
    ),
    "a key in both cases": ({"NAME": "m"}, [("/NAME", 'also given as "name"')]),
    "a campaign's key within a cluster": (
        {"clusters": {"local": {"nb_jobs": 3}}},
        [("/clusters/local/nb_jobs", "put it at the top level")],
    ),
    "no tasks": ({"nb_jobs": ...}, [("", "no tasks (give one of nb_jobs, params, param_file)")]),
    "two kinds of tasks": ({"params": ["a"]}, [("/params", 'given twice: see "nb_jobs"')]),
    "a parameter file": (
        {"nb_jobs": ..., "param_file": "/etc/passwd"},
        [("/param_file", "`cigri sub` reads the file")],
    ),
    "a parameter file beside a count": ({"param_file": "p.txt"}, [("/param_file", "does not")]),
    "a negative count": ({"nb_jobs": -1}, [("/nb_jobs", "must not be negative: -1")]),
    "true as a count": ({"nb_jobs": True}, [("/nb_jobs", "must be a whole number, not true")]),
    "a quoted count": ({"nb_jobs": "3"}, [("/nb_jobs", "write 3 without quotes")]),
    "a fraction as a count": ({"nb_jobs": 2.5}, [("/nb_jobs", "whole number, not 2.5")]),
    "an array as a count": ({"nb_jobs": [3]}, [("/nb_jobs", "whole number, not an array")]),
    "a count over the limit": (
        {"nb_jobs": 10**12},
        [("/nb_jobs", "limit of this server is 1000")],
    ),
    "a count beyond 64 bits": ({"nb_jobs": 2**63}, [("/nb_jobs", "beyond 64 bits")]),
    "a text as params": (
        {"nb_jobs": ..., "params": "AAA"},
        [("/params", 'must be an array, not a string (write ["first", "second"])')],
    ),
    "an object as params": ({"nb_jobs": ..., "params": {"a": 1}}, [("/params", "an object")]),
    "wrong elements of params": (
        {"nb_jobs": ..., "params": ["a", 1, None, {}, ["b", 2], [["c"]], True]},
        [
            ("/params/1", 'not a number (write "1")'),
            ("/params/2", "not null"),
            ("/params/3", "not an object"),
            ("/params/4", "the words of a parameter are strings, not a number"),
            ("/params/5", "the words of a parameter are strings, not an array"),
            ("/params/6", "not true"),
        ],
    ),
    "a NUL in a parameter": ({"nb_jobs": ..., "params": ["a\0"]}, [("/params/0", "NUL")]),
    "more params than the limit": (
        {"nb_jobs": ..., "params": ["a"] * 1001},
        [("/params", "1001 tasks: the limit of this server is 1000")],
    ),
    "desktop computing": (
        {"nb_jobs": ..., "jobs_type": "desktop_computing"},
        [("/jobs_type", "desktop_computing are not available yet")],
    ),
    "an unknown type of jobs": ({"jobs_type": "x"}, [("/jobs_type", 'not a type of jobs: "x"')]),
    "no command": (
        {"exec_file": ..., "clusters": {"local": {}, "fukushima": {"exec_file": "x"}}},
        [("/clusters/local/exec_file", "missing")],
    ),
    "an empty command with tasks": ({"exec_file": ""}, [("/exec_file", "empty")]),
    "an empty command of a cluster": (
        {"clusters": {"local": {"exec_file": " "}}},
        [("/clusters/local/exec_file", "empty")],
    ),
    "a command in an array": ({"exec_file": ["a"]}, [("/exec_file", "must be a text")]),
    "a command of two lines": ({"exec_file": "a\nb"}, [("/exec_file", "line end")]),
    "a quote that is not closed": ({"exec_file": "a 'b"}, [("/exec_file", "not closed")]),
    "a pipe": ({"exec_file": "a | b"}, [("/exec_file", "sh -c")]),
    "a redirection": (
        {"exec_file": "a >out 2>&1"},
        [("/exec_file", 'shell reads the command: ">')],
    ),
    "two commands": ({"exec_file": "cd x; ./run"}, [("/exec_file", "sh -c")]),
    "a long command": ({"exec_file": "x" * 32_001}, [("/exec_file", "the limit is 32000")]),
    "a relative directory": ({"exec_directory": "out"}, [("/exec_directory", "begin with /")]),
    "somebody's home": ({"exec_directory": "~bob/x"}, [("/exec_directory", "not an absolute")]),
    "a walltime of a number": ({"walltime": 3600}, [("/walltime", 'write "3600s"')]),
    "a walltime of digits": ({"walltime": "90"}, [("/walltime", 'write "90s" for seconds')]),
    "no walltime at all": ({"walltime": "0:00:00"}, [("/walltime", "no time")]),
    "a type that comes later": ({"type": "nightly"}, [("/type", "nightly are not available yet")]),
    "another type that comes later": (
        {"clusters": {"local": {"type": "semi-best-effort"}}},
        [("/clusters/local/type", "semi-best-effort are not available yet")],
    ),
    "an unknown type": ({"type": "fast"}, [("/type", 'write "best-effort" or "normal"')]),
    "a type of true": ({"type": True}, [("/type", "not a type of campaign: true")]),
    "resources of a batch scheduler": (
        {"resources": "/nodes=2/core=1"},
        [("/resources", "cannot be asked of a host")],
    ),
    "more cores than the host has": (
        {"resources": 5, "clusters": {"local": {}, "fukushima": {}}},
        [("/resources", "5 cores are more than there are: local has 4")],
    ),
    "more cores for one cluster": (
        {"clusters": {"local": {"resources": "/core=5"}, "fukushima": {}}},
        [("/clusters/local/resources", "local has 4")],
    ),
    "a limit of no jobs": ({"max_jobs": 0}, [("/max_jobs", "leave it out for no limit")]),
    "a quoted limit": ({"max_jobs": "5"}, [("/max_jobs", "write 5 without quotes")]),
    "a limit of true": ({"max_jobs": True}, [("/max_jobs", "whole number, not true")]),
    "properties": ({"properties": "mem > 4"}, [("/properties", "leave it out")]),
    "fields that do nothing yet": (
        {
            "project": "p",
            "prologue": ["a"],
            "epilogue": "b",
            "prologue_walltime": "1h",
            "epilogue_walltime": "1h",
            "test_mode": "true",
            "dimensional_grouping": True,
            "temporal_grouping": "true",
            "clusters": {"local": {"checkpointing_type": "BLCR"}},
        },
        [
            ("/project", "project"),
            ("/prologue", "first task"),
            ("/epilogue", "last task"),
            ("/prologue_walltime", "no prologue"),
            ("/epilogue_walltime", "no epilogue"),
            ("/test_mode", "no test mode"),
            ("/dimensional_grouping", "side by side"),
            ("/temporal_grouping", "one after the other"),
            ("/clusters/local/checkpointing_type", "checkpointed"),
        ],
    ),
    "an output of a number": ({"output_file": 3}, [("/output_file", "must be a text")]),
    "NaN": ({"walltime": float("nan")}, [("/walltime", "NaN is not a JSON number")]),
    "NaN as a parameter": (
        {"nb_jobs": ..., "params": ["a", float("nan")]},
        [("/params/1", "NaN is not a JSON number")],
    ),
    "an infinity": ({"nb_jobs": float("-inf")}, [("/nb_jobs", "-Infinity is not a JSON")]),
    "half a surrogate pair": ({"name": "\ud800"}, [("/name", "half of a surrogate pair")]),
    "half a surrogate pair in a parameter": (
        {"nb_jobs": ..., "params": ["a", "\udfff"]},
        [("/params/1", "half of a surrogate pair")],
    ),
    "half a surrogate pair in a cluster's name": (
        {"clusters": {"\ud800": {}}},
        [
            (r"/clusters/\ud800", "half of a surrogate pair"),
            (r"/clusters/\ud800", "unknown cluster"),
        ],
    ),
    "mistakes everywhere": (
        {"name": 1, "nb_jobs": "x", "walltime": [], "clusters": {"local": {"max_jobs": -1}}},
        [
            ("/name", "text"),
            ("/nb_jobs", "whole number"),
            ("/walltime", "not a walltime"),
            ("/clusters/local/max_jobs", "at least 1"),
        ],
    ),
}


@pytest.mark.parametrize(("added", "expected"), ADDED.values(), ids=ADDED)
def test_every_mistake_is_named_with_its_place(added, expected):
    given = {key: value for key, value in (GOOD | added).items() if value is not ...}

    assert_mistakes(json.dumps(given).encode(), expected)


#: Texts that no value of Python stands for, written into GOOD's own.
INSERTED = {
    "a key given twice": (b'"name": "m"', [("/name", "more than once")]),
    "an infinite number": (b'"walltime": 1e400', [("/walltime", "beyond what a computer holds")]),
    "a million digits": (b'"max_jobs": ' + b"9" * 60_000, [("/max_jobs", "60000 digits")]),
    "a key given twice deep down": (
        b'"properties": {"a": [{}, {"b": 1, "b": 2}]}',
        [("/properties/a/1/b", "more than once"), ("/properties", "leave it out")],
    ),
}


@pytest.mark.parametrize(("inserted", "expected"), INSERTED.values(), ids=INSERTED)
def test_what_json_parsers_accept_in_silence_is_a_mistake(inserted, expected):
    assert_mistakes(json.dumps(GOOD).encode()[:-1] + b"," + inserted + b"}", expected)


@pytest.mark.parametrize(
    "members",
    [
        b",".join(b'"k%d": NaN' % n for n in range(4000)),
        b",".join(b'"k%d": 1' % n for n in range(4000)),
        b'"params": [' + b"0," * 30_000 + b"0]",
        b'"clusters": {' + b",".join(b'"k%d": {}' % n for n in range(4000)) + b"}",
        b'"clusters": {"local": {' + b",".join(b'"k%d": 1' % n for n in range(4000)) + b"}}",
    ],
)
def test_the_mistakes_of_a_hostile_text_are_cut_short(members):
    text = b"{" + members + b"}"

    with pytest.raises(InvalidJdl) as refused:
        read(text, SITE)

    assert len(refused.value.problems) == 101
    assert refused.value.problems[-1].detail == "and more mistakes"


@pytest.mark.parametrize("key", ["nb_jobs", "params"])
def test_tasks_are_not_given_beside_lines(key):
    tasks = {"nb_jobs": 2, "params": ["a"]}
    given = GOOD | {"nb_jobs": None, key: tasks[key]}

    with pytest.raises(InvalidJdl) as refused:
        read(json.dumps(given).encode(), SITE, lines=True)

    assert [problem.pointer for problem in refused.value.problems] == [f"/{key}"]


def test_an_empty_command_is_refused_before_lines():
    given = GOOD | {"nb_jobs": None, "exec_file": "", "param_file": "p.txt"}

    with pytest.raises(InvalidJdl) as refused:
        read(json.dumps(given).encode(), SITE, lines=True)

    assert [problem.pointer for problem in refused.value.problems] == ["/exec_file"]


def test_a_new_name_is_checked_as_the_first():
    check_name("my second campaign")
    with pytest.raises(InvalidJdl, match="/name: a control character"):
        check_name("a\x1b[2J")


def assert_mistakes(text, expected):
    with pytest.raises(InvalidJdl) as refused:
        read(text, SITE)

    problems = refused.value.problems
    assert [problem.pointer for problem in problems] == [pointer for pointer, _ in expected]
    for problem, (_, words) in zip(problems, expected, strict=True):
        assert words in str(problem)
        # Whoever encodes or prints the answer finds nothing to stumble over.
        assert str(problem).encode().decode().isprintable()
