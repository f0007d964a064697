import json
import string

import attrs
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as trials
from hypothesis import strategies as st

from cigri.domain import fields
from cigri.domain.facts import ClusterFacts, Facts
from cigri.domain.jdl import read
from cigri.domain.model import CampaignType, ClusterName, ClusterSettings, JobsType, TestMode
from cigri.domain.recipe import WAYS
from cigri.domain.spec import Allowance
from cigri.domain.walltime import walltime_text
from cigri.errors import InvalidJdl
from tests.v3_examples import MANUAL, README

NAMES = (
    "local",
    "tchernobyl",
    "my.other_cluster.fr",
    "fukushima",
    "cluster1",
    "gofree",
    "fontaine",
    "froggy",
    "fostino",
)
FACTS = Facts(clusters={ClusterName(name): ClusterFacts(slots=4) for name in NAMES})


def test_the_example_of_the_manual_is_a_campaign():
    spec = read(MANUAL.encode(), FACTS)

    assert spec.name == "Some campaign"
    assert spec.nb_jobs == 2
    assert spec.params is None
    assert spec.clusters == {
        "tchernobyl": ClusterSettings(exec_file="$HOME/script.sh", resources="nodes=1"),
        "my.other_cluster.fr": ClusterSettings(exec_file="$HOME/script.sh", resources="nodes=1"),
        "fukushima": ClusterSettings(exec_file="$HOME/path/script", resources="nodes=1"),
    }
    outputs, node = spec.warnings
    assert node == 'resources "nodes=1" is one core here'
    assert outputs.startswith("output_gathering_method, output_destination: kept, but outputs are")


@pytest.mark.parametrize(
    ("text", "tasks", "command"),
    [
        (b'{"name":"n", "nb_jobs":0,"clusters":{"fukushima":{"exec_file":""}}}', 0, ""),
        (
            b'{"name":"n", "nb_jobs":2,"clusters":{"cluster1":{"exec_file":"toto.sh"}}}',
            2,
            "toto.sh",
        ),
    ],
)
def test_the_requests_of_the_manual_are_campaigns(text, tasks, command):
    spec = read(text, FACTS)

    assert spec.nb_jobs == tasks
    assert [settings.exec_file for settings in spec.clusters.values()] == [command]


def test_the_example_of_the_readme_of_cigri_3_is_a_campaign():
    spec = read(README.encode(), FACTS)

    assert spec.param_file == "/home/deamon/povray_params.txt"
    assert spec.test_mode is TestMode.THEN_WAIT
    assert list(spec.clusters) == ["gofree", "fontaine", "froggy", "fostino"]
    common = ClusterSettings(
        exec_file="$HOME/povray/start.bash",
        exec_directory="$HOME/povray",
        resources="core=1",
        walltime=600.0,
        test_mode=TestMode.THEN_WAIT,
        prologue=(
            "set -e",
            "source /applis/ciment/v2/env.bash",
            "module load irods",
            r"cd \$HOME",
            r"imkdir -p povray_results/\$CIGRI_CAMPAIGN_ID",
            "iget -r -f povray",
        ),
    )
    assert spec.clusters == {
        "gofree": attrs.evolve(common, max_jobs=50),
        "fontaine": common,
        "froggy": attrs.evolve(common, project="test", walltime=300.0),
        "fostino": common,
    }
    assert spec.warnings == ("project: kept, but jobs are not accounted to it on froggy",)


def test_a_backslash_of_a_dollar_is_dropped_from_a_large_text_too():
    text = small({"params": ["$a", LONG]}).replace(b"$a", rb"\$a \\$b")

    spec = read(text, FACTS)

    assert json.loads(bytes(spec.params)) == [r"$a \$b", LONG]


