"""The REST interface of OAR 2.5, with what it does and does not say (docs/oar.md)."""

from collections.abc import Collection, Container, Sequence
from functools import partial
from typing import Annotated
from urllib.parse import quote

import msgspec

from cigri.clusters.oar.api import (
    MOST_RESOURCES,
    NAME,
    Amount,
    Look,
    OarEvent,
    OarJob,
    OarOrder,
    OarResource,
    Stress,
)
from cigri.clusters.oar.http import OarHttp, Unanswered, repeated
from cigri.clusters.oar.reply import Reply
from cigri.clusters.oar.rows import Row, Rows
from cigri.clusters.oar.v2.media import Media
from cigri.clusters.oar.v2.words import (
    JobRow,
    body_of,
    check,
    decoded,
    ids_made,
    job_of,
    refused,
)
from cigri.clusters.options import OarOptions
from cigri.errors import ClusterUnreachable, Fault, SubmissionRejected, SubmissionUnknown

#: Bytes of a request line that Apache takes, and of ours that are not ids.
_REQUEST_LINE = 8190
_AROUND_IDS = 600
#: More rows than there are: OAR's own default is 500, and `select_all` takes 0 for none.
_ALL_ROWS = 10_000_000
#: Jobs of one answer that are ours, at most.
_MOST_JOBS = 200_000


class _Table(msgspec.Struct):
    items: list[OarJob] = []
    api_timestamp: float = 0.0


class _Rows(msgspec.Struct):
    items: list[JobRow] = []


class _Events(msgspec.Struct):
    items: list[OarEvent] = []


class _Resources(msgspec.Struct):
    items: list[OarResource] = []


class _Count(msgspec.Struct):
    busy: Amount


class _Held(msgspec.Struct):
    items: Annotated[list[_Count], msgspec.Meta(min_length=1, max_length=1)]


