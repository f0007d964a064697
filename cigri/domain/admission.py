"""May this user run this campaign?"""

from cigri.domain.model import Caller, CampaignSpec, CampaignType
from cigri.domain.site import Site


def refusal(spec: CampaignSpec, caller: Caller, site: Site) -> str | None:
    """
    Return why *caller* may not run the campaign, which rule says so and whom to ask, or `None`.

    Best-effort tasks give way to everybody, so anybody may run them.  All others take the place of
    the people whose cluster it is: an administrator decides who may do that, cluster by cluster.
    """
    return _no_user(spec, caller, site) or _not_best_effort(spec, caller, site)


def _no_user(spec: CampaignSpec, caller: Caller, site: Site) -> str | None:
    """Return which cluster runs nothing as this user, whatever the campaign; admins neither."""
    for name in spec.clusters:
        facts = site.clusters[name]
        if facts.users is not None and caller.user not in facts.users:
            return (
                f"{name} does not run tasks of {caller.user}, only of {', '.join(facts.users)}: "
                "take another cluster, or ask an administrator"
            )
        if caller.user == "root" and not facts.allow_root:
            return (
                f"{name} does not run tasks of root: submit as another user, "
                "or set allow_root in the configuration of that cluster"
            )
    return None


def _not_best_effort(spec: CampaignSpec, caller: Caller, site: Site) -> str | None:
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
