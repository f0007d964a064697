"""The recipe of a bag of tasks: a count, an array, a sweep, or lines from elsewhere."""

import attrs
import msgspec

from cigri.domain import commands, fields, points, sweep
from cigri.domain.facts import Facts
from cigri.domain.model import JobsType
from cigri.domain.parameters import parameter
from cigri.domain.report import Mistake, Report, Section, Unusable, kind, pointer
from cigri.domain.sweep import Sweep

#: The ways to give tasks, of which a campaign takes one; beside a sweep, `params` is a template.
WAYS = ("nb_jobs", "params", "param_file", *sweep.FORMS)

_ARRAY_HINT = 'write ["first", "second"]'
_ENDLESS_HINT = "nb_jobs may say how often the command is run; without it, until it is stopped"


@attrs.frozen(kw_only=True)
class Recipe:
    """The tasks of a campaign; nothing is known of those that follow as lines."""

    nb_jobs: int | None = None
    #: A large array, still as text.
    text: memoryview | None = None
    #: A small one.
    values: list[object] | None = None
    param_file: str | None = None
    sweep: Sweep | None = None
    #: What is appended to the command for each point of the sweep.
    template: str | None = None

    @property
    def none(self) -> bool:
        """Return whether there is no task at all."""
        return self.nb_jobs == 0 or self.values == []

    @property
    def params(self) -> bytes | memoryview | None:
        """Return the array as text."""
        return self.text if self.values is None else msgspec.json.encode(self.values)

    def jdl(self) -> dict[str, object]:
        """Return the fields of a JDL that say the same, but for an array of parameters."""
        said: dict[str, object] = {} if self.nb_jobs is None else {"nb_jobs": self.nb_jobs}
        said |= {} if self.sweep is None else self.sweep.jdl()
        return said if self.template is None else said | {"params": [self.template]}


@attrs.frozen(kw_only=True)
class Source:
    """Where the tasks of a campaign come from, beside its JDL."""

    #: The array of its parameters, if that is large.
    array: memoryview | None = None
    #: Whether they follow as lines.
    lines: bool = False
    jobs_type: JobsType = JobsType.NORMAL


def read_recipe(report: Report, top: Section, source: Source, facts: Facts) -> Recipe:
    """Return the tasks that a JDL gives, telling *report* of every mistake."""
    given = [key for key in WAYS if top.has(key)]
    _check_choice(report, top, given, source)
    for field, zipped in sweep.FORMS.items():
        if field in given:
            found = points.read_sweep(report, top, field, zipped=zipped, most=facts.max_tasks)
            return Recipe(sweep=found, template=_template(report, top, source))
    if "params" in given:
        if source.array is not None:
            array = source.array
            return Recipe(text=report.read(top, "params", lambda _: _check_text(array)))
        return Recipe(values=_elements(report, top, facts.max_tasks))
    if "param_file" in given and not source.lines:
        return Recipe(param_file=report.read(top, "param_file", commands.file))
    return Recipe(nb_jobs=_count(report, top, facts.max_tasks))


def _check_choice(report: Report, top: Section, given: list[str], source: Source) -> None:
    """Tell when the tasks are not given in exactly one way."""
    if source.jobs_type is JobsType.DESKTOP_COMPUTING:
        _check_endless(report, top, given, source)
        return
    swept = any(key in sweep.FORMS for key in given)
    ways = [key for key in given if not (swept and key == "params")]
    if source.lines:
        report.read(top, "param_file", commands.path)
        ways = ["the lines that follow", *(key for key in given if key != "param_file")]
    for key in ways[1:]:
        first = ways[0] if source.lines else f'"{ways[0]}"'
        report.add(top.at(key), f"the tasks are given twice: see {first}", "keep one of them")
    if not ways:
        report.add("", "no tasks", f"give one of {', '.join(WAYS)}")


def _check_endless(report: Report, top: Section, given: list[str], source: Source) -> None:
    why = "the tasks of a desktop_computing campaign have no parameters"
    for key in given:
        if key != "nb_jobs":
            report.add(top.at(key), why, _ENDLESS_HINT)
    if source.lines:
        report.add(top.at("jobs_type"), f"{why}, and lines follow", _ENDLESS_HINT)


def _count(report: Report, top: Section, most: int) -> int | None:
    count = report.read(top, "nb_jobs", fields.nb_jobs)
    if count is not None and count > most:
        report.add(top.at("nb_jobs"), f"{count} tasks: the limit of this server is {most}")
    return count


def _template(report: Report, top: Section, source: Source) -> str | None:
    # A large array is not one text.
    return report.read(top, "params", lambda value: points.template(source.array or value))


def _check_text(array: memoryview) -> memoryview:
    if bytes(array[:1]) != b"[":
        raise Mistake("must be an array", _ARRAY_HINT)
    return array


def _elements(report: Report, top: Section, most: int) -> list[object] | None:
    """Return the array that was read with the rest, after a look at each element."""
    values = report.read(top, "params", _array)
    if values is None:
        return None
    if len(values) > most:
        report.add(top.at("params"), f"{len(values)} tasks: the limit of this server is {most}")
    for index, value in enumerate(values):
        try:
            if not isinstance(value, Unusable):
                parameter(value)
        except Mistake as mistake:
            report.add(top.at("params") + pointer(index), str(mistake), mistake.hint)
            if report.full:
                break
    return values


def _array(value: object) -> list[object]:
    if not isinstance(value, list):
        raise Mistake(f"must be an array, not {kind(value)}", _ARRAY_HINT)
    return value