class Oar2Api:
    """Requests to OAR 2.5, which believes the header that says for whom they are."""

    can_write = True

    def __init__(self, options: OarOptions) -> None:
        self._options = options
        self._http = OarHttp(options)
        self.most_bytes = options.request_limit_kib * 1024
        self._media = Media(self._http, most_bytes=self.most_bytes, header=options.identity_header)

    @property
    def clock(self) -> tuple[float, float] | None:
        """Return the cluster's time at the last answer, and this host's."""
        return self._http.clock

    async def submit(self, order: OarOrder) -> list[int]:
        """Create the jobs of *order*."""
        body = body_of(order)
        if len(body) > self.most_bytes:
            raise SubmissionRejected(
                f"a submission of {len(body)} bytes is over `request_limit_kib`"
            )
        await self._media.be(order.user)
        try:
            reply = await self._http.send(
                "POST", "/jobs.json", user=order.user, body=body, patience=2.0
            )
        except Unanswered as error:
            raise SubmissionUnknown(str(error)) from error
        if reply.status != 201:
            raise refused(self._http, reply)
        try:
            ids = ids_made(reply)
        except ValueError as error:
            raise SubmissionUnknown(f"{self._http.url} gave half an answer: {error}") from error
        if len(ids) != len(order.lines):
            raise SubmissionUnknown(
                f"{self._http.url} made {len(ids)} jobs where {len(order.lines)} were asked for"
            )
        return ids

    async def named(self, name: str, user: str) -> list[OarJob]:
        """Return the jobs of *user* called *name*; a database in trouble is no empty list."""
        check(name, NAME, "name")
        check(user, r"\w+", "login")
        rows = await self._rows(f"job_name = '{name}' AND job_user = '{user}'", user)
        return [job_of(row) for row in rows]

    def room(self, ids: Sequence[int]) -> int:
        """Return how many of the first of *ids* fit into a request line."""
        left = _REQUEST_LINE - _AROUND_IDS - len(self._http.url)
        for count, number in enumerate(ids):
            left -= len(str(number)) + 1
            if left < 0:
                return max(1, count)
        return len(ids)

    async def jobs(self, ids: Sequence[int], user: str) -> Look:
        """Return those of *ids* that there are; any that are missing are asked for twice."""
        look = await self._table(f"ids={':'.join(map(str, ids))}", user, frozenset(ids))
        missing = set(ids) - {job.id for job in look.jobs}
        if not missing:
            return look
        # To OAR an error of its database is a list without jobs; only `select_all` says so.
        some = sorted(missing)[: self.room(sorted(missing))]
        rows = await self._rows(f"job_id IN ({','.join(map(str, some))})", user, all_of_them=True)
        return Look([*look.jobs, *map(job_of, rows)], look.server_time)

    async def changed(
        self, since: float, user: str | None, wanted: Container[int] | None = None
    ) -> Look:
        """Return what has cores now or ended since *since*, and what was submitted since."""
        of_one = "" if user is None else f"&user={user}"
        return await self._table(f"from={max(1, int(since))}{of_one}", user, wanted)

    async def events(self, ids: Sequence[int], user: str) -> list[OarEvent]:
        """Return what happened to these jobs."""
        found: list[OarEvent] = []
        left = list(ids)
        while left:
            some, left = left[: self.room(left)], left[self.room(left) :]
            columns = "job_id, type, description, date, event_id"
            reply = await self._select(
                f"(SELECT {columns} FROM event_logs WHERE job_id IN"  # noqa: S608 - numbers
                f" ({','.join(map(str, some))}) UNION ALL SELECT 0, '', '', 0, 0) AS found",
                user,
            )
            found += decoded(self._http, reply, _Events).items
        return sorted((event for event in found if event.job_id), key=lambda event: event.date)

    async def delete(self, ids: Collection[int], user: str) -> None:
        """Ask for the end of each job; that it has one, or is nobody's, is answered with 400."""
        for number in ids:
            path = f"/jobs/{number}.json"
            reply = await repeated(partial(self._http.send, "DELETE", path, user=user))
            if reply.status not in {200, 202, 400, 404}:
                raise self._http.failed(reply)

    async def delete_array(self, array: int, user: str) -> None:
        """Ask for the end of a whole array: 400 as soon as one of its jobs has ended."""
        send = partial(
            self._http.send,
            "POST",
            f"/jobs/array/{array}/deletions/new.json",
            user=user,
            body=b"",
            # 10,000 jobs take OAR up to a minute.
            patience=4.0,
        )
        reply = await repeated(send)
        if reply.status not in {200, 202, 400}:
            raise self._http.failed(reply)

    async def checkpoint(self, job: int, user: str) -> None:
        """Send the signal of its checkpoint to *job*."""
        path = f"/jobs/{job}/checkpoints/new.json"
        reply = await self._http.send("POST", path, user=user, body=b"")
        if reply.status not in {200, 202, 400}:
            raise self._http.failed(reply)

    async def resources(self) -> Sequence[OarResource]:
        """Return all resources."""
        rows = Rows(OarResource, most=MOST_RESOURCES)
        path = f"/resources/full.json?limit={_ALL_ROWS}"
        rest = decoded(self._http, await self._listing(path, None, rows), _Resources)
        return [*rows.taken, *rest.items]

    async def busy(self) -> int:
        """Return how many resources jobs hold now; the count is a row even where there is none."""
        reply = await self._select(
            "(SELECT COUNT(*) AS busy FROM assigned_resources WHERE"
            " assigned_resource_index = 'CURRENT' AND resource_id IN"
            " (SELECT resource_id FROM resources WHERE type = 'default')) AS found",
            "nobody",  # any name will do, and this one may do nothing else
        )
        (row,) = decoded(self._http, reply, _Held).items
        return row.busy

    async def stress(self) -> float | None:
        """Return the stress factor."""
        reply = await self._http.get("/stress_factor.json", user=None)
        if reply.status == 404:
            return None
        return decoded(self._http, reply, Stress).factor

    async def read(
        self, path: str, user: str, *, tail: int | None = None, limit: int
    ) -> bytes | None:
        """Return the end of a file of the user's."""
        return await self._media.read(path, user, tail=tail, limit=limit)

    async def write(self, path: str, user: str, data: bytes) -> None:
        """Write a file, over what is there, in a directory that is closed to others."""
        await self._media.write(path, user, data)

    async def remove(self, path: str, user: str) -> None:
        """Remove a file or a directory."""
        await self._media.remove(path, user)

    async def close(self) -> None:
        """Close its connections."""
        await self._http.close()

    async def _table(
        self, query: str, user: str | None, wanted: Container[int] | None = None
    ) -> Look:
        keep = None if wanted is None else lambda job: job.id in wanted
        rows = Rows(OarJob, keep, most=_MOST_JOBS)
        reply = await self._listing(f"/jobs/table.json?{query}&limit=0", user, rows)
        rest = decoded(self._http, reply, _Table)
        # An empty list has no time of its own.  What it shows may be as old as the request.
        told = rest.api_timestamp or reply.sent_at
        others = rest.items if keep is None else filter(keep, rest.items)
        return Look([*rows.taken, *others], told and told - reply.waited)

    async def _listing(self, path: str, user: str | None, rows: Rows[Row]) -> Reply:
        """Take the rows of a long listing while they arrive; return what is left of it."""
        try:
            reply = await self._http.get(path, user=user, into=rows.feed)
        except ValueError as error:
            raise ClusterUnreachable(
                f"{self._http.url} gave half an answer: {error}", fault=Fault.GARBLED
            ) from error
        return reply._replace(body=rows.rest) if reply.status == 200 else reply

    async def _rows(self, where: str, user: str, *, all_of_them: bool = False) -> list[JobRow]:
        columns = "job_id, array_index, state, exit_code, start_time, stop_time"
        own = "" if all_of_them else " AND resubmit_job_id = 0"
        # No row at all would be an error to OAR.
        reply = await self._select(
            f"(SELECT {columns} FROM jobs WHERE {where}{own}"  # noqa: S608 - checked names
            " UNION ALL SELECT 0, 0, '', 0, 0, 0) AS found",
            user,
        )
        rows = decoded(self._http, reply, _Rows).items
        if not any(row.job_id == 0 for row in rows):
            raise self._http.failed(reply)
        return sorted((row for row in rows if row.job_id), key=lambda row: row.job_id)

    async def _select(self, source: str, user: str) -> Reply:
        query = quote(f"FROM {source}", safe="(),='")
        return await self._http.get(f"/select_all.json?limit={_ALL_ROWS}&query={query}", user=user)
