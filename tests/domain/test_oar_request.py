"""What is asked of a cluster of OAR, and all that must not come through to it."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cigri.domain.facts import ClusterFacts, Dialect, Facts
from cigri.domain.fields import HONOURED
from cigri.domain.jdl import read
from cigri.domain.model import ClusterName
from cigri.domain.oar_condition import check_condition, condition
from cigri.domain.oar_request import (
    check_project,
    job_types,
    oar_resources,
    parse_oar,
)
from cigri.domain.report import Mistake
from cigri.errors import InvalidJdl

OAR = ClusterFacts(dialect=Dialect.OAR, honours=frozenset(HONOURED), cores_per_node=8)
FACTS = Facts(
    clusters={
        ClusterName("dahu"): OAR,
        ClusterName("luke"): OAR,
        ClusterName("local"): ClusterFacts(slots=4),
    }
)

#: Texts that a shell or a database of OAR's would read as more than words.
HOSTILE = (
    "$(id)",
    "`id`",
    "a;id",
    'a"',
    "a'",
    "a\\b",
    "a\nb",
    "a&b",
    "a|b",
    "a>b\0",
    "café",
    "$HOME",
    "a#b",
)


@pytest.mark.parametrize(
    ("value", "cores", "sent"),
    [
        (1, 1, "/resource_id=1"),
        ("4", 4, "/nodes=1/core=4"),
        ("core=2", 2, "/core=2"),
        (" /nodes=1/core=4 ", 4, "/nodes=1/core=4"),
        ("/nodes=2/core=4", 8, "/nodes=2/core=4"),
        ("/host=2 / core = 3", 6, "/host=2/core=3"),
        ("/host=1/cpu=2/core=3", 6, "/host=1/cpu=2/core=3"),
        ("/core=1+/core=2", 3, "/core=1+/core=2"),
        ("{mem > 4}/host=1/core=2", 2, "{mem > 4}/host=1/core=2"),
        ("{mem > 4}core=2 + {type = 'x'}/soft=1", 2, "{mem > 4}/core=2+{type = 'x'}/soft=1"),
        ("nodes=2", 16, "/nodes=2"),
        ("resource_id=3", 3, "/resource_id=3"),
    ],
)  # fmt: skip
def test_resources_are_counted_in_cores_and_sent_in_oars_words(value, cores, sent):
    found = parse_oar(value, cores_per_node=8)

    assert (found.cores, found.warning) == (cores, None)
    assert oar_resources(found.text) == sent
    assert oar_resources(sent) == sent


@pytest.mark.parametrize("text", ["/nodes=2", "/nodes=1/cpu=2", "/gpu=2"])
def test_what_only_the_cluster_can_count_is_told(text):
    found = parse_oar(text)

    assert found.cores == 2
    assert "only the cluster knows" in str(found.warning)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (True, "true"),
        ({}, "an object"),
        ("", "cannot be asked of OAR"),
        (0, "not between 1 and"),
        ("9" * 19, "not between 1 and"),
        ("/core=0", "none of a kind"),
        ("/core=ALL", "cannot be asked of OAR"),
        ("/core", "cannot be asked of OAR"),
        ("/core=1/", "cannot be asked of OAR"),
        ("//core=1", "cannot be asked of OAR"),
        ("core=1+", "cannot be asked of OAR"),
        ("/core=1,walltime=2:0:0", "the walltime has a field of its own"),
        ("/core=1, WALLTIME=2", "the walltime has a field of its own"),
        ("{core=1", "holds a condition"),
        ("{}core=1", "holds a condition"),
        ("{mem}core=1", "not a condition"),
        ("{mem=1}{host='a'}core=1", "cannot be asked of OAR"),
        ("core=1" * 200, "the limit is"),
        *((f"/core={text}", "cannot be asked of OAR") for text in HOSTILE),
        *((f"/{text}=1", "cannot be asked of OAR") for text in HOSTILE),
        *((f"{{host='{text}'}}/core=1", "not a condition") for text in HOSTILE),
    ],
)
def test_resources_that_cannot_be_asked_for(value, words):
    with pytest.raises(Mistake) as refused:
        parse_oar(value)

    assert words in f"{refused.value} {refused.value.hint}"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("mem=4000", {"mem"}),
        ("host = 'node1.site-a.fr' AND MEM >= -1.5", {"host", "mem"}),
        ("(gpu <> 'A100' or not (cpu != 2)) and besteffort='YES'", {"gpu", "cpu", "besteffort"}),
        ("host IN ('a', 'b', 3)", {"host"}),
        ("host not like 'dahu%'", {"host"}),
        ("mem between 1 and 2 and cpu is not null", {"mem", "cpu"}),
        ("used < mem", {"used", "mem"}),
        ("not not a = ''", {"a"}),
    ],
)
def test_conditions_on_properties(text, names):
    assert check_condition(text) == names


@pytest.mark.parametrize(
    "text",
    [
        "",
        "mem",
        "mem =",
        "= 4",
        "mem = 4)",
        "(mem = 4",
        "mem = 4 and",
        "mem = 4 host = 'a'",
        "mem = 4 -- more",
        "mem = 4 /* more */",
        "mem = (select 4)",
        "mem in ()",
        "mem is 4",
        "and = 4",
        "true",
        "pg_sleep(9) = 1",
        'host = "node1"',
        "mem = 4; drop table jobs",
        "(" * 30 + "a=1" + ")" * 30,
        *(f"host = {text}" for text in HOSTILE if text != "a>b\0"),
        *(f"host = '{text}'" for text in HOSTILE),
    ],
)
def test_what_is_no_condition(text):
    with pytest.raises(Mistake):
        check_condition(text)


@given(st.text(max_size=40))
def test_no_sign_of_a_shell_comes_through_a_condition(text):
    try:
        check_condition(f"host = '{text}'")
    except Mistake:
        return
    assert not set(text) & set('"$`\\;#&|\n\r\0!{}')
    assert text.count("'") % 2 == 0


WORDS = st.sampled_from(
    [
        "/",
        "+",
        "=",
        "{",
        "}",
        "core",
        "host",
        "1",
        "2",
        " ",
        "mem",
        ">",
        "'a'",
        "and",
        ",",
        "(",
        ")",
    ]
)


@given(st.lists(WORDS, max_size=14).map("".join) | st.text(max_size=30))
def test_whatever_is_accepted_is_sent_in_a_few_characters(text):
    try:
        parse_oar(text)
    except Mistake:
        return
    sent = oar_resources(text.strip())
    assert re.fullmatch(r"[\w /+={}<>!'%.,:@()*~-]+", sent, re.ASCII)
    assert parse_oar(sent).cores == parse_oar(text).cores


def test_projects_and_types_of_job():
    check_project("pr-cigri_2.x@lab")
    assert job_types("devel, token:matlab=2,") == ("devel", "token:matlab=2")
    assert job_types("") == ()


@pytest.mark.parametrize("text", [*HOSTILE, "a b", "x" * 300])
def test_what_is_no_project_and_no_type_of_job(text):
    with pytest.raises(Mistake):
        check_project(text)
    with pytest.raises(Mistake):
        job_types(text)


def test_best_effort_is_no_further_type():
    with pytest.raises(Mistake) as refused:
        job_types("devel,besteffort")

    assert "best-effort" in str(refused.value.hint)


# --- in a description --------------------------------------------------------------------------


def described(clusters, **more):
    text = {"name": "n", "nb_jobs": 1, "exec_file": "x", "clusters": clusters, **more}
    return read(json.dumps(text).encode(), FACTS)


def test_each_cluster_reads_the_common_resources_in_its_own_way():
    found = described({"dahu": {}, "local": {}}, resources="nodes=1")

    assert {name: one.cores for name, one in found.clusters.items()} == {"dahu": 8, "local": 1}
    assert found.warnings == ('resources "nodes=1" is one core here',)


def test_levels_are_for_clusters_of_oar_alone():
    with pytest.raises(InvalidJdl) as refused:
        described({"dahu": {}, "luke": {}, "local": {}}, resources="/nodes=1/core=4")

    (problem,) = refused.value.problems
    assert problem.pointer == "/resources"
    assert "cannot be asked of a host" in problem.detail


def test_what_a_cluster_of_oar_honours_is_checked_where_it_is_said():
    with pytest.raises(InvalidJdl) as refused:
        described(
            {"dahu": {"properties": "mem=`id`"}, "luke": {"cluster_job_type": "a b"}},
            project="$USER",
        )

    assert [problem.pointer for problem in refused.value.problems] == [
        "/clusters/dahu/properties",
        "/project",
        "/clusters/luke/cluster_job_type",
    ]


def test_what_a_host_does_not_honour_is_kept_with_a_word():
    found = described({"dahu": {}, "local": {}}, properties="mem=4", checkpointing_type="signal")

    assert [text.partition(":")[0] for text in found.warnings] == [
        "properties",
        "checkpointing_type",
    ]
    assert all(text.endswith("on local") for text in found.warnings)


def test_a_description_in_full_is_read_again_as_the_same():
    first = described({"dahu": {"resources": "/host=1/core=2", "properties": "mem=4"}})

    again = read(json.dumps(dict(first.jdl)).encode(), FACTS)

    assert again.clusters == first.clusters


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("mem > 4", "mem > 4"),
        ("mem!=-1", "mem != -1"),  # `!=-` is an operator of its own to PostgreSQL
        ("mem>4and host='a'", "mem > 4 and host = 'a'"),  # to PostgreSQL 15 no number
        ("host='a'\u2003", "host = 'a'"),
        ("mem\t>\n4", "mem > 4"),
        ("host = 'a  -- b'", "host = 'a  -- b'"),
    ],
)
def test_a_condition_is_written_as_no_database_misreads_it(text, sent):
    check_condition(text)

    assert condition(text) == sent
    assert condition(sent) == sent
    assert check_condition(sent) == check_condition(text)
