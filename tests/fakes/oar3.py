"""An OAR 3 that is played: its REST interface with the oddities and the faults of the real one.

It answers what a real one (3.0.3dev) was seen to answer, to the letter where a client could read
it.  Where one is poisoned, broken by two requests at a time or silent about a job, so is this one.
"""

import asyncio
import base64
import contextlib
import hashlib
import hmac
import json
import re
import shutil
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import attrs
from aiohttp import web

from tests.fakes.oar3_cluster import (
    LISTED,
    OCCUPYING,
    OVER,
    STATES,
    Cluster,
    Garbage,
    Job,
    Refused,
    parse_resource,
)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

#: What an empty body is answered with; the same words tell of everything that went wrong.
NO_REASON = "Internal Server Error"
KNOWN_TYPES = frozenset(
    {"besteffort", "idempotent", "timesharing", "deploy", "cosystem", "container", "inner", "noop"}
)
QUEUES = frozenset({"default", "besteffort", "admin"})
#: The fields of a POST and whether they are lists; others are ignored, also `types`.
LISTS = ("resource", "type", "after")
TEXTS = (
    *("command", "param_file", "queue", "directory", "project", "name", "notify", "stdout"),
    *("stderr", "property", "workdir", "reservation"),
)
NUMBERS = ("array", "checkpoint", "signal")


#: Faults that are about the jobs that a POST makes.
_ABOUT_JOBS = ("half-made", "cut", "steal")
#: Whether half of what a POST asks for is to be made.
HALF = web.RequestKey("half", bool)


class Sick(Exception):
    """A 500 without a reason."""


@attrs.define
class Fault:
    """Something that goes wrong with the next requests."""

    #: "500", "reset", "hang", "html", "cut", "half-made", "steal"; with "-after" once it was done.
    kind: str
    method: str
    path: str
    times: int = 1
    #: Requests that are spared first.
    spare: int = 0


@attrs.define(eq=False)
class _Inside:
    """A request that is being served."""

    writes: bool
    #: That another one came while this one had not ended, and one of the two writes.
    disturbed: bool = False


SECRET = "secret"


def token(user: str, secret: str = SECRET, *, expires: float = 3e9) -> str:
    """Return a token as `oarsub --api-token` makes them."""
    claims = {"user": user, "exp": expires, "date": "2026-11-21"}
    head = _base64(json.dumps({"alg": "HS256", "typ": "JWT"}).encode())
    signed = f"{head}.{_base64(json.dumps(claims).encode())}"
    return f"{signed}.{_signature(signed, secret)}"


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _signature(text: str, secret: str) -> str:
    return _base64(hmac.digest(secret.encode(), text.encode(), hashlib.sha256))


