"""What went wrong, by cause: equal failures are one line, however many they are."""

import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence

import attrs
from rich.console import Group, RenderableType
from rich.text import Text

from cigri.client.bodies import Event
from cigri.words import clean, ending_status, moment

#: Events of one cause that a command names one by one.
NAMED = 5

_NUMBERS = re.compile(r"0x[0-9a-fA-F]+|[0-9]+")


@attrs.frozen
class Remedy:
    """The command that repairs, and what it does."""

    #: `{campaign}` and `{events}` stand for their numbers.
    command: str
    purpose: str


_AGAIN = Remedy("cigri fix {campaign} {events} --resubmit", "run {them} again")
_GO_ON = Remedy("cigri fix {campaign} {events}", "go on, once the cause is repaired")
_TRY_AGAIN = Remedy("cigri fix {campaign} {events}", "run it again, once it is repaired")
_RESUBMIT = Remedy("cigri fix {campaign} {events} --resubmit", "run it again")

#: By the code of the event; others are only closed.
REMEDIES: Mapping[str, Remedy] = {
    "EXIT_ERROR": _AGAIN,
    "WALLTIME": _AGAIN,
    "UNUSABLE_PARAMETER": _AGAIN,
    "COMMAND_NOT_STARTED": _GO_ON,
    "WORKING_DIRECTORY_ERROR": _GO_ON,
    "MANUAL_EVENT": _GO_ON,
    "SUBMISSION_REJECTED": _GO_ON,
    "DAMAGED_PARAMETERS": _GO_ON,
    "DAMAGED_RECORDS": _GO_ON,
    "PROLOG_EXIT_ERROR": _TRY_AGAIN,
    "EPILOG_EXIT_ERROR": _RESUBMIT,
    "TEST_ENDED": Remedy("cigri go {campaign}", "run the rest"),
    "TOO_MANY_FAILURES": Remedy("cigri resume {campaign}", "go on all the same"),
}
_SEEN = Remedy("cigri fix {campaign} {events}", "close it")
#: The code of a cluster that waits for an administrator.
DISABLED = "CLUSTER_MANUALLY_DISABLED"
#: Codes of clusters that are tried again by themselves.
ILL = frozenset(
    {
        "CLUSTER_API_BAD_ANSWER",
        "CLUSTER_API_SERVER_ERROR",
        "CLUSTER_UNREACHABLE",
        "CONNECTION_REFUSED",
        "PERMISSION_DENIED",
        "SSL_ERROR",
        "TIMEOUT",
    }
)
#: Codes of tasks that have written nothing, as no program of theirs ever ran.
SILENT = frozenset(
    {
        "COMMAND_NOT_STARTED",
        "DAMAGED_PARAMETERS",
        "UNUSABLE_PARAMETER",
        "WORKING_DIRECTORY_ERROR",
    }
)


@attrs.frozen
class Cause:
    """Events that tell of the same."""

    events: tuple[Event, ...]

    @property
    def example(self) -> Event:
        """Return the first of them."""
        return self.events[0]

    @property
    def count(self) -> int:
        """Return how often it has happened."""
        return sum(event["count"] for event in self.events)


def causes(events: Iterable[Event]) -> list[Cause]:
    """Return what *events* tell of, the first of each kind first."""
    found: dict[tuple[object, ...], list[Event]] = {}
    for event in events:
        found.setdefault(_kind(event), []).append(event)
    return [Cause(tuple(alike)) for alike in found.values()]


def said(event: Event) -> str:
    """
    Return the line of an event that tells most.

    For a task that is the last that it wrote, for all else what happened.
    """
    lines = [line.strip() for line in event["message"].splitlines() if line.strip()]
    if not lines:
        return ""
    return lines[-1] if event["task"] is not None else lines[0]


def screen(events: Iterable[Event]) -> RenderableType:
    """Return all causes, each with the commands that show and that repair it."""
    found = causes(events)
    if not found:
        return Text("no event", style="dim")
    return Group(*(part for cause in found for part in _cause(cause)))


def _kind(event: Event) -> tuple[object, ...]:
    """Return what events of one cause have in common; where none is known, their text is."""
    return (
        event["state"],
        event["campaign_id"],
        event["code"],
        event["cluster_name"],
        event["exit_status"],
        # Numbers in a text do not matter.
        event["cause"] or _NUMBERS.sub("#", said(event)),
    )


def _cause(cause: Cause) -> Iterator[Text]:
    event = cause.example
    about = [f"×{cause.count}" if cause.count > 1 else "", event["code"]]
    if event["exit_status"] is not None:
        about.append(f"exit {ending_status(event['exit_status'])}")
    if event["cluster_name"]:
        about.append(f"on {clean(event['cluster_name'])}")
    about += [moment(event["date_open"], time.time()), clean(said(event))]
    head = Text("  ".join([f"event {event['id']}", event["state"], *filter(None, about)]))
    head.stylize("bold" if event["state"] == "open" else "dim")
    yield head
    for line in _details(event):
        yield Text(f"    {clean(line)}")
    yield from _commands(cause)


def _details(event: Event) -> Sequence[str]:
    """Return what an event tells beyond its head, where no task's output has the rest."""
    return event["message"].splitlines()[1:] if event["task"] is None else ()


def _commands(cause: Cause) -> Iterator[Text]:
    event, campaign = cause.example, cause.example["campaign_id"]
    offered: list[tuple[str, str]] = []
    if campaign is None:
        offered += _of_cluster(event)
    elif event["task"] is not None and event["code"] not in SILENT:
        offered.append(
            (f"cigri logs {campaign} {event['task']}", f"what task {event['task']} wrote")
        )
    elif event["code"] == "UNUSABLE_PARAMETER":
        offered.append((f"cigri jobs {campaign} --state failed", "which tasks"))
    if event["state"] == "open" and campaign is not None:
        offered.append(_repair(cause))
    width = max((len(command) for command, _ in offered), default=0)
    for command, purpose in offered:
        line = Text(f"    {command:<{width}}  ")
        yield line.append(purpose, "dim")


def _of_cluster(event: Event) -> Iterator[tuple[str, str]]:
    """Yield what an administrator can do; nobody else has to."""
    fix = f"cigri fix --event {event['id']}"
    if event["state"] != "open":
        return
    if event["code"] == DISABLED:
        yield fix, "use it again"
    elif event["code"] in ILL:
        yield "cigri doctor --probe", "an administrator: what brings it back"
        yield fix, "an administrator: try it at once, as is done by itself later"


def _repair(cause: Cause) -> tuple[str, str]:
    event = cause.example
    remedy = REMEDIES.get(event["code"], _SEEN)
    them = "it" if cause.count == 1 else f"all {cause.count}"
    named = [str(one["id"]) for one in cause.events] if len(cause.events) <= NAMED else []
    command = remedy.command.format(campaign=event["campaign_id"], events=" ".join(named))
    return " ".join(command.split()), remedy.purpose.format(them=them)
