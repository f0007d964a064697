"""The client of the REST API."""

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from types import TracebackType
from typing import Any, Literal, Self, cast

import httpx

from cigri.client import asking, rows
from cigri.client.answer import Answer
from cigri.client.bodies import Campaign, CampaignList, Event, Fixed, Job, JobList, Preview
from cigri.client.connection import Connection, connect
from cigri.client.dialogue import Parameters
from cigri.client.finding import find
from cigri.client.sending import LINES, Jdl, blocks
from cigri.errors import ServerUnreachable

#: Campaigns asked for at a time.
CAMPAIGNS = 100
NDJSON = "application/x-ndjson"
#: What of each task goes into its row.
FIELDS = "task,parameters,state,exit_status,cluster,start_time,stop_time,duration,attempts"


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
        return cast(Campaign, self.post(jdl, lines).json())

    def preview(self, jdl: Jdl, lines: Iterable[bytes | str] | None = None) -> Preview:
        """Return what `submit` would create, and create nothing."""
        return cast(Preview, self.post(jdl, lines, dry_run=1).json())

    def post(
        self, jdl: Jdl, lines: Iterable[bytes | str] | None = None, **parameters: str | int
    ) -> Answer:
        """Return the answer to a submission as it came."""
        return self._connection.ask(asking.submitting(jdl, lines, parameters))

    def post_json(self, path: str, value: object) -> Answer:
        """Return the answer to a POST of *value*, as it came."""
        return self._post(path, json.dumps(value).encode())

    def add(self, campaign: int, parameters: Sequence[str | Sequence[str]]) -> Campaign:
        """Append a task for each of *parameters* to a campaign, also to one that has ended."""
        return self._connection.speak(asking.adding(campaign, parameters))

    def post_array(self, campaign: int, array: bytes) -> Answer:
        """Return the answer to the parameters of a JSON *array* for a campaign, as it came."""
        return self._post(f"/campaigns/{campaign}/jobs", array)

    def post_lines(self, campaign: int, lines: Iterable[bytes | str]) -> Answer:
        """Return the answer to parameters for a campaign, one a line, as it came."""
        return self._post(f"/campaigns/{campaign}/jobs", blocks(lines), LINES)

    def campaigns(self, state: str | None = None, limit: int = 100) -> CampaignList:
        """Return the campaigns under treatment or paused, or those in *state* (also `all`)."""
        chosen: dict[str, str | int] = {} if state is None else {"state": state}
        return cast(CampaignList, self.get("/campaigns", limit=limit, **chosen).json())

    def newest(self, user: str) -> Campaign | None:
        """Return the campaign that *user* submitted last, or `None`."""
        chosen: dict[str, str | int] = {"state": "all", "user": user, "limit": 1}
        total = self.get("/campaigns", **chosen).json()["total"]
        if not total:
            return None
        items = self.get("/campaigns", **chosen, offset=total - 1).json()["items"]
        return cast(Campaign, items[-1]) if items else None

    def unfinished(self, user: str) -> Iterator[Campaign]:
        """Yield the campaigns of *user* that are not over, oldest first."""
        for page in self.pages("/campaigns", user=user, limit=CAMPAIGNS):
            yield from page["items"]

    def pages(self, path: str, **parameters: str | int) -> Iterator[dict[str, Any]]:
        """Yield the list at *path* page by page, as its links lead on."""
        page = self.get(path, **parameters).json()
        yield page
        while following := asking.next_of(page):
            page = self.get(following).json()
            yield page

    def campaign(self, campaign: int) -> Campaign:
        """Return a campaign."""
        return self._connection.speak(asking.campaign(campaign))

    def jobs(self, campaign: int, state: str | None = None, first: int = 0) -> Iterator[Job]:
        """Yield the tasks of a campaign by number, from *first*, read page by page."""
        chosen: dict[str, str | int] = {} if state is None else {"state": state}
        path = f"/campaigns/{campaign}/jobs"
        for page in self.pages(path, offset=first, limit=asking.PAGE, **chosen):
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

    def results(self, campaign: int, names: Sequence[str] = ()) -> Iterator[rows.Row]:
        """Yield one row for each task, by number, read as one stream that may be of any length.

        *names* are the axes of its sweep, the campaign's `parameter_names`: each gets a column.
        """
        following = 0
        try:
            for job in self._stream_of_jobs(campaign):
                yield rows.row(job, names)
                following = job["task"] + 1
        except ServerUnreachable:
            # The stream broke: page by page it goes on even over a restart of the server.
            for job in self.jobs(campaign, first=following):
                yield rows.row(job, names)

    def events(self, campaign: int, *, closed: bool = False) -> list[Event]:
        """Return the open events of a campaign, or all of them."""
        return self._connection.speak(asking.events(campaign, closed=closed))

    def fix(self, campaign: int, *, resubmit: bool = False) -> Fixed:
        """Close the open events of a campaign and, to *resubmit*, run its failed tasks again."""
        return self._connection.speak(asking.fixing(campaign, resubmit=resubmit))

    def pause(self, campaign: int) -> Campaign:
        """Start no more tasks of a campaign; what runs goes on."""
        return self._connection.speak(asking.setting(campaign, "paused"))

    def resume(self, campaign: int) -> Campaign:
        """Take up a paused campaign again."""
        return self._connection.speak(asking.setting(campaign, "in_treatment"))

    def go(self, campaign: int) -> Campaign:
        """End the test of a campaign, and run the rest of it."""
        return self._connection.speak(asking.going(campaign))

    def cancel(self, campaign: int) -> None:
        """End a campaign and kill what runs of it; outputs stay."""
        self.change("DELETE", f"/campaigns/{campaign}")

    def wait(self, campaign: int, timeout: float | None = None) -> Campaign:
        """Return the campaign once nothing of it is left to do.

        Raises:
            TimeoutError: That took more than *timeout* seconds.
        """
        return self._connection.speak(asking.waiting(campaign, timeout, lambda _: None))

    def watch(
        self, campaign: int, *, every: float = asking.LOOK, timeout: float | None = None
    ) -> Iterator[Campaign]:
        """Yield the campaign at every look, at first quickly, then each *every* seconds.

        The last one yielded has ended.

        Raises:
            TimeoutError: It has not after *timeout* seconds.
        """
        pauses = asking.pauses_of(campaign, timeout, every)
        while True:
            seen: Campaign = self._connection.ask(asking.watching(campaign)).json()
            yield seen
            if seen["state"] in asking.OVER:
                return
            time.sleep(next(pauses))

    def _stream_of_jobs(self, campaign: int) -> Iterator[Job]:
        path = f"/campaigns/{campaign}/jobs.ndjson"
        for line in self._connection.lines(path, {"fields": FIELDS}, accept=NDJSON):
            yield json.loads(line)

    def _post(
        self,
        path: str,
        content: bytes | Iterable[bytes],
        content_type: str = "application/json",
    ) -> Answer:
        return self._connection.change("POST", path, content=content, content_type=content_type)
