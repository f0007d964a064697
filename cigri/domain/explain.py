"""Why nothing more of a campaign starts now, and what to do about it."""

from collections.abc import Sequence
from enum import StrEnum

import attrs

from cigri.domain.calendar import mode
from cigri.domain.event import Event
from cigri.domain.model import (
    Campaign,
    CampaignCluster,
    CampaignState,
    CampaignType,
    ClusterName,
    EventId,
    Hold,
    StepState,
    TestMode,
)
from cigri.domain.reactions import EventCode


class Why(StrEnum):
    """What is in the way on one cluster; the first that applies is told."""

    CANCELLED = "cancelled"
    PAUSED = "paused"
    TEST_ENDED = "test_ended"
    TOO_MANY_FAILURES = "too_many_failures"
    EPILOGUE = "epilogue"
    NOTHING_LEFT = "nothing_left"
    PROLOGUE_FAILED = "prologue_failed"
    HELD = "held"
    CLUSTER_HELD = "cluster_held"
    TEST = "test"
    DAY = "day"
    PROLOGUE = "prologue"
    TOO_BIG = "too_big"
    MAX_JOBS = "max_jobs"
    BUSY = "busy"
    #: Nothing is.
    STARTING = "starting"


@attrs.frozen(kw_only=True)
class Reason:
    """Why nothing more of a campaign starts on a cluster."""

    cluster: ClusterName
    code: Why
    #: For a person.
    reason: str
    #: A command line, `None` when there is nothing to do but wait.
    remedy: str | None = None


@attrs.frozen(kw_only=True)
class Explanation:
    """The one true reason on each cluster of a campaign."""

    clusters: tuple[Reason, ...]


@attrs.frozen(kw_only=True)
class Place:
    """What is known of one cluster when a campaign asks why it waits there."""

    item: CampaignCluster
    #: `None` where the cluster is not configured any more.
    slots: int | None
    #: Tasks that run there, of all campaigns.
    busy: int = 0
    #: Others who have something to run there.
    others: int = 0
    #: Whether the policy hands out tasks of the campaign there now.
    chosen: bool = False
    #: What holds the cluster for everybody, and the seconds until it is tried again by itself.
    hold: Hold | None = None
    retry_in: float | None = None
    #: The open event that tells of this hold.
    held_by: EventId | None = None


@attrs.frozen(kw_only=True)
class Moment:
    """What is true of all clusters."""

    campaign: Campaign
    #: The open events that hold it somewhere, or with which it paused itself.
    events: Sequence[Event]
    night: bool = False
    #: Seconds until day and night change, infinity for never.
    until_change: float = float("inf")
    #: Whether who asks may let clusters go on, and whom to ask otherwise.
    admin: bool = False
    contact: str = "an administrator"


Told = tuple[Why, str, str | None]

#: States of a prologue after which an epilogue is owed.
_RAN = frozenset({StepState.DONE, StepState.FAILED})
_UNKNOWN_CLUSTER = "the cluster is not configured any more"


def explain(moment: Moment, places: Sequence[Place]) -> Explanation:
    """Return the one true reason on each of *places*."""
    found = []
    for place in places:
        told = _of_campaign(moment, place) or _held(moment, place) or _now(moment, place)
        code, reason, remedy = told
        cluster = place.item.cluster
        found.append(Reason(cluster=cluster, code=code, reason=reason, remedy=remedy))
    return Explanation(clusters=tuple(found))


def _of_campaign(moment: Moment, place: Place) -> Told | None:
    """Return what the campaign itself has against more tasks."""
    campaign = moment.campaign
    match campaign.state:
        case CampaignState.CANCELLED:
            if campaign.counts.in_flight:
                return Why.CANCELLED, "it is cancelled; what runs of it is killed", None
            told = _epilogue(moment, place, "it is cancelled, and its epilogue")
            return told or (Why.CANCELLED, "it is cancelled", None)
        case CampaignState.PAUSED:
            return _paused(moment)
        case _ if not campaign.counts.pending:
            return _nothing_left(moment, place)
        case _:
            return None


def _paused(moment: Moment) -> Told:
    number = moment.campaign.id
    made = {event.code: event for event in moment.events if event.cluster is None}
    if test := made.get(EventCode.TEST_ENDED):
        return Why.TEST_ENDED, _first_line(test), f"cigri go {number}"
    if failures := made.get(EventCode.TOO_MANY_FAILURES):
        return Why.TOO_MANY_FAILURES, _first_line(failures), f"cigri resume {number}"
    return Why.PAUSED, "it is paused by its owner", f"cigri resume {number}"


def _nothing_left(moment: Moment, place: Place) -> Told:
    campaign = moment.campaign
    failed = campaign.counts.failed
    remedy = f"cigri fix {campaign.id} --resubmit" if failed else None
    if campaign.counts.in_flight:
        return Why.NOTHING_LEFT, _last_tasks(campaign, place), remedy
    if told := _epilogue(moment, place, "all its tasks have ended; its epilogue"):
        return told
    also = f", {failed} of them failed" if failed else ""
    if place.item.epilogue is StepState.FAILED:
        also += "; its epilogue failed"
        remedy = f"cigri fix {campaign.id} --resubmit"
    return Why.NOTHING_LEFT, f"all its tasks have ended{also}", remedy


