"""A POST to OAR 3, which may make all, some or none of its jobs, whatever it is answered.

It tells one number only; so after each POST it is looked at what is there.
"""

from collections.abc import Callable

import msgspec

from cigri.clusters.oar.api import OarJob, OarOrder
from cigri.clusters.oar.http import Unanswered
from cigri.clusters.oar.reply import Reply
from cigri.clusters.oar.v3.asking import Asking, silent
from cigri.clusters.oar.v3.checks import Checks
from cigri.clusters.oar.v3.listing import Listing, numbered
from cigri.clusters.oar.v3.tokens import reason, refused_token
from cigri.errors import ClusterUnreachable, SubmissionRejected, SubmissionUnknown

#: The answers to a POST that has made nothing, and would not another time.
_REFUSALS = frozenset({400, 401, 403, 422, 501})
#: How often a POST that has made nothing is sent.
POSTS = 2
#: Seconds that jobs of a name are looked for from when it was sent, or from now, back.
SENT_BACK = 3_600.0
FAR_BACK = 2 * 86_400.0


class _Made(msgspec.Struct):
    """The answer to a POST; nothing is in it when nothing was made."""

    id: int = 0


class Submission:
    """
    Makes jobs, and finds them.

    Args:
        asking: The API.
        listing: How its jobs are looked at.
        checks: What is looked at before.
        clock: Seconds of a clock that only runs forward.
    """

    def __init__(
        self, asking: Asking, listing: Listing, checks: Checks, clock: Callable[[], float]
    ) -> None:
        self._asking = asking
        self._checks = checks
        self._listing = listing
        self._clock = clock
        #: When each name was sent.
        self._sent: dict[str, float] = {}

    async def submit(self, order: OarOrder) -> list[int]:
        """Create the jobs of *order* and return their ids, in the order of its lines."""
        await self._checks.check(order)
        body = _body(order)
        recent = {name: at for name, at in self._sent.items() if self._clock() - at < FAR_BACK}
        self._sent = {**recent, order.name: self._clock()}
        for _ in range(POSTS):
            ids = await self._post(order, body)
            if ids is not None:
                return ids
        await self._checks.alive()
        raise SubmissionRejected(
            "OAR 3 answers 500 to this submission and to no other request, without a reason: it"
            f" does so when there are not enough resources for {order.resource!r}, or when it"
            " cannot read that"
        )

    async def named(self, name: str, user: str) -> list[OarJob]:
        """
        Return the jobs that *user* submitted under *name*, by id.

        That cannot be asked for, so all of the user's are listed: those that live by their state,
        for the times of those that wait may lie, and those that have ended by their times.
        """
        found = {item.id: item for item in await self._listing.all(f"user={user}")}
        sent = self._sent.get(name)
        age = FAR_BACK if sent is None else self._clock() - sent + SENT_BACK
        query = f"user={user}&start_time={max(1, int(self._asking.now() - age))}"
        found.update((item.id, item) for item in await self._listing.all(query))
        ids = sorted(number for number, item in found.items() if item.name == name)
        items = await self._listing.details(ids)
        return [item.job() for item in items if not item.resubmit_job_id]

    async def _post(self, order: OarOrder, body: bytes) -> list[int] | None:
        """Return the ids of the jobs, or `None` when it is certain that none was made."""
        try:
            reply = await self._asking.post(body, order.user)
        except Unanswered as error:
            raise SubmissionUnknown(str(error)) from error
        if reply.status == 200:
            return await self._see(order, self._first(reply))
        if silent(reply):
            # Its handler has ended: what it has not made by now it never will.
            return await self._see(order, 0)
        if not reply.is_json or reply.status not in _REFUSALS:
            failure = self._asking.http.failed(reply)
            raise SubmissionUnknown(str(failure)) if reply.status >= 500 else failure
        told = reason(reply)
        if "not enough resources" in told:
            await self._checks.alive()
        raise refused_token(reply, order.user) or SubmissionRejected(f"OAR 3 refuses it: {told}")

    def _first(self, reply: Reply) -> int:
        """Return the only number that a POST tells: of the first job, and of their array."""
        try:
            made = self._asking.read(reply, _Made)
        except ClusterUnreachable as error:
            raise SubmissionUnknown(str(error)) from error
        if not made.id:
            raise SubmissionRejected("OAR 3 made no job of it, and does not say why")
        return made.id

    async def _see(self, order: OarOrder, array: int) -> list[int] | None:
        """
        Return the ids of what was made; `None` when nothing was, and nothing was promised.

        Raises:
            SubmissionUnknown: It is not what was ordered, or cannot be seen.
        """
        count = len(order.lines)
        try:
            items = await self._listing.all(f"array={array}") if array else []
            ids = sorted(item.id for item in items if item.name == order.name)
            if len(ids) == count:
                return ids
            jobs = await self.named(order.name, order.user)
        except ClusterUnreachable as error:
            raise SubmissionUnknown(f"what was made cannot be seen: {error}") from error
        # Of two for one place, the one that was first.
        found = {job.array_index: job.id for job in reversed(jobs)}
        if not found and not array:
            return None
        if sorted(found) != list(range(1, count + 1)):
            raise SubmissionUnknown(f"OAR 3 has made {len(found)} of {count} jobs")
        return [found[place] for place in range(1, count + 1)]


def _body(order: OarOrder) -> bytes:
    """Return a POST: its lists are lists, and no key is one that OAR 3 ignores."""
    given = {
        **order.common(),
        "command": order.command,
        # Each line is a job, also an empty one after the last end of a line.
        "param_file": "\n".join(numbered(order.lines)),
        "resource": [order.resource],
    }
    return msgspec.json.encode(given)
