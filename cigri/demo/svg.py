"""The little of SVG that a plot needs: a panel with two axes, curves, points and words."""

import math
from collections.abc import Iterable, Iterator, Sequence
from xml.sax.saxutils import escape

import attrs

INK = "#222222"
GREY = "#8a8a8a"
GRID = "#e6e6e6"

Point = tuple[float, float]


@attrs.frozen(kw_only=True)
class Panel:
    """A rectangle of the picture, and the ranges of the two quantities that it shows."""

    left: float
    top: float
    width: float
    height: float
    x_range: Point
    y_range: Point

    def at(self, point: Point) -> Point:
        """Return where *point* lies in the picture."""
        (x0, x1), (y0, y1) = self.x_range, self.y_range
        x = self.left + (point[0] - x0) / (x1 - x0) * self.width
        y = self.top + (y1 - point[1]) / (y1 - y0) * self.height
        return round(x, 2), round(y, 2)

    def axes(self, x_label: str, y_label: str) -> Iterator[str]:
        """Yield frame, grid, ticks and labels."""
        right, bottom = self.left + self.width, self.top + self.height
        for value, label in ticks(self.x_range):
            x, _ = self.at((value, self.y_range[0]))
            yield line((x, self.top), (x, bottom), GRID)
            yield text((x, bottom + 17), label, anchor="middle")
        for value, label in ticks(self.y_range):
            _, y = self.at((self.x_range[0], value))
            yield line((self.left, y), (right, y), GRID)
            yield text((self.left - 7, y + 4), label, anchor="end")
        yield (
            f'<rect x="{self.left}" y="{self.top}" width="{self.width}" height="{self.height}"'
            f' fill="none" stroke="{GREY}"/>'
        )
        yield text((self.left + self.width / 2, bottom + 38), x_label, anchor="middle")
        yield text((self.left, self.top - 10), y_label, weight="bold")

    def curve(self, points: Iterable[Point], colour: str, *, width: float = 2) -> str:
        """Return a line through *points*."""
        way = " ".join(f"{x},{y}" for x, y in map(self.at, points))
        return (
            f'<polyline points="{way}" fill="none" stroke="{colour}" stroke-width="{width}"'
            ' stroke-linejoin="round"/>'
        )

    def dots(self, points: Iterable[Point], colour: str) -> str:
        """Return a dot at each of *points*, through which others can be seen."""
        circles = "".join(f'<circle cx="{x}" cy="{y}" r="3"/>' for x, y in map(self.at, points))
        return f'<g fill="{colour}" fill-opacity="0.45">{circles}</g>'

    def mark(self, value: float, label: str, colour: str) -> Iterator[str]:
        """Yield a dashed line at *value* of the horizontal axis, with its name."""
        x, top = self.at((value, self.y_range[1]))
        yield line((x, top), (x, top + self.height), colour, dashed=True)
        yield text((x + 6, top + 16), label, colour=colour)


def ticks(range_: Point, about: int = 5) -> list[tuple[float, str]]:
    """Return round numbers that divide a range, as values and as words.

    >>> ticks((-1, 0.2), 3)
    [(-1.0, '−1.0'), (-0.5, '−0.5'), (0.0, '0.0')]
    """
    low, high = range_
    rough = (high - low) / about
    power = math.floor(math.log10(rough))
    step = next(s for s in (10.0**power * f for f in (1, 2, 5, 10)) if s >= rough * 0.999)
    digits = max(0, -math.floor(math.log10(step)))
    counts = range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)
    values = [round(count * step, digits) for count in counts]
    return [(value, f"{value:.{digits}f}".replace("-", "\N{MINUS SIGN}")) for value in values]


def line(start: Point, end: Point, colour: str, *, dashed: bool = False, width: float = 1) -> str:
    """Return a straight line."""
    dash = ' stroke-dasharray="5 4"' if dashed else ""
    return (
        f'<line x1="{start[0]}" y1="{start[1]}" x2="{end[0]}" y2="{end[1]}"'
        f' stroke="{colour}" stroke-width="{width}"{dash}/>'
    )


def text(
    at: Point,
    words: str,
    *,
    anchor: str = "start",
    colour: str = INK,
    size: int = 13,
    weight: str = "normal",
) -> str:
    """Return *words*; `_` sets the character after it lower, as in T_c."""
    runs = escape(words).split("_")
    body = runs[0] + "".join(
        f'<tspan dy="3" font-size="75%">{run[0]}</tspan><tspan dy="-3">{run[1:]}</tspan>'
        for run in runs[1:]
    )
    return (
        f'<text x="{at[0]}" y="{at[1]}" text-anchor="{anchor}" fill="{colour}"'
        f' font-size="{size}" font-weight="{weight}" xml:space="preserve">{body}</text>'
    )


def document(width: int, height: int, title: str, parts: Sequence[str]) -> str:
    """Return the whole picture."""
    return "\n".join(
        [
            (
                f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"'
                f' width="{width}" height="{height}" role="img"'
                ' font-family="Helvetica, Arial, sans-serif">'
            ),
            f"<title>{escape(title)}</title>",
            '<rect width="100%" height="100%" fill="#ffffff"/>',
            *parts,
            "</svg>\n",
        ]
    )
