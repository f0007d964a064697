"""How short tasks share the jobs of a cluster that is slow to start one."""

import heapq
from collections import deque

import attrs
import pytest

from cigri.domain.capacity import Capacity
from cigri.domain.model import Shape
from cigri.domain.scheduling import POLICIES, Offer

CORES = 16
OAR = Capacity(
    arrays=True,
    lookahead=20.0,
    most_in_flight=25_000,
    most_in_submission=5_000,
    group_duration=600.0,
)


@attrs.define
class Played:
    """A cluster that starts jobs one by one, and a core of which is free some time after each."""

    #: Seconds between two starts, and from the end of a job to the start of the next there.
    rhythm: float = 0.5
    pause: float = 1.5
    #: Seconds between two looks at it.
    look: float = 5.0
    jobs: int = 0
    wall: float = 0.0

    def run(self, lengths: list[float]) -> float:
        """Run a campaign of tasks of these *lengths*; return which part of the time was work."""
        bag, queue = deque(lengths), deque()
        cores = [0.0] * CORES
        ends: list[tuple[float, float]] = []
        now = may_start = taken = 0.0
        ended, ran = 0, 0.0
        while bag or queue or ends:
            self.submit(bag, queue, ended, ran, int(taken))
            taken = len(lengths) - len(bag)
            now += self.look
            while queue and (start := max(may_start, cores[0])) < now:
                may_start = max(start, now - self.look) + self.rhythm
                at = max(start, now - self.look) + self.pause
                for length in queue.popleft():
                    at += length
                    heapq.heappush(ends, (at, length))
                heapq.heapreplace(cores, at)
                self.jobs += 1
            while ends and ends[0][0] <= now:
                self.wall, length = heapq.heappop(ends)
                ended, ran = ended + 1, ran + length
        return ran / (self.wall * CORES)

    def submit(
        self, bag: deque[float], queue: deque[list[float]], ended: int, ran: float, taken: int
    ) -> None:
        """Hand out what the policy chooses, in groups as a claim cuts them."""
        mean = ran / ended if ended else None
        offer = Offer(
            campaign=1,
            user="ann",
            pending=len(bag),
            in_flight=taken - ended,
            mean_duration=mean,
            ended=ended,
            capacity=OAR,
            shape=Shape.GROUP,
        )
        for choice in POLICIES["turns"]([offer], CORES):
            last = choice.tasks == len(bag)
            for size in OAR.sizes(
                choice.tasks, Shape.GROUP, parallel=CORES, mean_duration=mean, last=last
            ):
                queue.append([bag.popleft() for _ in range(size)])


@pytest.mark.parametrize(
    ("tasks", "seconds", "use", "jobs"),
    [
        (2_000, 1.0, 0.9, 48),
        (2_000, 0.1, 0.5, 32),
        (2_000, 5.0, 0.97, 96),
        (20_000, 1.0, 0.98, 150),
        (320, 30.0, 0.97, 96),
        # Half of them are alone, the others in pairs.
        (200, 300.0, 0.95, 150),
    ],
)
def test_short_tasks_keep_the_cores_busy_in_few_jobs(tasks, seconds, use, jobs):
    cluster = Played()

    assert cluster.run([seconds] * tasks) >= use
    assert cluster.jobs <= jobs


def test_who_is_quick_takes_over_from_who_is_slow():
    cluster = Played()
    # The first thousand are as nobody could know of the others.
    lengths = [0.5 + (n * 7919 % 100) / 50 for n in range(2_000)]

    assert cluster.run(lengths) >= 0.85
