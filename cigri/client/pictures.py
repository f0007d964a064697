"""How a campaign shows itself: on one line, in a notebook, and while it is waited for."""

import contextlib
import html
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from cigri.client.asking import OVER
from cigri.client.bodies import Campaign
from cigri.words import ending, speed

#: The states of tasks as people call them, and their colours in a notebook.
PARTS = (
    ("terminated", "done", "#2f6db5"),
    ("running", "running", "#5cb8e6"),
    ("queued", "queued", "#a9d8ef"),
    ("failed", "failed", "#c8372d"),
    ("cancelled", "cancelled", "#a05195"),
    ("pending", "pending", "#dddddd"),
)
#: Seconds between two lines where nothing can be drawn over.
LINE = 1.0

Look = Callable[[Campaign], None]


def standing(body: Campaign) -> str:
    """Return the state of a campaign in one word; one whose test runs has one of its own."""
    tested = body.get("test_mode", "off") != "off" and body["state"] == "in_treatment"
    return "testing" if tested else body["state"]


def unending(body: Mapping[str, Any]) -> bool:
    """Return whether a campaign gets new tasks until it is stopped: it then has no total."""
    return bool(body.get("endless")) and body.get("end_time") is None


def line(body: Campaign) -> str:
    """Return how far a campaign is on one line."""
    told = [_done(body), *_others(body)]
    state = standing(body)
    told = [*told, *pace(body)] if state == "in_treatment" else [state, *told]
    return f"campaign {body['id']}: {', '.join(told)}"


def pace(body: Campaign) -> list[str]:
    """Return how fast a campaign goes and when it will end, as far as that is known."""
    forecast = body["forecast"]
    rate, eta = speed(forecast["rate"]), ending(forecast["eta"], time.time())
    return [*([f"rate {rate}"] if rate else []), *([f"ETA {eta}"] if eta else [])]


def short(body: Campaign) -> str:
    """Return what stands for a campaign in a console."""
    return f"<Campaign {body['id']} {body['name']!r}: {body['state']}, {_done(body)}>"


def as_html(body: Campaign) -> str:
    """Return a campaign for a notebook: name, bar, counts, and when it will end."""
    counts = _counts(body)
    total = sum(count for _, count in counts) or 1
    shares = [
        f'<span style="display:inline-block;height:14px;background:{colour};'
        f'width:{100 * count / total:.3f}%"></span>'
        for (_, _, colour), (_, count) in zip(PARTS, counts, strict=True)
    ]
    told = [f"{word} {count}" for word, count in counts if count or word == "done"]
    end = "no end" if unending(body) else f"{body['total_jobs']} in all"
    said = " · ".join([*told, end, *pace(body)])
    why = f"<div>nothing runs: {_safe(body['reason'])}</div>" if body.get("reason") else ""
    return (
        f'<div class="cigri"><b>Campaign {_safe(body["id"])}</b> {_safe(body["name"])} '
        f"({_safe(body['user'])}): {_safe(body['state'])}"
        '<div style="width:100%;max-width:480px;white-space:nowrap;overflow:hidden">'
        f"{''.join(shares)}</div><div>{_safe(said)}</div>{why}</div>"
    )


@contextlib.contextmanager
def waiting(number: int, *, progress: bool) -> Iterator[Look]:
    """Return what shows each look at a campaign, and say what becomes of it on Ctrl-C."""
    try:
        with _shown(progress) as look:
            yield look
    except KeyboardInterrupt:
        if progress:
            sys.stderr.write(f"campaign {number} goes on\n")
        raise


@contextlib.contextmanager
def _shown(wanted: bool) -> Iterator[Look]:
    """Return a bar on a terminal, elsewhere lines."""
    if not wanted:
        yield lambda body: None
    elif sys.stderr.isatty():
        with _bar() as look:
            yield look
    else:
        yield _lines()


@contextlib.contextmanager
def _bar() -> Iterator[Look]:
    from rich.console import Console  # noqa: PLC0415 - not for those who only submit
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn  # noqa: PLC0415

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[said]}", markup=False),
    )
    with Progress(*columns, console=Console(stderr=True)) as drawn:
        task = drawn.add_task("", said="")

        def look(body: Campaign) -> None:
            drawn.update(
                task,
                description=f"campaign {body['id']}",
                total=None if unending(body) else body["total_jobs"],
                completed=body["counts"]["terminated"],
                said=", ".join([*_others(body), *pace(body)]),
            )

        yield look


def _lines() -> Look:
    """Return what prints a line when it is news and the last one is a while ago, or the last."""
    shown, due = "", 0.0

    def look(body: Campaign) -> None:
        nonlocal shown, due
        text = line(body)
        if text != shown and (body["state"] in OVER or time.monotonic() >= due):
            shown, due = text, time.monotonic() + LINE
            sys.stderr.write(f"{text}\n")
            sys.stderr.flush()

    return look


def _done(body: Campaign) -> str:
    done = body["counts"]["terminated"]
    return f"{done} done, no end" if unending(body) else f"{done}/{body['total_jobs']} done"


def _counts(body: Campaign) -> list[tuple[str, int]]:
    """Return how many tasks are in each state; those kept ready without an end do not count."""
    counts: dict[str, int] = {**body["counts"]}  # type: ignore[dict-item] # all of its values are
    counts |= {"pending": 0} if unending(body) else {}
    return [(word, counts[state]) for state, word, _ in PARTS]


def _others(body: Campaign) -> list[str]:
    """Return the numbers of tasks that are neither done nor pending, where there are some."""
    apart = {"done", "pending"}
    return [f"{count} {word}" for word, count in _counts(body) if count and word not in apart]


def _safe(value: object) -> str:
    return html.escape(str(value), quote=True)
