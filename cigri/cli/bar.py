"""The bar of a campaign: how many of its tasks are in each state, at a glance."""

from collections.abc import Sequence

import attrs
from rich.text import Text

from cigri.client.bodies import Counts


@attrs.frozen
class Part:
    """How the tasks in one state show: apart by colour, by sign and by order."""

    state: str
    word: str
    sign: str
    ascii_sign: str
    style: str

    def shown(self, *, plain: bool) -> str:
        """Return its sign, in ASCII if it has to be *plain*."""
        return self.ascii_sign if plain else self.sign


#: Colours that the colour-blind can tell apart.
PARTS = (
    Part("terminated", "done", "█", "#", "blue"),
    Part("running", "running", "▓", "=", "bright_cyan"),
    Part("queued", "queued", "▒", "-", "cyan"),
    Part("failed", "failed", "!", "!", "bold red"),
    Part("cancelled", "cancelled", "x", "x", "magenta"),
    Part("pending", "pending", "·", ".", "bright_black"),
)


def amounts(counts: Counts) -> list[tuple[Part, int]]:
    """Return how many tasks each part stands for."""
    return [(part, counts[part.state]) for part in PARTS]  # type: ignore[literal-required] # keys


def bar(counts: Counts, width: int, *, plain: bool = False) -> Text:
    """Return the bar, in ASCII if it has to be *plain*."""
    return drawn(amounts(counts), width, plain=plain)


def drawn(parts: Sequence[tuple[Part, int]], width: int, *, plain: bool = False) -> Text:
    """Return a bar whose parts are as wide as their numbers ask."""
    text = Text(no_wrap=True)
    for (part, _), cells in zip(parts, share([n for _, n in parts], width), strict=True):
        text.append(part.shown(plain=plain) * cells, part.style)
    return text


def share(numbers: Sequence[int], width: int) -> list[int]:
    """
    Return cells for each of *numbers*, *width* together unless all are zero.

    Whatever is not zero gets a cell, the largest pays: one failed task of a million is seen.

    >>> share([500, 0, 499, 1], 10)
    [4, 0, 5, 1]
    """
    total = sum(numbers)
    if not total:
        return [0] * len(numbers)
    cells = [number * width // total for number in numbers]
    by_remainder = sorted(range(len(numbers)), key=lambda i: -(numbers[i] * width % total))
    for place in by_remainder[: width - sum(cells)]:
        cells[place] += 1
    for place, number in enumerate(numbers):
        if number and not cells[place]:
            cells[cells.index(max(cells))] -= 1
            cells[place] = 1
    return cells


def tally(counts: Counts) -> str:
    """Return the numbers of the bar in words; states without tasks are left out, but for done."""
    named = [
        f"{part.word} {number}"
        for part, number in amounts(counts)
        if number or part.word == "done"
    ]
    return "  ".join(named)
