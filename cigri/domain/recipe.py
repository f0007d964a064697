"""The recipe of a bag of tasks: a count, an array, or lines that follow the JDL."""

import attrs
import msgspec

from cigri.domain import fields
from cigri.domain.parameters import parameter
from cigri.domain.report import Mistake, Report, Section, Unusable, kind, pointer
from cigri.domain.site import Site

#: The ways to give tasks, of which a campaign takes one.
WAYS = ("nb_jobs", "params", "param_file")

_ARRAY_HINT = 'write ["first", "second"]'


@attrs.frozen(kw_only=True)
class Recipe:
    """The tasks of a campaign; nothing is known of those that follow as lines."""

    nb_jobs: int | None = None
    #: A large array, still as text.
    text: memoryview | None = None
    #: A small one.
    values: list[object] | None = None

    @property
    def none(self) -> bool:
        """Return whether there is no task at all."""
        return self.nb_jobs == 0 or self.values == []

    @property
    def params(self) -> bytes | memoryview | None:
        """Return the array as text."""
        return self.text if self.values is None else msgspec.json.encode(self.values)


def read_recipe(
    report: Report, top: Section, array: memoryview | None, site: Site, *, lines: bool
) -> Recipe:
    """
    Return the tasks that a JDL gives.

    Args:
        report: Is told of every mistake.
        top: The JDL, without its array if that is large.
        array: The large array, if any.
        site: Knows how many tasks are too many.
        lines: Whether the parameters follow as lines.
    """
    given = [key for key in WAYS if top.has(key)]
    _check_choice(report, top, given, lines=lines)
    if "params" not in given:
        return Recipe(nb_jobs=_count(report, top, site.max_tasks))
    if array is not None:
        return Recipe(text=report.read(top, "params", lambda _: _check_text(array)))
    return Recipe(values=_elements(report, top, site.max_tasks))


def _check_choice(report: Report, top: Section, given: list[str], *, lines: bool) -> None:
    """Tell when the tasks are not given in exactly one way."""
    first = "the lines that follow" if lines else f'"{given[0]}"' if given else ""
    for key in given if lines else given[1:]:
        if key != "param_file":
            report.add(top.at(key), f"the tasks are given twice: see {first}", "keep one of them")
    if lines:
        report.read(top, "param_file", fields.path)
        return
    if "param_file" in given:
        hint = "`cigri sub` reads the file and sends its lines; or put them into params"
        report.add(top.at("param_file"), "the server does not open the files of its clients", hint)
    if not given and str(top.members.get("jobs_type")).lower() != fields.DESKTOP:
        report.add("", "no tasks", f"give one of {', '.join(WAYS)}")


def _count(report: Report, top: Section, most: int) -> int | None:
    count = report.read(top, "nb_jobs", fields.nb_jobs)
    if count is not None and count > most:
        report.add(top.at("nb_jobs"), f"{count} tasks: the limit of this server is {most}")
    return count


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
