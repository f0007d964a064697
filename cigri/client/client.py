"""The client of the REST API."""

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from types import TracebackType
from typing import Any, Literal, Self, cast

import httpx

from cigri.client.answer import Answer
from cigri.client.bodies import (
    Campaign,
    CampaignList,
    Event,
    EventList,
    Fixed,
    Job,
    JobList,
    Preview,
    Result,
)
from cigri.client.connection import Connection, Parameters, connect, find

#: A campaign description: as a mapping, or as JSON text that is sent as it is.
Jdl = Mapping[str, object] | str | bytes
#: The content type of a submission whose parameters follow its description as lines.
LINES = "application/vnd.cigri.lines"
#: Tasks asked for at a time.
PAGE = 5000
#: Campaigns among which the newest of a user is looked for at a time.
NEWEST = 100
#: Seconds that a server which answered before may be silent while a campaign is watched.
PATIENCE = 60.0
#: Seconds before the second look at a watched campaign; later looks are rarer.
FIRST_LOOK = 0.05
SETTLED = frozenset({"terminated", "cancelled"})


class Client:
    """Speaks with the server at *url*, or with the first that answers at the usual places.

    Requests that change something are sent once; those that only read are repeated while a
    server that answered before is silent. All errors are `cigri.errors.CigriError`.
    """

    def __init__(self, url: str | None = None, *, http: httpx.Client | None = None) -> None:
        if http is None:
            address = find(url)
            self._connection = Connection(connect(address), str(address))
        else:
            self._connection = Connection(http, str(http.base_url))

    @property
    def address(self) -> str:
        """Return where the server listens, as `--url` takes it."""
        return self._connection.name

    def __enter__(self) -> Self:
        """Return the client, which is closed at the end of the block."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the client."""
        self.close()

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()

    def get(self, path: str, **parameters: str | int) -> Answer:
        """Return the answer to GET *path* as it came."""
        return self._connection.get(path, parameters)

    def change(self, method: str, path: str, **parameters: str | int) -> Answer:
        """Return the answer to a request without body that changes something, as it came."""
        return self._connection.change(method, path, parameters)

    def submit(self, jdl: Jdl, lines: Iterable[bytes | str] | None = None) -> Campaign:
        """Create a campaign and return it.

        With *lines* its parameters are those, one a line, sent as they are read; *jdl* then has
        neither `params` nor `nb_jobs`. Nothing exists before all have arrived.
        """
        return _json(self.post(jdl, lines))

    def preview(self, jdl: Jdl, lines: Iterable[bytes | str] | None = None) -> Preview:
        """Return what `submit` would create, and create nothing."""
        return cast(Preview, self.post(jdl, lines, dry_run=1).json())

    def post(
        self, jdl: Jdl, lines: Iterable[bytes | str] | None = None, **parameters: str | int
    ) -> Answer:
        """Return the answer to a submission as it came."""
        if lines is None:
            return self._post(_encoded(jdl), parameters, "application/json")
        return self._post(_stream(_one_line(jdl), lines), parameters, LINES)

    def campaigns(self, state: str | None = None, limit: int = 100) -> CampaignList:
        """Return the campaigns under treatment or paused, or those in *state* (also `all`)."""
        chosen: dict[str, str | int] = {} if state is None else {"state": state}
        return cast(CampaignList, self.get("/campaigns", limit=limit, **chosen).json())

    def newest(self, user: str) -> Campaign | None:
        """Return the campaign that *user* submitted last, or `None`."""
        before = self.campaigns(state="all", limit=1)["total"]
        while before > 0:
            first = max(0, before - NEWEST)
            page = self.get("/campaigns", state="all", offset=first, limit=before - first).json()
            for campaign in reversed(page["items"]):
                if campaign["user"] == user:
                    return cast(Campaign, campaign)
            before = first
        return None

    def campaign(self, campaign: int) -> Campaign:
        """Return a campaign."""
        return _json(self.get(f"/campaigns/{campaign}"))

    def jobs(self, campaign: int, state: str | None = None, first: int = 0) -> Iterator[Job]:
        """Yield the tasks of a campaign by number, from *first*, read page by page."""
        chosen: dict[str, str | int] = {} if state is None else {"state": state}
        path = f"/campaigns/{campaign}/jobs"
        page = self.get(path, offset=first, limit=PAGE, **chosen).json()
        yield from page["items"]
        while following := _next(page):
            page = self.get(following).json()
            yield from page["items"]

    def job(self, campaign: int, task: int) -> Job | None:
        """Return the task with the number *task*, or `None` if there is none."""
        page = cast(JobList, self.get(f"/campaigns/{campaign}/jobs", offset=task, limit=1).json())
        return page["items"][0] if page["items"] else None

    def output(
        self, job: int, stream: Literal["stdout", "stderr"] = "stdout", tail: int | None = None
    ) -> bytes:
        """Return what the task with the id *job* wrote, or the last *tail* lines of it."""
        chosen: Parameters = {} if tail is None else {"tail": tail}
        return self._connection.get(f"/jobs/{job}/{stream}", chosen, accept="text/plain").content

    def results(self, campaign: int) -> Iterator[Result]:
        """Yield one row for each task, by number."""
        for job in self.jobs(campaign):
            yield {
                "number": job["task"],
                "parameter": job["parameters"],
                "state": job["state"],
                "exit_status": job["exit_status"],
                "cluster": job["cluster"],
                "start": job["start_time"],
                "end": job["stop_time"],
                "duration": job["duration"],
                "attempts": job["attempts"],
            }

    def events(self, campaign: int, *, closed: bool = False) -> list[Event]:
        """Return the open events of a campaign, or all of them."""
        chosen: dict[str, str | int] = {"all": 1} if closed else {}
        body = cast(EventList, self.get(f"/campaigns/{campaign}/events", **chosen).json())
        return body["items"]

    def fix(self, campaign: int, *, resubmit: bool = False) -> Fixed:
        """Close the open events of a campaign and, to *resubmit*, run its failed tasks again."""
        chosen: dict[str, str | int] = {"resubmit": 1} if resubmit else {}
        return cast(Fixed, self.change("DELETE", f"/campaigns/{campaign}/events", **chosen).json())

    def pause(self, campaign: int) -> Campaign:
        """Start no more tasks of a campaign; what runs goes on."""
        return _json(self.change("PUT", f"/campaigns/{campaign}", state="paused"))

    def resume(self, campaign: int) -> Campaign:
        """Take up a paused campaign again."""
        return _json(self.change("PUT", f"/campaigns/{campaign}", state="in_treatment"))

    def cancel(self, campaign: int) -> None:
        """End a campaign and kill what runs of it; outputs stay."""
        self.change("DELETE", f"/campaigns/{campaign}")

    def wait(self, campaign: int, timeout: float | None = None) -> Campaign:
        """Return the campaign once nothing of it is left to do.

        Raises:
            TimeoutError: That took more than *timeout* seconds.
        """
        *_, last = self.watch(campaign, timeout=timeout)
        return last

    def watch(
        self, campaign: int, *, every: float = 1.0, timeout: float | None = None
    ) -> Iterator[Campaign]:
        """Yield the campaign at every look, at first quickly, then each *every* seconds.

        The last one yielded has ended.

        Raises:
            TimeoutError: It has not after *timeout* seconds.
        """
        end = None if timeout is None else time.monotonic() + timeout
        pause = FIRST_LOOK
        while True:
            seen = _json(self._connection.get(f"/campaigns/{campaign}", patience=PATIENCE))
            yield seen
            if seen["state"] in SETTLED:
                return
            left = every if end is None else end - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"campaign {campaign} has not ended after {timeout:g} s")
            time.sleep(min(pause, every, left))
            pause *= 1.5

    def _post(
        self, content: bytes | Iterable[bytes], parameters: Parameters, content_type: str
    ) -> Answer:
        return self._connection.change(
            "POST", "/campaigns", parameters, content=content, content_type=content_type
        )


def _json(response: Answer) -> Campaign:
    return cast(Campaign, response.json())


def _next(page: JobList) -> str | None:
    return next((link["href"] for link in page["links"] if link["rel"] == "next"), None)


def _encoded(jdl: Jdl) -> bytes:
    if isinstance(jdl, bytes):
        return jdl
    return (jdl if isinstance(jdl, str) else json.dumps(jdl)).encode()


def _one_line(jdl: Jdl) -> bytes:
    """Return *jdl* as one line of JSON; what is no JSON is left to the server to refuse."""
    if isinstance(jdl, Mapping):
        return _encoded(jdl)
    try:
        return json.dumps(cast(Any, json.loads(jdl))).encode()
    except ValueError:
        return b" ".join(_encoded(jdl).split())


def _stream(head: bytes, lines: Iterable[bytes | str]) -> Iterator[bytes]:
    """Yield a submission with its parameters as lines, whether or not they end with a newline."""
    yield head + b"\n"
    block = bytearray()
    for line in lines:
        raw = line if isinstance(line, bytes) else line.encode()
        block += raw if raw.endswith(b"\n") else raw + b"\n"
        if len(block) >= 1 << 16:
            yield bytes(block)
            block.clear()
    if block:
        yield bytes(block)