@pytest.mark.parametrize(
    "text",
    [
        '{"name":"n","nb_jobs":1,"clusters":{"local":{"exec_file":"e"}}}',
        '{"name":"n","nb_jobs":1,"exec_file":"e","clusters":{"local":{}}}',
        '{"name":"n","jobs_type":"desktop_computing","exec_file":"e","clusters":{"local":{}}}',
        '{"name":"n","param_file":"~/p","exec_file":"e","clusters":{"local":{}}}',
        '{"name":"n","param_file":"$HOME/p","exec_file":"e","clusters":{"local":{}}}',
        '{"name":"n","param_file":"{HOME}/p","exec_file":"e","clusters":{"local":{}}}',
        '{"name":"n","params":["a","b"],"exec_file":"e","clusters":{"local":{}}}',
    ],
)
def test_what_cigri_3_takes_is_taken(text):
    assert read(text.encode(), FACTS).name == "n"


@pytest.mark.parametrize(
    "text",
    [
        '{"nb_jobs":1,"clusters":{"local":{"exec_file":"e"}}}',
        '{"name":"n","nb_jobs":1,"exec_file":"e"}',
        '{"name":"n","nb_jobs":1,"clusters":{"local":{}}}',
        '{"name":"n","nb_jobs":1,"clusters":{}}',
        '{"name":"n","exec_file":"e","clusters":{"local":{}}}',
    ],
)
def test_what_cigri_3_refuses_is_refused(text):
    with pytest.raises(InvalidJdl):
        read(text.encode(), FACTS)


def test_a_cluster_says_it_better_than_the_campaign():
    spec = campaign(
        walltime="1h",
        max_jobs=5,
        clusters={"local": {"walltime": "2h", "resources": 2}, "fukushima": {"max_jobs": None}},
    )

    assert spec.clusters == {
        "local": ClusterSettings(
            exec_file="run.sh", walltime=7200.0, resources="2", cores=2, max_jobs=5
        ),
        "fukushima": ClusterSettings(exec_file="run.sh", max_jobs=5),
    }


def test_what_nobody_says_is_the_default_of_the_site():
    facts = Facts(clusters=FACTS.clusters, default_walltime=60.0, default_resources="/core=2")

    spec = read(b'{"name": "n", "nb_jobs": 1, "exec_file": "x", "clusters": {"local": {}}}', facts)

    settings = spec.clusters[ClusterName("local")]
    assert (settings.walltime, settings.resources, settings.cores) == (60.0, "/core=2", 2)
    assert settings.exec_directory == "$HOME"
    assert settings.type is CampaignType.BEST_EFFORT


def test_the_expanded_jdl_says_everything():
    spec = campaign(walltime="1:30", type="besteffort", output_file="out")

    assert spec.jdl == {
        "name": "n",
        "jobs_type": "normal",
        "nb_jobs": 2,
        "clusters": {
            "local": {
                "type": "best-effort",
                "walltime": "01:30:00",
                "exec_file": "run.sh",
                "exec_directory": "$HOME",
                "resources": "1",
                "output_file": "out",
            }
        },
    }


def test_keys_of_the_campaign_may_be_in_upper_case():
    spec = read(b'{"Name": "n", "NB_JOBS": 3, "Exec_File": "x", "CLUSTERS": {"local": {}}}', FACTS)

    assert (spec.name, spec.nb_jobs) == ("n", 3)


def test_a_byte_order_mark_is_no_mistake():
    assert read(b"\xef\xbb\xbf" + MANUAL.encode(), FACTS) == read(MANUAL.encode(), FACTS)


#: Fields that may say that they are not used.
UNUSED = [
    "properties",
    "project",
    "prologue",
    "epilogue_walltime",
    "temporal_grouping",
    "dimensional_grouping",
    "checkpointing_type",
    "test_mode",
    "output_file",
    "replicate",
    "retries",
    "env",
]


@pytest.mark.parametrize("nothing", [None, False, "false", "False", "None", "none", "", [], {}])
@pytest.mark.parametrize("key", UNUSED)
def test_a_field_may_say_that_it_is_not_used(key, nothing):
    spec = campaign(**{key: nothing})

    assert spec.warnings == ()
    assert spec == campaign()


