import json

import asyncclick
import pytest

from cigri.cli.amending import NO_CHANGES, Changes, axes, understood

JDL = {"name": "x", "nb_jobs": 3, "clusters": {"a": {"test_mode": False}, "b": {}}}


def changed(changes, jdl=JDL):
    return json.loads(changes.applied(json.dumps(jdl).encode()))


def options(words, grid=(), zipped=(), tags=(), test=False):
    return understood(words, grid=grid, zipped=zipped, tags=tags, test=test)


def test_without_options_a_description_is_sent_as_it_is():
    assert NO_CHANGES.applied(b'{"name":  1') == b'{"name":  1'


@pytest.mark.parametrize("text", [b"{", b"[1]", b"\xff"])
def test_what_is_no_description_is_left_to_the_server(text):
    assert Changes(test=True).applied(text) == text


def test_a_grid_stands_for_all_parameters_of_the_file():
    jdl = JDL | {"params": ["1"], "param_file": "x", "param_zip": {"a": "1..2"}}

    assert changed(Changes(grid={"T": "0:1:11"}), jdl) == {
        "name": "x",
        "clusters": JDL["clusters"],
        "param_grid": {"T": "0:1:11"},
    }


def test_columns_go_side_by_side():
    assert changed(Changes(zipped={"a": ["1"]}))["param_zip"] == {"a": ["1"]}


@pytest.mark.parametrize(
    ("tags", "found"), [(["old"], ["old", "new"]), (None, ["new"]), ("wrong", "wrong")]
)
def test_tags_are_added(tags, found):
    jdl = JDL if tags is None else JDL | {"tags": tags}

    assert changed(Changes(tags=("new",)), jdl)["tags"] == found


def test_a_test_is_one_on_every_cluster():
    found = changed(Changes(test=True))

    assert found["test_mode"] is True
    assert found["clusters"] == {"a": {}, "b": {}}


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("T=0:9.9:100", "0:9.9:100"),
        ("T=1..100", "1..100"),
        ("T=a", ["a"]),
        ("T=a,b,", ["a", "b", ""]),
        ("T=0.5,1.5", ["0.5", "1.5"]),
        ("T=1..3,7", ["1..3", "7"]),
        ("T=a=b", ["a=b"]),
        ('T=""', [""]),
        ('T=a,"",b', ["a", "", "b"]),
    ],
)
def test_an_axis_is_a_range_or_a_list(text, values):
    assert axes([text]) == {"T": values}


def test_the_words_after_the_first_of_a_grid_are_axes_too():
    file, changes = options(["seed=1..9", "visc.json"], grid=["T=1..2"])

    assert file == "visc.json"
    assert changes.grid == {"T": "1..2", "seed": "1..9"}


def test_without_a_grid_any_word_may_be_the_file():
    assert options(["seed=1..9"])[0] == "seed=1..9"


@pytest.mark.parametrize(
    ("words", "given", "reason"),
    [
        (["v.json", "w.json"], {}, "not 2 files (v.json, w.json)"),
        (["T=1..2"], {"grid": ["S=1..2"]}, "not no file"),
        (["v.json"], {"grid": ["S"]}, "'S' is not NAME=VALUES"),
        (
            ["v.json"],
            {"grid": ["S="]},
            "--grid: S has no values: give some, or S='\"\"' for an empty one",
        ),
        (["v.json", "T="], {"zipped": ["S=1"]}, "--zip: T has no values"),
        (["v.json"], {"grid": ["1S=2"]}, "'1S=2' is not NAME=VALUES"),
        (["v.json", "S=3"], {"grid": ["S=2"]}, "--grid: S is given twice"),
        (["v.json", "S=3"], {"zipped": ["S=2"]}, "--zip: S is given twice"),
        (["v.json"], {"zipped": ["S=2"], "grid": ["T=2"]}, "--grid or --zip"),
    ],
)
def test_options_that_contradict_each_other_are_refused(words, given, reason):
    with pytest.raises(asyncclick.UsageError) as caught:
        options(words, **given)

    assert reason in caught.value.message
