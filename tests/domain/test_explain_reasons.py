"""The one true reason why nothing more of a campaign starts on a cluster, in a table."""

import attrs
import pytest

from cigri.domain.event import Event, EventClass
from cigri.domain.explain import Moment, Place, Why, explain
from cigri.domain.model import (
    Campaign,
    CampaignCluster,
    CampaignId,
    CampaignState,
    CampaignType,
    ClusterName,
    ClusterSettings,
    Counts,
    EventId,
    Hold,
    StepState,
    TestMode,
)

S = CampaignState
HERE = ClusterName("here")
WAITING = Counts(pending=5)
NIGHTLY = ClusterSettings(exec_file="x", type=CampaignType.NIGHTLY)


def place(settings=None, **known):
    """Return a place, its fields and those of its campaign there mixed."""
    names = {field.name for field in attrs.fields(CampaignCluster)} - {"hold"}
    own = {name: known.pop(name) for name in list(known) if name in names}
    item = CampaignCluster(
        cluster=HERE,
        cluster_id=1,
        settings=settings or ClusterSettings(exec_file="x"),
        **own,
    )
    return Place(item=item, **{"slots": 8, "chosen": True, **known})


def elsewhere(**known):
    """Return what the campaign does on another cluster."""
    settings = ClusterSettings(exec_file="x")
    return CampaignCluster(cluster=ClusterName("second"), cluster_id=2, settings=settings, **known)


def event(code, cluster=HERE):
    return Event(
        id=EventId(311),
        event_class=EventClass.CAMPAIGN,
        code=code,
        open=True,
        message=f"message of {code}\nand more",
        opened_at=0.0,
        updated_at=0.0,
        campaign=CampaignId(12),
        cluster=cluster,
    )


def moment(
    state=S.IN_TREATMENT, counts=WAITING, events=(), test_mode=TestMode.OFF, clusters=(), **known
):
    campaign = Campaign(
        id=CampaignId(12),
        name="c",
        user="ann",
        state=state,
        submitted_at=0.0,
        ended_at=None,
        counts=counts,
        open_events=len(events),
        clusters=tuple(clusters),
        revision=1,
        test_mode=test_mode,
    )
    return Moment(campaign=campaign, events=events, **known)


OVER = "all its tasks have ended; its epilogue"
UNSEEN = "its last tasks are there, how far is not known"
GONE = "the cluster is not configured any more: only an administrator can bring it back"
SHARE = "its share is in use: 8 tasks run on 8 slots"
HELD = Hold(reason="no route to host", since=1.0)
ON = ClusterSettings(exec_file="x", test_mode=TestMode.THEN_WAIT)
FEW = ClusterSettings(exec_file="x", max_jobs=3)
BIG = ClusterSettings(exec_file="x", cores=16)