@pytest.mark.parametrize("nothing", [None, "None"])
@pytest.mark.parametrize("key", ["max_jobs", "max_fails"])
def test_a_limit_may_be_none(key, nothing):
    assert campaign(**{key: nothing}) == campaign()


@pytest.mark.parametrize(
    ("given_", "value"), [({"nb_jobs": "12"}, 12), ({"nb_jobs": " 3 "}, 3), ({"nb_jobs": 0}, 0)]
)
def test_numbers_may_be_in_quotes(given_, value):
    assert campaign(**given_).nb_jobs == value


@pytest.mark.parametrize(
    ("asked", "kept"),
    [
        ({"type": "besteffort"}, {"type": CampaignType.BEST_EFFORT}),
        ({"type": "nightly"}, {"type": CampaignType.NIGHTLY}),
        ({"type": "Semi-Best-Effort"}, {"type": CampaignType.SEMI_BEST_EFFORT}),
        ({"max_jobs": "5"}, {"max_jobs": 5}),
        ({"retries": "5"}, {"retries": 5}),
        ({"retries": 100}, {"retries": 100}),
        ({"prologue": ["a", "b\nc\td"]}, {"prologue": ("a", "b", "c\td")}),
        ({"prologue": "set -e\r\nmake"}, {"prologue": ("set -e", "make")}),
        ({"epilogue": ["", "a"]}, {"epilogue": ("", "a")}),
        ({"prologue_walltime": "10m"}, {"prologue_walltime": 600.0}),
        ({"epilogue_walltime": "00:5:00"}, {"epilogue_walltime": 300.0}),
        ({"test_mode": True}, {"test_mode": TestMode.THEN_WAIT}),
        ({"test_mode": "True"}, {"test_mode": TestMode.THEN_WAIT}),
        ({"test_mode": "then-run"}, {"test_mode": TestMode.THEN_RUN}),
        ({"temporal_grouping": "true"}, {"temporal_grouping": True}),
        ({"dimensional_grouping": True}, {"dimensional_grouping": True}),
        ({"env": {"A": "1", "_b": "x\ny"}}, {"env": {"A": "1", "_b": "x\ny"}}),
    ],
)
def test_a_setting_is_understood(asked, kept):
    spec = campaign(**asked)

    assert spec.clusters["local"] == ClusterSettings(exec_file="run.sh", **kept)
    assert spec.warnings == ()


@pytest.mark.parametrize(
    ("key", "value", "kept"),
    [
        ("properties", "mem > 4", "mem > 4"),
        ("project", "p", "p"),
        ("cluster_job_type", "devel", "devel"),
        ("checkpointing_type", "Signal", "signal"),
    ],
)
def test_what_only_some_clusters_honour_is_kept_with_a_word(key, value, kept):
    honest = attrs.evolve(FACTS.clusters["local"], honours=frozenset({key}))
    facts = attrs.evolve(FACTS, clusters=FACTS.clusters | {"local": honest})
    text = small({key: value, "clusters": {"local": {}, "fukushima": {}, "cluster1": {}}})

    spec = read(text, facts)

    assert {getattr(each, key) for each in spec.clusters.values()} == {kept}
    (warning,) = spec.warnings
    assert warning.startswith(f"{key}: kept, but ")
    assert warning.endswith(" on fukushima, cluster1")


def test_a_cluster_may_do_without_what_all_others_have():
    common = {"prologue": ["a"], "test_mode": True, "checkpointing_type": "signal", "project": "p"}
    none = {"prologue": [], "test_mode": "false", "checkpointing_type": "None", "project": ""}

    spec = campaign(**common, clusters={"local": none, "fukushima": {}})

    assert spec.clusters["local"] == ClusterSettings(exec_file="run.sh")
    assert spec.clusters["fukushima"].prologue == ("a",)


def test_the_variables_of_a_cluster_join_those_of_all():
    spec = campaign(env={"A": "1", "B": "1"}, clusters={"local": {"env": {"B": "2"}}})

    assert spec.clusters["local"].env == {"A": "1", "B": "2"}


