"""The picture of the demonstration: what the tasks measured beside what is known exactly."""

from collections.abc import Callable, Iterator, Sequence

from cigri.demo import onsager
from cigri.demo.gather import Measurement, mean_curve
from cigri.demo.ising import HEIGHT, WIDTH
from cigri.demo.svg import GREY, INK, Panel, Point, document, line, text

BLUE = "#0072b2"
RED = "#d55e00"
SIZE = (1200, 460)
PANEL_WIDTH = 310
GAP = 75
MARGIN = 60


def picture(measurements: Sequence[Measurement]) -> str:
    """Return the SVG text: magnetisation, energy and susceptibility against temperature."""
    temperatures = sorted({one.temperature for one in measurements})
    span = (temperatures[0] - 0.05, temperatures[-1] + 0.05)
    highest = max(one.susceptibility for one in measurements)
    seeds = len({one.seed for one in measurements})
    title = (
        f"Two-dimensional Ising model, {WIDTH} × {HEIGHT} spins:"
        f" {len(temperatures)} temperatures × {seeds} seeds"
    )
    parts = [
        text((MARGIN, 34), title, size=18, weight="bold"),
        *_legend(),
        *_panel(measurements, "magnetisation", _place(0, span, (0, 1.05)), onsager.magnetisation),
        *_panel(measurements, "energy", _place(1, span, (-2.05, -0.4)), onsager.energy),
        *_panel(measurements, "susceptibility", _place(2, span, (0, highest * 1.2)), None),
    ]
    return document(*SIZE, title, parts)


LABELS = {
    "magnetisation": "magnetisation |m| per spin",
    "energy": "energy per spin / J",
    "susceptibility": "susceptibility χ per spin × J",
}


def _place(number: int, x_range: Point, y_range: Point) -> Panel:
    return Panel(
        left=MARGIN + number * (PANEL_WIDTH + GAP),
        top=112,
        width=PANEL_WIDTH,
        height=280,
        x_range=x_range,
        y_range=y_range,
    )


def _panel(
    measurements: Sequence[Measurement],
    name: str,
    panel: Panel,
    exact: Callable[[float], float] | None,
) -> Iterator[str]:
    yield from panel.axes("temperature T / (J/k)", LABELS[name])
    yield from panel.mark(onsager.CRITICAL, f"T_c = {onsager.CRITICAL:.3f}", RED)
    if exact is None:
        yield panel.curve(mean_curve(measurements, name), BLUE, width=1.5)
    else:
        yield panel.curve(((t, exact(t)) for t in _fine(panel.x_range)), INK)
    yield panel.dots(((one.temperature, getattr(one, name)) for one in measurements), BLUE)


def _fine(span: Point) -> list[float]:
    """Return many temperatures of *span*, the critical one among them: curves are steep there."""
    low, high = span
    even = [low + (high - low) * step / 400 for step in range(401)]
    near = [onsager.CRITICAL - 2.0**-power for power in range(6, 40)]
    return sorted([*even, *near, onsager.CRITICAL])


def _legend() -> Iterator[str]:
    x, y = MARGIN, 62
    yield f'<circle cx="{x + 12}" cy="{y - 4}" r="3" fill="{BLUE}" fill-opacity="0.6"/>'
    yield text((x + 28, y), "one task")
    yield line((x + 120, y - 4), (x + 146, y - 4), INK, width=2)
    yield text((x + 154, y), "Onsager's exact solution (infinite lattice)")
    yield line((x + 470, y - 4), (x + 496, y - 4), BLUE, width=1.5)
    yield text((x + 504, y), "mean over the seeds")
    yield line((x + 680, y - 4), (x + 706, y - 4), RED, dashed=True)
    yield text((x + 714, y), "exact critical temperature")
    yield text((SIZE[0] - 25, SIZE[1] - 12), "cigri demo", anchor="end", colour=GREY, size=11)
