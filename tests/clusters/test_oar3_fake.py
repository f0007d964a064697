"""The played OAR 3 answers as the real one did, word for word where a client reads it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.fakes.oar3 import Oar3, playing, token

#: What was asked of the real one as alice, and what it answered.
POSTS: list[tuple[dict[str, Any], int, object]] = [
    ({"resource": ["/resource_id=1"]}, 422, "field required"),
    ({"command": "x", "type": "besteffort"}, 422, "value is not a valid list"),
    ({"command": "x", "resource": "/resource_id=1"}, 422, "value is not a valid list"),
    ({"command": ""}, 501, "Not Implemented"),
    ({"command": "x", "name": "a/b"}, 501, "Not Implemented"),
    ({"command": "x", "queue": "nosuch"}, 400, "queue nosuch does not exist"),
    ({"command": "x", "stdout": "a;b"}, 400, "invalid stdout file name (bad character)"),
    (
        {"command": "x", "resource": ["/nosuch=1"]},
        400,
        (
            "Bad resources name: nosuch is not a valid resources name.Valid resource names are:"
            " network_address, cpu, core, resource_id"
        ),
    ),
    (
        {"command": "x", "resource": ["/resource_id=999"]},
        400,
        "There are not enough resources for your request",
    ),
    (
        {"command": "x", "type": ["nosuch"]},
        403,
        (
            "A failed admission rule prevented submitting the job:"
            " [ADMISSION RULE] Error: unknown job type: nosuch."
        ),
    ),
    ({"command": "x", "resource": ["garbage"]}, 500, None),
    ({"command": "x", "resource": ["/resource_id=1,walltime=abc"]}, 500, None),
    ({"command": "x", "resource": ["/resource_id=99"], "param_file": "1\n2"}, 500, None),
    ({"command": "a\0b"}, 500, None),
]


@pytest.fixture
async def played(tmp_path: Path) -> AsyncIterator[Oar3]:
    async with playing(tmp_path) as server:
        server.cluster.almighty = False
        yield server


@pytest.fixture
async def alice(played: Oar3) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"Authorization": f"Bearer {token('alice')}"}
    async with httpx.AsyncClient(base_url=played.url, headers=headers) as client:
        yield client


@pytest.mark.parametrize(("body", "status", "told"), POSTS)
async def test_what_cannot_be_submitted_is_answered_so(
    played: Oar3, alice: httpx.AsyncClient, body: dict[str, Any], status: int, told: object
) -> None:
    answer = await alice.post("/jobs", json=body)

    assert answer.status_code == status
    if status == 500:
        assert answer.text == "Internal Server Error"
    else:
        detail = answer.json()["detail"]
        assert (detail if isinstance(detail, str) else detail[0]["msg"]) == told
    assert not played.cluster.jobs


async def test_one_number_is_all_that_a_submission_tells(alice: httpx.AsyncClient) -> None:
    answer = await alice.post("/jobs", json={"command": "echo", "param_file": "a 1\nb '2 x'\nc 3"})

    assert (answer.status_code, answer.json()) == (200, {"id": 700001})
    found = (await alice.get("/jobs?array=700001&details=1")).json()["items"]
    assert [(job["id"], job["array_index"], job["command"]) for job in found] == [
        (700001, 1, "echo a 1"),
        (700002, 2, "echo b '2 x'"),
        (700003, 3, "echo c 3"),
    ]


async def test_blank_lines_and_comments_are_jobs_too(alice: httpx.AsyncClient) -> None:
    await alice.post("/jobs", json={"command": "true", "param_file": "# com\n\nx # y\n"})

    assert (await alice.get("/jobs?limit=0")).json() == {"total": 4, "offset": 0, "items": []}


async def test_types_is_not_what_it_is_called(played: Oar3, alice: httpx.AsyncClient) -> None:
    await alice.post("/jobs", json={"command": "true", "types": ["besteffort"]})
    await alice.post("/jobs", json={"command": "true", "type": ["besteffort"]})

    assert [job.queue_name for job in played.cluster.jobs.values()] == ["default", "besteffort"]


@pytest.mark.parametrize(
    "poison",
    ["/jobs?states=Terminated,Error", "/jobs?states=Nosuch", "/jobs?limit=-1"],
)
async def test_a_wrong_word_breaks_everything_until_the_api_is_restarted(
    played: Oar3, alice: httpx.AsyncClient, poison: str
) -> None:
    async with httpx.AsyncClient(base_url=played.url) as nobody:
        assert (await nobody.get(poison)).status_code == 500

    assert (await alice.get("/jobs?limit=1")).status_code == 500
    assert (await alice.post("/jobs", json={"command": "true"})).status_code == 500
    assert (await alice.get("/version")).status_code == 200
    played.restart()
    assert (await alice.get("/jobs?limit=1")).status_code == 200


@pytest.mark.parametrize(
    "body",
    [{"command": "true", "name": "x" * 150}, {"command": "true", "property": "nosuch='1'"}],
)
async def test_so_do_a_long_name_and_a_bad_property(
    alice: httpx.AsyncClient, body: dict[str, Any]
) -> None:
    assert (await alice.post("/jobs", json=body)).status_code in (400, 500)

    assert (await alice.get("/jobs?limit=1")).status_code == 500


async def test_two_that_write_at_a_time_make_halves(
    played: Oar3, alice: httpx.AsyncClient
) -> None:
    async def post() -> int:
        body = {"command": "true", "param_file": "1\n2\n3", "name": "x"}
        with contextlib.suppress(httpx.TransportError):
            return (await alice.post("/jobs", json=body)).status_code
        return 0

    async with asyncio.TaskGroup() as group:
        posts = [group.create_task(post()) for _ in range(8)]

    assert played.overlaps
    assert {task.result() for task in posts} != {200}
    jobs = played.cluster.jobs.values()
    assert len(jobs) % 3 or any(not job.array_id or job.broken for job in jobs)
    assert (await alice.get("/jobs?limit=1")).status_code == 200


async def test_times_are_those_of_the_commit_before(
    played: Oar3, alice: httpx.AsyncClient
) -> None:
    played.idle_for(3600)
    await alice.post("/jobs", json={"command": "true"})
    await alice.post("/jobs", json={"command": "true"})

    first, second = (job.submission_time for job in played.cluster.jobs.values())
    assert 3590 < second - first < 3610


async def test_names_are_no_filter(alice: httpx.AsyncClient) -> None:
    await alice.post("/jobs", json={"command": "true", "name": "one"})

    assert (await alice.get("/jobs?name=other")).json()["total"] == 1


@pytest.mark.parametrize(
    ("headers", "status", "told"),
    [
        ({}, 403, "Not authenticated"),
        ({"X-Remote-Ident": "alice"}, 403, "Not authenticated"),
        ({"Authorization": "Basic YTpi"}, 403, "Invalid authentication credentials"),
        (
            {"Authorization": f"Bearer {token('alice', expires=1)}"},
            401,
            "Could not validate credentials !!! ",
        ),
        (
            {"Authorization": f"Bearer {token('alice', 'other')}"},
            401,
            "Could not validate credentials !!! ",
        ),
    ],
)
async def test_nobody_submits_without_a_token(
    played: Oar3, headers: dict[str, str], status: int, told: str
) -> None:
    async with httpx.AsyncClient(base_url=played.url, headers=headers) as client:
        answer = await client.post("/jobs", json={"command": "true"})
        assert (await client.get("/jobs")).status_code == 200

    assert (answer.status_code, answer.json()) == (status, {"detail": told})


async def test_actions_are_good_whatever_came_of_them(alice: httpx.AsyncClient) -> None:
    await alice.post("/jobs", json={"command": "true"})
    answers = [
        (await alice.delete(path)).json()
        for path in ("/jobs/700001", "/jobs/700001", "/jobs/999999", "/jobs/999999?array=true")
    ]

    assert [answer["exit_status"] for answer in answers] == [0, 6, 7, 0]
    assert answers[3]["cmd_output"] == (
        "#WARNING: There are no job for this array job (999999) 4\n"
    )


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/jobs/999999", 500),
        ("/jobs?job_ids=1,2", 422),
        ("/jobs?limit=2&offset=1000", 404),
        ("/jobs.json", 404),
        ("/media?path_filename=/nosuch", 404),
        ("/media?path_filename=~/w", 404),
        ("/media?path_filename=/etc/shadow", 403),
    ],
)
async def test_mistakes_have_their_own_ways(
    alice: httpx.AsyncClient, path: str, status: int
) -> None:
    assert (await alice.get(path)).status_code == status