@pytest.mark.parametrize(
    ("given_", "allowance"),
    [
        (5, Allowance(count=5)),
        ("5", Allowance(count=5)),
        (0, Allowance(count=0)),
        ("10%", Allowance(percent=10.0)),
        ("2.5 %", Allowance(percent=2.5)),
        ("100%", Allowance(percent=100.0)),
    ],
)
def test_some_tasks_may_fail(given_, allowance):
    assert campaign(max_fails=given_).max_fails == allowance


def test_tags_are_kept_once_and_in_order():
    assert campaign(tags=["b", "a/2026", "b"]).tags == ("b", "a/2026")


@pytest.mark.parametrize(("total", "endless"), [({"nb_jobs": 4}, False), ({}, True)])
def test_the_same_command_again_and_again(total, endless):
    text = {"name": "n", "exec_file": "x", "jobs_type": "desktop_computing"}

    spec = read(json.dumps(text | total | {"clusters": {"local": {}}}).encode(), FACTS)

    assert spec.jobs_type is JobsType.DESKTOP_COMPUTING
    assert spec.endless is endless


@pytest.mark.parametrize(
    ("added", "words"),
    [
        ({"walltime": "1:30"}, "walltime 1:30 is 01:30:00: hours and minutes"),
        ({"resources": "nodes=1"}, "one core here"),
        ({"exec_file": "run.sh $SEED"}, "exec_file: $SEED stays as it is"),
        ({"exec_file": "run.sh $(date)"}, "exec_file: $(date stays as it is"),
        ({"output_gathering_method": "iRods"}, "output_gathering_method: kept, but"),
    ],
)
def test_what_may_surprise_is_said(added, words):
    (warning,) = campaign(**added).warnings

    assert words in warning


@pytest.mark.parametrize(
    "command",
    [
        "$HOME/run.sh --fast",
        "~/run.sh {CAMPAIGN_ID} ${HOME}/x",
        "sh -c 'a | b > c; d && e $X'",
        r"grep a\|b 'x;' \; 5",
        "curl http://h/?a=1&b=2",
        'echo "a > b"',
    ],
)
def test_a_command_without_a_shell_is_taken_as_it_is(command):
    spec = campaign(exec_file=command)

    assert spec.clusters[ClusterName("local")].exec_file == command


@pytest.mark.parametrize("directory", ["/scratch/x", "~", "~/x", "$HOME", "{HOME}/{CAMPAIGN_ID}"])
def test_a_directory_is_absolute_or_in_the_home(directory):
    spec = campaign(exec_directory=directory)

    assert spec.clusters[ClusterName("local")].exec_directory == directory


def test_an_empty_array_is_a_campaign_of_no_tasks():
    spec = campaign(nb_jobs=None, params=[], exec_file="")

    assert spec.params == b"[]"


def test_lines_may_follow_in_the_place_of_tasks():
    given = {"name": "n", "exec_file": "x", "param_file": "p.txt", "clusters": {"local": {}}}

    spec = read(json.dumps(given).encode(), FACTS, lines=True)

    assert (spec.nb_jobs, spec.params) == (None, None)
    assert "param_file" not in spec.jdl


# --- sweeps -------------------------------------------------------------------------------------


def test_a_grid_is_a_sweep_whose_words_have_names():
    spec = swept(
        param_grid={"T": "0:1:11", "seed": "1..3", "mode": ["a b", 1, 0.5]},
        params=["--temp {T} --mode {mode}"],
        exec_file="run.sh {seed}",
    )

    assert spec.sweep.total == 99
    assert spec.sweep.parameter(9) == "0.1 1 'a b'"
    settings = spec.clusters["local"]
    assert settings.parameter_names == ("T", "seed", "mode")
    assert settings.parameter_template == "--temp {T} --mode {mode}"
    assert spec.warnings == ()


def test_a_sweep_of_columns_goes_side_by_side():
    spec = swept(param_zip={"T": [1, 2], "seed": "7..8"})

    assert [spec.sweep.point(number) for number in range(2)] == [("1", "7"), ("2", "8")]


