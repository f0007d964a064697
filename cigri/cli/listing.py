"""The list of campaigns."""

import time
from collections.abc import Sequence

import attrs
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from cigri.cli.bar import bar
from cigri.cli.tables import GAP, Cell, heading, state, table, widest
from cigri.client.bodies import Campaign, CampaignList
from cigri.client.pictures import standing, unending
from cigri.words import clean, counted, ending, speed

BAR = "PROGRESS"
WIDEST_BAR = 20
#: Cells of a name that are left on the narrowest terminal.
LEAST_NAME = 8


def campaigns(body: CampaignList, *, plain: bool = False) -> RenderableType:
    """Return the list of campaigns, and how many finished ones it hides."""
    notes = []
    if len(body["items"]) < body["total"]:
        notes.append(f"the newest {len(body['items'])} of {body['total']}: --limit shows more")
    if body.get("finished"):
        notes.append(f"{counted(body['finished'], 'finished campaign')} not shown: --all")
    if not body["items"]:
        return Text("\n".join(["no campaign", *notes]), style="dim")
    return Group(_Listing(body["items"], plain), *(Text(note, style="dim") for note in notes))


@attrs.frozen
class _Listing:
    """The table, which gives way where there is little room: first the bars, then the names."""

    items: Sequence[Campaign]
    plain: bool

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield self._fitted(options.max_width)

    def _fitted(self, room: int) -> Table:
        rows = [_row(one) for one in self.items]
        names = list(rows[0])
        if len({row["USER"] for row in rows}) == 1:
            names.remove("USER")
        widths = {name: widest(name, [row[name] for row in rows]) for name in names}
        spare = room - sum(widths.values()) - GAP * (len(widths) - 1)
        width = min(WIDEST_BAR, spare - GAP)
        if width >= len(heading(BAR)):
            names.insert(names.index("DONE>"), BAR)
            for one, row in zip(self.items, rows, strict=True):
                row[BAR] = Text() if unending(one) else bar(one["counts"], width, plain=self.plain)
        for row in rows:
            row["NAME"] = _cut(row["NAME"], max(LEAST_NAME, widths["NAME"] + spare))
        return table(names, [[row[name] for name in names] for row in rows])


def _row(one: Campaign) -> dict[str, Cell]:
    counts = one["counts"]
    running = one["state"] == "in_treatment"
    return {
        "ID>": str(one["id"]),
        "NAME": clean(one["name"]),
        "USER": clean(one["user"]),
        "STATE": state("held" if running and one["reason"] else standing(one)),
        "DONE>": str(counts["terminated"]),
        "TASKS>": "no end" if unending(one) else str(one["total_jobs"]),
        "FAILED>": Text(str(counts["failed"]), "red" if counts["failed"] else ""),
        "RATE>": speed(one["forecast"]["rate"]) if running else "",
        "ETA": ending(one["forecast"]["eta"], time.time()) if running else "",
    }


def _cut(name: Cell, width: int) -> Text:
    text = Text(str(name))
    text.truncate(width, overflow="ellipsis")
    return text
