"""The REST interface of OAR 3, as a real one answered."""

import time
from collections.abc import Callable, Collection, Container, Sequence
from urllib.parse import quote

import msgspec
import structlog

from cigri.clusters.oar.api import Amount, Look, OarEvent, OarJob, OarOrder, OarResource, Stress
from cigri.clusters.oar.http import Endless
from cigri.clusters.oar.v3 import words
from cigri.clusters.oar.v3.asking import PAUSES, Asking
from cigri.clusters.oar.v3.checks import Checks
from cigri.clusters.oar.v3.listing import Listing
from cigri.clusters.oar.v3.submission import FAR_BACK, Submission
from cigri.clusters.oar.v3.tokens import reason, refused_token
from cigri.clusters.options import OarOptions
from cigri.errors import SubmissionRejected

#: How many times the usual patience an array's deletion needs: 8 ms for each of its jobs.
DELETION = 4.0
#: Jobs of a user that are looked at to learn where they start.
_GLANCE = 50

log = structlog.get_logger()


class _Done(msgspec.Struct):
    """The answer to an action: 200, whatever came of it."""

    cmd_output: str = ""
    exit_status: int = 0


class _Busy(msgspec.Struct):
    busy: Amount


class Oar3Api:
    """
    Implements `OarApi`.

    Args:
        options: Where it is.
        token: Gives the token of a user, or `None` without one.
        pauses: Seconds before each further try of what others may have broken.
        clock: Seconds of a clock that only runs forward.
    """

    can_write = False
    most_bytes = words.MOST_COMMAND

    def __init__(
        self,
        options: OarOptions,
        token: Callable[[str], str | None],
        *,
        pauses: Sequence[float] = PAUSES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._asking = Asking(options, token, pauses, clock)
        self._listing = Listing(self._asking, clock)
        self._checks = Checks(self._asking)
        self._submission = Submission(self._asking, self._listing, self._checks, clock)
        self._homes: dict[str, str] = {}

    @property
    def clock(self) -> tuple[float, float] | None:
        """Return the cluster's time at the last answer, and this host's."""
        return self._asking.http.clock

    # ----- submission

    async def submit(self, order: OarOrder) -> list[int]:
        """Create the jobs of *order*, see which are there, and return their ids."""
        return await self._submission.submit(order)

    async def named(self, name: str, user: str) -> list[OarJob]:
        """Return the jobs that *user* submitted under *name*."""
        return await self._submission.named(name, user)

    # ----- looking

    def room(self, ids: Sequence[int]) -> int:
        """Return how many of *ids* can be looked at: all, since all that live can be listed."""
        return max(1, len(ids))

    async def jobs(self, ids: Sequence[int], user: str) -> Look:
        """Return those of *ids* that OAR knows."""
        items = await self._listing.look(ids)
        self._homes.update((item.user, item.launching_directory) for item in items if item.ours)
        return Look([item.job() for item in items], self._asking.now())

    async def changed(
        self, since: float, user: str | None, wanted: Container[int] | None = None
    ) -> Look:
        """Refuse: its times are those of its last commit, and `room` is for all."""
        raise NotImplementedError

    async def events(self, ids: Sequence[int], user: str) -> list[OarEvent]:
        """Return what OAR noted about these jobs; the last look has it of those in Error."""
        noted = self._listing.noted
        missing = [number for number in ids if number not in noted]
        told = {item.id: item.noted() for item in await self._listing.details(missing)}
        return [event for number in ids for event in noted.get(number, told.get(number, []))]

    async def resources(self) -> Sequence[OarResource]:
        """Return all resources."""
        return await self._checks.resources()

    async def busy(self) -> int:
        """Return how many resources jobs hold now."""
        return (await self._asking.get("/resources/busy", _Busy)).busy

    async def stress(self) -> float | None:
        """Return the stress factor."""
        return (await self._asking.get("/stress_factor", Stress)).factor

    # ----- actions

    async def delete(self, ids: Collection[int], user: str) -> None:
        """Ask that these jobs end, one after the other."""
        for number in ids:
            await self._act("DELETE", f"/jobs/{number}", user)

    async def delete_array(self, array: int, user: str) -> None:
        """Ask that all jobs of *array* end, or that one job where it is no array."""
        told = await self._act("DELETE", f"/jobs/{array}?array=true", user, patience=DELETION)
        if told is not None and "no job for this array" in told:
            await self.delete([array], user)

    async def checkpoint(self, job: int, user: str) -> None:
        """Send the signal; a cluster whose API may not is left in peace."""
        await self._act("POST", f"/jobs/{job}/checkpoints/new", user)

    async def _act(self, method: str, path: str, user: str, patience: float = 1.0) -> str | None:
        """Return what OAR said of an action, `None` if *user* has no token: then nothing is."""
        try:
            reply = await self._asking.ask(method, path, user=user, patience=patience)
        except SubmissionRejected as error:
            log.warning("cluster.no_token", url=self._asking.http.url, user=user, why=str(error))
            return None
        if reply.status in (401, 403):
            log.warning("cluster.denied", path=path, user=user, why=reason(reply))
            return None
        done = self._asking.read(reply, _Done)
        if done.exit_status not in (0, 6, 7):
            log.info("cluster.not_done", path=path, user=user, why=done.cmd_output[:200])
        return done.cmd_output

    # ----- files

    async def read(
        self, path: str, user: str, *, tail: int | None = None, limit: int
    ) -> bytes | None:
        """Return the end of a file of *user*'s home; raise SubmissionRejected if it has none."""
        where = await self._file(path, user)
        if tail is not None:
            where += f"&tail={max(1, tail)}"
        try:
            reply = await self._asking.ask("GET", where, user=user, keep=limit)
        except Endless as error:
            raise SubmissionRejected(f"{path} of {user}: {error}") from error
        if refused := refused_token(reply, user):
            raise refused
        if reply.status in (403, 404):
            return None
        if reply.status != 200 or not reply.is_file:
            raise self._asking.http.failed(reply)
        return reply.body[-limit:] if limit else b""

    async def write(self, path: str, user: str, data: bytes) -> None:
        """Refuse: its uploads are broken."""
        raise NotImplementedError

    async def remove(self, path: str, user: str) -> None:
        """Remove a file or a directory of *user*'s home."""
        where = await self._file(path, user)
        try:
            reply = await self._asking.ask("DELETE", where, user=user)
        except SubmissionRejected:
            return
        if reply.status not in (200, 202, 204, 401, 403, 404):
            raise self._asking.http.failed(reply)

    async def _file(self, path: str, user: str) -> str:
        return f"/media?path_filename={quote(f'{await self._home(user)}/{path}')}"

    async def _home(self, user: str) -> str:
        """Return the home of *user* there, where their jobs without a directory start."""
        if user not in self._homes:
            since = max(1, int(self._asking.now() - FAR_BACK))
            items = await self._listing.all(f"user={user}&start_time={since}")
            ours = [item.id for item in items if item.name][-_GLANCE:]
            for item in await self._listing.details(ours):
                if item.ours:
                    self._homes[user] = item.launching_directory
        return self._homes.get(user) or f"/home/{user}"

    async def close(self) -> None:
        """Close its connections."""
        await self._asking.http.close()
