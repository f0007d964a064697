import pytest

from cigri.domain.admission import refusal
from cigri.domain.jdl import ClusterFacts, Site
from cigri.domain.model import Caller, CampaignSpec, CampaignType, ClusterName, ClusterSettings

ANN = Caller(user="ann")
BOB = Caller(user="bob")
ADMIN = Caller(user="eve", admin=True)

SITE = Site(
    clusters={
        ClusterName("open"): ClusterFacts(normal_users=("ann",)),
        ClusterName("strict"): ClusterFacts(),
    }
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


@pytest.mark.parametrize(
    ("spec", "caller"),
    [
        (campaign(open="best-effort", strict="best-effort"), BOB),
        (campaign(open="normal"), ANN),
        (campaign(open="normal", strict="best-effort"), ANN),
        (campaign(open="normal", strict="normal"), ADMIN),
    ],
)
def test_who_may(spec, caller):
    assert refusal(spec, caller, SITE) is None


@pytest.mark.parametrize(
    ("spec", "caller", "words"),
    [
        (campaign(open="normal"), BOB, "bob may not run campaigns of type normal on open:"),
        (campaign(open="normal", strict="normal"), BOB, "on open, strict: only administrators"),
        (campaign(open="normal", strict="normal"), ANN, "type normal on strict:"),
        (campaign(strict="normal"), ANN, "ask an administrator"),
    ],
)
def test_who_may_not_and_whom_to_ask(spec, caller, words):
    assert words in str(refusal(spec, caller, SITE))
