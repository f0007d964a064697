"""The points of a sweep, as a JDL describes them: names, each with a range or an array."""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal

from cigri.domain import fields
from cigri.domain.axes import FORMS, Even, read_range
from cigri.domain.commands import MACROS, command
from cigri.domain.report import Mistake, Report, Section, Unusable, kind, pointer, shown
from cigri.domain.sweep import Axis, Sweep

#: Axes of one sweep.
_MOST = 64
#: Characters of one value; a parameter with all its values is no longer than the JDL.
_LONGEST = 32_000
#: Points that are told; beyond, only that they are more.
_COUNTED = 10**15
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_AXES_HINT = 'write {"T": "0:1:11", "seed": "1..100"}'
_TEMPLATE_HINT = 'write ["--temp {T}"]'


def read_sweep(
    report: Report, top: Section, field: str, *, zipped: bool, most: int
) -> Sweep | None:
    """
    Return the sweep that *field* describes, telling *report* of every mistake.

    More than *most* points are refused before any of them is made.
    """
    given = report.read(top, field, _axes)
    if given is None:
        return None
    found = [_axis(report, top.at(field) + pointer(name), name, given[name]) for name in given]
    axes = tuple(axis for axis in found if axis is not None)
    if len(axes) < len(given):
        return None
    sweep = Sweep(axes=axes, zipped=zipped)
    lengths = {len(axis.values) for axis in axes}
    if zipped and len(lengths) > 1:
        told = ", ".join(f"{axis.name} has {len(axis.values)}" for axis in axes)
        why = f"the axes are not of one length: {told}"
        report.add(top.at(field), why, "values go together one by one; param_grid makes a product")
    elif sweep.total > most:
        count = sweep.total if sweep.total < _COUNTED else f"over {_COUNTED}"
        report.add(top.at(field), f"{count} tasks: the limit of this server is {most}")
    return sweep


def template(value: object) -> str:
    """
    Return what is appended to the command for each point of a sweep.

    Raises:
        Mistake: It is not one text that can be split into words.
    """
    single = value[0] if isinstance(value, list) and len(value) == 1 else value
    if not isinstance(single, str):
        raise Mistake("beside a sweep this is one text for all tasks", _TEMPLATE_HINT)
    return command(single)


def _axes(value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise Mistake(f"must be an object, not {kind(value)}", _AXES_HINT)
    if not value:
        raise Mistake("empty: a sweep has one axis at least", _AXES_HINT)
    if len(value) > _MOST:
        raise Mistake(f"{len(value)} axes: the limit is {_MOST}")
    return value


def _axis(report: Report, at: str, name: str, value: object) -> Axis | None:
    if isinstance(value, Unusable):
        return None
    try:
        _check_name(name)
        values = _values(report, at, value)
    except Mistake as mistake:
        report.add(at, str(mistake), mistake.hint)
        return None
    return None if values is None else Axis(name=name, values=values)


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise Mistake(f"not a name: {shown(name)}", "letters, digits and _, no digit first")
    if name in MACROS:
        raise Mistake(f"{{{name}}} has a meaning of its own", "take another name")


def _values(report: Report, at: str, value: object) -> Sequence[str] | None:
    """Return the values of one axis; `None` when *report* was told of a wrong one."""
    if isinstance(value, str):
        return read_range(value)
    if not isinstance(value, list):
        single = isinstance(value, int | float) and not isinstance(value, bool)
        hint = f"write [{shown(value)}] for a single value" if single else None
        raise Mistake(f"must be a range or an array, not {kind(value)} ({FORMS})", hint)
    if not value:
        raise Mistake("empty: an axis has one value at least")
    texts: list[str] = []
    for index, each in enumerate(value):
        try:
            if not isinstance(each, Unusable):
                texts.append(_text(each))
        except Mistake as mistake:
            report.add(at + pointer(index), str(mistake), mistake.hint)
    return tuple(texts) if len(texts) == len(value) else None


def _text(value: object) -> str:
    if isinstance(value, bool):
        raise Mistake(f"must be a text or a number, not {kind(value)}", f'write "{kind(value)}"')
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        text = repr(value)
        return str(Even(Decimal(text), Decimal(text), 1)[0]) if "e" in text else text
    if not isinstance(value, str):
        raise Mistake(f"must be a text or a number, not {kind(value)}")
    return fields.line(value, most=_LONGEST)
