"""The cluster settings of a JDL: what is asked for all clusters, and for one of them."""

from collections.abc import Iterator
from typing import Any

import attrs

from cigri.domain import fields
from cigri.domain.model import CampaignType, ClusterSettings
from cigri.domain.report import Report, Section
from cigri.domain.resources import Resources, parse_resources
from cigri.domain.site import Site
from cigri.domain.walltime import parse_walltime, two_readings, walltime_text


@attrs.frozen(kw_only=True)
class Asked:
    """What one section of a JDL asks for; `None` where it does not say."""

    type: CampaignType | None
    walltime: float | None
    exec_file: str | None
    exec_directory: str | None
    resources: Resources | None
    max_jobs: int | None
    output_gathering_method: str | None
    output_file: str | None
    output_destination: str | None

    def over(self, other: "Asked") -> "Asked":
        """Return what both ask for; where they differ, what this one does."""
        return attrs.evolve(other, **_given(self))


def read_settings(report: Report, section: Section) -> Asked:
    """Return what a section asks for, telling *report* what is wrong or deserves a word."""
    _refuse_not_yet(report, section)
    asked = Asked(
        type=report.read(section, "type", fields.campaign_type),
        walltime=report.read(section, "walltime", parse_walltime),
        exec_file=report.read(section, "exec_file", fields.command),
        exec_directory=report.read(section, "exec_directory", fields.directory),
        resources=report.read(section, "resources", parse_resources),
        max_jobs=report.read(section, "max_jobs", fields.max_jobs),
        output_gathering_method=report.read(section, "output_gathering_method", fields.output),
        output_file=report.read(section, "output_file", fields.output),
        output_destination=report.read(section, "output_destination", fields.output),
    )
    for text in _surprises(section, asked):
        report.warn(text)
    return asked


def settings_of(asked: Asked, site: Site) -> ClusterSettings:
    """Return what is asked of one cluster, with the site's defaults where nothing is said."""
    resources = asked.resources or parse_resources(site.default_resources)
    return ClusterSettings(
        exec_file=asked.exec_file or "",
        exec_directory=asked.exec_directory or "$HOME",
        walltime=asked.walltime or site.default_walltime,
        type=asked.type or CampaignType.BEST_EFFORT,
        resources=resources.text,
        cores=resources.cores,
        max_jobs=asked.max_jobs,
    )


def expanded(asked: Asked, settings: ClusterSettings) -> dict[str, object]:
    """Return the settings of one cluster as a JDL says them in full."""
    kept = {key: value for key, value in _given(asked).items() if key in fields.OUTPUT}
    full = _given(settings) | kept
    full |= {"type": settings.type.value, "walltime": walltime_text(settings.walltime)}
    del full["cores"]  # `resources` says it
    return full


def _refuse_not_yet(report: Report, section: Section) -> None:
    for key, value in section.members.items():
        if key in fields.NOT_YET and not fields.means_nothing(value):
            report.add(section.at(key), f'"{key}": {fields.NOT_YET[key]}', "leave it out")


def _surprises(section: Section, asked: Asked) -> Iterator[str]:
    """Say what was understood where a user may have meant something else."""
    walltime = section.members.get("walltime")
    if asked.walltime and isinstance(walltime, str) and two_readings(walltime):
        yield f"walltime {walltime.strip()} is {walltime_text(asked.walltime)}: hours and minutes"
    if asked.resources and asked.resources.warning:
        yield asked.resources.warning
    variable = fields.variable(asked.exec_file or "")
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