def test_a_billion_points_cost_nothing():
    facts = attrs.evolve(FACTS, max_tasks=10**9)
    text = swept_text(param_grid={"T": "0:1:1000000", "seed": "1..1000"})

    spec = read(text, facts)

    assert spec.sweep.total == 10**9
    assert spec.sweep.parameter(10**9 - 1) == "1 1000"


def test_an_axis_that_nothing_names_is_told():
    spec = swept(param_grid={"T": [1], "seed": [2]}, params="--temp {T}")

    assert spec.warnings == (
        "seed: neither exec_file nor params names it, so no task is given it",
    )


def test_macros_and_variables_of_a_shell_are_no_placeholders():
    spec = swept(param_grid={"T": [1]}, exec_file="{HOME}/run {CAMPAIGN_ID} sh -c 'x ${y} {}'")

    assert spec.sweep.total == 1


@pytest.mark.parametrize(
    "added",
    [
        {"param_grid": {"T": "0:1:3", "s": ["a b", "0.10"]}, "params": ["--temp {T} {s}"]},
        {"param_zip": {"T": "003..001", "s": ["x", "", "é"]}},
        {"param_grid": {"T": [1, 2.5, 1e300]}},
    ],
)
def test_a_sweep_can_be_submitted_again(added):
    spec = swept(**added)

    again = read(json.dumps(spec.jdl).encode(), FACTS)

    assert again == spec


# --- large texts -------------------------------------------------------------------------------

#: One parameter that makes any array large.
LONG = "x" * 70_000


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("place", [0, 1, 3])
def test_a_large_array_stays_text_wherever_it_stands(place, indent):
    params = [LONG, "a", ["b c", "]"], '","', '"params": [']
    members = [("name", "n"), ("exec_file", "run.sh"), ("clusters", {"local": {}})]
    members.insert(place, ("params", params))

    spec = read(json.dumps(dict(members), indent=indent).encode(), FACTS)

    assert isinstance(spec.params, memoryview)
    assert json.loads(bytes(spec.params)) == params
    assert attrs.evolve(campaign(params=["a"]), params=spec.params) == spec


@pytest.mark.parametrize("key", ["x", "Params", 'a"params'])
def test_only_the_parameters_may_be_large(key):
    with pytest.raises(InvalidJdl, match="beside its params"):
        read(small({key: [LONG]}), FACTS)


def test_a_large_text_that_is_no_array_is_no_array():
    with pytest.raises(InvalidJdl, match="/params: must be an array"):
        read(small({"params": LONG}), FACTS)


@pytest.mark.parametrize(
    ("decoy", "mistakes"),
    [
        ('"x": {"params": ["a"]}', ["/x", "/clusters"]),
        ('"x": {"params": [ARRAY]}', ["/x", "/clusters"]),
        (r'"x\"params": [ARRAY]', ['/x"params', "/clusters"]),
        ('"params": ["a"]', ["/params", "/clusters"]),
        ('"params": [ARRAY]', ["/params", "/clusters"]),
    ],
)
def test_the_array_is_not_mistaken_for_another_of_its_name(decoy, mistakes):
    array = '"' + "y" * 40_000 + '"'
    text = f'{{{decoy}, "params": [ARRAY], "name": "n"}}'.replace("ARRAY", array)

    with pytest.raises(InvalidJdl) as refused:
        read(text.encode(), FACTS)

    assert [problem.pointer for problem in refused.value.problems] == mistakes


def test_an_array_behind_many_of_its_name_is_refused():
    decoys = ",".join(['{"params": ["x"]}'] * 100)
    text = f'{{"name": [{decoys}], "params": ["x", "{LONG}"]}}'

    with pytest.raises(InvalidJdl, match="cannot be told"):
        read(text.encode(), FACTS)


