"""`clusters`: how busy they are, and what holds them."""

import time
from collections.abc import Iterator, Sequence
from urllib.parse import quote

import asyncclick
from rich.console import Group, RenderableType
from rich.text import Text

from cigri.cli.bar import Part, drawn
from cigri.cli.failures import Exit
from cigri.cli.session import Session, command
from cigri.cli.tables import widest
from cigri.client.bodies import Cluster, ClusterList
from cigri.errors import NotFound
from cigri.words import clean, counted, moment

#: Cells of the widest and the narrowest bar.
WIDEST = 44
NARROWEST = 10

DOWN = Part("down", "down", "x", "x", "red")
OTHERS = Part("others", "used by others", "▒", "-", "yellow")
OURS = Part("ours", "used by CiGri", "█", "#", "blue")
FREE = Part("free", "free", "·", ".", "green")


@command("clusters", examples=("cigri clusters", "cigri clusters dahu"))
@asyncclick.argument("names", nargs=-1)
def clusters(session: Session, names: tuple[str, ...]) -> Exit | None:
    """Show how busy CLUSTERS are, under how much stress, and what holds them; or all of them."""
    if names:
        return session.each(names, lambda name: _details(session, name))
    session.answer(
        session.client.get("/clusters"), lambda body: screen(body, _room(session), session.plain)
    )
    return None


def screen(body: ClusterList, room: int, plain: bool) -> RenderableType:
    """Return a bar for each cluster, within *room* cells."""
    if not body["items"]:
        return Text("no cluster: the server's configuration names none", style="dim")
    lines = list(_bars(body["items"], room, plain))
    told = [one for one in body["items"] if one.get("used_by_others") is not None]
    # A sign that stands for what nobody knows would say that there is none of it.
    parts = (DOWN, OTHERS, OURS, FREE) if told else (DOWN, OURS, FREE)
    return Group(*lines, Text(""), _legend(parts, plain))


def details(cluster: Cluster, room: int, plain: bool) -> RenderableType:
    """Return all about one cluster."""
    head = Text(f"{clean(cluster['name'])}  ", "bold")
    head.append(_state(cluster))
    unknown = cluster.get("used_by_others") is None
    numbers = "  ".join(
        f"{part.word} {'not known' if part is OTHERS and unknown else number}"
        for part, number in amounts(cluster)
    )
    lines = [
        head,
        drawn(amounts(cluster), min(WIDEST, room), plain=plain),
        Text(f"{counted(cluster['slots'], 'slot')}: {numbers}"),
        Text(f"driver {clean(cluster['driver'])}, id {cluster['id']}", "dim"),
    ]
    return Group(*lines)


def amounts(cluster: Cluster) -> list[tuple[Part, int]]:
    """Return how many slots each part stands for; a cluster that is held is down as a whole."""
    slots, busy = cluster["slots"], cluster["busy"]
    down = slots - busy if cluster["blacklisted"] else cluster.get("down") or 0
    others = cluster.get("used_by_others") or 0
    free = max(0, slots - busy - down - others)
    return [(DOWN, max(0, down)), (OTHERS, others), (OURS, busy), (FREE, free)]


def _bars(items: list[Cluster], room: int, plain: bool) -> Iterator[Text]:
    rows = [
        (clean(one["name"]), f"{one['busy']}/{one['slots']}", _state(one), amounts(one))
        for one in items
    ]
    names = widest("", [name for name, *_ in rows])
    numbers = widest("", [number for _, number, *_ in rows])
    states = widest("", [state for *_, state, _ in rows])
    width = max(NARROWEST, min(WIDEST, room - names - numbers - states - 6))
    for name, number, state, parts in rows:
        line = Text(f"{name:<{names}}  ")
        line.append_text(drawn(parts, width, plain=plain))
        line.append(f"  {number:>{numbers}}  ")
        yield line.append_text(state)


def _state(cluster: Cluster) -> Text:
    """Return what keeps a cluster from taking tasks, until when, and its stress."""
    said: list[tuple[str, str]] = []
    strained = bool(cluster.get("under_stress"))
    if not cluster["blacklisted"] and not strained:
        said.append(("ok", ""))
    if cluster["blacklisted"]:
        said.append((f"held: {clean(cluster['blacklist_reason'] or 'no reason given')}", "red"))
        again = cluster.get("next_try")
        if again is not None:
            said.append((f"next try {moment(again, time.time())}", ""))
    stress = str(cluster.get("stress_factor") or "0").removesuffix("/-")
    if strained or set(stress.partition("/")[0]) - set("0."):
        said.append((f"stress {clean(stress)}", "yellow" if strained else ""))
    text = Text()
    for number, (words, style) in enumerate(said):
        text.append(", " if number else "")
        text.append(words, style)
    return text


def _legend(parts: Sequence[Part], plain: bool) -> Text:
    text = Text()
    for part in parts:
        text.append(part.shown(plain=plain), part.style)
        text.append(f" {part.word}   ", "dim")
    return text


def _details(session: Session, name: str) -> None:
    try:
        response = session.client.get(f"/clusters/{segment(name)}")
    except NotFound as error:
        raise error.trying("cigri clusters shows them all") from error
    session.answer(response, lambda body: details(body, _room(session), session.plain))


def segment(name: str) -> str:
    """
    Return a name as part of a path.

    Raises:
        NotFound: It would lead elsewhere, as dots do.
    """
    if not name.strip("."):
        raise NotFound(f"there is no cluster {name!r}")
    return quote(name, safe="")


def _room(session: Session) -> int:
    return session.console.width