def _last_tasks(campaign: Campaign, place: Place) -> str:
    """Return where the last tasks of a campaign are, none of which is left to start."""
    if place.item.running:
        return "its last tasks run: none is left to start"
    if place.item.queued:
        return f"its last tasks wait: {place.item.queued} queued here"
    others = [item for item in campaign.clusters if item.queued + item.running]
    where = " and ".join(item.cluster for item in others)
    queued = sum(item.queued for item in others)
    if queued:
        return f"its last tasks wait on {where}: {queued} queued there"
    return f"its last tasks run on {where}: none is left to start"


def _epilogue(moment: Moment, place: Place, subject: str) -> Told | None:
    """Return how far the epilogue is that the campaign waits for there, if it does."""
    item = place.item
    in_flight = item.epilogue is StepState.IN_FLIGHT
    ran = item.prologue in _RAN or item.succeeded + item.failed + item.again + item.stopped
    if not in_flight and not (item.epilogue is StepState.WAITING and ran):
        return None
    if place.slots is None:
        return Why.EPILOGUE, f"{subject} waits: {_UNKNOWN_CLUSTER}", None
    if in_flight:
        return Why.EPILOGUE, f"{subject} runs", None
    if place.hold is not None:
        _, reason, remedy = _cluster_held(moment, place, place.hold)
        return Why.EPILOGUE, f"{subject} waits: {reason}", remedy
    return Why.EPILOGUE, f"{subject} is about to run", None


def _held(moment: Moment, place: Place) -> Told | None:
    """Return what holds the campaign there, or the cluster."""
    number = moment.campaign.id
    own = [event for event in moment.events if event.cluster == place.item.cluster]
    if own:
        event = own[-1]
        prologue = event.code == EventCode.PROLOG_EXIT_ERROR
        what = f"{_first_line(event)} (event {event.id})"
        return (
            Why.PROLOGUE_FAILED if prologue else Why.HELD,
            what if prologue else f"it is held there: {what}",
            f"cigri fix {number} {event.id}",
        )
    if place.slots is None:
        return Why.CLUSTER_HELD, _UNKNOWN_CLUSTER, None
    if place.hold is not None:
        return _cluster_held(moment, place, place.hold)
    return None


def _cluster_held(moment: Moment, place: Place, hold: Hold) -> Told:
    retry_in = place.retry_in
    if retry_in is None:
        if moment.admin and place.held_by is not None:
            return Why.CLUSTER_HELD, hold.reason, f"cigri fix --event {place.held_by}"
        return Why.CLUSTER_HELD, f"{hold.reason}; ask {moment.contact} to let it go on", None
    soon = f"the next try is in {duration(retry_in)}" if retry_in > 0 else "it is tried again now"
    return Why.CLUSTER_HELD, f"{hold.reason}; {soon}", None


def _now(moment: Moment, place: Place) -> Told:
    """Return what is in the way of more tasks there at this moment."""
    return (
        _test(moment, place.item)
        or _day(moment, place.item)
        or _step(place.item)
        or _full(place)
        or (Why.STARTING, "nothing is in the way: tasks start now", None)
    )


def _test(moment: Moment, item: CampaignCluster) -> Told | None:
    campaign = moment.campaign
    if campaign.test_mode is TestMode.OFF:
        return None
    go = f"cigri go {campaign.id}"
    if item.settings.test_mode is TestMode.OFF:
        return Why.TEST, "its test on other clusters is not over", go
    if item.tested:
        return Why.TEST, "its test is not over: all but one task wait for that", go
    return None


def _day(moment: Moment, item: CampaignCluster) -> Told | None:
    tests = moment.campaign.test_mode is not TestMode.OFF
    if tests or mode(item.settings.type, night=moment.night) is not None:
        return None
    begins = "no night is configured"
    if moment.until_change != float("inf"):
        begins = f"the night begins in {duration(moment.until_change)}"
    return Why.DAY, f"it is {CampaignType.NIGHTLY}, and it is day: {begins}", None


def _step(item: CampaignCluster) -> Told | None:
    if item.epilogue is StepState.IN_FLIGHT:
        return Why.EPILOGUE, "its tasks wait for its epilogue, which still runs there", None
    match item.prologue:
        case StepState.WAITING:
            return Why.PROLOGUE, "its prologue is about to run there", None
        case StepState.IN_FLIGHT:
            return Why.PROLOGUE, "its tasks wait for its prologue, which runs there", None
        case _:
            return None


def _full(place: Place) -> Told | None:
    item, slots = place.item, place.slots or 0
    if item.settings.cores > slots:
        needs = f"a task takes {item.settings.cores} cores, the cluster has {slots}"
        return Why.TOO_BIG, needs, None
    most = item.settings.max_jobs
    in_flight = item.queued + item.running
    if most is not None and in_flight >= most:
        return Why.MAX_JOBS, f"max_jobs is reached: {in_flight} of {most} there", None
    if place.chosen:
        return None
    others = f", shared with {place.others} other users" if place.others > 1 else ""
    others = ", shared with another user" if place.others == 1 else others
    busy = f"{place.busy} tasks run on {slots} slots, {item.running} of them its own"
    return Why.BUSY, f"its share is in use: {busy}{others}", None


def duration(seconds: float) -> str:
    """
    Return a duration as a person would say it.

    >>> duration(12.2), duration(300), duration(4000)
    ('13 s', '5 min', '1 h 7 min')
    """
    if seconds < 100:
        return f"{int(-(-seconds // 1))} s"
    hours, minutes = divmod(int(-(-seconds // 60)), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def _first_line(event: Event) -> str:
    return event.message.partition("\n")[0]
