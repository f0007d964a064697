"""The routes of tasks, which CiGri's REST interface calls jobs."""

import asyncio

from aiohttp import hdrs, web

from cigri.api import answers, query, wire
from cigri.api.campaigns import identify
from cigri.api.context import MIB, caller, engine
from cigri.domain.model import CampaignId, Counts, Task, TaskId, TaskState
from cigri.errors import NotFound

routes = web.RouteTableDef()

#: Tasks that are looked up at once.
_SLICE = 1_000
#: Bytes of an output that are shown, from its end.
MAX_OUTPUT = MIB


@routes.get("/campaigns/{campaign}/jobs")
async def listed(request: web.Request) -> web.StreamResponse:
    """List the tasks of a campaign, by their numbers: `offset` is the first number to look at."""
    found = query.options(request, "limit", "offset", "state")
    page, state, campaign_id = query.page(found), query.task_state(found), identify(request)
    # One more than asked for tells whether and where the list goes on.
    tasks = await _slices(request, campaign_id, page.offset, page.limit + 1, state)
    total = _total(await engine(request).counts(campaign_id), state)
    href = f"/campaigns/{campaign_id}/jobs"
    href += f"?state={query.TASK_WORDS[state]}" if state is not None else ""
    following = tasks[page.limit].number if len(tasks) > page.limit else None
    items = [wire.job(task) for task in tasks[: page.limit]]
    return await answers.json(request, wire.listing(items, total, page, href, following))


@routes.get("/campaigns/{campaign}/jobs/{job}")
async def of_campaign(request: web.Request) -> web.StreamResponse:
    """Tell about one task of a campaign."""
    query.options(request)
    campaign_id, task = identify(request), await _task(request)
    if task.campaign != campaign_id:
        raise NotFound(f"job {task.id} is not of campaign {campaign_id}")
    return await answers.json(request, wire.job(task))


@routes.get("/jobs/{job}")
async def details(request: web.Request) -> web.StreamResponse:
    """Tell about one task."""
    query.options(request)
    return await answers.json(request, wire.job(await _task(request)))


@routes.get("/jobs/{job}/stdout")
async def stdout(request: web.Request) -> web.StreamResponse:
    """Show what a task has written to its standard output."""
    return await _output(request, "out")


@routes.get("/jobs/{job}/stderr")
async def stderr(request: web.Request) -> web.StreamResponse:
    """Show what a task has written to its standard error."""
    return await _output(request, "err")


async def _slices(
    request: web.Request, campaign: CampaignId, first: int, count: int, state: TaskState | None
) -> list[Task]:
    """Return up to *count* tasks, looked up slice by slice: others want their turn in between."""
    found: list[Task] = []
    while len(found) < count:
        wanted = min(_SLICE, count - len(found))
        part = await engine(request).tasks(caller(request), campaign, first, wanted, state)
        found += part
        if len(part) < wanted:
            break
        first = part[-1].number + 1
        await asyncio.sleep(0)
    return found


async def _task(request: web.Request) -> Task:
    return await engine(request).task(caller(request), _identify(request))


def _identify(request: web.Request) -> TaskId:
    return TaskId(query.identifier(request, "job", "job"))


def _total(counts: Counts, state: TaskState | None) -> int:
    if state is None:
        return counts.total
    total: int = getattr(counts, state.value)
    return total


async def _output(request: web.Request, stream: str) -> web.StreamResponse:
    lines = query.tail(query.options(request, "tail"))
    output = await engine(request).output(
        caller(request), _identify(request), stream, MAX_OUTPUT + 1
    )
    text, is_cut = _last(output, lines)
    if _wants_text(request):
        headers = {"X-Cigri-Truncated": str(is_cut).lower()}
        return web.Response(body=text, headers=headers, content_type="text/plain")
    answer = {"output": text.decode("utf-8", "replace"), "truncated": is_cut}
    return await answers.json(request, answer)


def _last(output: bytes, lines: int | None) -> tuple[bytes, bool]:
    r"""
    Return the last *lines* of *output* within the limit, and whether anything wanted is missing.

    >>> _last(b"one\ntwo\nthree\n", 2)
    (b'two\nthree\n', False)
    """
    is_cut = len(output) > MAX_OUTPUT
    if is_cut:
        # From the first whole line on, if there is one.
        output = output[-MAX_OUTPUT:]
        output = output[output.find(b"\n", 0, -1) + 1 :]
    if lines is None:
        return output, is_cut
    before, *wanted = output.removesuffix(b"\n").rsplit(b"\n", lines)
    if len(wanted) < lines:
        return output, is_cut
    return output[len(before) + 1 :], False


def _wants_text(request: web.Request) -> bool:
    accepted = request.headers.get(hdrs.ACCEPT, "").split(",")
    return any(each.partition(";")[0].strip().lower() == "text/plain" for each in accepted)
