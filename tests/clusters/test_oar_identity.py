"""Whom a web server takes us for: before anything is done for a user, it says so."""

import contextlib
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from cigri.clusters.oar.v2.api import Oar2Api
from cigri.clusters.options import Oar2Options
from cigri.errors import ClusterUnreachable, Fault, SubmissionRejected


@contextlib.asynccontextmanager
async def taken_for(users: dict[str, str]) -> AsyncIterator[tuple[Oar2Api, list[str]]]:
    """Give an interface whose server takes who asks for *users*, and what it is asked."""
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(f"{request.method} {request.path}")
        if request.path == "/whoami.json":
            user = request.headers["X_REMOTE_IDENT"]
            return web.json_response({"authenticated_user": users.get(user, "")})
        return web.json_response({}, status=201)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0]
    api = Oar2Api(Oar2Options(url=f"http://{host}:{port}"))
    try:
        yield api, asked
    finally:
        await api.close()
        await runner.cleanup()


async def test_a_user_is_asked_for_once() -> None:
    async with taken_for({"ann": "ann"}) as (api, asked):
        await api.write("a", "ann", b"1")
        await api.write("b", "ann", b"2")

    assert asked == ["GET /whoami.json", "POST /media/force/~/a", "POST /media/force/~/b"]


async def test_nothing_is_done_as_somebody_else() -> None:
    async with taken_for({"ann": "cigri"}) as (api, asked):
        with pytest.raises(SubmissionRejected, match="takes us for cigri where we ask for ann"):
            await api.write("a", "ann", b"1")

    assert asked == ["GET /whoami.json"]


async def test_nothing_is_done_as_nobody() -> None:
    async with taken_for({}) as (api, asked):
        with pytest.raises(ClusterUnreachable) as caught:
            await api.write("a", "ann", b"1")

    assert caught.value.fault is Fault.DENIED
    assert asked == ["GET /whoami.json"]
