"""Rules of admission: those written in Python, and all of them on the way into the store."""

import asyncio
import json
import textwrap

import attrs
import pytest
from structlog.testing import capture_logs

from cigri.domain.admission import Load
from cigri.domain.facts import Rule
from cigri.domain.model import Caller, CampaignType, ClusterName, ClusterSettings
from cigri.domain.spec import CampaignSpec
from cigri.engine.admission import VALUES, load_rules
from cigri.engine.campaigns import Campaigns
from cigri.errors import AdmissionRefused, InvalidConfig, TooLarge

ANN = Caller(user="ann")
ADMIN = Caller(user="eve", admin=True)
SPEC = CampaignSpec(
    name="n",
    clusters={
        ClusterName("far"): ClusterSettings(
            exec_file="x", type=CampaignType.NIGHTLY, walltime=60.0
        )
    },
    jdl={"name": "n", "clusters": {"far": {}}},
    tags=("a",),
)


#: What cannot even be shown.
_MUTE = "class Mute(Exception): __str__ = __repr__ = None\n    "


@pytest.fixture
def load(tmp_path):
    def load(text, **changed):
        path = tmp_path / "rules.py"
        path.write_text(textwrap.dedent(text))
        path.chmod(0o600)
        return attrs.evolve(load_rules(path, "lab@example.org"), **changed)

    return load


async def refusal(rules):
    with pytest.raises(AdmissionRefused) as refused:
        await rules.check(SPEC, ANN, Load(tasks=3, active_campaigns=2))
    return str(refused.value)


# --- what a rule is ------------------------------------------------------------------------------


async def test_a_rule_says_why_not(load):
    rules = load(
        """
        from os.path import join

        def _helper(user):
            return user == "ann"

        def fine():
            return None

        def no_ann(user):
            return "not today" if _helper(user) else None

        LIMIT = 3
        """
    )

    assert list(rules.functions) == ["fine", "no_ann"]
    assert await refusal(rules) == 'not today (admission rule "no_ann"; ask lab@example.org)'
    await rules.check(SPEC, Caller(user="bob"), Load())
    await rules.check(SPEC, ADMIN, Load())


async def test_a_rule_is_told_plain_values(load):
    rules = load("def tell(**values): return repr(values)")

    told = await refusal(rules)

    values = {
        "user": "ann",
        "name": "n",
        "clusters": ["far"],
        "types": {"far": "nightly"},
        "walltimes": {"far": 60.0},
        "tasks": 3,
        "active_campaigns": 2,
        "tags": ["a"],
        "jdl": {"name": "n", "clusters": {"far": {}}},
    }
    assert tuple(values) == VALUES
    assert told.startswith(repr(values))


async def test_what_a_rule_changes_concerns_nobody(load):
    rules = load("def change(jdl, clusters): jdl['clusters'].clear(); clusters.clear()")

    await rules.check(SPEC, ANN, Load())

    assert SPEC.jdl == {"name": "n", "clusters": {"far": {}}}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("return 1 / 0", "the rule is broken: ZeroDivisionError: division by zero"),
        ("raise SystemExit('enough')", "the rule is broken: SystemExit: enough"),
        ("raise KeyboardInterrupt", "the rule is broken: KeyboardInterrupt"),
        ("return True", "neither None nor a text but a value of type bool"),
        ("return f(user)\n    def g(): pass", "NameError: name 'f' is not defined"),
        ("return __import__('asyncio').run(user)", "ValueError: a coroutine was expected"),
        (f"{_MUTE}raise Mute", "the rule is broken: Mute"),
        (f"{_MUTE}return Mute()", "neither None nor a text but a value of type Mute"),
    ],
)
async def test_a_broken_rule_refuses_and_is_logged(load, body, words):
    rules = load(f"def broken(user):\n    {body}\n")

    with capture_logs() as logs:
        told = await refusal(rules)

    assert words in told
    assert 'admission rule "broken"' in told
    assert [(entry["event"], entry["rule"]) for entry in logs] == [
        ("admission.rule_broken", "broken")
    ]


@pytest.mark.parametrize("body", ["return text", "raise ValueError(text)"])
async def test_what_a_rule_says_is_one_line_that_can_be_sent_and_read(load, body):
    text = "\\x1b[31mno\\r\\nX: \\udc80 " + "o" * 9_999
    told = await refusal(load(f"def harsh(user):\n    text = '{text}'\n    {body}\n"))

    assert "[31mno  X:   ooo" in told
    assert told.isprintable()
    assert len(told) < 1_200


async def test_a_rule_that_does_not_come_back_stops_nobody_else(load):
    rules = load(
        """
        import threading

        gate = threading.Event()
        calls = []

        def slow():
            calls.append(1)
            gate.wait(60)
        """,
        patience=0.01,
    )
    module = rules.functions["slow"].__globals__

    assert "took longer than 0.01 seconds" in await refusal(rules)
    assert "does not answer" in await refusal(rules)
    assert module["calls"] == [1]
    module["gate"].set()


