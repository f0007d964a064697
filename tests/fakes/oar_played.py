"""A cluster of OAR behind its interface, without HTTP: its jobs are what a test says."""

from collections.abc import Collection, Container, Sequence

from cigri.clusters.oar.api import FINAL, Look, OarEvent, OarJob, OarOrder, OarResource


class PlayedOar:
    """Implements `OarApi`; remembers what it was asked."""

    most_bytes = 120 * 1024

    def __init__(self, *, room: int = 1000, can_write: bool = True) -> None:
        self.can_write = can_write
        self.time = 1000.0
        self.jobs_by_id: dict[int, OarJob] = {}
        self.told: list[OarEvent] = []
        self.orders: list[OarOrder] = []
        self.files: dict[tuple[str, str], bytes] = {}
        self.calls: list[str] = []
        self.names: dict[int, str] = {}
        self.fail: Exception | None = None
        #: Jobs that a window leaves out, whatever became of them.
        self.unseen: set[int] = set()
        self.next_id = 101
        self._room = room

    @property
    def clock(self) -> tuple[float, float] | None:
        return (self.time + 5.0, self.time)

    def put(self, *ids: int, state: str = "Waiting", **more: object) -> None:
        """Let jobs be as described."""
        for number in ids:
            self.jobs_by_id[number] = OarJob(id=number, state=state, **more)

    def run(self, *ids: int, start: float = 1000.0) -> None:
        self.put(*ids, state="Running", start_time=start)

    def end(self, *ids: int, code: int = 0, start: float = 1000.0) -> None:
        self.put(*ids, state="Terminated", exit_code=code, start_time=start, stop_time=self.time)

    def err(self, *ids: int, why: Sequence[tuple[str, str]] = (), start: float = 1000.0) -> None:
        self.put(*ids, state="Error", start_time=start, stop_time=start and self.time)
        self.told += [
            OarEvent(job_id=number, type=kind, description=said)
            for number in ids
            for kind, said in why
        ]

    def _ask(self, call: str) -> None:
        self.calls.append(call)
        if self.fail is not None:
            raise self.fail

    async def submit(self, order: OarOrder) -> list[int]:
        self._ask("submit")
        self.orders.append(order)
        ids = list(range(self.next_id, self.next_id + len(order.lines)))
        self.next_id += len(ids)
        for place, number in enumerate(ids, 1):
            self.put(number, array_index=place)
            self.names[number] = order.name
        return ids

    async def named(self, name: str, user: str) -> list[OarJob]:
        self._ask("named")
        return [self.jobs_by_id[number] for number, own in self.names.items() if own == name]

    def room(self, ids: Sequence[int]) -> int:
        return self._room

    async def jobs(self, ids: Sequence[int], user: str) -> Look:
        self._ask(f"jobs {','.join(map(str, ids))}")
        assert len(ids) <= self._room
        return Look([self.jobs_by_id[n] for n in ids if n in self.jobs_by_id], self.time)

    async def changed(
        self, since: float, user: str | None, wanted: Container[int] | None = None
    ) -> Look:
        self._ask(f"changed {user}")
        listed = [
            job
            for job in self.jobs_by_id.values()
            if job.id not in self.unseen
            and (job.stop_time >= since if job.state in FINAL else job.start_time)
        ]
        return Look(listed, self.time)

    async def events(self, ids: Sequence[int], user: str) -> list[OarEvent]:
        self._ask(f"events {','.join(map(str, ids))}")
        return [event for event in self.told if event.job_id in ids]

    async def delete(self, ids: Collection[int], user: str) -> None:
        self._ask(f"delete {','.join(map(str, ids))}")

    async def delete_array(self, array: int, user: str) -> None:
        self._ask(f"delete array {array}")

    async def checkpoint(self, job: int, user: str) -> None:
        self._ask(f"checkpoint {job}")

    async def resources(self) -> Sequence[OarResource]:
        self._ask("resources")
        states = ["Alive"] * 3 + ["Suspected", "Absent", "Dead"]
        cores = [OarResource(state=state) for state in states]
        return [*cores, OarResource(state="Alive", type="licence")]

    async def stress(self) -> float | None:
        self._ask("stress")
        return 0.5

    async def read(
        self, path: str, user: str, *, tail: int | None = None, limit: int
    ) -> bytes | None:
        self._ask(f"read {path}")
        text = self.files.get((user, path))
        if text is None:
            return None
        lines = text.splitlines(keepends=True)
        return b"".join(lines if tail is None else lines[-tail:])[-limit:]

    async def write(self, path: str, user: str, data: bytes) -> None:
        self._ask(f"write {path}")
        self.files[user, path] = data

    async def remove(self, path: str, user: str) -> None:
        self._ask(f"remove {path}")

    async def close(self) -> None:
        self._ask("close")
