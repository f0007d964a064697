"""Why nothing more of a campaign starts now, and what to do about it."""

from collections.abc import Sequence

from cigri.domain.calendar import mode
from cigri.domain.event import Event
from cigri.domain.model import (
    Campaign,
    CampaignCluster,
    CampaignState,
    CampaignType,
    Hold,
    StepState,
    TestMode,
)
from cigri.domain.reactions import EventCode
from cigri.domain.reasons import Explanation, Moment, Place, Reason, Told, Why

__all__ = ["Explanation", "Moment", "Place", "Reason", "Why", "explain"]

#: States of a prologue after which an epilogue is owed.
_RAN = frozenset({StepState.DONE, StepState.FAILED})
_UNKNOWN_CLUSTER = (
    "the cluster is not configured any more: only an administrator can bring it back"
)


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
        if place.hold is not None and place.item.queued + place.item.running:
            _, reason, at_once = _cluster_held(moment, place, place.hold)
            unseen = f"its last tasks are there, how far is not known: {reason}"
            return Why.CLUSTER_HELD, unseen, at_once or remedy
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
        what = f"{_in_short(event)} (event {event.id})"
        return (
            Why.PROLOGUE_FAILED if prologue else Why.HELD,
            what if prologue else f"it is held there: {what}",
            f"cigri fix {number} {event.id}",
        )
    if place.slots is None:
        return Why.CLUSTER_HELD, _UNKNOWN_CLUSTER, None
    if place.hold is not None:
        return _cluster_held(moment, place, place.hold)
    return _ill(place)


def _ill(place: Place) -> Told | None:
    """Return what keeps a cluster from being sent more, while it may be used otherwise."""
    if place.in_doubt:
        what = "a submission" if place.in_doubt == 1 else f"{place.in_doubt} submissions"
        verb, they = ("was", "it is") if place.in_doubt == 1 else ("were", "they are")
        why = f"{what} there {verb} not answered: before more is sent, {they} looked for"
        return Why.UNANSWERED, why, None
    if place.stress is not None:
        limit = f"{place.stress_limit:g}" if place.stress_limit is not None else "its limit"
        why = f"the cluster is under stress: {place.stress:.2f}, from {limit} on nothing is sent"
        return Why.STRESS, why, None
    return None


def _cluster_held(moment: Moment, place: Place, hold: Hold) -> Told:
    retry_in = place.retry_in
    if retry_in is None:
        if moment.admin and place.held_by is not None:
            return Why.CLUSTER_HELD, hold.reason, f"cigri fix --event {place.held_by}"
        return Why.CLUSTER_HELD, f"{hold.reason}; ask {moment.contact} to let it go on", None
    soon = f"the next try is in {duration(retry_in)}" if retry_in > 0 else "it is tried again now"
    at_once = moment.admin and place.held_by is not None and retry_in > 0
    remedy = f"cigri fix --event {place.held_by}" if at_once else None
    return Why.CLUSTER_HELD, f"{hold.reason}; {soon}", remedy


def _now(moment: Moment, place: Place) -> Told:
    """Return what is in the way of more tasks there at this moment."""
    return (
        _test(moment, place.item)
        or _day(moment, place.item)
        or _step(place.item)
        or _elsewhere(moment, place)
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


def _elsewhere(moment: Moment, place: Place) -> Told | None:
    if len(moment.campaign.clusters) < 2 or place.elsewhere < moment.campaign.counts.pending:
        return None
    why = "its tasks have waited here too long, or have checkpoints elsewhere"
    return Why.ELSEWHERE, f"{why}: for ten minutes other clusters go first", None


def _full(place: Place) -> Told | None:
    item, slots = place.item, place.slots or 0
    if 0 < slots < item.settings.cores:
        needs = f"a task takes {item.settings.cores} cores, the cluster has {slots}"
        return Why.TOO_BIG, needs, None
    most = item.settings.max_jobs
    in_flight = item.queued + item.running
    if most is not None and in_flight >= most:
        return Why.MAX_JOBS, f"max_jobs is reached: {in_flight} of {most} there", None
    if place.chosen:
        return None
    if item.queued and not item.running and (place.busy < slots or not slots):
        waits = "1 task waits" if item.queued == 1 else f"{item.queued} tasks wait"
        return Why.QUEUED, f"{waits} in the queue of the cluster, for cores that are free", None
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


def _in_short(event: Event) -> str:
    """Return what happened, and the last that was said of it: there the cause is."""
    first, *more = [line.strip() for line in event.message.splitlines() if line.strip()] or [""]
    return f"{first}: {more[-1]}" if more else first
