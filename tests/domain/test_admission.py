import attrs
import pytest

from cigri.domain.admission import Load, most_tasks, refusal
from cigri.domain.facts import ClusterFacts, Facts, Rule
from cigri.domain.model import (
    Caller,
    CampaignType,
    ClusterName,
    ClusterSettings,
    JobsType,
    TestMode,
)
from cigri.domain.spec import CampaignSpec

ANN = Caller(user="ann")
BOB = Caller(user="bob")
ADMIN = Caller(user="eve", admin=True)

FACTS = Facts(
    clusters={
        ClusterName("open"): ClusterFacts(normal_users=("ann",)),
        ClusterName("strict"): ClusterFacts(),
    },
    contact="lab@example.org",
)


def campaign(**types):
    return CampaignSpec(
        name="n",
        clusters={
            ClusterName(name): ClusterSettings(exec_file="x", type=CampaignType(type_))
            for name, type_ in types.items()
        },
        jdl={},
    )


EASY = campaign(open="best-effort", strict="best-effort")


@pytest.mark.parametrize(
    ("spec", "caller"),
    [
        (EASY, BOB),
        (campaign(open="normal"), ANN),
        (campaign(open="nightly", strict="best-effort"), ANN),
        (campaign(open="normal", strict="normal"), ADMIN),
    ],
)
def test_who_may(spec, caller):
    assert refusal(spec, caller, FACTS) is None


@pytest.mark.parametrize(
    ("spec", "caller", "words"),
    [
        (campaign(open="normal"), BOB, "bob may not run campaigns of type normal on open:"),
        (campaign(open="normal", strict="normal"), BOB, "on open, strict: only administrators"),
        (campaign(open="normal", strict="normal"), ANN, "type normal on strict:"),
        (campaign(open="nightly"), BOB, "type nightly on open"),
        (campaign(open="semi-best-effort"), BOB, "type semi-best-effort on open"),
        (campaign(strict="normal"), ANN, '(admission rule "normal_users"; ask lab@example.org)'),
    ],
)
def test_who_may_not_and_whom_to_ask(spec, caller, words):
    assert words in str(refusal(spec, caller, FACTS))


def test_the_test_of_a_best_effort_campaign_needs_no_permission():
    (settings,) = campaign(strict="best-effort").clusters.values()
    tested = attrs.evolve(settings, test_mode=TestMode.THEN_WAIT)
    spec = attrs.evolve(campaign(), clusters={ClusterName("strict"): tested})

    assert refusal(spec, BOB, FACTS) is None


#: A campaign of one hour on two clusters, 10 tasks, two other campaigns; what a rule says of it.
RULES = [
    ({}, "campaigns such as this one may not run on open, strict"),
    ({"clusters": ("strict",)}, "campaigns such as this one may not run on strict"),
    ({"clusters": ("far",)}, None),
    ({"types": ("best-effort",)}, "may not run on open, strict"),
    ({"types": ("normal", "nightly")}, None),
    ({"users": ("bob",)}, "may not run"),
    ({"users": ("ann",)}, None),
    ({"except_users": ("bob",)}, None),
    ({"except_users": ("ann",)}, "may not run"),
    ({"max_walltime": 3600.0}, None),
    ({"max_walltime": 3599.0}, "a walltime of 01:00:00 on open: the limit is 00:59:59"),
    ({"max_walltime": 60.0, "clusters": ("strict",)}, "a walltime of 01:00:00 on strict"),
    ({"max_tasks": 10}, None),
    ({"max_tasks": 9}, "a campaign of 10 tasks: the limit is 9"),
    ({"max_campaigns": 3}, None),
    ({"max_campaigns": 2}, "2 other campaigns are not over yet: the limit is 2"),
    ({"max_walltime": 9e9, "max_tasks": 9}, "a campaign of 10 tasks"),
]


@pytest.mark.parametrize(("fields", "words"), RULES)
def test_a_rule_refuses_what_is_over_its_limits(fields, words):
    facts = attrs.evolve(FACTS, rules=(Rule(name="short", **fields),))

    why = refusal(EASY, BOB, facts, Load(tasks=10, active_campaigns=2))

    if words is None:
        assert why is None
    else:
        assert words in why
        assert why.endswith('(admission rule "short"; ask lab@example.org)')
    assert refusal(EASY, ADMIN, facts, Load(tasks=10, active_campaigns=2)) is None


def test_a_rule_may_have_words_of_its_own():
    rule = Rule(name="night", max_tasks=1, message="only small ones", ask="ann")
    facts = attrs.evolve(FACTS, rules=(rule,))

    why = refusal(EASY, BOB, facts, Load(tasks=2))

    assert why == 'only small ones (admission rule "night"; ask ann)'


def test_tasks_that_nobody_has_counted_yet_are_not_too_many():
    facts = attrs.evolve(FACTS, rules=(Rule(name="short", max_tasks=1),))

    assert refusal(EASY, BOB, facts) is None


def test_a_campaign_without_end_has_more_tasks_than_any_limit():
    facts = attrs.evolve(FACTS, rules=(Rule(name="short", max_tasks=1),))
    spec = attrs.evolve(EASY, jobs_type=JobsType.DESKTOP_COMPUTING)

    assert "so give nb_jobs" in refusal(spec, BOB, facts)


def test_a_campaign_grows_up_to_the_lowest_limit():
    rules = (
        Rule(name="a", max_tasks=50),
        Rule(name="b", max_tasks=20, users=("ann",)),
        Rule(name="c", max_tasks=30, clusters=("strict",)),
        Rule(name="d"),
    )
    facts = attrs.evolve(FACTS, rules=rules, max_tasks=100)

    assert most_tasks(EASY.clusters, BOB, facts) == 30
    assert most_tasks(EASY.clusters, ANN, facts) == 20
    assert most_tasks(campaign(open="best-effort").clusters, BOB, facts) == 50
    assert most_tasks(EASY.clusters, ADMIN, facts) == 100


def test_no_rule_raises_the_limit_of_the_server():
    facts = attrs.evolve(FACTS, rules=(Rule(name="a", max_tasks=50),), max_tasks=10)

    assert most_tasks(EASY.clusters, BOB, facts) == 10
