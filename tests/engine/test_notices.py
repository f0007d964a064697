"""Who waits for a change is told of it."""

import asyncio

import pytest

from cigri.domain.model import CampaignId
from cigri.engine import notices
from cigri.engine.notices import Notices
from cigri.store.changes import CLUSTERS, Written

ONE, TWO, THREE = map(CampaignId, (1, 2, 3))


def written(**changes: bool) -> Written:
    numbers = {int(name[1:]): state for name, state in changes.items()}
    return Written(changes=numbers, seconds=0.0, done=True)


def test_a_change_is_a_new_version_of_what_changed_alone() -> None:
    told = Notices()
    told.told(written(c1=False))
    before = told.of(ONE), told.of(TWO)
    told.told(written(c2=False))

    assert told.of(ONE) == before[0]
    assert told.of(TWO) > before[1]
    assert told.version == told.of(TWO)


def test_a_transaction_that_changed_nothing_is_no_version() -> None:
    told = Notices()
    told.told(written())

    assert told.version == 0


def test_only_another_state_is_another_version_of_the_state() -> None:
    told = Notices()
    told.told(written(c1=True))
    before = told.state_of(ONE)
    told.told(written(c1=False))

    assert told.state_of(ONE) == before
    assert told.of(ONE) > before


def test_the_clusters_are_no_campaign() -> None:
    told = Notices()
    told.told(written(**{f"c{CLUSTERS}": False}))

    assert told.clusters == told.version == 1
    assert list(told.since(0)) == []


def test_what_changed_since_is_told_the_last_one_first() -> None:
    told = Notices()
    for name in ("c1", "c2", "c3", "c1"):
        told.told(written(**{name: False}))

    assert list(told.since(1)) == [ONE, THREE, TWO]
    assert list(told.since(3)) == [ONE]
    assert list(told.since(4)) == []


def test_what_is_forgotten_has_no_version_that_it_had_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(notices, "MOST_KNOWN", 1)
    told = Notices()
    told.told(written(c1=True))
    unknown = told.of(THREE)
    told.told(written(c2=False))

    # A tag that was made of it must not be good for what it became meanwhile.
    assert told.of(ONE) == told.state_of(ONE) == 1
    assert told.of(THREE) > unknown
    assert list(told.since(0)) == [TWO]


async def test_all_who_wait_are_woken_and_nobody_else() -> None:
    told = Notices()
    async with asyncio.TaskGroup() as group:
        waiting = [group.create_task(told.news(ONE)) for _ in range(3)]
        anything = group.create_task(told.news(None))
        other = group.create_task(told.news(TWO))
        await asyncio.sleep(0)
        told.told(written(c1=False))
        await asyncio.wait([*waiting, anything])
        assert not other.done()
        told.close()


async def test_one_who_gives_up_leaves_the_others_waiting() -> None:
    told = Notices()
    async with asyncio.TaskGroup() as group:
        patient = group.create_task(told.news(ONE))
        impatient = group.create_task(told.news(ONE))
        await asyncio.sleep(0)
        impatient.cancel()
        await asyncio.wait([impatient])
        assert not patient.done()
        told.told(written(c1=False))


async def test_after_the_close_nobody_waits() -> None:
    told = Notices()
    told.close()

    async with asyncio.timeout(1):
        await told.news(ONE)
