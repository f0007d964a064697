"""Broken JDLs: each with the places that the answer must name, in order, and no others."""

import json

import pytest

from cigri.domain.facts import ClusterFacts, Facts
from cigri.domain.jdl import check_name, read
from cigri.domain.model import ClusterName
from cigri.errors import InvalidJdl

FACTS = Facts(
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
    "an escape sequence as a key": (
        {"\x1b[2J": 1},
        [("/\x1b[2J", r"/\x1b[2J: unknown key")],
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
    "no tasks": ({"nb_jobs": ...}, [("", "no tasks (give one of nb_jobs, params, param_file, ")]),
    "two kinds of tasks": ({"params": ["a"]}, [("/params", 'given twice: see "nb_jobs"')]),
    "a relative parameter file": (
        {"nb_jobs": ..., "param_file": "p.txt"},
        [("/param_file", "begin with / or $HOME/; only `cigri sub` knows where you are")],
    ),
    "somebody's parameter file": (
        {"nb_jobs": ..., "param_file": "~bob/p.txt"},
        [("/param_file", "not an absolute path")],
    ),
    "a parameter file in a NUL": (
        {"nb_jobs": ..., "param_file": "/a\0b"},
        [("/param_file", "control character")],
    ),
    "a long parameter file": (
        {"nb_jobs": ..., "param_file": "/" + "x" * 4096},
        [("/param_file", "4097 characters: the limit is 4096")],
    ),
    "a parameter file beside a count": (
        {"param_file": "/p.txt"},
        [("/param_file", 'given twice: see "nb_jobs"')],
    ),
    "a negative count": ({"nb_jobs": -1}, [("/nb_jobs", "must not be negative: -1")]),
    "true as a count": ({"nb_jobs": True}, [("/nb_jobs", "must be a whole number, not true")]),
    "a count in words": ({"nb_jobs": "three"}, [("/nb_jobs", 'whole number, not "three"')]),
    "a count in hexadecimal": ({"nb_jobs": "0x10"}, [("/nb_jobs", "whole number")]),
    "a quoted count beyond 64 bits": ({"nb_jobs": "9" * 20}, [("/nb_jobs", "beyond 64 bits")]),
    "a quoted count of a thousand digits": (
        {"nb_jobs": "9" * 999},
        [("/nb_jobs", "whole number")],
    ),
    "a count in other digits": ({"nb_jobs": "\u0663"}, [("/nb_jobs", "whole number")]),
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
    "desktop computing with parameters": (
        {"nb_jobs": ..., "params": ["a"], "jobs_type": "desktop_computing"},
        [("/params", "have no parameters (nb_jobs may say how often")],
    ),
    "desktop computing with a file": (
        {"param_file": "/p", "jobs_type": "Desktop_Computing"},
        [("/param_file", "have no parameters")],
    ),
    "desktop computing with a sweep": (
        {"nb_jobs": ..., "param_grid": {"a": "1..3"}, "jobs_type": "desktop_computing"},
        [("/param_grid", "have no parameters")],
    ),
    "a number as a type of jobs": ({"jobs_type": 3}, [("/jobs_type", "write normal or desktop")]),
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
    "an unknown type": (
        {"type": "fast"},
        [("/type", "write one of best-effort, semi-best-effort, nightly, normal")],
    ),
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
    "a quoted limit of no jobs": ({"max_jobs": "0"}, [("/max_jobs", "at least 1")]),
    "a limit in words": ({"max_jobs": "many"}, [("/max_jobs", "whole number")]),
    "a limit of true": ({"max_jobs": True}, [("/max_jobs", "whole number, not true")]),
    "properties of a number": ({"properties": 3}, [("/properties", "must be a text")]),
    "properties of two lines": ({"properties": "a\nb"}, [("/properties", "line end")]),
    "endless properties": ({"properties": "x" * 4097}, [("/properties", "the limit is 4096")]),
    "an array of projects": ({"project": ["a"]}, [("/project", "must be a text, not an array")]),
    "a project with an escape": ({"project": "\x1b]0;x"}, [("/project", "control character")]),
    "a type of job of true": ({"cluster_job_type": True}, [("/cluster_job_type", "not true")]),
    "a prologue of a number": ({"prologue": 3}, [("/prologue", 'write ["first", "second"]')]),
    "a prologue of an object": ({"prologue": {"a": "b"}}, [("/prologue", "not an object")]),
    "a number as a line of a prologue": (
        {"prologue": ["set -e", 3]},
        [("/prologue", "line 2 must be a text, not a number")],
    ),
    "a NUL in an epilogue": ({"epilogue": ["a\0"]}, [("/epilogue", "control character")]),
    "an escape in an epilogue": ({"epilogue": "a\x1b[2J"}, [("/epilogue", "control character")]),
    "a walltime of a prologue": (
        {"prologue_walltime": "90"},
        [("/prologue_walltime", 'write "90s" for seconds')],
    ),
    "an endless epilogue": ({"epilogue_walltime": "400d"}, [("/epilogue_walltime", "a year")]),
    "a test that may be": (
        {"test_mode": "maybe"},
        [("/test_mode", 'must be true or false, not "maybe" (write true, false or "then-run")')],
    ),
    "a test of one": ({"test_mode": 1}, [("/test_mode", "must be true or false, not 1")]),
    "a grouping of yes": (
        {"temporal_grouping": "yes"},
        [("/temporal_grouping", 'must be true or false, not "yes"')],
    ),
    "a grouping of many": (
        {"dimensional_grouping": [1]},
        [("/dimensional_grouping", "not an array")],
    ),
    "checkpoints by BLCR": (
        {"clusters": {"local": {"checkpointing_type": "BLCR"}}},
        [("/clusters/local/checkpointing_type", "BLCR are not available")],
    ),
    "checkpoints by a wish": (
        {"checkpointing_type": "criu"},
        [("/checkpointing_type", 'write "signal" or "None"')],
    ),
    "replicas": ({"replicate": True}, [("/replicate", "leave it out")]),
    "negative retries": ({"retries": -1}, [("/retries", "between 0 and 100, not -1")]),
    "endless retries": ({"retries": "101"}, [("/retries", "between 0 and 100, not 101")]),
    "half a retry": ({"retries": 0.5}, [("/retries", "whole number, not 0.5")]),
    "variables in a text": ({"env": "A=1"}, [("/env", 'write {"NAME": "value"}')]),
    "variables in an array": ({"env": ["A=1"]}, [("/env", "must be an object")]),
    "a number as a variable": ({"env": {"A": 1}}, [("/env", "A must be a text, not a number")]),
    "a variable of CiGri": (
        {"env": {"CIGRI_JOB_ID": "1"}},
        [("/env", "the variables CIGRI_… are set for each task")],
    ),
    "a variable with an equals sign": ({"env": {"A=B": "c"}}, [("/env", "name of a variable")]),
    "a variable without a name": ({"env": {"": "c"}}, [("/env", "name of a variable")]),
    "a function of bash": ({"env": {"BASH_FUNC_x%%": "() { :; }"}}, [("/env", "no digit first")]),
    "a variable with a line end": ({"env": {"A\n": "c"}}, [("/env", r'"A\n"')]),
    "a NUL in a variable": ({"env": {"A": "a\0"}}, [("/env", "NUL character in A")]),
    "a large variable": ({"env": {"A": "x" * 32_001}}, [("/env", "the limit is 32000")]),
    "an environment bomb": (
        {"env": {f"A{n}": "x" for n in range(201)}},
        [("/env", "201 variables: the limit is 200")],
    ),
    "env of a campaign's own key": (
        {"clusters": {"local": {"tags": ["a"]}}},
        [("/clusters/local/tags", "put it at the top level")],
    ),
    "failures beyond all": ({"max_fails": "1000%"}, [("/max_fails", "write at most 100%")]),
    "failures just beyond all": ({"max_fails": "100.1%"}, [("/max_fails", "at most 100%")]),
    "negative failures": ({"max_fails": -1}, [("/max_fails", "must not be negative")]),
    "a negative share": ({"max_fails": "-1%"}, [("/max_fails", 'write 5 or "10%"')]),
    "half a failure": ({"max_fails": 0.5}, [("/max_fails", "neither a number nor a share")]),
    "a share of a share": ({"max_fails": "10%%"}, [("/max_fails", 'write 5 or "10%"')]),
    "a share of many digits": ({"max_fails": "9" * 50 + "%"}, [("/max_fails", "nor a share")]),
    "failures of one cluster": (
        {"clusters": {"local": {"max_fails": 3}}},
        [("/clusters/local/max_fails", "put it at the top level")],
    ),
    "a tag without an array": ({"tags": "a"}, [("/tags", 'write ["a"]')]),
    "a tag of two words": ({"tags": ["a b"]}, [("/tags", 'not a tag: "a b"')]),
    "an empty tag": ({"tags": [""]}, [("/tags", "not a tag")]),
    "a tag of commas": ({"tags": ["a,b"]}, [("/tags", "not a tag")]),
    "a long tag": ({"tags": ["x" * 51]}, [("/tags", "50 characters at most")]),
    "a tag of a number": ({"tags": [3]}, [("/tags", "must be a text, not a number")]),
    "many tags": ({"tags": [f"t{n}" for n in range(21)]}, [("/tags", "21 tags: the limit is 20")]),
    "a tag written backwards": ({"tags": ["a\u202eb"]}, [("/tags", "control character")]),
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


#: What is said of a sweep, in the place of a count, and the mistakes.
SWEPT = {
    "a grid of an array": ({"param_grid": [1]}, [("/param_grid", 'write {"T": "0:1:11"')]),
    "an empty grid": ({"param_grid": {}}, [("/param_grid", "empty: a sweep has one axis")]),
    "an axis without values": ({"param_grid": {"T": []}}, [("/param_grid/T", "empty: an axis")]),
    "a single value": ({"param_grid": {"T": 5}}, [("/param_grid/T", "write [5]")]),
    "a single word": ({"param_grid": {"T": "fast"}}, [("/param_grid/T", 'write ["fast"]')]),
    "an axis of true": ({"param_grid": {"T": True}}, [("/param_grid/T", "not true (a..b for")]),
    "an axis of objects": (
        {"param_grid": {"T": [1, {}, None, True, ["x"]]}},
        [
            ("/param_grid/T/1", "not an object"),
            ("/param_grid/T/2", "not null"),
            ("/param_grid/T/3", 'not true (write "true")'),
            ("/param_grid/T/4", "not an array"),
        ],
    ),
    "a line end in a value": ({"param_grid": {"T": ["a\nb"]}}, [("/param_grid/T/0", "line end")]),
    "a NUL in a value": ({"param_grid": {"T": ["a\0"]}}, [("/param_grid/T/0", "control")]),
    "a name with a dash": ({"param_grid": {"a-b": [1]}}, [("/param_grid/a-b", "not a name")]),
    "a name with a path": (
        {"param_grid": {"../x": [1]}},
        [("/param_grid/..~1x", 'not a name: "../x" (letters, digits and _, no digit first)')],
    ),
    "a name without a name": ({"param_grid": {"": [1]}}, [("/param_grid/", "not a name")]),
    "a name with a line end": (
        {"param_grid": {"T\u2028": [1]}},
        [("/param_grid/T\u2028", r"/param_grid/T\u2028: not a name")],
    ),
    "a macro as a name": (
        {"param_grid": {"HOME": [1], "CAMPAIGN_ID": [1], "OAR_JOB_ID": [1]}},
        [
            ("/param_grid/HOME", "{HOME} has a meaning of its own (take another name)"),
            ("/param_grid/CAMPAIGN_ID", "meaning of its own"),
            ("/param_grid/OAR_JOB_ID", "meaning of its own"),
        ],
    ),
    "too many points": (
        {"param_grid": {"T": "1..100", "seed": "1..100"}},
        [("/param_grid", "10000 tasks: the limit of this server is 1000")],
    ),
    "a trillion points": (
        {"param_grid": {"T": "1..1000000", "seed": "0:1:1000000"}},
        [("/param_grid", "1000000000000 tasks: the limit")],
    ),
    "points without number": (
        {"param_grid": {f"T{n}": "1..1000000000" for n in range(64)}},
        [("/param_grid", "over 1000000000000000 tasks")],
    ),
    "many axes": (
        {"param_grid": {f"T{n}": [1] for n in range(65)}},
        [("/param_grid", "65 axes: the limit is 64")],
    ),
    "a range beyond all": (
        {"param_grid": {"T": f"1..{10**30}"}},
        [("/param_grid/T", "a number of more than 18 digits")],
    ),
    "a range of a million digits": (
        {"param_grid": {"T": "1.." + "9" * 50_000}},
        [("/param_grid/T", "a range of 50003 characters: the limit is 300")],
    ),
    "a range without an end": ({"param_grid": {"T": "1.."}}, [("/param_grid/T", "not a range")]),
    "a range of fractions": ({"param_grid": {"T": "0.5..1"}}, [("/param_grid/T", "not a range")]),
    "a range of infinities": (
        {"param_grid": {"T": "0:inf:3"}},
        [("/param_grid/T", "not a range")],
    ),
    "a range of no values": ({"param_grid": {"T": "0:1:0"}}, [("/param_grid/T", "no values")]),
    "a step as a count": (
        {"param_grid": {"T": "0:1:0.1"}},
        [("/param_grid/T", 'not a range: "0:1:0.1" (a..b for whole numbers, start:stop:count')],
    ),
    "a step of one": ({"param_grid": {"T": "0:9:1"}}, [("/param_grid/T", "not the step")]),
    "a count of 30 digits": (
        {"param_grid": {"T": "0:1:" + "9" * 30}},
        [("/param_grid/T", "a count of more than 18 digits")],
    ),
    "digits beyond doubles": (
        {"param_grid": {"T": "0.1234567890123456:1:3"}},
        [("/param_grid/T", "a number of more than 15 digits")],
    ),
    "columns of two lengths": (
        {"param_zip": {"T": [1, 2], "seed": "1..3"}},
        [("/param_zip", "not of one length: T has 2, seed has 3")],
    ),
    "too long columns": ({"param_zip": {"T": "1..1001"}}, [("/param_zip", "1001 tasks")]),
    "a grid and columns": (
        {"param_grid": {"T": [1]}, "param_zip": {"S": [1]}},
        [("/param_zip", 'the tasks are given twice: see "param_grid"')],
    ),
    "a grid and a count": (
        {"param_grid": {"T": [1]}, "nb_jobs": 3},
        [("/param_grid", 'the tasks are given twice: see "nb_jobs"')],
    ),
    "a grid and a file": (
        {"param_grid": {"T": [1]}, "param_file": "/p"},
        [("/param_grid", 'the tasks are given twice: see "param_file"')],
    ),
    "a grid and parameters": (
        {"param_grid": {"T": [1]}, "params": ["a", "b"]},
        [("/params", 'one text for all tasks (write ["--temp {T}"])')],
    ),
    "a grid and words": ({"param_grid": {"T": [1]}, "params": [["a"]]}, [("/params", "one text")]),
    "a template that is not closed": (
        {"param_grid": {"T": [1]}, "params": ["--x '{T}"]},
        [("/params", "a quote is not closed")],
    ),
    "a template with another name": (
        {"param_grid": {"temp": [1], "seed": [2]}, "params": "--t {tmp}"},
        [("/params", '{tmp} stands for nothing (did you mean "temp"? the sweep has temp, seed)')],
    ),
    "a command with another name": (
        {"param_grid": {"seed": [1]}, "exec_file": "run.sh {sead}"},
        [("/exec_file", '{sead} stands for nothing (did you mean "seed"?')],
    ),
    "a command of a cluster with another name": (
        {"param_grid": {"seed": [1]}, "clusters": {"local": {"exec_file": "run.sh {x}"}}},
        [("/clusters/local/exec_file", "{x} stands for nothing (the sweep has seed)")],
    ),
    "a grid within a cluster": (
        {"nb_jobs": 1, "clusters": {"local": {"param_grid": {"T": [1]}}}},
        [("/clusters/local/param_grid", "put it at the top level")],
    ),
    "an infinity in a grid": (
        {"param_grid": {"T": [1, float("inf")]}},
        [("/param_grid/T/1", "Infinity is not a JSON number")],
    ),
    "NaN as an axis": (
        {"param_grid": {"T": float("nan")}},
        [("/param_grid/T", "NaN is not a JSON number")],
    ),
}


@pytest.mark.parametrize(("added", "expected"), SWEPT.values(), ids=SWEPT)
def test_every_mistake_in_a_sweep_is_named_with_its_place(added, expected):
    given = {key: value for key, value in GOOD.items() if key != "nb_jobs"} | added

    assert_mistakes(json.dumps(given).encode(), expected)


#: Texts that no value of Python stands for, written into GOOD's own.
INSERTED = {
    "a key given twice": (b'"name": "m"', [("/name", "more than once")]),
    "an infinite number": (b'"walltime": 1e400', [("/walltime", "beyond what a computer holds")]),
    "a million digits": (b'"max_jobs": ' + b"9" * 60_000, [("/max_jobs", "60000 digits")]),
    "a key given twice deep down": (
        b'"replicate": {"a": [{}, {"b": 1, "b": 2}]}',
        [("/replicate/a/1/b", "more than once"), ("/replicate", "leave it out")],
    ),
    "a variable given twice": (b'"env": {"A": "1", "A": "2"}', [("/env/A", "more than once")]),
    "an escape of nothing": (rb'"name": "\x"', [("", "not JSON at line 1, column")]),
}


@pytest.mark.parametrize(("inserted", "expected"), INSERTED.values(), ids=INSERTED)
def test_what_json_parsers_accept_in_silence_is_a_mistake(inserted, expected):
    assert_mistakes(json.dumps(GOOD).encode()[:-1] + b"," + inserted + b"}", expected)


@pytest.mark.parametrize(
    "members",
    [
        b",".join(b'"k%d": NaN' % n for n in range(4000)),
        b",".join(b'"k%d": 1' % n for n in range(4000)),
        b'"params": [' + b"{}," * 20_000 + b"{}]",
        b'"clusters": {' + b",".join(b'"k%d": {}' % n for n in range(4000)) + b"}",
        b'"clusters": {"local": {' + b",".join(b'"k%d": 1' % n for n in range(4000)) + b"}}",
    ],
)
def test_the_mistakes_of_a_hostile_text_are_cut_short(members):
    text = b"{" + members + b"}"

    with pytest.raises(InvalidJdl) as refused:
        read(text, FACTS)

    assert len(refused.value.problems) == 101
    assert refused.value.problems[-1].detail == "and more mistakes"


@pytest.mark.parametrize("key", ["nb_jobs", "params"])
def test_tasks_are_not_given_beside_lines(key):
    tasks = {"nb_jobs": 2, "params": ["a"]}
    given = GOOD | {"nb_jobs": None, key: tasks[key]}

    with pytest.raises(InvalidJdl) as refused:
        read(json.dumps(given).encode(), FACTS, lines=True)

    assert [problem.pointer for problem in refused.value.problems] == [f"/{key}"]


def test_an_empty_command_is_refused_before_lines():
    given = GOOD | {"nb_jobs": None, "exec_file": "", "param_file": "p.txt"}

    with pytest.raises(InvalidJdl) as refused:
        read(json.dumps(given).encode(), FACTS, lines=True)

    assert [problem.pointer for problem in refused.value.problems] == ["/exec_file"]


def test_a_new_name_is_checked_as_the_first():
    check_name("my second campaign")
    with pytest.raises(InvalidJdl, match="/name: a control character"):
        check_name("a\x1b[2J")


def assert_mistakes(text, expected):
    with pytest.raises(InvalidJdl) as refused:
        read(text, FACTS)

    problems = refused.value.problems
    # `None`: where the pointer itself is part of the mistake.
    assert [
        problem.pointer for problem, (at, _) in zip(problems, expected, strict=True) if at
    ] == [at for at, _ in expected if at]
    for problem, (_, words) in zip(problems, expected, strict=True):
        assert words in str(problem)
        # Whoever encodes or prints the answer finds nothing to stumble over.
        assert str(problem).encode().decode().isprintable()
