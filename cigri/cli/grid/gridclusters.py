"""`gridclusters`: shows the clusters."""

from collections.abc import Iterator, Mapping
from typing import Any

from cigri.cli.bar import share
from cigri.cli.failures import writing
from cigri.cli.grid.frame import flag, old, say, shown
from cigri.cli.session import Session

#: Cells of a bar.
_WIDTH = 80
#: What shares a cluster, with the number of its background colour.
_PARTS = (("unavailable", 41), ("used", 43), ("used by CiGri", 47), ("free", 42))


@old("gridclusters")
@flag("-i", "--infos", "Show how each cluster is.")
@flag("-I", "--more_infos", "Show everything about each cluster.")
@flag("-u", "--usage", "Show how much of each cluster is in use (implies -i).")
@flag("-b", "--bars", "Show that as coloured bars (implies -i -u).")
def gridclusters(
    session: Session, *, infos: bool, more_infos: bool, usage: bool, bars: bool
) -> None:
    """Show the clusters."""
    found = session.client.get("/clusters").json()["items"]
    for one in sorted(found, key=lambda cluster: int(cluster["id"])):
        if not (infos or more_infos or usage or bars):
            say(f"{one['id']}: {one['name']}")
            continue
        details = session.client.get(f"/clusters/{one['id']}").json()
        say(*_about(details, usage=usage and not bars, full=more_infos, bars=bars))
        if bars and not details["blacklisted"]:
            _draw(session, details)
    if bars:
        _legend(session)


def _about(body: Mapping[str, Any], *, usage: bool, full: bool, bars: bool) -> Iterator[str]:
    name = f"{body['id']}: {body['name']}"
    said = [f"stress:{body.get('stress_factor') or '0.0/-'}"]
    said += ["BLACKLISTED"] if body["blacklisted"] else []
    said += ["UNDER_STRESS"] if body.get("under_stress") else []
    resources = f" ({body['slots']} resources)" if bars and not body["blacklisted"] else ""
    if full:
        yield name + resources
        for key, each in body.items():
            if key != "links" and each is not None:
                yield f"    {key}: {shown(each)}"
    else:
        host = body.get("ssh_host") or body["driver"]
        yield f"{name} , {host} ({', '.join(said)}){resources}"
    if (usage or bars) and body["blacklisted"]:
        yield "    Data temporarily unavailable"
    elif usage:
        yield f"    max_resources: {body['slots']}"
        yield f"    used_resources: {body['busy'] + _others(body)}"
        yield f"    used_by_cigri: {body['busy']}"
        yield f"    unavailable_resources: {body.get('down') or 0}"


def _others(body: Mapping[str, Any]) -> int:
    return int(body.get("used_by_others") or 0)


def _draw(session: Session, body: Mapping[str, Any]) -> None:
    slots = body["slots"]
    down = min(body.get("down") or 0, slots)
    busy = min(body["busy"], slots - down)
    others = min(_others(body), slots - down - busy)
    cells = share([down, others, busy, slots - down - others - busy], _WIDTH)
    bar = "".join(_cell(colour) * count for (_, colour), count in zip(_PARTS, cells, strict=True))
    _print(session, bar)


def _legend(session: Session) -> None:
    _print(session, " ".join(f"{_cell(colour)} {name}" for name, colour in _PARTS))


def _cell(colour: int) -> str:
    return f"\033[{colour}m \033[0m"


def _print(session: Session, drawn: str) -> None:
    with writing():
        session.write(f"{drawn}\n".encode())
