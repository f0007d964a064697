"""Campaign descriptions from what a Python program has at hand: lists, ranges, arrays."""

import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from cigri.errors import InvalidJdl

#: One parameter: a text, which is split into words, a number, or the words themselves.
Parameter = str | float | Sequence[object]
#: The values along one axis of a sweep: a range, an array, or a text such as `0:1:11`.
Axes = Mapping[str, object]


@attrs.frozen
class Composed:
    """What is to be submitted."""

    jdl: dict[str, object]
    #: Parameters that are sent as lines after it, read as they are asked for.
    lines: Iterable[str | bytes] | None = None
    #: The names of the words of a parameter, if it is a point of a sweep.
    names: tuple[str, ...] = ()


def compose(
    command: str | Sequence[str] | Mapping[str, object],
    *,
    params: object = None,
    grid: Axes | None = None,
    together: Axes | None = None,
    clusters: str | Iterable[str] | Mapping[str, object] | None = None,
    fields: Mapping[str, object],
) -> Composed:
    """
    Return what the arguments of `submit` describe.

    >>> composed = compose("run.sh", grid={"T": [0.5, 1], "seed": range(3)}, fields={})
    >>> composed.jdl["param_grid"]
    {'T': ['0.5', '1'], 'seed': '0..2'}
    >>> composed.jdl["name"], composed.names
    ('run', ('T', 'seed'))

    Raises:
        InvalidJdl: They contradict each other.
    """
    jdl = _head(command)
    given = {"param_grid": grid, "param_zip": together}
    sweeps = {name: axes for name, axes in given.items() if axes is not None}
    for name, axes in sweeps.items():
        jdl[name] = {axis: _values(values) for axis, values in axes.items()}
    if clusters is not None:
        jdl["clusters"] = _clusters(clusters)
    jdl |= {name: value for name, value in fields.items() if value is not None}
    names = tuple(str(axis) for axes in sweeps.values() for axis in axes)
    lines = _add_parameters(jdl, params, swept=bool(sweeps))
    return Composed(jdl, lines, names)


def parameters(params: Iterable[object]) -> list[str | list[str]]:
    """
    Return parameters as JSON has them.

    >>> parameters(["a b", 3, ("exactly", "these words")])
    ['a b', '3', ['exactly', 'these words']]
    """
    return [_parameter(each) for each in params]


def _head(command: str | Sequence[str] | Mapping[str, object]) -> dict[str, object]:
    if isinstance(command, Mapping):
        return dict(command)
    text = command if isinstance(command, str) else shlex.join(map(str, command))
    words = text.split(maxsplit=1)
    return {"name": Path(words[0]).stem if words else "campaign", "exec_file": text}


def _add_parameters(
    jdl: dict[str, object], params: object, *, swept: bool
) -> Iterable[str | bytes] | None:
    """Add *params* to a description, or return them as lines."""
    if params is None:
        return None
    if isinstance(params, str):
        if not swept:
            detail = f"one text where a list of parameters is expected: {params!r}"
            raise InvalidJdl.at("/params", detail, "write a list, even of one parameter")
        jdl["params"] = [params]
    elif isinstance(params, int):
        jdl["nb_jobs"] = params
    elif isinstance(params, Path):
        return _lines_of(params)
    elif isinstance(params, Iterator):
        return map(_line, params)
    elif isinstance(params, Iterable) and not isinstance(params, Mapping | bytes):
        jdl["params"] = parameters(params)
    else:
        raise InvalidJdl.at("/params", f"no list of parameters: {params!r}")
    return None


def _lines_of(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        for line in file:
            yield line.rstrip(b"\r\n") + b"\n"


def _line(parameter: object) -> str:
    """
    Return a parameter as a line.

    Raises:
        InvalidJdl: It has several.
    """
    text = _text(parameter)
    if "\n" in text:
        raise InvalidJdl.at("/params", f"a line end in {text!r}")
    return text


def _clusters(clusters: str | Iterable[str] | Mapping[str, object]) -> dict[str, object]:
    if isinstance(clusters, Mapping):
        return dict(clusters)
    names = [clusters] if isinstance(clusters, str) else clusters
    return {name: {} for name in names}


def _values(values: object) -> str | list[str]:
    """Return the values of an axis; those of a range are not written out."""
    if isinstance(values, str):
        return values
    if isinstance(values, range) and values.step == 1 and len(values) > 1:
        return f"{values[0]}..{values[-1]}"
    if not isinstance(values, Iterable):
        return [_text(values)]
    return [_text(each) for each in values]


def _parameter(value: object) -> str | list[str]:
    plain = _plain(value)
    if isinstance(plain, list | tuple):
        return [_text(word) for word in plain]
    return str(plain)


def _text(value: object) -> str:
    return str(_plain(value))


def _plain(value: object) -> Any:  # noqa: ANN401 - a value of Python's own, whatever it is
    """Return the value that one of numpy's stands for."""
    convert = getattr(value, "tolist", None)
    return value if convert is None else convert()
