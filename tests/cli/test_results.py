import csv
import io
import json

import pytest

from cigri.cli.results import FORMATS, row
from cigri.client.rows import COLUMNS, columns

RESULTS = [
    {
        "number": 0,
        "parameter": 'a "b", c\nd',
        "state": "terminated",
        "exit_status": 0,
        "cluster": "local",
        "start": 1795248000.0,
        "end": 1795248002.5,
        "duration": 2.5,
        "attempts": 1,
    },
    {
        "number": 1,
        "parameter": ["x", "é ☃"],
        "state": "pending",
        "exit_status": None,
        "cluster": None,
        "start": None,
        "end": None,
        "duration": None,
        "attempts": 0,
    },
]


def written(form, results=RESULTS):
    return "".join(FORMATS[form](map(row, results), COLUMNS))


def test_csv_has_a_heading_and_survives_any_parameter():
    first, second = csv.DictReader(io.StringIO(written("csv"), newline=""))

    assert tuple(first) == COLUMNS
    assert first["parameter"] == 'a "b", c\nd'
    assert first["end"] == "2026-11-21T08:00:02.500Z"
    assert json.loads(second["parameter"]) == ["x", "é ☃"]
    assert second["exit_status"] == second["start"] == ""


def test_tsv_has_one_line_for_each_task_whatever_its_parameter():
    odd = [RESULTS[0] | {"parameter": "a\tb\n\\"}, RESULTS[1]]

    head, first, second = written("tsv", odd).splitlines()

    assert head.split("\t") == list(COLUMNS)
    assert first.split("\t")[:4] == ["0", "a\\tb\\n\\\\", "terminated", "0"]
    assert second.split("\t")[:4] == ["1", '["x", "é ☃"]', "pending", ""]


@pytest.mark.parametrize("form", ["csv", "tsv"])
def test_the_axes_of_a_sweep_stand_behind_the_parameter(form):
    names = columns(["T", "m"])
    swept = [RESULTS[0] | {"parameter": "0.5 x", "T": 0.5, "m": None}]
    sign = {"csv": ",", "tsv": "\t"}[form]

    head, first = "".join(FORMATS[form](map(row, swept), names)).splitlines()

    assert head.split(sign)[:5] == ["number", "parameter", "T", "m", "state"]
    assert first.split(sign)[:5] == ["0", "0.5 x", "0.5", "", "terminated"]


def test_a_program_that_never_ran_has_no_exit_status_in_any_form():
    failed = [RESULTS[0] | {"state": "failed", "exit_status": None}]

    (line,) = csv.DictReader(io.StringIO(written("csv", failed), newline=""))
    assert (line["state"], line["exit_status"]) == ("failed", "")
    assert json.loads(written("ndjson", failed))["exit_status"] is None
    assert json.loads(written("json", failed))[0]["exit_status"] is None


def test_ndjson_is_one_object_a_line():
    first, second = map(json.loads, written("ndjson").splitlines())

    assert first["duration"] == 2.5
    assert second["parameter"] == ["x", "é ☃"]


@pytest.mark.parametrize("results", [[], RESULTS[:1], RESULTS])
def test_json_is_one_array(results):
    assert [one["number"] for one in json.loads(written("json", results))] == [
        one["number"] for one in results
    ]
