"""What the options of `sub` and `run` change in the description of a campaign."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import asyncclick
import attrs

#: All ways to say what the parameters are; one given as an option stands for all of the file's.
WAYS = ("nb_jobs", "params", "param_file", "param_grid", "param_zip")

_AXIS = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.*)", re.ASCII | re.DOTALL)
#: `1..100` and `0:9.9:100`: the server knows what they mean.
_RANGE = re.compile(r"[^,]+(\.\.[^,]+|:[^,]+:[^,]+)")


@attrs.frozen
class Changes:
    """What to change."""

    #: The values of each name: each with each, or side by side.
    grid: Mapping[str, object] = attrs.field(factory=dict)
    zipped: Mapping[str, object] = attrs.field(factory=dict)
    tags: tuple[str, ...] = ()
    test: bool = False

    def applied(self, text: bytes) -> bytes:
        """
        Return the description *text* with the changes; one that is no JSON comes as it is.

        What is wrong with it, the server says better.
        """
        if self == NO_CHANGES:
            return text
        try:
            jdl = json.loads(text)
        except ValueError:
            return text
        if not isinstance(jdl, dict):
            return text
        return json.dumps(self._changed(jdl)).encode()

    def _changed(self, jdl: dict[str, Any]) -> dict[str, Any]:
        if self.grid or self.zipped:
            jdl = {name: value for name, value in jdl.items() if name.lower() not in WAYS}
        for field, axes in (("param_grid", self.grid), ("param_zip", self.zipped)):
            if axes:
                jdl[field] = dict(axes)
        if self.tags:
            tags = jdl.get("tags", [])
            jdl["tags"] = [*tags, *self.tags] if isinstance(tags, list) else tags
        if self.test:
            jdl["test_mode"] = True
            _drop_from_clusters(jdl, "test_mode")
        return jdl


NO_CHANGES = Changes()


def _drop_from_clusters(jdl: dict[str, Any], field: str) -> None:
    clusters = jdl.get("clusters")
    if isinstance(clusters, dict):
        for settings in clusters.values():
            if isinstance(settings, dict):
                settings.pop(field, None)


def axis(text: str) -> tuple[str, object]:
    """
    Return the name and the values of `NAME=VALUES`: a range as it is, else a list.

    >>> axis("T=0:9.9:100"), axis("seed=1..100"), axis("model=a,b")
    (('T', '0:9.9:100'), ('seed', '1..100'), ('model', ['a', 'b']))

    An empty value alone is written `""`: mostly, a variable of the shell was empty.

    >>> axis('suffix=""')
    ('suffix', [''])

    Raises:
        ValueError: It is no such text, or has no values.
    """
    found = _AXIS.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is not NAME=VALUES, as in T=0:9.9:100, seed=1..100 or m=a,b")
    name, values = found.groups()
    if not values:
        raise ValueError(f"{name} has no values: give some, or {name}='\"\"' for an empty one")
    if _RANGE.fullmatch(values):
        return name, values
    return name, ["" if value == '""' else value for value in values.split(",")]


def axes(texts: Sequence[str]) -> dict[str, object]:
    """
    Return the values of each name.

    Raises:
        ValueError: One is no axis, or a name is there twice.
    """
    found: dict[str, object] = {}
    for name, values in map(axis, texts):
        if name in found:
            raise ValueError(f"{name} is given twice")
        found[name] = values
    return found


def divided(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """
    Return which of *words* are axes, and which are not.

    Options take one word each, so those after the first of `--grid A=1..3 B=1..3` come here.

    >>> divided(["visc.json", "B=1..3"])
    (['B=1..3'], ['visc.json'])
    """
    are = [_AXIS.fullmatch(word) is not None for word in words]
    return (
        [word for word, is_axis in zip(words, are, strict=True) if is_axis],
        [word for word, is_axis in zip(words, are, strict=True) if not is_axis],
    )


def amending(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that change a description."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


_OPTIONS = (
    asyncclick.option(
        "--grid",
        multiple=True,
        metavar="NAME=VALUES ...",
        help="Run each value with each: T=0:9.9:100 seed=1..100 model=a,b.",
    ),
    asyncclick.option(
        "--zip", "zipped", multiple=True, metavar="NAME=VALUES ...", help="The same, side by side."
    ),
    asyncclick.option(
        "--tag", "tags", multiple=True, metavar="WORD", help="Find it again by this word."
    ),
    asyncclick.option(
        "--test", is_flag=True, help="Run one task per cluster, then wait for `cigri go`."
    ),
)


def understood(
    words: Sequence[str],
    *,
    grid: Sequence[str],
    zipped: Sequence[str],
    tags: Sequence[str],
    test: bool,
) -> tuple[str, Changes]:
    """
    Return the file that *words* name, and what the options change.

    Raises:
        UsageError: There is not one file, or an axis is none.
    """
    if grid and zipped:
        raise asyncclick.UsageError("give --grid or --zip: each with each, or side by side")
    more, files = divided(words) if grid or zipped else ([], list(words))
    if len(files) != 1:
        said = "no file" if not files else f"{len(files)} files ({', '.join(files)})"
        raise asyncclick.UsageError(f"give one file that describes the campaign, not {said}")
    try:
        return files[0], Changes(
            grid=axes([*grid, *more]) if grid else {},
            zipped=axes([*zipped, *more]) if zipped else {},
            tags=tuple(tags),
            test=test,
        )
    except ValueError as error:
        raise asyncclick.UsageError(f"--{'grid' if grid else 'zip'}: {error}") from error
