"""The JDL, the text in which a user describes a campaign: strict, every mistake at once.

The parameters of a large campaign stay text here; `domain.parameters` reads them by slices.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial

import attrs

from cigri.domain import fields
from cigri.domain.asked import Asked, expanded, read_settings, resources_of, settings_of
from cigri.domain.commands import placeholders, unknown_placeholder
from cigri.domain.envelope import separate
from cigri.domain.facts import ClusterFacts, Facts
from cigri.domain.model import ClusterName, ClusterSettings, JobsType
from cigri.domain.recipe import WAYS, Recipe, Source, read_recipe
from cigri.domain.report import Report, Section, kind, pointer, shown, suggestion
from cigri.domain.resources import Resources
from cigri.domain.spec import Allowance, CampaignSpec
from cigri.domain.strict_json import load, plain_dollars
from cigri.errors import InvalidJdl

_GLOBAL = (*fields.GLOBAL, *WAYS)
_CLUSTER = (*fields.FIELDS, *fields.NOT_YET)
_ALL = (*_GLOBAL, *_CLUSTER)
#: Known clusters named to who names an unknown one.
_NAMED = 20
_CLUSTERS_HINT = 'write {"local": {}} with the names of your clusters'


def read(text: bytes, facts: Facts, *, lines: bool = False) -> CampaignSpec:
    """
    Return the campaign that a JDL describes, its common settings expanded into each cluster.

    Of a large array of parameters the elements are not looked at: `parameters` does that.  With
    *lines*, the parameters follow the JDL as lines, and it gives none itself.

    Raises:
        InvalidJdl: It has mistakes, all of which are listed.
    """
    small, array = separate(plain_dollars(text))
    document = load(small)
    report = Report(document.problems)
    top = _top(report, document.value)
    name = _name(report, top)
    jobs_type = report.read(top, "jobs_type", fields.jobs_type) or JobsType.NORMAL
    max_fails = report.read(top, "max_fails", fields.allowance)
    tags = report.read(top, "tags", fields.tags) or ()
    source = Source(array=array, lines=lines, jobs_type=jobs_type)
    recipe = read_recipe(report, top, source, facts)
    clusters = _read_clusters(report, top, facts)
    resources = {}
    for cluster in clusters:
        cluster.check(report, recipe)
        resources[cluster.name] = cluster.resources(report, facts)
    _check_template(report, top, recipe, clusters)
    report.check()
    _warn_of_unhonoured(report, clusters)
    settings = {
        cluster.name: _settings(cluster, found, recipe, facts)
        for cluster in clusters
        if (found := resources[cluster.name])
    }
    said = {"jobs_type": jobs_type.value, **recipe.jdl(), **_said(max_fails, tags)}
    full = {each.name: expanded(each.asked, settings[each.name]) for each in clusters}
    return CampaignSpec(
        name=name,
        clusters=settings,
        jdl={"name": name, **said, "clusters": full},
        warnings=report.warnings,
        nb_jobs=recipe.nb_jobs,
        params=recipe.params,
        sweep=recipe.sweep,
        param_file=recipe.param_file,
        jobs_type=jobs_type,
        max_fails=max_fails,
        tags=tags,
    )


# --- the top level -----------------------------------------------------------------------------


def _top(report: Report, value: object) -> Section:
    """Return the top level, whose keys may be in upper case, as in CiGri 3."""
    if not isinstance(value, dict):
        raise InvalidJdl.at("", f"the description must be an object, not {kind(value)}")
    members: dict[str, object] = {}
    spelling: dict[str, str] = {}
    for key, member in value.items():
        known = key.lower() if key.lower() in _ALL else key
        if known in members:
            also = f'the key is also given as "{spelling[known]}"'
            report.add(pointer(key), also, "keep one of them")
            continue
        members[known], spelling[known] = member, key
        if known not in _ALL:
            _unknown_key(report, pointer(key), key, _ALL)
    return Section(pointer="", members=members, spelling=spelling)


def _unknown_key(report: Report, at: str, key: str, known: Iterable[str]) -> None:
    if not report.full:
        report.add(at, f"unknown key {shown(key)}", suggestion(key, known))


def _name(report: Report, top: Section) -> str:
    if top.members.get("name") is None:
        report.add(top.at("name"), "missing: every campaign has a name")
    return report.read(top, "name", fields.name) or ""


# --- the clusters ------------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class _Cluster:
    """What a campaign asks of one cluster, and where it says so."""

    name: ClusterName
    facts: ClusterFacts
    asked: Asked
    section: Section
    top: Section

    def at(self, key: str) -> str:
        """Return the pointer of a setting: where it is given, or should be."""
        common = not self.section.has(key) and self.top.has(key)
        return (self.top if common else self.section).at(key)

    def check(self, report: Report, recipe: Recipe) -> None:
        """Report what only all settings of the cluster together can tell."""
        command = self.asked.exec_file
        if command and recipe.sweep:
            mistake = unknown_placeholder(command, recipe.sweep.names)
            if mistake:
                report.add(self.at("exec_file"), str(mistake), mistake.hint)
        if not self.section.has("exec_file") and not self.top.has("exec_file"):
            why = "missing: neither this cluster nor the top level says what to run"
            report.add(self.at("exec_file"), why)
        elif not recipe.none and command is not None and not command.strip():
            report.add(self.at("exec_file"), "empty: there are tasks and nothing to run")
        for key, check in fields.CHECKED.items():
            text = getattr(self.asked, key)
            if text and key in self.facts.honours:
                report.attempt(self.at(key), partial(check, text))

    def resources(self, report: Report, facts: Facts) -> Resources | None:
        """Return what one task occupies there; `None` after a mistake, which *report* is told."""
        found = report.attempt(
            self.at("resources"), partial(resources_of, self.asked, self.facts, facts)
        )
        if found is None:
            return None
        if found.warning:
            report.warn(found.warning)
        if self.facts.slots is not None and found.cores > self.facts.slots:
            has = f"{self.name} has {self.facts.slots}"
            report.add(self.at("resources"), f"{found.cores} cores are more than there are: {has}")
        return found


def _read_clusters(report: Report, top: Section, facts: Facts) -> list[_Cluster]:
    common = read_settings(report, top)
    found = []
    for section_name, section in _sections(report, top):
        name = ClusterName(section_name)
        if report.full:
            break
        for key in section.members:
            _check_key(report, section, key)
        own = facts.clusters.get(name)
        if own is None:
            _unknown_cluster(report, section.pointer, name, facts)
            own = ClusterFacts()  # so that all else is checked too
        asked = read_settings(report, section).over(common)
        found.append(_Cluster(name=name, facts=own, asked=asked, section=section, top=top))
    return found


def _sections(report: Report, top: Section) -> Iterator[tuple[str, Section]]:
    """Yield the name and the settings of each cluster whose settings are an object."""
    clusters = top.members.get("clusters")
    at = top.at("clusters")
    if not isinstance(clusters, dict):
        why = f"must be an object, not {kind(clusters)}" if top.has("clusters") else "missing"
        report.add(at, why, _CLUSTERS_HINT)
        return
    if not clusters:
        report.add(at, "no cluster: a campaign runs on one at least", _CLUSTERS_HINT)
    for name, members in clusters.items():
        if isinstance(members, dict):
            yield name, Section(pointer=at + pointer(name), members=members)
        else:
            report.add(at + pointer(name), f"must be an object, not {kind(members)}", "write {}")


def _settings(
    cluster: _Cluster, resources: Resources, recipe: Recipe, facts: Facts
) -> ClusterSettings:
    settings = settings_of(cluster.asked, resources, facts)
    if recipe.sweep is None:
        return settings
    return attrs.evolve(
        settings,
        parameter_names=recipe.sweep.names,
        parameter_template=recipe.template,
    )


def _warn_of_unhonoured(report: Report, clusters: Sequence[_Cluster]) -> None:
    for key, why in fields.HONOURED.items():
        names = [
            cluster.name
            for cluster in clusters
            if getattr(cluster.asked, key) and key not in cluster.facts.honours
        ]
        if names:
            report.warn(f"{key}: kept, but {why} on {', '.join(names)}")


def _check_template(
    report: Report, top: Section, recipe: Recipe, clusters: Sequence[_Cluster]
) -> None:
    """Report what is wrong with a template, and warn of an axis that nothing names."""
    if recipe.sweep is None or recipe.template is None:
        return
    mistake = unknown_placeholder(recipe.template, recipe.sweep.names)
    if mistake:
        report.add(top.at("params"), str(mistake), mistake.hint)
    for cluster in clusters:
        named = {*placeholders(recipe.template), *placeholders(cluster.asked.exec_file or "")}
        silent = ", ".join(name for name in recipe.sweep.names if name not in named)
        if silent:
            report.warn(f"{silent}: neither exec_file nor params names it, so no task is given it")


def _said(max_fails: Allowance | None, tags: Sequence[str]) -> dict[str, object]:
    """Return the fields of a JDL that say what holds for a campaign as a whole."""
    said: dict[str, object] = {"tags": list(tags)} if tags else {}
    if max_fails is None:
        return said
    share = max_fails.percent
    return said | {"max_fails": max_fails.count if share is None else f"{share:.12g}%"}


def _check_key(report: Report, section: Section, key: str) -> None:
    if key in _GLOBAL:
        why = f'"{key}" is for the whole campaign'
        report.add(section.at(key), why, "put it at the top level")
    elif key not in _CLUSTER:
        _unknown_key(report, section.at(key), key, _CLUSTER)


def _unknown_cluster(report: Report, at: str, name: str, facts: Facts) -> None:
    known = sorted(facts.clusters)
    likely = suggestion(name, known)
    more = "" if len(known) <= _NAMED else f" and {len(known) - _NAMED} more"
    listed = f"the clusters are {', '.join(known[:_NAMED])}{more}"
    report.add(at, f"unknown cluster {shown(name)}", f"{likely} {listed}" if likely else listed)


def check_name(name: str) -> None:
    """
    Check a new name for a campaign.

    Raises:
        InvalidJdl: It is none.
    """
    report = Report()
    _name(report, Section(pointer="", members={"name": name}))
    report.check()