def test_a_key_in_escapes_is_refused_when_it_hides_a_large_array():
    text = small({"params": [LONG]}).replace(b'"params"', b'"\\u0070arams"')

    with pytest.raises(InvalidJdl, match="cannot be told"):
        read(text, FACTS)


# --- properties --------------------------------------------------------------------------------

words = st.text(string.ascii_letters + string.digits + "./_- é", min_size=1, max_size=20).filter(
    str.strip
)
walltimes = st.integers(1, 366 * 86_400).map(walltime_text)
settings = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["best-effort", "normal", "besteffort", "NORMAL", None]),
        "walltime": walltimes | st.sampled_from(["90m", "1:30", "1-02:00:00"]),
        "exec_directory": words.map("/".__add__),
        "resources": st.sampled_from([1, "2", "/core=3", "core=4", "nodes=1", None]),
        "max_jobs": st.integers(1, 2**62) | st.sampled_from([None, "None"]),
        "output_gathering_method": st.sampled_from(["scp", "None", None]),
        "output_file": words,
        "test_mode": st.sampled_from([True, False, "true", "false", "then-run", None]),
        "properties": words,
        "project": st.sampled_from(["p", "", None]),
        "prologue": st.lists(words, max_size=2) | words,
        "epilogue_walltime": walltimes,
        "temporal_grouping": st.sampled_from([True, "true", "false"]),
        "dimensional_grouping": st.booleans(),
        "checkpointing_type": st.sampled_from(["signal", "None"]),
        "retries": st.integers(0, 100) | st.just("7"),
        "env": st.dictionaries(st.sampled_from(["A", "B_2", "_c"]), words),
    },
)
tasks = st.one_of(
    st.integers(0, 1000).map(lambda count: {"nb_jobs": count}),
    st.lists(words | st.lists(words), max_size=5).map(lambda array: {"params": array}),
)
jdls = st.builds(
    lambda name, command, common, clusters, tasks, fails, tags: {
        "name": name,
        "exec_file": command,
        "clusters": clusters,
        "max_fails": fails,
        "tags": tags,
        **common,
        **tasks,
    },
    words,
    words,
    settings,
    st.dictionaries(st.sampled_from(NAMES), settings, min_size=1),
    tasks,
    st.integers(0, 9) | st.sampled_from([None, "3", "12.5%", "None"]),
    st.lists(st.sampled_from(["a", "b"]), max_size=3),
)


@given(jdls)
def test_expanding_what_is_expanded_changes_nothing(jdl):
    spec = read(json.dumps(jdl).encode(), FACTS)
    full = json.loads(json.dumps(spec.jdl))
    if spec.params is not None:
        full["params"] = json.loads(bytes(spec.params))

    again = read(json.dumps(full).encode(), FACTS)

    assert again.jdl == spec.jdl
    assert again.clusters == spec.clusters
    assert attrs.evolve(again, warnings=spec.warnings) == spec


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=5,
)
KEYS = [*fields.GLOBAL, *fields.FIELDS, *WAYS]


# The first text of any character costs a second where Hypothesis has no cache yet: see `.ci/run`.
@trials(suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from(KEYS), anything))
def test_any_json_is_a_campaign_or_its_mistakes(value):
    try:
        read(json.dumps(value).encode(), FACTS)
    except InvalidJdl as refused:
        assert refused.problems  # noqa: PT017 # both outcomes are right
        str(refused).encode()


@given(st.binary(max_size=30))
def test_any_bytes_are_a_campaign_or_its_mistakes(text):
    with pytest.raises(InvalidJdl):
        read(b'{"name": ' + text, FACTS)


def swept(**added):
    return read(swept_text(**added), FACTS)


def swept_text(**added):
    given = {"name": "n", "exec_file": "run.sh", "clusters": {"local": {}}} | added
    return json.dumps(given).encode()


def campaign(**added):
    return read(small(added), FACTS)


def small(added):
    tasks = {} if "params" in added else {"nb_jobs": 2}
    given = {"name": "n", "exec_file": "run.sh", "clusters": {"local": {}}} | tasks | added
    return json.dumps(given).encode()
