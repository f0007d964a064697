"""Why nothing of a campaign runs."""

import pytest

from cigri.domain.idle import why_idle
from cigri.domain.model import (
    Campaign,
    CampaignCluster,
    CampaignId,
    CampaignState,
    ClusterName,
    ClusterSettings,
    Counts,
    Hold,
)

S = CampaignState
WAITING = Counts(pending=5)


def campaign(state, counts, **holds):
    """Return a campaign on the clusters that *holds* names, each with its reason or `None`."""
    clusters = tuple(
        CampaignCluster(
            cluster=ClusterName(name),
            cluster_id=number,
            settings=ClusterSettings(exec_file="x"),
            hold=reason and Hold(reason=reason, since=1.0),
        )
        for number, (name, reason) in enumerate(holds.items(), 1)
    )
    return Campaign(
        id=CampaignId(1),
        name="c",
        user="ann",
        state=state,
        submitted_at=0.0,
        ended_at=None,
        counts=counts,
        open_events=0,
        clusters=clusters,
        revision=1,
    )


@pytest.mark.parametrize(
    ("state", "counts", "holds", "reason"),
    [
        (S.IN_TREATMENT, WAITING, {"a": None}, None),
        (S.IN_TREATMENT, WAITING, {"a": "no such queue"}, "held on a: no such queue"),
        (
            S.IN_TREATMENT,
            WAITING,
            {"a": "no such queue", "b": "unreachable"},
            "held on a: no such queue; held on b: unreachable",
        ),
        # One cluster is enough to go on.
        (S.IN_TREATMENT, WAITING, {"a": "no such queue", "b": None}, None),
        # What is left of it runs or is about to.
        (S.IN_TREATMENT, Counts(running=2, succeeded=9), {"a": "unreachable"}, None),
        (S.PAUSED, WAITING, {"a": None}, "it is paused"),
        # Whatever else is in its way: first it has to be resumed.
        (S.PAUSED, WAITING, {"a": "unreachable"}, "it is paused"),
        (S.TERMINATED, Counts(succeeded=9), {"a": "unreachable"}, None),
        (S.CANCELLED, Counts(cancelled=9), {"a": "unreachable"}, None),
    ],
)
def test_why_nothing_of_a_campaign_runs(state, counts, holds, reason):
    assert why_idle(campaign(state, counts, **holds)) == reason
