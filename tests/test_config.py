"""The configuration: what a person writes, and everything that they can write wrongly."""

import re
import tomllib
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import attrs
import pytest

from cigri.api.options import TlsOptions
from cigri.clusters import DRIVERS
from cigri.clusters.options import OPTIONS, OarOptions, usable_cores
from cigri.config import Config, load, parse
from cigri.domain.calendar import Calendar, parse_night
from cigri.domain.facts import ClusterFacts, Dialect, Rule
from cigri.domain.fields import HONOURED
from cigri.engine.options import RuleOptions
from cigri.errors import InvalidConfig
from cigri.places import private_places

EXAMPLE = Path(__file__).parent.parent / "cigri.toml.example"
PLACES = private_places(Path("/srv/lab"))


OAR2 = "[clusters.a]\ndriver = 'oar2'\n"
URL = "url = 'https://oar.example.org/oarapi/'\n"
RULE = "[[admission.rules]]\nname = 'x'\n"


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
        hosts = ["CiGri.example.org", "::2"]

        [server.tls]
        certificate = "/c.pem"
        key = "c.key"

        [auth]
        token_days = 7
        max_token_days = 8

        [auth.proxy]
        header = "X-Remote-User"
        peers = ["127.0.0.1", "10.0.0.0/8", "fd00::/8", "unix:www-data"]

        [limits]
        max_tasks = 5
        max_json_body_mib = 6
        max_stream_body_mib = 7

        [defaults]
        walltime = "0:30"
        resources = "/core=2"

        [calendar]
        timezone = "Europe/Paris"
        night = ["mon-fri 19:00-07:00", "sat-sun"]
        holidays = [2026-12-25, "2027-01-01"]

        [admission]
        contact = "lab@example.org"
        file = "rules.py"

        [[admission.rules]]
        name = "short"
        users = ["ann"]
        except_users = ["bob"]
        types = ["nightly"]
        clusters = ["big"]
        max_walltime = "2h"
        max_tasks = 8
        max_campaigns = 9
        message = "no"
        ask = "eve"

        [[admission.rules]]
        name = "all"

        [clusters.big]
        slots = 64
        stress_limit = 2
        normal_users = ["ann"]
        allow_root = true
        nice = 19
        users = []
        users_mapping = { ann = "lab07" }
        """
    )

    assert config.server.socket == Path("/etc/cigri/lab.sock")
    assert config.server.admins == ("root", "ann")
    assert config.server.hosts == ("cigri.example.org", "[::2]")
    assert config.server.tls == TlsOptions(
        certificate=Path("/c.pem"), key=Path("/etc/cigri/c.key")
    )
    assert (config.auth.token_days, config.auth.max_token_days) == (7, 8)
    assert config.auth.proxy.header == "X-Remote-User"
    assert config.auth.proxy.logins == {"www-data"}
    assert len(config.auth.proxy.networks) == 3
    assert attrs.astuple(config.limits) == (5, 6, 7)
    assert attrs.astuple(config.defaults) == (1800.0, "/core=2")
    assert config.calendar.calendar() == Calendar(
        zone=ZoneInfo("Europe/Paris"),
        nights=(parse_night("mon-fri 19:00-07:00"), parse_night("sat-sun")),
        holidays=frozenset({date(2026, 12, 25), date(2027, 1, 1)}),
    )
    assert config.admission.file == Path("/etc/cigri/rules.py")
    assert config.admission.contact == "lab@example.org"
    assert [each.rule() for each in config.admission.rules] == [
        Rule(
            name="short",
            users=("ann",),
            except_users=("bob",),
            types=("nightly",),
            clusters=("big",),
            max_walltime=7200.0,
            max_tasks=8,
            max_campaigns=9,
            message="no",
            ask="eve",
        ),
        Rule(name="all"),
    ]
    assert list(config.clusters) == ["big"]
    assert attrs.asdict(config.clusters["big"].options) == {
        "slots": 64,
        "normal_users": ("ann",),
        "allow_root": True,
        "nice": 19,
        "stress_limit": 2,
        "users": (),
        "users_mapping": {"ann": "lab07"},
    }


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
        ("[server]\nhost = 'cigri.example.org'", "server.host", "not an address"),
        ("[server]\nhosts = ['a:80']", "server.hosts[0]", "without port"),
        ("[server]\nhosts = ['a/b', 'x']", "server.hosts[0]", "not the name of a host"),
        ("[server.tls]\nkey = 'k'", "server.tls", "certificate and key belong together"),
        ("[auth]\ntoken_days = 0", "auth.token_days", "not between 1 and 3650: 0"),
        ("[auth]\ntoken_days = 9\nmax_token_days = 8", "auth", "over max_token_days: 9 > 8"),
        ("[auth.proxy]\nheader = 'Host'", "auth.proxy.header", "not a header of its own"),
        ("[auth.proxy]\nheader = 'X_User'", "auth.proxy.header", "not a header of its own"),
        ("[auth.proxy]\npeers = ['proxy']", "auth.proxy.peers[0]", "not an address, a network"),
        ("[auth.proxy]\npeers = ['10.1.0.0/8']", "auth.proxy.peers[0]", "in 10.0.0.0/8"),
        ("[auth.proxy]\npeers = ['0.0.0.0/0']", "auth.proxy.peers[0]", "is everybody"),
        ("[auth.proxy]\npeers = ['::/0']", "auth.proxy.peers[0]", "is everybody"),
        ("[auth.proxy]\npeers = ['unix:A b']", "auth.proxy.peers[0]", "not a login: 'A b'"),
        ("[calendar]\ntimezone = 'Mars'", "calendar.timezone", "not a time zone"),
        ("[calendar]\ntimezone = '../x'", "calendar.timezone", "not a time zone"),
        ("[calendar]\nnight = 'sun'", "calendar.night", "not a list"),
        ("[calendar]\nnight = ['always']", "calendar.night[0]", "not days of the week"),
        ("[calendar]\nholidays = [3]", "calendar.holidays[0]", "not a date, as 2026-12-25: 3"),
        ("[calendar]\nholidays = ['25.12.']", "calendar.holidays[0]", "not a date"),
        ("[admission]\ncontact = ''", "admission.contact", "not a name"),
        ("[admission]\nrules = 'x'", "admission.rules", "not a list"),
        ("[[admission.rules]]", "admission.rules[0].name", "missing"),
        (RULE + "types = ['night']", "admission.rules[0].types[0]", "not one of best-effort"),
        (RULE + "users = ['A B']", "admission.rules[0].users[0]", "not a login"),
        (RULE + "max_walltime = '9'", "admission.rules[0].max_walltime", "not a walltime"),
        (RULE + "max_tasks = -1", "admission.rules[0].max_tasks", "not between 0 and"),
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
        ("[clusters.local]\nstress_limit = 0", "clusters.local.stress_limit", "not over 0"),
        ("[clusters.local]\nstress_limit = nan", "clusters.local.stress_limit", "not over 0"),
        ("[clusters.local]\nnice = 20", "clusters.local.nice", "not between 0 and 19"),
        ("[clusters.local]\nallow_root = 1", "clusters.local.allow_root", "not true or false: 1"),
        ("[clusters.a]\ndriver = 'pbs'", "clusters.a.driver", "one of local, oar2, oar3: 'pbs'"),
        (OAR2, "clusters.a.url", "missing"),
        (OAR2 + "url = 'ftp://h'", "clusters.a.url", "not an address as https://"),
        (OAR2 + "url = 'https://u:p@h/'", "clusters.a.url", "without login"),
        (OAR2 + "url = 'https://h/a b'", "clusters.a.url", "not an address as https://"),
        (OAR2 + "url = 'https://h:x/'", "clusters.a.url", "not an address as https://"),
        (OAR2 + URL + "auth = 'token'", "clusters.a.auth", "one of header, basic: 'token'"),
        (OAR2 + URL + "auth = 'basic'", "clusters.a", "belong together"),
        (OAR2 + URL + "basic_user = 'cigri'", "clusters.a", "belong together"),
        (OAR2 + URL + "auth = 'basic'\nbasic_user = 'c'", "clusters.a", "belong together"),
        (OAR2 + URL + "client_key = 'k'", "clusters.a", "client_certificate: they belong"),
        (OAR2 + URL + "identity_header = 'a b'", "clusters.a.identity_header", "a header"),
        (OAR2 + URL + "identity_header = 'Host'", "clusters.a.identity_header", "a header"),
        (OAR2 + URL + "timeout = 0", "clusters.a.timeout", "not over 0"),
        (OAR2 + URL + "waiting_timeout = -1", "clusters.a.waiting_timeout", "not 0 or more"),
        (OAR2 + URL + "users_mapping = {a = 'b-c'}", "clusters.a", "for somebody else"),
        (OAR2 + URL + "users_mapping = {a = 'root'}", "clusters.a", "runs no tasks of root"),
        ("[clusters.a]\ndriver = 'oar3'\nauth = 'header'\n" + URL, "clusters.a.auth", "token"),
        ("[clusters]\na = 1", "clusters.a", "not a table: 1"),
        ("[clusters.12]", "clusters.12", "not a cluster's name"),
        ("[clusters.a.users_mapping]\nann = 'B'", "clusters.a.users_mapping.ann", "not a login"),
        ("[clusters.a.users_mapping]\nann = 'root'", "clusters.a", "tasks of ann run as root"),
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
        ("[server]\nprot = 1", "server.prot", 'did you mean "port"?'),
        ("[cluster.a]", "cluster", 'did you mean "clusters"?'),
        ("port = 1", "port", "it belongs in [server]"),
        ("[server]\nslots = 1", "server.slots", "it belongs in [clusters.NAME]"),
        ("[clusters.a]\ndrivr = 'local'", "clusters.a.drivr", 'did you mean "driver"?'),
        (RULE + "user = []", "admission.rules[0].user", 'did you mean "users"?'),
        ("[server]\nxyzzy = 1", "server.xyzzy", None),
        ("[clusters.a]\nurl = 'x'", "clusters.a.url", "it is for the driver oar2 or oar3"),
        (OAR2 + URL + "nice = 3", "clusters.a.nice", "it is for the driver local"),
        (OAR2 + URL + "verify = 3", "clusters.a.verify", 'did you mean "verify_tls"?'),
        (OAR2 + URL + "port = 3", "clusters.a.port", "it belongs in [server]"),
        ("[server]\npeers = []", "server.peers", "it belongs in [auth.proxy]"),
        ("[server.tls]\nkee = 'k'", "server.tls.kee", 'did you mean "key"?'),
    ],
)
def test_an_unknown_key_is_told_with_the_likely_one(text, pointer, hint):
    [(found, problem)] = mistakes(text).items()

    assert (found, problem.detail, problem.hint) == (pointer, "unknown key", hint)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("url = 'https://h/oarapi'", []),
        ("url = 'http://127.0.0.1:6668/oarapi'", []),
        ("url = 'https://h/oarapi'\nverify_tls = false", ["whoever answers as h is believed"]),
        ("url = 'http://h/oarapi'", ["http://h/oarapi is plain text"]),
    ],
)
def test_what_is_dangerous_is_told(text, words):
    risks = list(read(OAR2 + text).clusters["a"].options.risks())

    assert len(risks) == len(words)
    assert all(word in risk for word, risk in zip(words, risks, strict=True))


def test_a_cluster_of_oar_tells_what_it_can():
    text = "slots = 9\ncores_per_node = 4\nnormal_users = ['ann']\nwaiting_timeout = 0"
    options = read(OAR2 + URL + text).clusters["a"].options

    assert options.url == "https://oar.example.org/oarapi"
    assert options.longest_wait is None
    assert options.facts() == ClusterFacts(
        slots=9,
        cores_per_node=4,
        normal_users=("ann",),
        dialect=Dialect.OAR,
        honours=frozenset(HONOURED),
    )


def test_a_private_server_runs_tasks_of_root_on_this_host_alone():
    clusters = read(OAR2 + URL + "[clusters.b]").clusters

    assert clusters["a"].running_root() == clusters["a"]
    assert clusters["b"].running_root().options.allow_root


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])  # noqa: S104 - only read
def test_other_hosts_are_let_in_with_a_certificate_or_a_proxy_alone(host):
    server = f"[server]\nhost = '{host}'"

    problem = mistakes(server)["server.host"]
    assert "plain text" in problem.detail
    assert "[server.tls]" in problem.hint
    assert mistakes(f"{server}\n[auth.proxy]\npeers = ['unix:www-data']").keys() == {"server.host"}
    read(f"{server}\n[auth.proxy]\npeers = ['192.0.2.7']")
    read(f"{server}\n[server.tls]\ncertificate = 'c'\nkey = 'k'")


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("", "http://127.0.0.1:8666"),
        ("host = '::1'", "http://[::1]:8666"),
        ("port = 0", None),
        ("[server.tls]\ncertificate = 'c'\nkey = 'k'", "https://127.0.0.1:8666"),
    ],
)
def test_the_address_is_told_as_a_url(text, url):
    assert read(f"[server]\n{text}").server.url == url


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


def test_the_rule_of_the_example_has_every_key():
    text = EXAMPLE.read_text("utf-8")
    (block,) = re.findall(r"^# (\[\[admission\.rules\]\]\n(?:# .*\n)+)", text, flags=re.MULTILINE)

    (rule,) = read(re.sub(r"^# ", "", block, flags=re.MULTILINE)).admission.rules

    assert [name for name, value in attrs.asdict(rule).items() if not value] == []


def test_a_rule_has_the_fields_that_the_configuration_gives_it():
    assert list(attrs.fields_dict(RuleOptions)) == list(attrs.fields_dict(Rule))


def test_the_example_has_every_key():
    documented = re.findall(r"^#?(\w+) = ", EXAMPLE.read_text("utf-8"), flags=re.MULTILINE)

    options = attrs.fields_dict(OPTIONS["local"])
    assert sorted(documented) == sorted([*keys(Config), "driver", *options])


def test_the_clusters_of_oar_in_the_example_have_every_key():
    text = EXAMPLE.read_text("utf-8")
    found = re.findall(r"^# (\[clusters\.\w+\]\n(?:# .*\n)+)", text, flags=re.MULTILINE)
    blocks = [re.sub(r"^# ", "", block, flags=re.MULTILINE) for block in found]

    config = read("\n".join(blocks))

    named = {key for block in blocks for key in re.findall(r"^(\w+) = ", block, re.MULTILINE)}
    assert {cluster.driver for cluster in config.clusters.values()} == {"oar2", "oar3"}
    for driver in ("oar2", "oar3"):
        assert set(attrs.fields_dict(OPTIONS[driver])) - named == set()
    assert named - {"driver"} <= set(attrs.fields_dict(OarOptions))


def test_the_defaults_that_the_example_shows_for_oar_are_those():
    text = EXAMPLE.read_text("utf-8")
    shown = dict(re.findall(r"^# (\w+) = (\S+) +#", text, flags=re.MULTILINE))
    defaults = {each.name: each.default for each in attrs.fields(OarOptions)}

    assert {
        name: value
        for name, value in shown.items()
        if name in defaults
        and defaults[name] not in {None, attrs.NOTHING}
        and name != "auth"
        and tomllib.loads(f"x = {value}")["x"] != defaults[name]
    } == {}


def keys(section):
    """Yield the keys of a section and of those in it, but for the tables of clusters and rules."""
    for field in attrs.fields(section):
        if attrs.has(field.type):
            yield from keys(field.type)
        elif field.name not in {"clusters", "rules"}:
            yield field.name
