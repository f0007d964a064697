"""May this user run this campaign?"""

from cigri.domain.model import Caller, CampaignSpec, CampaignType
from cigri.domain.site import Site


def refusal(spec: CampaignSpec, caller: Caller, site: Site) -> str | None:
    """
    Return why *caller* may not run the campaign, which rule says so and whom to ask, or `None`.

    Best-effort tasks give way to everybody, so anybody may run them.  All others take the place of
    the people whose cluster it is: an administrator decides who may do that, cluster by cluster.
    """
    if caller.admin:
        return None
    refused = [
        name
        for name, settings in spec.clusters.items()
        if settings.type is not CampaignType.BEST_EFFORT
        and caller.user not in site.clusters[name].normal_users
    ]
    if not refused:
        return None
    kinds = sorted({spec.clusters[name].type.value for name in refused})
    return (
        f"{caller.user} may not run campaigns of type {' or '.join(kinds)} on "
        f"{', '.join(refused)}: only administrators and the normal_users of a cluster may; "
        'ask an administrator, or take "type": "best-effort"'
    )
