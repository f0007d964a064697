"""The configuration: what a person writes, and everything that they can write wrongly."""

import re
from pathlib import Path

import attrs
import pytest

from cigri.clusters import DRIVERS
from cigri.clusters.options import OPTIONS, usable_cores
from cigri.config import Config, load, parse
from cigri.errors import InvalidConfig
from cigri.places import private_places

EXAMPLE = Path(__file__).parent.parent / "cigri.toml.example"
PLACES = private_places(Path("/srv/lab"))


def read(text):
    return parse(text, PLACES, base=Path("/etc/cigri"))


def mistakes(text):
    with pytest.raises(InvalidConfig) as caught:
        read(text)
    return {problem.pointer: problem for problem in caught.value.problems}


def test_no_file_is_this_host_with_defaults():
    config = load(None, PLACES)

    assert config.server.database == Path("/srv/lab/cigri.db")
    assert config.server.port == 8666
    assert list(config.clusters) == ["local"]
    assert config.clusters["local"].options.slots == usable_cores()
    assert config == read("")


def test_every_key_is_read():
    config = read(
        """
        [server]
        database = "/data/cigri.db"
        socket = "lab.sock"
        host = "::1"
        port = 0
        admins = ["root", "ann"]
        log_level = "debug"

        [limits]
        max_tasks = 5
        max_json_body_mib = 6
        max_stream_body_mib = 7

        [defaults]
        walltime = "0:30"
        resources = "/core=2"

        [clusters.big]
        slots = 64
        normal_users = ["ann"]
        allow_root = true
        nice = 19
        users = []
        """
    )

    assert config.server.socket == Path("/etc/cigri/lab.sock")
    assert config.server.admins == ("root", "ann")
    assert attrs.astuple(config.limits) == (5, 6, 7)
    assert attrs.astuple(config.defaults) == (1800.0, "/core=2")
    assert list(config.clusters) == ["big"]
    assert attrs.astuple(config.clusters["big"].options) == (64, ("ann",), True, 19, ())


@pytest.mark.parametrize(
    ("text", "pointer", "detail"),
    [
        ("[server]\nport = '8666'", "server.port", "not a whole number: '8666'"),
        ("[server]\nport = true", "server.port", "not a whole number: true"),
        ("[server]\nport = 86666", "server.port", "not between 0 and 65535: 86666"),
        ("[server]\nport = 8.5", "server.port", "not a whole number: 8.5"),
        ("[server]\nadmins = 'ann'", "server.admins", "not a list: 'ann'"),
        ("[server]\nadmins = ['ann', 3]", "server.admins[1]", "not a text: 3"),
        ("[server]\nadmins = ['Ann B']", "server.admins[0]", "not a login: 'Ann B'"),
        ('[server]\nadmins = ["ann\\n"]', "server.admins[0]", "not a login: 'ann\\n'"),
        ("[server]\nhost = '0.0.0.0'", "server.host", "not an address of this host alone"),
        ("[server]\nlog_level = 'loud'", "server.log_level", "not one of debug, info"),
        ("[server]\ndatabase = 3", "server.database", "not a text: 3"),
        ("server = 3", "server", "not a table: 3"),
        ("[limits]\nmax_tasks = 0", "limits.max_tasks", "not between 1 and"),
        ("[defaults]\nwalltime = 'soon'", "defaults.walltime", "not a walltime"),
        ("[defaults]\nwalltime = 01:00:00", "defaults.walltime", "a time of day to TOML"),
        ("[defaults]\nresources = 'nodes=2'", "defaults.resources", "cannot be asked of a host"),
        ("clusters = []", "clusters", "not a table"),
        ("[clusters]", "clusters", "no cluster"),
        ("[clusters.local]\nslots = 0", "clusters.local.slots", "not between 1 and"),
        ("[clusters.local]\nnice = 20", "clusters.local.nice", "not between 0 and 19"),
        ("[clusters.local]\nallow_root = 1", "clusters.local.allow_root", "not true or false: 1"),
        ("[clusters.a]\ndriver = 'pbs'", "clusters.a.driver", "not one of local: 'pbs'"),
        ("[clusters]\na = 1", "clusters.a", "not a table: 1"),
        ("[clusters.12]", "clusters.12", "not a cluster's name"),
        ("[server\nport = 1", "", "not TOML"),
    ],
)
def test_a_wrong_value_is_named_with_its_path(text, pointer, detail):
    found = mistakes(text)

    assert list(found) == [pointer]
    assert detail in found[pointer].detail


@pytest.mark.parametrize(
    ("text", "pointer", "hint"),
    [
        ("[server]\nprot = 1", "server.prot", "did you mean port?"),
        ("[cluster.a]", "cluster", "did you mean clusters?"),
        ("port = 1", "port", "it belongs in [server]"),
        ("[server]\nslots = 1", "server.slots", "it belongs in [clusters.NAME]"),
        ("[clusters.a]\ndrivr = 'local'", "clusters.a.drivr", "did you mean driver?"),
        ("[server]\nxyzzy = 1", "server.xyzzy", None),
    ],
)
def test_an_unknown_key_is_told_with_the_likely_one(text, pointer, hint):
    [(found, problem)] = mistakes(text).items()

    assert (found, problem.detail, problem.hint) == (pointer, "unknown key", hint)


def test_all_mistakes_are_told_at_once():
    found = mistakes(
        """
        verbose = true
        [server]
        port = -1
        admins = ["ok", "Not Ok", 7]
        [clusters.a]
        slots = "many"
        typo = 1
        [clusters.b]
        driver = "lsf"
        """
    )

    assert sorted(found) == [
        "clusters.a.slots",
        "clusters.a.typo",
        "clusters.b.driver",
        "server.admins[1]",
        "server.admins[2]",
        "server.port",
        "verbose",
    ]


def test_a_file_that_cannot_be_read_says_why(tmp_path):
    with pytest.raises(InvalidConfig, match="No such file"):
        load(tmp_path / "none.toml", PLACES)
    (tmp_path / "latin.toml").write_bytes(b"# \xe9")
    with pytest.raises(InvalidConfig, match="not UTF-8"):
        load(tmp_path / "latin.toml", PLACES)


def test_relative_paths_start_at_the_file(tmp_path, monkeypatch):
    (tmp_path / "cigri.toml").write_text('[server]\ndatabase = "data/x.db"\n')
    monkeypatch.chdir(tmp_path)

    config = load(Path("cigri.toml"), PLACES)

    assert config.server.database == tmp_path / "data/x.db"


def test_every_driver_has_options():
    assert set(DRIVERS) == set(OPTIONS)


def test_the_example_is_the_defaults():
    assert load(EXAMPLE, PLACES) == load(None, PLACES)


def test_the_example_loads_with_its_commented_keys():
    text = re.sub(r"^#(?=\w+ = )", "", EXAMPLE.read_text("utf-8"), flags=re.MULTILINE)

    assert read(text).clusters["local"].options.users == ("ann", "bob")


def test_the_example_has_every_key():
    documented = re.findall(r"^#?(\w+) = ", EXAMPLE.read_text("utf-8"), flags=re.MULTILINE)

    sections = [field.type for field in attrs.fields(Config)][:3]
    keys = [name for section in sections for name in attrs.fields_dict(section)]
    options = [name for cls in OPTIONS.values() for name in attrs.fields_dict(cls)]
    assert sorted(documented) == sorted([*keys, "driver", *options])
