"""May this user run this campaign?"""

from collections.abc import Iterator, Mapping, Sequence

import attrs

from cigri.domain.facts import Facts, Rule
from cigri.domain.model import Caller, CampaignType, ClusterName, ClusterSettings
from cigri.domain.spec import CampaignSpec
from cigri.domain.walltime import walltime_text

#: How the rule is called that no configuration has to give.
DEFAULT_RULE = "normal_users"


@attrs.frozen(kw_only=True)
class Load:
    """How much a campaign is, as far as that is known yet."""

    #: `None`: not known yet, or without end.
    tasks: int | None = None
    #: Other campaigns of the user that are not over.
    active_campaigns: int = 0


UNKNOWN = Load()


def refusal(spec: CampaignSpec, caller: Caller, facts: Facts, load: Load = UNKNOWN) -> str | None:
    """
    Return why *caller* may not run the campaign, which rule says so and whom to ask, or `None`.

    Administrators may run everything.  Best-effort tasks give way to everybody, so anybody may run
    them.  All others take the place of the people whose cluster it is: an administrator decides
    who may do that, cluster by cluster.  The single task by which a best-effort campaign is tried
    asks for no permission.
    """
    if caller.admin:
        return None
    return next(_refusals(spec, caller, facts, load), None)


def told(rule: str, why: str, ask: str) -> str:
    """Return the refusal by a rule: which one, why, and whom to ask."""
    return f'{why} (admission rule "{rule}"; ask {ask})'


def most_tasks(
    clusters: Mapping[ClusterName, ClusterSettings], caller: Caller, facts: Facts
) -> int:
    """Return how many tasks a campaign of *caller* may come to have."""
    limits = [
        rule.max_tasks
        for rule in (() if caller.admin else facts.rules)
        if rule.max_tasks is not None and _concerned(rule, clusters, caller)
    ]
    return min([facts.max_tasks, *limits])


def _refusals(spec: CampaignSpec, caller: Caller, facts: Facts, load: Load) -> Iterator[str]:
    why = _not_normal_user(spec, caller, facts)
    if why:
        yield told(DEFAULT_RULE, why, facts.contact)
    for rule in facts.rules:
        found = _concerned(rule, spec.clusters, caller)
        reason = _excess(rule, spec, found, load) if found else None
        if reason:
            yield told(rule.name, rule.message or reason, rule.ask or facts.contact)


def _not_normal_user(spec: CampaignSpec, caller: Caller, facts: Facts) -> str | None:
    refused = [
        name
        for name, settings in spec.clusters.items()
        if settings.type is not CampaignType.BEST_EFFORT
        and caller.user not in facts.clusters[name].normal_users
    ]
    if not refused:
        return None
    kinds = sorted({spec.clusters[name].type.value for name in refused})
    return (
        f"{caller.user} may not run campaigns of type {' or '.join(kinds)} on "
        f"{', '.join(refused)}: only administrators and the normal_users of a cluster may; "
        'take "type": "best-effort"'
    )


def _concerned(
    rule: Rule, clusters: Mapping[ClusterName, ClusterSettings], caller: Caller
) -> list[ClusterName]:
    if (rule.users and caller.user not in rule.users) or caller.user in rule.except_users:
        return []
    return [
        name
        for name, settings in clusters.items()
        if (not rule.clusters or name in rule.clusters)
        and (not rule.types or settings.type.value in rule.types)
    ]


def _excess(
    rule: Rule, spec: CampaignSpec, concerned: Sequence[ClusterName], load: Load
) -> str | None:
    """Return which limit of a rule a campaign is over, if any."""
    if rule.max_walltime is None and rule.max_tasks is None and rule.max_campaigns is None:
        return f"campaigns such as this one may not run on {', '.join(concerned)}"
    for name in concerned:
        walltime = spec.clusters[name].walltime
        if rule.max_walltime is not None and walltime > rule.max_walltime:
            most = walltime_text(rule.max_walltime)
            return f"a walltime of {walltime_text(walltime)} on {name}: the limit is {most}"
    if rule.max_tasks is not None and spec.endless:
        return f"a campaign without end: the limit is {rule.max_tasks} tasks, so give nb_jobs"
    if rule.max_tasks is not None and (load.tasks or 0) > rule.max_tasks:
        return f"a campaign of {load.tasks} tasks: the limit is {rule.max_tasks}"
    if rule.max_campaigns is not None and load.active_campaigns >= rule.max_campaigns:
        other = "campaign is" if load.active_campaigns == 1 else "campaigns are"
        limit = f"the limit is {rule.max_campaigns}"
        return f"{load.active_campaigns} other {other} not over yet: {limit}"
    return None
