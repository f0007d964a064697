"""What keeps a whole campaign from going on, in one line."""

from cigri.domain.model import Campaign, CampaignState


def why_idle(campaign: Campaign) -> str | None:
    """Return what keeps the tasks of a campaign in the bag, `None` when nothing does."""
    if campaign.state is CampaignState.PAUSED:
        return "it is paused"
    if campaign.state is not CampaignState.IN_TREATMENT or not campaign.counts.pending:
        return None
    holds = [(item.cluster, item.hold) for item in campaign.clusters if item.hold]
    if len(holds) < len(campaign.clusters):
        return None
    return "; ".join(f"held on {cluster}: {hold.reason}" for cluster, hold in holds)
