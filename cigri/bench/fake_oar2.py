"""A process that plays OAR 2.5.9: `python -m cigri.bench.fake_oar2`, or a server in a test."""

import argparse
import asyncio
import base64
import gc
import json
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import attrs
from aiohttp import web

from cigri.bench.fake.answers import Answer, Call, html, refusal
from cigri.bench.fake.calls import Calls, route
from cigri.bench.fake.cluster import Cluster
from cigri.bench.fake.faults import Fault, Rule, chosen
from cigri.bench.fake.model import FakeOptions, Why
from cigri.bench.fake.render import page
from cigri.bench.fake.runner import Runner

#: Seconds between two looks at the clock while jobs really run.
_TICK = 0.05
_HUNG = 3600.0


class FakeOar:
    """The cluster, the way to it, and what was counted on that way."""

    def __init__(self, options: FakeOptions, now: Callable[[], float] = time.time) -> None:
        self.options = options
        self.cluster = Cluster(options, now)
        self.calls = Calls(self.cluster)
        self.faults: list[Rule] = []
        #: Requests by kind, and jobs that they were about.
        self.requests: Counter[str] = Counter()
        self.jobs: Counter[str] = Counter()
        self._free: asyncio.Semaphore | None = None

    def counts(self) -> dict[str, Any]:
        """Return what has happened so far."""
        self.cluster.advance()
        return {
            "requests": dict(self.requests),
            "jobs": dict(self.jobs),
            "started": self.cluster.started,
            "finished": self.cluster.finished,
            "running": len(self.cluster.running),
            "used": self.cluster.used,
            "shell": self.calls.media.shell,
        }

    def kill(self, ids: Collection[int], why: Why) -> None:
        """Let the cluster end these jobs."""
        self.cluster.advance()
        for number in ids:
            self.cluster.kill(self.cluster.jobs[number], why)
        self.cluster.advance()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer a request, or fail as the faults say."""
        if request.path.startswith("/_fake/"):
            return await self._told(request)
        call = await _call(request)
        kind, _ = route(call)
        self.requests[kind] += 1
        rule = chosen(self.faults, kind)
        if self._free is None:
            self._free = asyncio.Semaphore(self.options.processes)
        if rule is not None and rule.fault is Fault.HANG:
            await asyncio.sleep(_HUNG)
        async with self._free:
            answer = self.calls.answer(call) if _is_done(rule) else Answer()
            self.jobs[kind] += answer.jobs
            taken = self.options.latency + answer.jobs * self.options.latency_per_job
            if taken:
                await asyncio.sleep(taken)
        return await _spoilt(request, answer, rule)

    async def _told(self, request: web.Request) -> web.Response:
        """Do what a benchmark or a test says from outside."""
        what = request.path.removeprefix("/_fake/")
        if what == "faults":
            self.faults = [
                Rule(**{**rule, "fault": Fault(rule["fault"])}) for rule in await request.json()
            ]
        elif what == "kill":
            told = await request.json()
            self.kill(told["ids"], Why(told["why"]))
        return web.json_response(self.counts())


@asynccontextmanager
async def serving(fake: FakeOar, port: int = 0) -> AsyncIterator[str]:
    """Let *fake* answer while the block runs; yield where it is mounted."""
    runner = Runner(fake.cluster, fake.calls.media.homes) if fake.options.homes else None
    app = web.Application(client_max_size=1 << 30)
    app.router.add_route("*", "/{path:.*}", fake.handle)
    site = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await site.setup()
    listening = web.TCPSite(site, "127.0.0.1", port)
    await listening.start()
    clock = asyncio.get_running_loop().create_task(_tick(fake)) if runner else None
    try:
        yield f"http://127.0.0.1:{site.addresses[0][1]}/oarapi"
    finally:
        if clock is not None and runner is not None:
            clock.cancel()
            await runner.close()
        await site.cleanup()


class OwnFake:
    """A fake in a process of its own."""

    def __init__(self, url: str) -> None:
        self.url = url

    def tell(self, what: str, body: Any = None) -> Any:  # noqa: ANN401 # JSON
        """Return the counts, after doing *what*: `counts`, `faults` or `kill`."""
        url = f"{self.url.removesuffix('/oarapi')}/_fake/{what}"
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(url, data) as answer:  # noqa: S310 # our own
            return json.load(answer)


@contextmanager
def own_fake(options: FakeOptions) -> Iterator[OwnFake]:
    """Yield a fake in a process of its own, which ends with the block."""
    told = json.dumps(attrs.asdict(options), default=str)
    command = [sys.executable, "-m", "cigri.bench.fake_oar2", "--options", told]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        yield OwnFake((process.stdout or sys.stdin).readline().strip())
    finally:
        process.terminate()
        process.communicate()


async def _tick(fake: FakeOar) -> None:
    while True:
        fake.cluster.advance()
        await asyncio.sleep(_TICK)


async def _call(request: web.Request) -> Call:
    base, slash, path = request.path.lstrip("/").partition("/")
    user = request.headers.get("X_REMOTE_IDENT", request.headers.get("X-REMOTE-IDENT", ""))
    if base == "oarapi-priv":
        user = _basic(request.headers.get("Authorization", ""))
    elif base == "oarapi-public":
        user = ""
    return Call(
        method=request.method,
        path=slash + path,
        query=request.query_string,
        user=user,
        accept=request.headers.get("Accept", ""),
        content_type=request.headers.get("Content-Type", ""),
        body=await request.read(),
        base=f"/{base}",
    )


def _basic(header: str) -> str:
    """Return who the web server lets in: the password of each user is their login and `pw`."""
    kind, _, packed = header.partition(" ")
    user, _, password = base64.b64decode(packed).decode().partition(":")
    if kind.lower() != "basic" or password != f"{user}pw":
        raise web.HTTPUnauthorized(headers={"WWW-Authenticate": 'Basic realm="OAR"'})
    return user


def _is_done(rule: Rule | None) -> bool:
    """Return whether what a request asks is done, whatever is answered."""
    return rule is None or rule.fault not in {
        Fault.HTML, Fault.GARBLED, Fault.DATABASE, Fault.RESET, Fault.DENIED, Fault.EMPTY,
    }  # fmt: skip


_FIXED = {
    Fault.HTML: html(500, "Internal Server Error"),
    Fault.HTML_AFTER: html(500, "Internal Server Error"),
    Fault.GARBLED: attrs.evolve(html(200, "Maintenance"), code=200),
    Fault.DATABASE: refusal(
        500, "Cannot connect to the database", "Cannot connect to the database"
    ),
    Fault.DENIED: html(401, "Unauthorized"),
    Fault.EMPTY: Answer(body=page({"items": [], "offset": 0, "links": [], "total": 0})),
}


async def _spoilt(request: web.Request, answer: Answer, rule: Rule | None) -> web.StreamResponse:
    """Send *answer*, or what becomes of it."""
    if rule is None:
        return _response(answer)
    match rule.fault:
        case Fault.SLOW:
            await asyncio.sleep(rule.seconds)
        case Fault.HANG_AFTER:
            await asyncio.sleep(_HUNG)
        case Fault.RESET | Fault.RESET_AFTER:
            if request.transport is not None:
                request.transport.abort()
        case Fault.HALF:
            response = web.StreamResponse(status=answer.code)
            response.content_type = "application/json"
            response.content_length = len(answer.body)
            await response.prepare(request)
            await response.write(answer.body[: len(answer.body) // 2])
            if request.transport is not None:
                request.transport.abort()
            return response
        case Fault.EXECUTOR:
            answer = _without_executor(answer)
    return _response(_FIXED.get(rule.fault, answer))


def _without_executor(answer: Answer) -> Answer:
    """Return the error of a submission that was made all the same."""
    said = json.loads(answer.body).get("cmd_output", "") if answer.code == 201 else ""
    if not said:
        return answer
    failed = "[ERROR] Cannot connect to executor 127.0.0.1:6666. Job is killed.\n"
    return refusal(500, "Oar server error", f"Oarsub command exited with status 9: {said}{failed}")


def _response(answer: Answer) -> web.Response:
    headers = {"Content-Type": answer.content_type}
    return web.Response(status=answer.code, body=answer.body, headers=headers)


def _options(text: str) -> FakeOptions:
    told = json.loads(text)
    if told.get("homes"):
        told["homes"] = Path(told["homes"])
    for name in ("durations", "users"):
        if name in told:
            told[name] = tuple(told[name])
    return FakeOptions(**told)


async def _serve(options: FakeOptions, port: int) -> None:
    async with serving(FakeOar(options), port) as url:
        print(url, flush=True)
        await asyncio.Event().wait()


def main() -> None:
    """Serve until told to end; the first line of the output says where."""
    parser = argparse.ArgumentParser(prog="python -m cigri.bench.fake_oar2", description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument(
        "--options", type=_options, default=FakeOptions(), help="JSON, the names of FakeOptions"
    )
    arguments = parser.parse_args()
    gc.disable()  # its jobs are many and hold no cycles: it shall not slow what is measured
    asyncio.run(_serve(arguments.options, arguments.port))


if __name__ == "__main__":
    main()
