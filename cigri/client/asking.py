"""Everything that a campaign can be asked, each as one dialogue with its server."""

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Literal, cast

from cigri.client.answer import Answer
from cigri.client.bodies import Campaign, Event, Explanation, Fixed, Job
from cigri.client.composing import Composed, parameters
from cigri.client.dialogue import Dialogue, Parameters, Pause, Request, changing
from cigri.client.sending import LINES, Jdl, blocks, encoded, one_line, stream
from cigri.errors import InvalidJdl, NotFound

#: Tasks asked for at a time.
PAGE = 5000
#: Seconds that a server which answered before may be silent while a campaign is watched.
PATIENCE = 60.0
#: Seconds before the second look at a campaign that is waited for, and at most between two.
FIRST_LOOK, LOOK = 0.05, 1.0
#: The states of a campaign that has ended.
OVER = frozenset({"terminated", "cancelled"})

Page = dict[str, Any]


def submission(composed: Composed) -> Dialogue[Campaign]:
    """Create a campaign; one that names no cluster goes to the only one that there is."""
    jdl = composed.jdl
    if "clusters" not in jdl:
        jdl = jdl | {"clusters": {(yield from _only_cluster()): {}}}
    return cast(Campaign, (yield from _body(submitting(jdl, composed.lines))))


def submitting(
    jdl: Jdl, lines: Iterable[bytes | str] | None, parameters: Parameters | None = None
) -> Request:
    """Return the request that creates a campaign, of which *lines* are the parameters."""
    if lines is None:
        return changing("POST", "/campaigns", parameters, content=encoded(jdl))
    content = stream(one_line(jdl), lines)
    return changing("POST", "/campaigns", parameters, content=content, content_type=LINES)


def _only_cluster() -> Dialogue[str]:
    names = [one["name"] for one in (yield from _body(Request(path="/clusters")))["items"]]
    if len(names) == 1:
        return cast(str, names[0])
    known = ", ".join(names)
    raise InvalidJdl.at("/clusters", "missing", f"choose among the clusters: {known}")


def campaign(number: int) -> Dialogue[Campaign]:
    """Return a campaign."""
    return cast(Campaign, (yield from _body(Request(path=f"/campaigns/{number}"))))


def campaigns(state: str | None) -> Dialogue[list[Campaign]]:
    """Return the campaigns in *state*, or those that are not over."""
    chosen: Parameters = {"limit": PAGE} if state is None else {"limit": PAGE, "state": state}
    return (yield from _all("/campaigns", chosen))


def waiting(
    number: int, timeout: float | None, look: Callable[[Campaign], None]
) -> Dialogue[Campaign]:
    """
    Show the campaign to *look* again and again, and return it when it has ended.

    Raises:
        TimeoutError: It has not after *timeout* seconds.
    """
    pauses = pauses_of(number, timeout)
    while True:
        seen = cast(Campaign, (yield from _body(watching(number))))
        look(seen)
        if seen["state"] in OVER:
            return seen
        yield Pause(next(pauses))


def watching(number: int) -> Request:
    """Return the request for one look at a campaign that is waited for."""
    return Request(path=f"/campaigns/{number}", patience=PATIENCE)


def pauses_of(number: int, timeout: float | None, every: float = LOOK) -> Iterator[float]:
    """
    Return the seconds until each next look at a campaign: few at first, then *every*.

    What is returned raises TimeoutError, *timeout* seconds from now.
    """
    end = None if timeout is None else time.monotonic() + timeout

    def pauses() -> Iterator[float]:
        pause = FIRST_LOOK
        while True:
            left = every if end is None else end - time.monotonic()
            if left <= 0:
                text = f"campaign {number} has not ended after {timeout:g} s: it goes on"
                raise TimeoutError(text)
            yield min(pause, every, left)
            pause *= 1.5

    return pauses()


def setting(number: int, state: Literal["paused", "in_treatment"]) -> Dialogue[Campaign]:
    """Pause or resume a campaign and return it."""
    request = changing("PUT", f"/campaigns/{number}", {"state": state})
    return cast(Campaign, (yield from _body(request)))


def going(number: int) -> Dialogue[Campaign]:
    """End the test of a campaign and return it."""
    return cast(Campaign, (yield from _body(changing("POST", f"/campaigns/{number}/go"))))


