"""The cluster settings of a JDL: what is asked for all clusters, and for one of them."""

from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from cigri.domain import commands, fields
from cigri.domain.facts import ClusterFacts, Dialect, Facts
from cigri.domain.model import CampaignType, ClusterSettings, TestMode
from cigri.domain.oar_request import parse_oar
from cigri.domain.report import Report, Section
from cigri.domain.resources import Resources, parse_resources, resources_text
from cigri.domain.walltime import parse_walltime, two_readings, walltime_text

#: Settings whose values the expanded JDL says even where nobody asked.
_ALWAYS = ("type", "walltime", "exec_file", "exec_directory", "resources")
#: Settings that other fields of a JDL say.
_ELSEWHERE = ("cores", "parameter_names", "parameter_template")
_WALLTIMES = ("walltime", "prologue_walltime", "epilogue_walltime")


@attrs.frozen(kw_only=True)
class Asked:
    """What one section of a JDL asks for; `None` where it does not say."""

    type: CampaignType | None
    walltime: float | None
    exec_file: str | None
    exec_directory: str | None
    #: As it was written: how it is read depends on the cluster.
    resources: str | None
    properties: str | None
    project: str | None
    cluster_job_type: str | None
    prologue: tuple[str, ...] | None
    epilogue: tuple[str, ...] | None
    prologue_walltime: float | None
    epilogue_walltime: float | None
    output_gathering_method: str | None
    output_file: str | None
    output_destination: str | None
    dimensional_grouping: bool | None
    temporal_grouping: bool | None
    #: Empty for none.
    checkpointing_type: str | None
    test_mode: TestMode | None
    max_jobs: int | None
    retries: int | None
    env: Mapping[str, str] | None

    def over(self, other: "Asked") -> "Asked":
        """Return what both ask for; where they differ, what this one does."""
        both = {**(other.env or {}), **(self.env or {})}
        return attrs.evolve(other, **_given(self) | {"env": both})


def read_settings(report: Report, section: Section) -> Asked:
    """Return what a section asks for, telling *report* what is wrong or deserves a word."""
    _refuse_not_yet(report, section)
    asked = Asked(
        type=report.read(section, "type", fields.campaign_type),
        walltime=report.read(section, "walltime", parse_walltime),
        exec_file=report.read(section, "exec_file", commands.command),
        exec_directory=report.read(section, "exec_directory", commands.directory),
        resources=report.read(section, "resources", resources_text),
        properties=report.read(section, "properties", fields.words),
        project=report.read(section, "project", fields.words),
        cluster_job_type=report.read(section, "cluster_job_type", fields.words),
        prologue=report.read(section, "prologue", commands.script),
        epilogue=report.read(section, "epilogue", commands.script),
        prologue_walltime=report.read(section, "prologue_walltime", _step_walltime),
        epilogue_walltime=report.read(section, "epilogue_walltime", _step_walltime),
        output_gathering_method=report.read(section, "output_gathering_method", fields.output),
        output_file=report.read(section, "output_file", fields.output),
        output_destination=report.read(section, "output_destination", fields.output),
        dimensional_grouping=report.read(section, "dimensional_grouping", fields.switch),
        temporal_grouping=report.read(section, "temporal_grouping", fields.switch),
        checkpointing_type=report.read(section, "checkpointing_type", fields.checkpointing),
        test_mode=report.read(section, "test_mode", fields.test_mode),
        max_jobs=report.read(section, "max_jobs", fields.max_jobs),
        retries=report.read(section, "retries", fields.retries),
        env=report.read(section, "env", commands.environment),
    )
    for text in _surprises(section, asked):
        report.warn(text)
    return asked


def resources_of(asked: Asked, cluster: ClusterFacts, facts: Facts) -> Resources:
    """
    Return the resources of one task, as a cluster of that kind reads them.

    Raises:
        Mistake: It cannot be asked for them.
    """
    text = facts.default_resources if asked.resources is None else asked.resources
    if cluster.dialect is Dialect.OAR:
        return parse_oar(text, cluster.cores_per_node)
    return parse_resources(text)


def settings_of(asked: Asked, resources: Resources, facts: Facts) -> ClusterSettings:
    """Return what is asked of one cluster, with defaults where nothing is said."""
    kept = {key: value for key, value in _given(asked).items() if key not in fields.OUTPUT}
    kept |= {"resources": resources.text, "cores": resources.cores}
    defaults: dict[str, Any] = {"exec_file": "", "walltime": facts.default_walltime}
    settings = ClusterSettings(**{**defaults, **kept})
    # An empty text says that a common setting does not hold for this cluster.
    return attrs.evolve(settings, checkpointing_type=settings.checkpointing_type or None)


def expanded(asked: Asked, settings: ClusterSettings) -> dict[str, object]:
    """Return the settings of one cluster as a JDL says them in full."""
    outputs = {key: value for key, value in _given(asked).items() if key in fields.OUTPUT}
    full = {
        field.name: value
        for field in attrs.fields(ClusterSettings)
        if (value := getattr(settings, field.name)) != _default(field) or field.name in _ALWAYS
    }
    for key in _ELSEWHERE:
        full.pop(key, None)
    full |= {key: walltime_text(full[key]) for key in _WALLTIMES if key in full}
    full |= {key: list(full[key]) for key in ("prologue", "epilogue") if key in full}
    if "test_mode" in full:
        full["test_mode"] = settings.test_mode is TestMode.THEN_WAIT or settings.test_mode.value
    return full | {"type": settings.type.value} | outputs


def _default(field: "attrs.Attribute[Any]") -> object:
    return {} if field.name == "env" else field.default


def _step_walltime(value: object) -> float | None:
    return None if fields.means_nothing(value) else parse_walltime(value)


def _refuse_not_yet(report: Report, section: Section) -> None:
    for key, value in section.members.items():
        if key in fields.NOT_YET and not fields.means_nothing(value):
            report.add(section.at(key), f'"{key}": {fields.NOT_YET[key]}', "leave it out")


def _surprises(section: Section, asked: Asked) -> Iterator[str]:
    """Say what was understood where a user may have meant something else."""
    for key in _WALLTIMES:
        text, seconds = section.members.get(key), getattr(asked, key)
        if seconds and isinstance(text, str) and two_readings(text):
            yield f"{key} {text.strip()} is {walltime_text(seconds)}: hours and minutes"
    variable = commands.variable(asked.exec_file or "")
    if variable:
        yield (
            f"exec_file: {variable} stays as it is, as no shell reads it; "
            "only ~, $HOME, {HOME} and {CAMPAIGN_ID} are replaced"
        )
    kept = ", ".join(key for key in fields.OUTPUT if key in _given(asked))
    if kept:
        yield f"{kept}: kept, but outputs are not gathered yet: they stay where they are"


def _given(values: attrs.AttrsInstance) -> dict[str, Any]:
    members = attrs.asdict(values, recurse=False)
    return {key: value for key, value in members.items() if value is not None}