class Oar3:
    """
    The server.

    Args:
        cluster: The jobs and the nodes behind it.
        latency: Seconds that a request stays in the database: while it does, another one that
            writes breaks it, or is broken.
    """

    def __init__(self, cluster: Cluster, *, latency: float = 0.002) -> None:
        self.cluster = cluster
        self.latency = latency
        self.secret = SECRET
        self.revoked: set[str] = set()
        self.stress = "2.10"
        self.url = ""
        #: Whether a statement has failed since the API was started.
        self.poisoned = False
        #: Whether the database answers.
        self.database = True
        #: Whether the API runs as `oar`: as root, as shipped, it cannot send signals.
        self.as_oar = True
        #: Bytes of an address, at most: what a web server before it may set.
        self.most_address = 120_000
        #: Jobs whose change of state Almighty has not dealt with.
        self.unchecked: set[int] = set()
        self.faults: list[Fault] = []
        #: Each request: method, path with query, body.
        self.requests: list[tuple[str, str, str]] = []
        #: How often two requests were inside at a time, one of them writing.
        self.overlaps = 0
        self._inside: set[_Inside] = set()
        self._breakage = 0
        #: The time of the open transaction, which all that the API writes carries.
        self._transaction = int(time.time())
        self._runner: web.AppRunner | None = None

    # ----- what tests ask

    def fault(self, kind: str, method: str, path: str, *, times: int = 1, spare: int = 0) -> None:
        """Let something go wrong with the next requests of *method* whose path begins so."""
        self.faults.append(Fault(kind, method, path, times, spare))

    def restart(self) -> None:
        """Start the API again, which heals a poisoned one."""
        self.poisoned = False
        self._transaction = int(time.time())

    def asked(self, method: str, path: str = "/") -> list[str]:
        """Return the paths, with their queries, that were asked for."""
        return [told for verb, told, _ in self.requests if verb == method and path in told]

    def idle_for(self, seconds: float) -> None:
        """Let the API have been idle: what it writes next is dated that far back."""
        self._transaction = int(time.time() - seconds)

    # ----- serving

    async def start(self, port: int = 0) -> None:
        """Begin to answer and to run jobs."""
        app = web.Application(client_max_size=2**26, middlewares=[self._middleware])
        app.add_routes(self._routes())
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port)
        await site.start()
        host, bound = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{bound}"
        self.cluster.start()

    async def stop(self) -> None:
        """End all jobs and connections."""
        await self.cluster.stop()
        if self._runner is not None:
            await self._runner.cleanup()

    def _routes(self) -> list[web.RouteDef]:
        return [
            web.get("/", _version),
            web.get("/version", _version),
            web.get("/timezone", _timezone),
            web.get("/whoami", self._whoami),
            web.get("/check_token", self._check_token),
            web.get("/get_new_token", self._new_token),
            web.get("/resources", self._resources),
            web.get("/resources/busy", self._busy),
            web.get("/resources/{name:full|[0-9]+}", _always_500),
            web.get("/stress_factor", self._stress),
            web.get("/jobs", self._list),
            web.get("/jobs/", self._list),
            web.post("/jobs", self._submit),
            web.post("/jobs/", self._submit),
            web.get("/jobs/{id}", self._show),
            web.get("/jobs/{id}/events", self._events),
            web.delete("/jobs/{id}", self._delete),
            web.post("/jobs/{id}/deletions/new", self._delete),
            web.post("/jobs/{id}/checkpoints/new", self._checkpoint),
            web.post("/jobs/{id}/resumptions/new", self._resume),
            web.post("/jobs/{id}/signal/{number}", self._signal),
            web.post("/jobs/{id}/{anything}/new", self._hold),
            web.get("/media", self._media),
            web.get("/media/", self._media),
            web.delete("/media", self._remove),
            web.post("/media", self._upload),
        ]

    @web.middleware
    async def _middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        body = await request.text()
        self.requests.append((request.method, request.path_qs, body))
        try:
            return await self._answer(request, handler)
        except Sick:
            return web.Response(status=500, text=NO_REASON)
        except Refused as refused:
            headers = {"WWW-Authenticate": "Bearer"} if refused.status == 401 else {}
            return _json({"detail": refused.detail}, refused.status, headers)
        except web.HTTPNotFound:
            return _json({"detail": "Not Found"}, 404)
        except web.HTTPMethodNotAllowed:
            return _json({"detail": "Method Not Allowed"}, 405)

    async def _answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        fault = self._fault_of(request)
        kind = fault.kind if fault else ""
        if len(request.path_qs) > self.most_address:
            return web.Response(status=414, text="<html>", content_type="text/html")
        if kind and not kind.endswith("-after") and kind not in _ABOUT_JOBS:
            await self._go_wrong(kind, request)
        answer = await self._serve(request, handler, half=kind == "half-made")
        if kind == "cut":
            return await _cut(request, answer)
        if kind == "steal":
            # Another one's commit has taken a row with it.
            del self.cluster.jobs[sorted(self.cluster.jobs)[-2]]
        if kind.endswith("-after"):
            await self._go_wrong(kind.removesuffix("-after"), request)
        return answer

    def _fault_of(self, request: web.Request) -> Fault | None:
        for fault in self.faults:
            if fault.method == request.method and request.path_qs.startswith(fault.path):
                if fault.spare:
                    fault.spare -= 1
                    return None
                fault.times -= 1
                if not fault.times:
                    self.faults.remove(fault)
                return fault
        return None

    async def _go_wrong(self, kind: str, request: web.Request) -> None:
        match kind:
            case "500":
                raise Sick
            case "reset":
                assert request.transport is not None
                request.transport.abort()
                raise Sick
            case "hang":
                await asyncio.sleep(3600)
            case "html":
                page = "<html><body><h1>502 Bad Gateway</h1></body></html>"
                raise web.HTTPBadGateway(text=page, content_type="text/html")

    async def _serve(
        self, request: web.Request, handler: Handler, *, half: bool
    ) -> web.StreamResponse:
        """Answer, in the one session of the database if the request needs it."""
        if request.path.split("/")[1] not in ("jobs", "resources"):
            return await handler(request)
        me = _Inside(writes=request.method != "GET")
        for other in self._inside:
            if me.writes or other.writes:
                other.disturbed = me.disturbed = True
                self.overlaps += 1
        self._inside.add(me)
        try:
            await asyncio.sleep(self.latency)
            if me.disturbed and not me.writes:
                await self._break(request)
            if me.disturbed and any(other.writes for other in self._inside - {me}):
                half = True
            request[HALF] = half
            if self.poisoned or not self.database:
                # Without a database the session breaks as by any other statement that failed.
                self.poisoned = True
                _validate(request)
                raise Sick
            return await handler(request)
        finally:
            self._inside.discard(me)

    async def _break(self, request: web.Request) -> None:
        self._breakage += 1
        await self._go_wrong("500" if self._breakage % 3 else "reset", request)

    def _poison(self) -> None:
        self.poisoned = True

    def _commit(self) -> int:
        """Return the time that what is written now carries: that of the commit before."""
        carried, self._transaction = self._transaction, int(time.time())
        return carried

    # ----- who asks

    def _user(self, request: web.Request) -> str:
        given = request.headers.get("Authorization")
        if given is None:
            raise Refused(403, "Not authenticated")
        scheme, _, found = given.partition(" ")
        if scheme != "Bearer":
            raise Refused(403, "Invalid authentication credentials")
        claims = self._claims(found)
        if claims is None or claims["exp"] < time.time():
            raise Refused(401, "Could not validate credentials !!! ")
        user = str(claims["user"])
        if user in self.revoked:
            raise Refused(401, "Token not valid anymore (revoked by an admin)")
        return user

    def _claims(self, found: str) -> dict[str, Any] | None:
        signed, _, signature = found.rpartition(".")
        if not hmac.compare_digest(_signature(signed, self.secret), signature):
            return None
        payload = signed.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        assert isinstance(claims, dict)
        return claims

    async def _whoami(self, request: web.Request) -> web.Response:
        try:
            user = self._user(request)
        except Refused as refused:
            if refused.status != 401:
                raise
            user = ""
        return _timed({"authenticated_user": user})

    async def _check_token(self, request: web.Request) -> web.Response:
        return _timed({"user": self._user(request), "auth": "Token valid"})

    async def _new_token(self, request: web.Request) -> web.Response:
        return _timed({"OAR_API_TOKEN": token(self._user(request), self.secret)})

    # ----- resources

    async def _resources(self, request: web.Request) -> web.Response:
        limit = int(request.query.get("limit", "25"))
        offset = int(request.query.get("offset", "0"))
        detailed = request.query.get("detailed") == "true"
        found = [self._resource(number, detailed) for number in range(1, self.cluster.cores + 1)]
        if address := request.query.get("network_address"):
            found = [item for item in found if item["network_address"] == address]
        page = found[offset : offset + limit]
        return _timed({"total": len(found), "offset": offset, "items": page})

    def _resource(self, number: int, detailed: bool) -> dict[str, Any]:
        half = max(1, self.cluster.cores // 2)
        node = "node1" if number <= half else "node2"
        state = "Suspected" if node in self.cluster.suspected else "Alive"
        short = {
            "id": number,
            "network_address": node,
            "state": state,
            "available_upto": 2147483647,
        }
        if not detailed:
            return short
        return {
            "id": number,
            "type": "default",
            **short,
            "next_state": "UnChanged",
            "cpuset": str((number - 1) % half),
            "besteffort": "YES",
            "deploy": "NO",
            "desktop_computing": "NO",
            "drain": "NO",
            "core": number,
            "cpu": 1,
            "host": node,
            "mem": 4096,
        }

    async def _busy(self, request: web.Request) -> web.Response:
        busy = [job.cores for job in self.cluster.jobs.values() if job.state in OCCUPYING]
        return _timed({"busy": sum(busy)})

    async def _stress(self, request: web.Request) -> web.Response:
        return _timed({"GLOBAL_STRESS": self.stress})

    # ----- jobs

    async def _list(self, request: web.Request) -> web.Response:
        offset, limit = _validate(request)
        query = request.query
        states = query.getall("states", [])
        if set(states) - STATES or limit < 0:
            self._poison()
            raise Sick
        if offset < 0:
            raise Refused(404, "Pagination out of bounds")
        found = sorted(self._selected(request), key=lambda job: job.id)
        if states:
            found = [job for job in found if job.state in states]
        if user := query.get("user"):
            found = [job for job in found if job.user == user]
        details = bool(query.get("details"))
        items = [self._item(job, details) for job in found[offset : offset + limit]]
        if not items and offset:
            raise Refused(404, "Empty request")
        return _json({"total": len(found), "offset": offset, "items": items})

    def _selected(self, request: web.Request) -> list[Job]:
        query, jobs = request.query, self.cluster.jobs
        if "job_ids" in query:
            numbers = {int(number) for number in query.getall("job_ids")}
            return [jobs[number] for number in numbers if number in jobs]
        if "array" in query:
            return self.cluster.of_array(int(query["array"]))
        if "start_time" in query or "stop_time" in query:
            begin = int(query.get("start_time", "0"))
            end = int(query.get("stop_time", "99999999999"))
            return [job for job in jobs.values() if _overlaps(job, begin, end)]
        if "states" in query:
            return list(jobs.values())
        return [job for job in jobs.values() if job.state in LISTED]

    def _item(self, job: Job, details: bool) -> dict[str, Any]:
        item = _short(job) if not details else self._detailed(job)
        return {key: value for key, value in item.items() if value is not None}

    def _detailed(self, job: Job) -> dict[str, Any]:
        started = bool(job.start_time)
        used = list(range(1, job.cores + 1)) if started else []
        return {
            **_columns(job),
            "resources": [{"id": number} for number in used],
            "nodes": [{"network_address": "node1"}] if used else [],
            "events": self._noted(job),
            "types": dict.fromkeys(job.types, True) or None,
            "walltime": job.walltime if started and not job.broken else None,
            "actual_resources": job.wanted if started else "",
        }

    def _noted(self, job: Job) -> list[dict[str, Any]]:
        late = "YES" if job.id in self.unchecked else "NO"
        return [{**event, "to_check": late} for event in self.cluster.events_of(job.id)]

    async def _show(self, request: web.Request) -> web.Response:
        job = self.cluster.jobs.get(_number(request))
        if job is None:
            raise Sick
        item = self._detailed(job) if request.query.get("details") else _columns(job)
        return _json({key: value for key, value in item.items() if value is not None})

    async def _events(self, request: web.Request) -> web.Response:
        found = self.cluster.events_of(_number(request))
        return _json({"total": len(found), "offset": 0, "items": found})

    async def _submit(self, request: web.Request) -> web.Response:
        user = self._user(request)
        try:
            given = json.loads(await request.text())
        except ValueError:
            return _unprocessable(["body", 1], "Expecting property name", "value_error.jsondecode")
        if wrong := _mistyped(given):
            return wrong
        return self._create(user, given, half=request[HALF])

    def _create(self, user: str, given: dict[str, Any], *, half: bool) -> web.Response:
        lines = given["param_file"].split("\n") if given.get("param_file") is not None else None
        count = max(1, given.get("array") or 1) if lines is None else len(lines)
        self._check(user, given)
        wanted = given.get("resource") or ["/resource_id=1"]
        if count > 1 and len(wanted) > 1:
            return _json({})
        available = 0 if len(self.cluster.suspected) > 1 else self.cluster.cores
        try:
            asked = parse_resource(wanted[0], available)
        except Garbage as garbage:
            raise Sick from garbage
        except Refused as refused:
            if count > 1 and "enough" in refused.detail:
                raise Sick from refused
            raise
        jobs = self._insert(user, given, lines or [None] * count, asked, half=half)
        if half:
            raise Sick
        return _json({"id": jobs[0].id})

    def _insert(
        self,
        user: str,
        given: dict[str, Any],
        lines: list[str | None],
        asked: tuple[int, int],
        *,
        half: bool,
    ) -> list[Job]:
        """Add the jobs: fewer, or without their array, where another POST came in between."""
        cores, walltime = asked
        home = self.cluster.home(user)
        command = given["command"].replace("$HOME", str(home))
        types = tuple(given.get("type") or ())
        best_effort = "besteffort" in types
        date = self._commit()
        way = self._breakage % 3
        self._breakage += half
        if half and way == 0:
            lines = lines[: max(1, len(lines) - 1)]
        jobs: list[Job] = []
        for index, line in enumerate(lines, 1):
            job = self.cluster.insert(
                user=user,
                command=command if line is None else f"{command} {line}",
                initial_request=command,
                name=given.get("name"),
                array_id=jobs[0].id if jobs else 0,
                array_index=index,
                cores=cores,
                wanted=(given.get("resource") or ["/resource_id=1"])[0].split(",")[0],
                walltime=walltime,
                home=home,
                launching_directory=(given.get("directory") or str(home)),
                submission_time=date,
                types=types,
                queue_name="besteffort" if best_effort else given.get("queue") or "default",
                project=given.get("project") or "default",
                properties=_properties(given.get("property"), best_effort),
                state="Hold" if given.get("hold") else "Waiting",
                message=f"R={cores},W={walltime},J={'B' if best_effort else 'P'}",
                checkpoint=given.get("checkpoint") or 0,
                checkpoint_signal=given.get("signal") or 12,
                stdout=given.get("stdout"),
                stderr=given.get("stderr"),
            )
            jobs.append(job)
        if half and way == 1:
            for job in jobs:
                job.array_id = 0
        if half and way == 2:
            jobs[-1].broken = True
        return jobs

    def _check(self, user: str, given: dict[str, Any]) -> None:  # noqa: C901 - as it does
        if not re.fullmatch(r"[A-Za-z0-9_-]+", user):
            raise Refused(400, "invalid username:")
        if user in ("root", "oar"):
            raise Refused(
                403,
                "A failed admission rule prevented submitting the job: "
                "root and oar users are not allowed to submit jobs..",
            )
        name = given.get("name")
        if not given["command"] or (name is not None and not re.fullmatch(r"[\w.-]+", name)):
            raise Refused(501, "Not Implemented")
        if "\0" in given["command"]:
            raise Sick
        for stream in ("stdout", "stderr"):
            if not re.fullmatch(r"[a-zA-Z0-9_./%\\ -]*", given.get(stream) or ""):
                raise Refused(400, f"invalid {stream} file name (bad character)")
        for kind in given.get("type") or ():
            if kind.split("=")[0] not in KNOWN_TYPES:
                raise Refused(
                    403,
                    "A failed admission rule prevented submitting the job: "
                    f"[ADMISSION RULE] Error: unknown job type: {kind}.",
                )
        queue = given.get("queue") or "default"
        if queue == "admin":
            raise Refused(
                403,
                "A failed admission rule prevented submitting the job: "
                "\"getgrnam(): name not found: 'admin'\".",
            )
        if queue not in QUEUES:
            raise Refused(400, f"queue {queue} does not exist")
        self._check_sql(given.get("property"), name)

    def _check_sql(self, wanted: str | None, name: str | None) -> None:
        """Send to the database what it may choke on."""
        known = self._resource(1, detailed=True)
        words = re.findall(r"([A-Za-z_]\w*)\s*(?:=|<|>|!|like\b)", wanted or "")
        known["resource_id"] = known.pop("id")
        plain = re.sub(r"'[^']*'", "''", wanted or "")
        odd = (
            re.search(r"\d[A-Za-z_]|!=-|[^ -~\t\n\r\f]", plain)
            or any(isinstance(known.get(name), int) for name in re.findall(r"(\w+) +like", plain))
            or wanted.count("'") % 2
            if wanted
            else None
        )
        if wanted and (not words or set(words) - known.keys() or odd):
            self._poison()
            raise Refused(
                400,
                f"Bad resource SQL constraints request:{wanted}\n"
                "SQLAlchemyError: <module 'sqlalchemy.exc' from 'sqlalchemy/exc.py'>",
            )
        if name is not None and len(name) > 100:
            self._poison()
            raise Sick

    # ----- actions: all 200, whatever came of them

    async def _delete(self, request: web.Request) -> web.Response:
        user, number = self._user(request), _number(request)
        if request.query.get("array") == "true":
            return self._delete_array(user, number)
        text, status = self._frag(user, number)
        return _done(number, text, status)

    def _delete_array(self, user: str, number: int) -> web.Response:
        jobs = self.cluster.of_array(number)
        if not jobs:
            warning = f"#WARNING: There are no job for this array job ({number}) 4\n"
            return _done(number, warning, 0)
        told = "".join(f"Deleting the job = {job.id} ...\n\n" for job in jobs)
        results = [self._frag(user, job.id)[1] for job in jobs]
        ids = [job.id for job in jobs]
        text = f"{told}The job(s) {ids}  will be deleted in the near future.\n"
        return _done(number, text, max(results) if 1 in results else 0)

    def _frag(self, user: str, number: int) -> tuple[str, int]:
        begin = f"Deleting the job = {number} ...\n"
        job = self.cluster.jobs.get(number)
        if job is None:
            return f"{begin}#WARNING: Cannot frag {number} ; Job does not exist. -3\n", 7
        if user not in (job.user, "oar", "root"):
            return f"{begin}#ERROR: Cannot frag {number} ; You are not the right user. -1\n", 1
        end = "will be deleted in the near future.\n"
        again = any(
            event.job_id == number and event.type == "FRAG_JOB_REQUEST"
            for event in self.cluster.events
        )
        if again:
            warning = f"#WARNING: Cannot frag {number} ; This job was already killed. -2\n"
            return f"{begin}{warning}The job(s) []  {end}", 6
        requested = f"User {user} requested to frag the job {number}"
        self.cluster.event(job, "FRAG_JOB_REQUEST", requested, self._commit())
        job.fragged = job.state not in OVER
        return f"{begin}\nThe job(s) [{number}]  {end}", 0

    async def _checkpoint(self, request: web.Request) -> web.Response:
        user, number = self._user(request), _number(request)
        begin = f"Checkpointing the job {number} ...\n"
        job = self.cluster.jobs.get(number)
        if job is None or user not in (job.user, "oar", "root"):
            error = f"#ERROR: Cannot signal {number} ; You are not the right user. 1\n"
            return _done(number, f"{begin}ERROR\n{error}", 1)
        requested = f"User {user} requested a checkpoint on the job {number}"
        self.cluster.event(job, "CHECKPOINT", requested, self._commit())
        if not self.as_oar:
            told = "Cannot contact node1, operation timouted (120 s)."
            self.cluster.event(job, "CHECKPOINT_ERROR", told)
            return _done(number, f"{begin}ERROR\n#ERROR: {told[:-1]}. 3\n", 3)
        if not self.cluster.signal(job, signal.Signals(job.checkpoint_signal)):
            told = f"#ERROR: Cannot signal {number} ; This job is not running. 1\n"
            return _done(number, f"{begin}ERROR\n{told}", 1)
        notified = f"The job {number} was notified to checkpoint itself on node1."
        self.cluster.event(job, "CHECKPOINT_SUCCESS", notified)
        return _done(number, f"{begin}DONE\n", 0)

    async def _signal(self, request: web.Request) -> web.Response:
        user = self._user(request)
        job = self.cluster.jobs.get(_number(request))
        if job is not None:
            told = f"User {user} requested a checkpoint on the job {job.id}"
            self.cluster.event(job, "CHECKPOINT", told, self._commit())
        raise Sick

    async def _resume(self, request: web.Request) -> web.Response:
        self._user(request)
        number = _number(request)
        job = self.cluster.jobs.get(number)
        if job is None or job.state not in ("Hold", "Suspended"):
            state = "the job is not in the Hold or Suspended state."
            return _done(number, f"#ERROR: /!\\ Cannot resume {number} : {state} -3\n", 1)
        job.state = "Waiting"
        return _done(number, f"[{number}] Resume request was sent to the OAR server.\n", 0)

    async def _hold(self, request: web.Request) -> web.Response:
        self._user(request)
        number = _number(request)
        job = self.cluster.jobs.get(number)
        if job is None or job.state != "Waiting":
            state = "the job is not in the right state (try '-r' option)."
            return _done(number, f"#ERROR: /!\\ Cannot hold {number} : {state} -3\n", 1)
        job.state = "Hold"
        return _done(number, f"[{number}] Hold request was sent to the OAR server.\n", 0)

    # ----- files

    async def _media(self, request: web.Request) -> web.Response:
        path, shown = self._file(request)
        if not path.is_file():
            raise Refused(404, f"File not found: {shown}")
        if not _within(path, self.cluster.directory) and not path.stat().st_mode & 0o004:
            raise Refused(403, f"File could not be read: {shown}")
        data = path.read_bytes()
        tail = int(request.query.get("tail", "0"))
        if tail:
            data = b"".join(data.splitlines(keepends=True)[-tail:])
        return web.Response(body=data, content_type="application/octet-stream")

    async def _remove(self, request: web.Request) -> web.Response:
        path, shown = self._file(request)
        if not path.exists():
            raise Refused(404, f"File not found: {shown}")
        if not _within(path, self.cluster.directory):
            raise Refused(403, f"File or directory is not writeable: {shown}")
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
        return web.Response(status=204)

    def _file(self, request: web.Request) -> tuple[Path, str]:
        if self._user(request) not in (*self.cluster.users, "oar", "root"):
            raise Sick
        given = request.query.get("path_filename")
        if given is None:
            raise Refused(422, "field required")
        # For a shell that is not there.
        escaped = re.sub(r"([ $,`])", r"\\\1", given)
        return Path(f"/{escaped}".replace("//", "/")), f"/{escaped}"

    async def _upload(self, request: web.Request) -> web.Response:
        self._user(request)
        raise Sick


# ----- answers


async def _version(request: web.Request) -> web.Response:
    return _timed(
        {
            "oar_server_version": "3.0.3dev",
            "oar_version": "3.0.3dev",
            "oar_lib_version": "3.0.3dev",
            "api_version": "3.0.0.dev11",
            "apilib_version": "3.0.0.dev11",
        }
    )


async def _timezone(request: web.Request) -> web.Response:
    return _timed({})


async def _always_500(request: web.Request) -> web.Response:
    raise Sick


def _json(body: object, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    return web.json_response(body, status=status, headers=headers)


def _timed(body: dict[str, Any]) -> web.Response:
    """Answer as some of the calls do: with the server's time."""
    return _json({**body, "api_timestamp": time.time(), "api_timezone": "UTC"})


def _done(number: int, output: str, status: int) -> web.Response:
    return _json({"id": number, "cmd_output": output, "exit_status": status})


def _unprocessable(place: list[str | int], message: str, kind: str) -> web.Response:
    return _json({"detail": [{"loc": place, "msg": message, "type": kind}]}, 422)


def _mistyped(given: object) -> web.Response | None:
    if not isinstance(given, dict):
        return _unprocessable(["body"], "value is not a valid dict", "type_error.dict")
    if given.get("command") is None:
        return _unprocessable(["body", "command"], "field required", "value_error.missing")
    kinds: list[tuple[tuple[str, ...], type, str]] = [
        (LISTS, list, "list"),
        (TEXTS, str, "str"),
        (NUMBERS, int, "integer"),
    ]
    for names, kind, word in kinds:
        for name in names:
            if given.get(name) is not None and not isinstance(given[name], kind):
                told = f"value is not a valid {word}"
                return _unprocessable(["body", name], told, f"type_error.{word}")
    return None


def _validate(request: web.Request) -> tuple[int, int]:
    """Read the numbers of a listing, which a framework does before anything else."""
    query = request.query
    for name in ("job_ids", "array", "start_time", "stop_time", "offset", "limit"):
        for index, text in enumerate(query.getall(name, [])):
            if not re.fullmatch(r"-?\d+", text):
                detail = [
                    {
                        "loc": ["query", name, index],
                        "msg": "value is not a valid integer",
                        "type": "type_error.integer",
                    }
                ]
                raise web.HTTPUnprocessableEntity(
                    text=json.dumps({"detail": detail}), content_type="application/json"
                )
    return int(query.get("offset", "0")), int(query.get("limit", "500"))


def _number(request: web.Request) -> int:
    text = request.match_info["id"]
    if not text.isdigit():
        raise web.HTTPUnprocessableEntity(
            text=json.dumps({"detail": [{"loc": ["path", "job_id"]}]}),
            content_type="application/json",
        )
    return int(text)


def _overlaps(job: Job, begin: int, end: int) -> bool:
    first = job.start_time or job.submission_time
    last = job.stop_time or (first if job.state in OVER else 99999999999)
    return first <= end and last >= begin


def _short(job: Job) -> dict[str, Any]:
    return {
        "id": job.id,
        "name": job.name,
        "state": job.state,
        "user": job.user,
        "exit_code": job.exit_code,
        "queue_name": job.queue_name,
        "submission_time": job.submission_time,
        "exit_status_code": job.status_code,
    }


def _columns(job: Job) -> dict[str, Any]:
    return {
        "id": job.id,
        "array_id": job.array_id,
        "array_index": job.array_index,
        "initial_request": job.initial_request,
        "name": job.name,
        "type": "PASSIVE",
        "info_type": "vm:",
        "state": job.state,
        "reservation": "None",
        "message": job.message,
        "scheduler_info": "",
        "user": job.user,
        "project": job.project,
        "group": "",
        "command": job.command,
        "exit_code": job.exit_code,
        "queue_name": job.queue_name,
        "properties": job.properties,
        "launching_directory": job.launching_directory,
        "submission_time": job.submission_time,
        "start_time": job.start_time,
        "stop_time": job.stop_time,
        "accounted": "NO",
        "assigned_moldable_job": job.id - 700000 if job.start_time else 0,
        "checkpoint": job.checkpoint,
        "checkpoint_signal": job.checkpoint_signal,
        "stdout_file": job.file("stdout"),
        "stderr_file": job.file("stderr"),
        "resubmit_job_id": job.resubmit_job_id,
        "suspended": "NO",
        "exit_status_code": job.status_code,
    }


def _properties(wanted: str | None, best_effort: bool) -> str:
    parts = [f"({wanted})"] if wanted else []
    parts += ["(besteffort = 'YES')"] if best_effort else []
    return " AND ".join([*parts, "drain='NO'"])


def _within(path: Path, directory: Path) -> bool:
    return path.resolve().is_relative_to(directory.resolve())


async def _cut(request: web.Request, answer: web.StreamResponse) -> web.StreamResponse:
    """Send half of an answer."""
    assert isinstance(answer, web.Response)
    assert isinstance(answer.body, bytes)
    half = web.StreamResponse(status=answer.status, headers={"Content-Type": answer.content_type})
    half.content_length = len(answer.body)
    await half.prepare(request)
    await half.write(answer.body[: len(answer.body) // 2])
    assert request.transport is not None
    request.transport.close()
    return half


@contextlib.asynccontextmanager
async def playing(directory: Path, *, port: int = 0, **options: Any) -> AsyncIterator[Oar3]:
    """Play an OAR 3 during a block."""
    server = Oar3(Cluster(directory, **options))
    await server.start(port)
    try:
        yield server
    finally:
        await server.stop()


async def _main(directory: str, port: str) -> None:
    """Play one as a process of its own, until it is killed: run with a directory and a port."""
    async with playing(Path(directory), port=int(port)) as server:
        sys.stdout.write(f"{server.url}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:3]))