@pytest.mark.parametrize(
    ("given", "where", "code", "reason", "remedy"),
    [
        (moment(S.CANCELLED), place(), Why.CANCELLED, "it is cancelled", None),
        (
            moment(S.CANCELLED),
            place(epilogue=StepState.IN_FLIGHT),
            Why.EPILOGUE,
            "it is cancelled, and its epilogue runs",
            None,
        ),
        (
            moment(S.CANCELLED, Counts(running=2, cancelled=3)),
            place(epilogue=StepState.WAITING, prologue=StepState.DONE),
            Why.CANCELLED,
            "it is cancelled; what runs of it is killed",
            None,
        ),
        (
            moment(S.CANCELLED, Counts(cancelled=3)),
            place(epilogue=StepState.WAITING, prologue=StepState.FAILED),
            Why.EPILOGUE,
            "it is cancelled, and its epilogue is about to run",
            None,
        ),
        # Nothing of it ran there.
        (
            moment(S.CANCELLED, Counts(cancelled=3)),
            place(epilogue=StepState.WAITING),
            Why.CANCELLED,
            "it is cancelled",
            None,
        ),
        (moment(S.PAUSED), place(), Why.PAUSED, "it is paused by its owner", "cigri resume 12"),
        (
            moment(S.PAUSED, events=[event("TEST_ENDED", None)]),
            place(),
            Why.TEST_ENDED,
            "message of TEST_ENDED",
            "cigri go 12",
        ),
        (
            moment(S.PAUSED, events=[event("TOO_MANY_FAILURES", None)]),
            place(),
            Why.TOO_MANY_FAILURES,
            "message of TOO_MANY_FAILURES",
            "cigri resume 12",
        ),
        # Whatever else is in its way: first it has to be resumed.
        (
            moment(S.PAUSED, events=[event("SUBMISSION_REJECTED")]),
            place(hold=HELD),
            Why.PAUSED,
            "it is paused by its owner",
            "cigri resume 12",
        ),
        (
            moment(S.TERMINATED, Counts(succeeded=9)),
            place(hold=HELD),
            Why.NOTHING_LEFT,
            "all its tasks have ended",
            None,
        ),
        (
            moment(S.TERMINATED, Counts(succeeded=9, failed=2)),
            place(),
            Why.NOTHING_LEFT,
            "all its tasks have ended, 2 of them failed",
            "cigri fix 12 --resubmit",
        ),
        (
            moment(counts=Counts(running=2, succeeded=9)),
            place(running=2),
            Why.NOTHING_LEFT,
            "its last tasks run: none is left to start",
            None,
        ),
        (
            moment(counts=Counts(queued=2), clusters=[elsewhere(queued=2)]),
            place(),
            Why.NOTHING_LEFT,
            "its last tasks wait on second: 2 queued there",
            None,
        ),
        (
            moment(counts=Counts(running=2), clusters=[elsewhere(running=2)]),
            place(),
            Why.NOTHING_LEFT,
            "its last tasks run on second: none is left to start",
            None,
        ),
        (
            moment(counts=Counts(queued=2), clusters=[elsewhere()]),
            place(queued=2),
            Why.NOTHING_LEFT,
            "its last tasks wait: 2 queued here",
            None,
        ),
        (
            moment(counts=Counts(running=2)),
            place(running=2, hold=HELD, retry_in=64.2),
            Why.CLUSTER_HELD,
            f"{UNSEEN}: no route to host; the next try is in 65 s",
            None,
        ),
        (
            moment(counts=Counts(running=2), admin=True),
            place(running=2, hold=HELD, retry_in=64.2, held_by=EventId(9)),
            Why.CLUSTER_HELD,
            f"{UNSEEN}: no route to host; the next try is in 65 s",
            "cigri fix --event 9",
        ),
        (
            moment(counts=Counts(succeeded=9)),
            place(epilogue=StepState.IN_FLIGHT),
            Why.EPILOGUE,
            "all its tasks have ended; its epilogue runs",
            None,
        ),
        (
            moment(counts=Counts(succeeded=9)),
            place(epilogue=StepState.WAITING, succeeded=9),
            Why.EPILOGUE,
            "all its tasks have ended; its epilogue is about to run",
            None,
        ),
        (
            moment(counts=Counts(succeeded=9)),
            place(epilogue=StepState.WAITING, succeeded=9, hold=HELD, retry_in=3.0),
            Why.EPILOGUE,
            f"{OVER} waits: no route to host; the next try is in 3 s",
            None,
        ),
        (
            moment(counts=Counts(succeeded=9)),
            place(epilogue=StepState.WAITING, succeeded=9, slots=None),
            Why.EPILOGUE,
            f"{OVER} waits: {GONE}",
            None,
        ),
        (
            moment(S.CANCELLED, Counts(cancelled=9)),
            place(epilogue=StepState.IN_FLIGHT, slots=None),
            Why.EPILOGUE,
            f"it is cancelled, and its epilogue waits: {GONE}",
            None,
        ),
        (
            moment(S.TERMINATED, Counts(succeeded=9)),
            place(epilogue=StepState.FAILED, succeeded=9),
            Why.NOTHING_LEFT,
            "all its tasks have ended; its epilogue failed",
            "cigri fix 12 --resubmit",
        ),
        # Tasks came back while it ran.
        (
            moment(),
            place(epilogue=StepState.IN_FLIGHT, chosen=False),
            Why.EPILOGUE,
            "its tasks wait for its epilogue, which still runs there",
            None,
        ),
        (
            moment(events=[event("PROLOG_EXIT_ERROR")]),
            place(prologue=StepState.FAILED),
            Why.PROLOGUE_FAILED,
            "message of PROLOG_EXIT_ERROR: and more (event 311)",
            "cigri fix 12 311",
        ),
        (
            moment(events=[event("COMMAND_NOT_STARTED")]),
            place(hold=HELD),
            Why.HELD,
            "it is held there: message of COMMAND_NOT_STARTED: and more (event 311)",
            "cigri fix 12 311",
        ),
        # An event elsewhere holds nothing here.
        (
            moment(events=[event("COMMAND_NOT_STARTED", ClusterName("there"))]),
            place(),
            Why.STARTING,
            "nothing is in the way: tasks start now",
            None,
        ),
        (
            moment(),
            place(slots=None),
            Why.CLUSTER_HELD,
            GONE,
            None,
        ),
        (
            moment(),
            place(hold=HELD, retry_in=64.2),
            Why.CLUSTER_HELD,
            "no route to host; the next try is in 65 s",
            None,
        ),
        (
            moment(),
            place(hold=HELD, retry_in=0.0),
            Why.CLUSTER_HELD,
            "no route to host; it is tried again now",
            None,
        ),
        (
            moment(),
            place(hold=HELD),
            Why.CLUSTER_HELD,
            "no route to host; ask an administrator to let it go on",
            None,
        ),
        (
            moment(contact="help@site"),
            place(hold=HELD, held_by=EventId(9)),
            Why.CLUSTER_HELD,
            "no route to host; ask help@site to let it go on",
            None,
        ),
        (
            moment(admin=True),
            place(hold=HELD, held_by=EventId(9)),
            Why.CLUSTER_HELD,
            "no route to host",
            "cigri fix --event 9",
        ),
        (
            moment(test_mode=TestMode.THEN_WAIT),
            place(),
            Why.TEST,
            "its test on other clusters is not over",
            "cigri go 12",
        ),
        (
            moment(test_mode=TestMode.THEN_WAIT),
            place(ON, tested=True),
            Why.TEST,
            "its test is not over: all but one task wait for that",
            "cigri go 12",
        ),
        (
            moment(test_mode=TestMode.THEN_WAIT),
            place(ON),
            Why.STARTING,
            "nothing is in the way: tasks start now",
            None,
        ),
        (
            moment(until_change=4000.0),
            place(NIGHTLY),
            Why.DAY,
            "it is nightly, and it is day: the night begins in 1 h 7 min",
            None,
        ),
        (
            moment(),
            place(NIGHTLY),
            Why.DAY,
            "it is nightly, and it is day: no night is configured",
            None,
        ),
        (
            moment(night=True),
            place(NIGHTLY),
            Why.STARTING,
            "nothing is in the way: tasks start now",
            None,
        ),
        (
            moment(),
            place(prologue=StepState.WAITING),
            Why.PROLOGUE,
            "its prologue is about to run there",
            None,
        ),
        (
            moment(),
            place(prologue=StepState.IN_FLIGHT),
            Why.PROLOGUE,
            "its tasks wait for its prologue, which runs there",
            None,
        ),
        (
            moment(),
            place(BIG),
            Why.TOO_BIG,
            "a task takes 16 cores, the cluster has 8",
            None,
        ),
        (
            moment(),
            place(FEW, running=2, queued=1),
            Why.MAX_JOBS,
            "max_jobs is reached: 3 of 3 there",
            None,
        ),
        (
            moment(),
            place(FEW, running=2, chosen=False, busy=8, others=1),
            Why.BUSY,
            f"{SHARE}, 2 of them its own, shared with another user",
            None,
        ),
        (
            moment(),
            place(running=4, chosen=False, busy=8, others=3),
            Why.BUSY,
            f"{SHARE}, 4 of them its own, shared with 3 other users",
            None,
        ),
        (
            moment(clusters=[elsewhere(), elsewhere()]),
            place(elsewhere=5),
            Why.ELSEWHERE,
            (
                "its tasks have waited here too long, or have checkpoints elsewhere:"
                " for ten minutes other clusters go first"
            ),
            None,
        ),
        (
            moment(clusters=[elsewhere(), elsewhere()]),
            place(elsewhere=4),
            Why.STARTING,
            "nothing is in the way: tasks start now",
            None,
        ),
        (
            moment(admin=True),
            place(hold=Hold(reason="no luck", since=0.0), retry_in=90.0, held_by=EventId(7)),
            Why.CLUSTER_HELD,
            "no luck; the next try is in 90 s",
            "cigri fix --event 7",
        ),
        (
            moment(),
            place(in_doubt=1),
            Why.UNANSWERED,
            "a submission there was not answered: before more is sent, it is looked for",
            None,
        ),
        (
            moment(),
            place(in_doubt=3, stress=1.0),
            Why.UNANSWERED,
            "3 submissions there were not answered: before more is sent, they are looked for",
            None,
        ),
        (
            moment(),
            place(stress=0.934, stress_limit=0.8),
            Why.STRESS,
            "the cluster is under stress: 0.93, from 0.8 on nothing is sent",
            None,
        ),
        (
            moment(),
            place(queued=3, chosen=False, busy=2),
            Why.QUEUED,
            "3 tasks wait in the queue of the cluster, for cores that are free",
            None,
        ),
        (
            moment(),
            place(FEW, slots=0, chosen=False, queued=1),
            Why.QUEUED,
            "1 task waits in the queue of the cluster, for cores that are free",
            None,
        ),
    ],
)
def test_the_one_true_reason(given, where, code, reason, remedy):
    (told,) = explain(given, [where]).clusters

    assert (told.cluster, told.code, told.reason, told.remedy) == (HERE, code, reason, remedy)


def test_every_reason_is_in_the_table():
    (mark,) = test_the_one_true_reason.pytestmark

    assert {row[2] for row in mark.args[1]} == set(Why)
