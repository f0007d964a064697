"""Parameter sweeps: the points of a product or of columns side by side, made one at a time."""

import json
import shlex
from collections.abc import Mapping, Sequence
from math import prod
from typing import Self

import attrs

from cigri.domain.axes import Range, read_range

#: The fields of a JDL that describe a sweep, and whether their axes go together.
FORMS: Mapping[str, bool] = {"param_grid": False, "param_zip": True}


@attrs.frozen(kw_only=True)
class Axis:
    """The values of one named parameter: a list, or a range of which only the ends are kept."""

    name: str
    values: Sequence[str]


@attrs.frozen(kw_only=True)
class Sweep:
    """
    The points of some axes.

    The last axis changes quickest, as if the first were the outermost loop.  Nothing is kept but
    the axes, so a billion points cost as little as two.

    >>> sweep = Sweep.from_text('{"param_grid": {"T": "0:1:3", "seed": ["a b", "7"]}}')
    >>> sweep.total, sweep.point(2), sweep.parameter(2)
    (6, ('0.5', 'a b'), "0.5 'a b'")
    """

    axes: tuple[Axis, ...]
    #: Axes whose values go together, one by one, instead of each with each.
    zipped: bool = False

    @property
    def total(self) -> int:
        """Return the number of points."""
        lengths = [len(axis.values) for axis in self.axes]
        return min(lengths) if self.zipped else prod(lengths)

    @property
    def names(self) -> tuple[str, ...]:
        """Return what the words of each parameter are called."""
        return tuple(axis.name for axis in self.axes)

    def point(self, number: int) -> tuple[str, ...]:
        """Return the values of point *number*, from 0, in the order of the axes."""
        if self.zipped:
            return tuple(axis.values[number] for axis in self.axes)
        found = []
        for axis in reversed(self.axes):
            number, place = divmod(number, len(axis.values))
            found.append(axis.values[place])
        return tuple(reversed(found))

    def parameter(self, number: int) -> str:
        """Return the parameter of task *number*: the line whose words are its point."""
        return shlex.join(self.point(number))

    def jdl(self) -> dict[str, object]:
        """Return the field of a JDL that describes the sweep, ranges as short as they were."""
        field = next(name for name, zipped in FORMS.items() if zipped is self.zipped)
        return {
            field: {
                axis.name: str(axis.values)
                if isinstance(axis.values, Range)
                else list(axis.values)
                for axis in self.axes
            }
        }

    def to_text(self) -> str:
        """Return the sweep as JSON, for `from_text`."""
        return json.dumps(self.jdl(), ensure_ascii=False)

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Return the sweep that `to_text` wrote."""
        ((field, axes),) = json.loads(text).items()
        return cls(
            axes=tuple(
                Axis(
                    name=name, values=read_range(given) if isinstance(given, str) else tuple(given)
                )
                for name, given in axes.items()
            ),
            zipped=FORMS[field],
        )