def cancelling(number: int) -> Dialogue[Campaign]:
    """End a campaign and return it."""
    yield from _body(changing("DELETE", f"/campaigns/{number}"))
    return (yield from campaign(number))


def adding(number: int, params: Iterable[object]) -> Dialogue[Campaign]:
    """Append tasks to a campaign and return it."""
    path = f"/campaigns/{number}/jobs"
    if isinstance(params, str):
        raise InvalidJdl.at("", "one text where a list of parameters is expected", "write [...]")
    if iter(params) is params:
        lines = (each if isinstance(each, bytes) else str(each) for each in params)
        request = changing("POST", path, content=blocks(lines), content_type=LINES)
    else:
        request = changing("POST", path, content=json.dumps(parameters(params)).encode())
    return cast(Campaign, (yield from _body(request)))


def fixing(number: int, *, resubmit: bool) -> Dialogue[Fixed]:
    """Close the events of a campaign and, to *resubmit*, run its failed tasks again."""
    chosen: Parameters = {"resubmit": 1} if resubmit else {}
    request = changing("DELETE", f"/campaigns/{number}/events", chosen)
    return cast(Fixed, (yield from _body(request)))


def resubmitting(number: int, chosen: Parameters) -> Dialogue[Fixed]:
    """
    Run the tasks of a campaign that are *chosen* again, which must be all that failed.

    Raises:
        ValueError: They are others, or only some of these.
    """
    if chosen != {"state": "failed"}:
        raise ValueError("only failed tasks can run again, and all of them: failed().resubmit()")
    return (yield from fixing(number, resubmit=True))


def events(number: int, *, closed: bool) -> Dialogue[list[Event]]:
    """Return the open events of a campaign, or all of them."""
    chosen: Parameters = {"all": 1, "limit": PAGE} if closed else {"limit": PAGE}
    return (yield from _all(f"/campaigns/{number}/events", chosen))


def explaining(number: int) -> Dialogue[Explanation]:
    """Return for each cluster why nothing more of a campaign starts there now."""
    body = yield from _body(Request(path=f"/campaigns/{number}/explain"))
    return cast(Explanation, body)


def task(number: int, place: int) -> Dialogue[Job]:
    """
    Return one task of a campaign.

    Raises:
        NotFound: There is none with that number.
    """
    chosen: Parameters = {"offset": place, "limit": 1}
    page = yield from first_page(f"/campaigns/{number}/jobs", chosen)
    if place < 0 or not page["items"]:
        raise NotFound(f"campaign {number} has no task {place}")
    return cast(Job, page["items"][0])


def output(job: int, stream_name: str, tail: int | None) -> Dialogue[str]:
    """Return what a task wrote, or the last *tail* lines of it."""
    chosen: Parameters = {} if tail is None else {"tail": tail}
    path, headers = f"/jobs/{job}/{stream_name}", {"Accept": "text/plain"}
    answer: Answer = yield Request(path=path, parameters=chosen, headers=headers)
    return answer.content.decode("utf-8", "replace")


def choice(**asked: str | int | None) -> Parameters:
    """Return which tasks are wanted, as the server is asked for them."""
    return {name: value for name, value in asked.items() if value is not None}


def tasks(number: int, chosen: Parameters) -> Dialogue[Page]:
    """Return the first page of the tasks of a campaign that are *chosen*."""
    return (yield from first_page(f"/campaigns/{number}/jobs", {"limit": PAGE, **chosen}))


def first_page(path: str, chosen: Parameters) -> Dialogue[Page]:
    """Return the first page of a list."""
    return cast(Page, (yield from _body(Request(path=path, parameters=chosen))))


def next_page(href: str) -> Dialogue[Page]:
    """Return the page that a link names."""
    return cast(Page, (yield from _body(Request(path=href))))


def next_of(page: Mapping[str, Any]) -> str | None:
    """Return the link to the page behind *page*, if there is one."""
    links = page.get("links", ())
    return next((link["href"] for link in links if link["rel"] == "next"), None)


def _all(path: str, chosen: Parameters) -> Dialogue[list[Any]]:
    page = yield from first_page(path, chosen)
    found = list(page["items"])
    while (following := next_of(page)) is not None:
        page = yield from next_page(following)
        found += page["items"]
    return found


def _body(request: Request) -> Dialogue[Any]:
    answer: Answer = yield request
    return answer.json()
