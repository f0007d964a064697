"""Tables for people, on terminals of any width."""

from collections.abc import Iterable, Sequence

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

Cell = str | Text

#: Blanks between two columns.
GAP = 2
#: How narrow the last column, which is folded, may become.
LEAST_FOLDED = 10

STATE_STYLES = {
    "failed": "red",
    "running": "cyan",
    "paused": "yellow",
    "testing": "cyan",
    "held": "yellow",
    "cancelled": "magenta",
    "pending": "bright_black",
}


def table(names: Sequence[str], rows: Sequence[Sequence[Cell]]) -> Table:
    """
    Return a table; a name that ends with `>` heads a column of numbers.

    When it is too wide its last column is folded, and no other is cut.
    """
    made = Table(box=None, padding=(0, GAP, 0, 0), pad_edge=False, header_style="bold")
    for name, *cells in zip(names, *rows, strict=True):
        folds = name == names[-1]
        width = widest(name, cells)
        made.add_column(
            heading(name),
            justify="right" if name.endswith(">") else "left",
            no_wrap=not folds,
            overflow="fold",
            min_width=min(width, LEAST_FOLDED) if folds else width,
        )
    for row in rows:
        made.add_row(*row)
    return made


def heading(name: str) -> str:
    """Return what stands above the column *name*."""
    return name.removesuffix(">")


def widest(name: str, cells: Iterable[Cell]) -> int:
    """Return how wide the column *name* has to be for all of its *cells*."""
    return max(cell_len(str(cell)) for cell in (heading(name), *cells))


def state(word: str) -> Text:
    """Return the state of a campaign or a task in its colour."""
    return Text(word, STATE_STYLES.get(word, ""))
