import json
import string

import attrs
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as trials
from hypothesis import strategies as st

from cigri.domain.jdl import ClusterFacts, Site, read
from cigri.domain.model import CampaignType, ClusterName, ClusterSettings
from cigri.domain.walltime import walltime_text
from cigri.errors import InvalidJdl

NAMES = ("local", "tchernobyl", "my.other_cluster.fr", "fukushima", "cluster1")
SITE = Site(clusters={ClusterName(name): ClusterFacts(slots=4) for name in NAMES})

MANUAL = """
{
  "name": "Some campaign",
  "nb_jobs": 2,
  "resources": "nodes=1",
  "exec_file": "$HOME/script.sh",
  "output_gathering_method": "scp",
  "output_destination": "my.dataserver.fr",
  "clusters": {
    "tchernobyl": {
    },
    "my.other_cluster.fr": {
    },
    "fukushima": {
      "exec_file": "$HOME/path/script"
    }
  }
}
"""


def test_the_example_of_the_manual_is_a_campaign():
    spec = read(MANUAL.encode(), SITE)

    assert spec.name == "Some campaign"
    assert spec.nb_jobs == 2
    assert spec.params is None
    assert spec.clusters == {
        "tchernobyl": ClusterSettings(exec_file="$HOME/script.sh", resources="nodes=1"),
        "my.other_cluster.fr": ClusterSettings(exec_file="$HOME/script.sh", resources="nodes=1"),
        "fukushima": ClusterSettings(exec_file="$HOME/path/script", resources="nodes=1"),
    }
    node, outputs = spec.warnings
    assert node == 'resources "nodes=1" is one core here, not a whole node'
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
    spec = read(text, SITE)

    assert spec.nb_jobs == tasks
    assert [settings.exec_file for settings in spec.clusters.values()] == [command]


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
    site = Site(clusters=SITE.clusters, default_walltime=60.0, default_resources="/core=2")

    spec = read(b'{"name": "n", "nb_jobs": 1, "exec_file": "x", "clusters": {"local": {}}}', site)

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
    spec = read(b'{"Name": "n", "NB_JOBS": 3, "Exec_File": "x", "CLUSTERS": {"local": {}}}', SITE)

    assert (spec.name, spec.nb_jobs) == ("n", 3)


def test_a_byte_order_mark_is_no_mistake():
    assert read(b"\xef\xbb\xbf" + MANUAL.encode(), SITE) == read(MANUAL.encode(), SITE)


@pytest.mark.parametrize("nothing", [None, False, "false", "False", "None", "none", "", [], {}])
@pytest.mark.parametrize(
    "key", ["properties", "prologue", "temporal_grouping", "checkpointing_type", "output_file"]
)
def test_a_field_that_does_nothing_yet_may_say_that_it_is_not_used(key, nothing):
    spec = campaign(**{key: nothing})

    assert spec.warnings == ()
    assert spec == campaign()


@pytest.mark.parametrize("nothing", [None, "None"])
def test_max_jobs_may_be_no_limit(nothing):
    assert campaign(max_jobs=nothing) == campaign()


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

    spec = read(json.dumps(given).encode(), SITE, lines=True)

    assert (spec.nb_jobs, spec.params) == (None, None)
    assert "param_file" not in spec.jdl


# --- large texts -------------------------------------------------------------------------------

#: One parameter that makes any array large.
LONG = "x" * 70_000


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("place", [0, 1, 3])
def test_a_large_array_stays_text_wherever_it_stands(place, indent):
    params = [LONG, "a", ["b c", "]"], '","', '"params": [']
    members = [("name", "n"), ("exec_file", "run.sh"), ("clusters", {"local": {}})]
    members.insert(place, ("params", params))

    spec = read(json.dumps(dict(members), indent=indent).encode(), SITE)

    assert isinstance(spec.params, memoryview)
    assert json.loads(bytes(spec.params)) == params
    assert attrs.evolve(campaign(params=["a"]), params=spec.params) == spec


@pytest.mark.parametrize("key", ["x", "Params", 'a"params'])
def test_only_the_parameters_may_be_large(key):
    with pytest.raises(InvalidJdl, match="beside its params"):
        read(small({key: [LONG]}), SITE)


def test_a_large_text_that_is_no_array_is_no_array():
    with pytest.raises(InvalidJdl, match="/params: must be an array"):
        read(small({"params": LONG}), SITE)


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
        read(text.encode(), SITE)

    assert [problem.pointer for problem in refused.value.problems] == mistakes


def test_an_array_behind_many_of_its_name_is_refused():
    decoys = ",".join(['{"params": ["x"]}'] * 100)
    text = f'{{"name": [{decoys}], "params": ["x", "{LONG}"]}}'

    with pytest.raises(InvalidJdl, match="cannot be told"):
        read(text.encode(), SITE)


def test_a_key_in_escapes_is_refused_when_it_hides_a_large_array():
    text = small({"params": [LONG]}).replace(b'"params"', b'"\\u0070arams"')

    with pytest.raises(InvalidJdl, match="cannot be told"):
        read(text, SITE)


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
        "test_mode": st.just("false"),
    },
)
tasks = st.one_of(
    st.integers(0, 1000).map(lambda count: {"nb_jobs": count}),
    st.lists(words | st.lists(words), max_size=5).map(lambda array: {"params": array}),
)
jdls = st.builds(
    lambda name, command, common, clusters, tasks: {
        "name": name,
        "exec_file": command,
        "clusters": clusters,
        **common,
        **tasks,
    },
    words,
    words,
    settings,
    st.dictionaries(st.sampled_from(NAMES), settings, min_size=1),
    tasks,
)


@given(jdls)
def test_expanding_what_is_expanded_changes_nothing(jdl):
    spec = read(json.dumps(jdl).encode(), SITE)
    full = dict(spec.jdl)
    if spec.params is not None:
        full["params"] = json.loads(bytes(spec.params))

    again = read(json.dumps(full).encode(), SITE)

    assert again.jdl == spec.jdl
    assert again.clusters == spec.clusters
    assert (again.name, again.nb_jobs, again.params) == (spec.name, spec.nb_jobs, spec.params)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=5,
)
KEYS = ["name", "clusters", "nb_jobs", "params", "walltime", "resources", "exec_file", "max_jobs"]


# The first text of any character costs a second where Hypothesis has no cache yet: see `.ci/run`.
@trials(suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from(KEYS), anything))
def test_any_json_is_a_campaign_or_its_mistakes(value):
    try:
        read(json.dumps(value).encode(), SITE)
    except InvalidJdl as refused:
        assert refused.problems  # noqa: PT017 # both outcomes are right
        str(refused).encode()


@given(st.binary(max_size=30))
def test_any_bytes_are_a_campaign_or_its_mistakes(text):
    with pytest.raises(InvalidJdl):
        read(b'{"name": ' + text, SITE)


def campaign(**added):
    return read(small(added), SITE)


def small(added):
    tasks = {} if "params" in added else {"nb_jobs": 2}
    given = {"name": "n", "exec_file": "run.sh", "clusters": {"local": {}}} | tasks | added
    return json.dumps(given).encode()