# --- what a file must be -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("def x(:", "does not run: SyntaxError"),
        ("import nothing_of_that_name", "does not run: ModuleNotFoundError"),
        ("1 / 0", "does not run: ZeroDivisionError"),
        ("raise SystemExit", "does not run: SystemExit"),
        ("LIMIT = 3", "has no rule"),
        ("def _x(): pass", "has no rule"),
        ("def x(usr): pass", 'asks for usr, which there is not (did you mean "user"?'),
        (
            "def x(campaign): pass",
            'asks for campaign, which there is not (did you mean "active_campaigns"?',
        ),
        ("def x(xyzzy): pass", "asks for xyzzy, which there is not (rules may ask for user"),
        ("def x(*user): pass", "asks for user"),
        ("def x(user, /): pass", "asks for user"),
    ],
)
def test_a_file_without_usable_rules_is_refused(load, text, words):
    with pytest.raises(InvalidConfig) as refused:
        load(text)

    assert words in str(refused.value)
    assert [problem.pointer for problem in refused.value.problems] == ["admission.file"]


def test_a_file_that_is_missing_is_refused(tmp_path):
    with pytest.raises(InvalidConfig, match="No such file"):
        load_rules(tmp_path / "none.py", "")


@pytest.mark.parametrize("mode", [0o620, 0o602])
@pytest.mark.parametrize("part", ["file", "directory", "directory of the link"])
def test_a_file_that_others_could_write_is_refused(tmp_path, mode, part):
    home, links = tmp_path / "home", tmp_path / "links"
    home.mkdir(mode=0o700)
    links.mkdir(mode=0o700)
    real = home / "rules.py"
    real.write_text("def x(): pass")
    real.chmod(0o600)
    link = links / "rules.py"
    link.symlink_to(real)
    assert load_rules(link, "").functions
    target = {"file": real, "directory": home, "directory of the link": links}[part]
    target.chmod(mode | 0o100)

    with pytest.raises(InvalidConfig, match=f"others may write to {target}"):
        load_rules(link, "")
    target.chmod(0o700)


def test_without_a_file_there_are_no_rules():
    assert load_rules(None, "x").functions == {}


# --- on the way into the store -------------------------------------------------------------------


def described(**added):
    tasks = {} if "params" in added else {"nb_jobs": 3}
    given = {"name": "n", "exec_file": "1", "clusters": {"sim": {}}} | tasks | added
    return json.dumps(given).encode()


@pytest.fixture
def ruled(engine):
    """Return the interface of an engine with rules; several of them share its store."""

    def ruled(*rules, **given):
        facts = attrs.evolve(engine.api._facts, rules=rules)
        return Campaigns(engine.runtime, engine.api._progress, facts, **given)

    return ruled


async def stored(engine):
    async with engine.database.read() as db:
        return [row[0] for row in await db.all("SELECT state FROM campaign")]


@pytest.mark.parametrize("tasks", [{"nb_jobs": 3}, {"params": ["a", "b", "c"]}])
async def test_a_campaign_of_too_many_tasks_leaves_nothing(engine, ruled, tasks):
    api = ruled(Rule(name="small", max_tasks=2))

    for attempt in (api.submit, api.preview):
        with pytest.raises(AdmissionRefused, match=r'a campaign of 3 tasks.*rule "small"'):
            await attempt(ANN, described(**tasks))

    assert await stored(engine) == []


async def test_a_user_has_some_campaigns_at_a_time(engine, ruled):
    api = ruled(Rule(name="few", max_campaigns=2))

    first = await api.submit(ANN, described())
    await api.submit(ANN, described())
    with pytest.raises(AdmissionRefused, match="2 other campaigns are not over yet"):
        await api.submit(ANN, described())
    await api.submit(Caller(user="bob"), described())
    await api.cancel(ANN, first.campaign.id)
    await api.submit(ANN, described())

    assert len(await stored(engine)) == 4


async def test_campaigns_that_come_at_once_are_no_more_than_may_be(engine, ruled):
    api = ruled(Rule(name="few", max_campaigns=2))

    async def attempt():
        try:
            await api.submit(ANN, described())
        except AdmissionRefused:
            return False
        return True

    async with asyncio.TaskGroup() as group:
        attempts = [group.create_task(attempt()) for _ in range(6)]

    assert sum(each.result() for each in attempts) == 2
    assert len(await stored(engine)) == 2


async def test_a_campaign_does_not_grow_over_its_limit(ruled):
    api = ruled(Rule(name="small", max_tasks=4))
    campaign = (await api.submit(ANN, described())).campaign.id

    with pytest.raises(TooLarge, match="at most 4"):
        await api.add(ANN, campaign, b'["x", "y"]')
    grown = await api.add(ANN, campaign, b'["x"]')

    assert grown.counts.total == 4


async def test_a_rule_in_python_is_told_of_all_tasks(engine, ruled, load):
    api = ruled(rules=load("def tell(tasks, jdl): return f'{tasks} {jdl[\"name\"]}'"))

    for attempt in (api.submit, api.preview):
        with pytest.raises(AdmissionRefused, match=r'3 n \(admission rule "tell"'):
            await attempt(ANN, described(params=["a", "b", "c"]))

    assert await stored(engine) == []


async def test_a_rule_in_python_is_told_of_no_end(ruled, load):
    api = ruled(rules=load("def tell(tasks): return repr(tasks)"))

    with pytest.raises(AdmissionRefused, match=r"^None \(admission rule"):
        await api.submit(ANN, described(nb_jobs=None, jobs_type="desktop_computing"))
