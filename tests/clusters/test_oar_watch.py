"""How few requests tell what became of any number of jobs, and that none is overlooked."""

from itertools import pairwise

import pytest

from cigri.clusters.oar.watch import GRACE, REST, SILENCE, Seen, Watch
from tests.fakes.oar_played import PlayedOar


class Site:
    def __init__(self, *, room: int = 1000) -> None:
        self.oar = PlayedOar(room=room)
        self.watch = Watch(self.oar, lambda: self.oar.time)
        self.ids: list[int] = []

    def submit(self, *ids: int) -> None:
        self.oar.put(*ids)
        self.ids += ids
        self.watch.expect(ids)

    async def look(self, after: float = 5.0) -> Seen:
        self.oar.time += after
        self.oar.calls.clear()
        return await self.watch.look(sorted(self.ids), "alice", only_one=True)


async def test_few_jobs_are_asked_for_by_number() -> None:
    site = Site()
    site.submit(1, 2, 3)

    seen = await site.look()

    assert sorted(seen.jobs) == [1, 2, 3]
    assert site.oar.calls == ["jobs 1,2,3"]


async def test_many_jobs_are_looked_at_through_a_window() -> None:
    site = Site(room=2)
    site.submit(1, 2, 3)
    await site.look()
    site.oar.run(1)
    site.oar.end(2)

    seen = await site.look()

    assert site.oar.calls == ["changed alice"]
    assert {number: job.state for number, job in seen.jobs.items()} == {
        1: "Running",
        2: "Terminated",
    }


async def test_jobs_of_others_are_not_taken_for_ours() -> None:
    site = Site(room=2)
    site.submit(1, 2, 3)
    await site.look()
    site.oar.run(77)

    assert 77 not in (await site.look()).jobs


async def test_an_end_between_two_windows_is_in_the_second() -> None:
    site = Site(room=2)
    site.submit(1, 2, 3)
    await site.look()
    await site.look()
    site.oar.end(1)
    site.oar.time += 0.9

    assert 1 in (await site.look(after=0.0)).jobs


async def test_a_job_that_had_cores_and_vanishes_is_asked_for_next() -> None:
    site = Site(room=2)
    site.submit(1, 2, 3)
    site.oar.run(3)
    await site.look()
    assert 3 in (await site.look()).jobs
    site.oar.end(3)
    site.oar.unseen.add(3)

    assert 3 not in (await site.look()).jobs
    seen = await site.look()

    assert site.oar.calls == ["jobs 3"]
    assert seen.jobs[3].state == "Terminated"


async def test_a_job_of_which_nothing_is_heard_is_asked_for() -> None:
    """One that was deleted before it started is in no window."""
    site = Site(room=2)
    site.submit(1, 2, 3)
    site.oar.run(1, 2)
    await site.look()
    site.oar.err(3, start=0.0)

    heard = []
    for _ in range(int((SILENCE + REST) / 5) + 2):
        heard += (await site.look()).jobs
    assert 3 in heard


async def test_windows_and_numbers_take_turns() -> None:
    site = Site(room=2)
    site.submit(*range(1, 9))
    calls = []
    for _ in range(60):
        await site.look(after=10.0)
        calls += site.oar.calls

    assert len(calls) == 60
    by_number = [place for place, call in enumerate(calls) if call.startswith("jobs")]
    assert all(b - a > 1 for a, b in pairwise(by_number))
    asked = {
        int(n) for call in calls for n in call.removeprefix("jobs ").split(",") if n.isdecimal()
    }
    assert asked == set(range(1, 9))


async def test_after_a_start_all_are_asked_for_before_long() -> None:
    """Nobody knows what has ended while the server was down, and since when."""
    site = Site(room=2)
    site.oar.end(*range(1, 9))
    site.oar.time += 100_000
    site.ids = list(range(1, 9))

    heard: set[int] = set()
    for _ in range(9):
        heard |= (await site.look(after=1.0)).jobs.keys()

    assert heard == set(range(1, 9))


async def test_a_missing_job_is_lost_only_after_a_while() -> None:
    site = Site()
    site.submit(1, 2)
    del site.oar.jobs_by_id[2]

    assert not (await site.look()).lost
    assert not (await site.look(after=GRACE - 1)).lost
    assert list((await site.look(after=2.0)).lost) == [2]


async def test_a_job_that_comes_back_is_not_lost() -> None:
    site = Site()
    site.submit(1, 2)
    del site.oar.jobs_by_id[2]
    await site.look()
    site.oar.put(2)
    await site.look(after=GRACE)
    del site.oar.jobs_by_id[2]

    assert not (await site.look()).lost


async def test_a_failed_request_changes_nothing() -> None:
    site = Site(room=2)
    site.submit(1, 2, 3)
    await site.look()
    site.oar.end(1)
    site.oar.fail = ConnectionError()
    with pytest.raises(ConnectionError):
        await site.look(after=500.0)
    site.oar.fail = None

    heard = (await site.look()).jobs.keys() | (await site.look()).jobs.keys()
    assert 1 in heard


async def test_what_waits_is_known() -> None:
    site = Site()
    site.submit(1, 2)
    assert site.watch.waits(1)

    site.oar.run(1)
    await site.look()

    assert [site.watch.waits(number) for number in (1, 2)] == [False, True]
