"""Events on the wire, and what is said of changes."""

from enum import StrEnum
from typing import Annotated

import attrs
import msgspec
from msgspec import Meta

from cigri.api.wire.links import Link, link
from cigri.domain import event as domain
from cigri.engine import answers


class EventState(StrEnum):
    """Whether somebody still has to look at an event."""

    OPEN = "open"
    CLOSED = "closed"


# A Struct: an attrs class cannot have a field that is called `class`.
class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened, `count` times in the same way; open until it is fixed."""

    id: int
    class_: domain.EventClass = msgspec.field(name="class")
    code: str
    state: EventState
    message: str
    count: int
    campaign_id: int | None
    cluster_id: int | None
    cluster_name: str | None
    #: The first task that it happened to: its id, and its number in its campaign.
    job_id: int | None
    task: int | None
    exit_status: int | None
    #: What its tasks wrote last to stderr, with the numbers folded; `null` when nobody knows.
    cause: str | None
    date_open: int
    date_update: int
    date_closed: int | None
    parent: int | None = None
    links: tuple[Link, ...]


@attrs.frozen(kw_only=True, slots=False)
class Accepted:
    """What CiGri says to a change that was made."""

    status: int
    title: str
    message: str


@attrs.frozen(kw_only=True, slots=False)
class Fixed(Accepted):
    """What closing events has done."""

    closed: int
    resubmitted: int


@attrs.frozen(kw_only=True, slots=False)
class Mistake:
    """One mistake in an input: where it is, what is wrong, and what was probably meant."""

    pointer: str
    detail: str
    hint: str | None = None


@attrs.frozen(kw_only=True, slots=False)
class ProblemDocument:
    """What went wrong (RFC 9457); `message` repeats `detail` for clients of CiGri 3."""

    type: str
    title: str
    status: Annotated[int, Meta(ge=400, le=599)]
    detail: str
    message: str
    errors: tuple[Mistake, ...] = ()
    #: What the log of the server has more about.
    instance: str | None = None


def event(value: domain.Event, job_id: int | None, base: str = "") -> Event:
    """Return an event; *job_id* is the stable id of the task that it names."""
    links = [link("self", f"{base}/events/{value.id}")]
    if value.campaign is not None:
        links.append(link("parent", f"{base}/campaigns/{value.campaign}/events"))
    return Event(
        id=value.id,
        class_=value.event_class,
        code=value.code,
        state=EventState.OPEN if value.open else EventState.CLOSED,
        message=value.message,
        count=value.count,
        campaign_id=value.campaign,
        cluster_id=value.cluster_id,
        cluster_name=value.cluster,
        job_id=job_id,
        task=value.task,
        exit_status=value.exit_status,
        cause=value.cause,
        date_open=int(value.opened_at),
        date_update=int(value.updated_at),
        date_closed=None if value.closed_at is None else int(value.closed_at),
        links=tuple(links),
    )


def accepted(message: str) -> Accepted:
    """Return what CiGri says to a change that was made."""
    return Accepted(status=202, title="Accepted", message=message)


def fixed(value: answers.Fixed, whose: str) -> Fixed:
    """Return what closing the events of something has done."""
    return Fixed(
        status=202,
        title="Accepted",
        message=f"{value.closed} events of {whose} closed, {value.resubmitted} jobs resubmitted",
        closed=value.closed,
        resubmitted=value.resubmitted,
    )
