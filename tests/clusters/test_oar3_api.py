"""What is asked of OAR 3, what is never said to it, and what is made of its answers."""

import asyncio
import re
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import attrs
import pytest

from cigri.clusters.oar.api import OarOrder
from cigri.clusters.oar.v3 import listing as oar3_listing
from cigri.clusters.oar.v3.api import Oar3Api
from cigri.clusters.oar.v3.listing import GRACE
from cigri.clusters.options import Oar3Options
from cigri.errors import ClusterUnreachable, Fault, SubmissionRejected, SubmissionUnknown
from tests.fakes.oar3 import Oar3, playing, token
from tests.fakes.oar3_cluster import until

ORDER = OarOrder(
    user="alice",
    name="cgtest-1-000000001",
    command="exec sh -c 'true'",
    lines=["0", "1", "2"],
    resource="/core=1,walltime=0:10:0",
    output=".cigri.log",
)


@pytest.fixture
async def played(tmp_path: Path) -> AsyncIterator[Oar3]:
    """One whose jobs wait until they are told what becomes of them."""
    async with playing(tmp_path) as server:
        server.cluster.almighty = False
        yield server


@pytest.fixture
def tokens() -> dict[str, str]:
    return {"alice": token("alice"), "bob": token("bob")}


@pytest.fixture
def clock() -> list[float]:
    return [1000.0]


@pytest.fixture
async def api(played: Oar3, tokens: dict[str, str], clock: list[float]) -> AsyncIterator[Oar3Api]:
    options = Oar3Options(url=played.url, timeout=0.5)
    found = Oar3Api(options, tokens.get, pauses=(0,) * 3, clock=lambda: clock[0])
    yield found
    await found.close()


def asked(played: Oar3) -> list[str]:
    return [path for path in played.asked("GET") if "start_time" in path]


def lines(count: int) -> OarOrder:
    return attrs.evolve(ORDER, lines=[str(place) for place in range(count)])


# ----- submissions


async def test_ids_come_in_the_order_of_the_lines_with_one_post(
    api: Oar3Api, played: Oar3
) -> None:
    played.cluster.skip(7)
    ids = await api.submit(ORDER)

    assert [played.cluster.jobs[number].command for number in ids] == [
        f"exec sh -c 'true' {line} #{line + 1}" for line in range(3)
    ]
    assert len(played.asked("POST")) == 1


async def test_one_job_is_an_array_of_one(api: Oar3Api, played: Oar3) -> None:
    (number,) = await api.submit(lines(1))

    assert played.cluster.jobs[number].command == "exec sh -c 'true' 0 #1"


async def test_what_is_asked_for_is_called_as_oar_3_calls_it(api: Oar3Api, played: Oar3) -> None:
    order = attrs.evolve(
        ORDER,
        types=["besteffort"],
        properties="host='node1'",
        project="p1",
        checkpoint=60,
    )
    (first, *_) = await api.submit(order)

    job = played.cluster.jobs[first]
    assert (job.queue_name, job.types) == ("besteffort", ("besteffort",))
    assert job.properties.startswith("(host='node1') AND")
    assert (job.project, job.checkpoint, job.checkpoint_signal) == ("p1", 60, 12)
    assert (job.stdout, job.stderr, job.walltime) == (".cigri.log", ".cigri.log", 600)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"name": "x" * 101}, "name"),
        ({"name": "a/b"}, "name"),
        ({"lines": []}, "none"),
        ({"command": " "}, "empty"),
        ({"command": "echo\0x"}, "several lines"),
        ({"lines": ["0", "1\n2"]}, "several lines"),
        ({"command": "echo $HOME"}, r"\$HOME"),
        ({"lines": ["0", "x" * 130_000]}, "130,0"),
        ({"resource": "garbage"}, "resource"),
        ({"resource": "/core=1,walltime=abc"}, "resource"),
        ({"types": ["a b"]}, "types"),
        ({"output": "a;b"}, "file"),
        ({"project": "x" * 256}, "project"),
        ({"properties": "nosuch='1'"}, "no property 'nosuch'.*host"),
        ({"resource": "{nosuch='1'}/core=1,walltime=0:10:0"}, "no property 'nosuch'.*host"),
        ({"properties": "mem='many'"}, "another kind"),
        ({"properties": "mem between 1 and 'many'"}, "another kind"),
        ({"properties": "host=1"}, "another kind"),
        ({"properties": "host in ('a', 2)"}, "another kind"),
        ({"properties": "host=mem"}, "compares host with mem"),
        ({"properties": "mem between 1 and host"}, "compares mem with host"),
        ({"properties": "state='Nosuch'"}, "another kind"),
        ({"properties": "mem like '5'"}, "another kind"),
        ({"properties": "mem not like 5"}, "another kind"),
        ({"properties": "id=5"}, "no property 'id'"),
        ({"properties": "besteffort='MAYBE'"}, "another kind"),
        ({"properties": "host='a' OR 1"}, "not a condition"),
        ({"properties": "host='a'; DROP TABLE jobs"}, "not a condition"),
        ({"properties": "(host='a'"}, "not a condition"),
        ({"properties": "host='a') OR (host='b'"}, "not a condition"),
    ],
)
async def test_what_would_break_it_is_never_said(
    api: Oar3Api, played: Oar3, wrong: dict[str, Any], told: str
) -> None:
    with pytest.raises(SubmissionRejected, match=told):
        await api.submit(attrs.evolve(ORDER, **wrong))

    assert not played.asked("POST")
    assert not played.poisoned


@pytest.mark.parametrize(
    "good",
    [
        "host='node1'",
        "mem>=2048 AND host!='node2'",
        "(core < 4) or (besteffort = 'YES')",
        "mem between 1 and 5000 and host in ('node1', 'node2') and not cpu = 7",
    ],
)
async def test_plain_properties_pass(api: Oar3Api, played: Oar3, good: str) -> None:
    assert await api.submit(attrs.evolve(ORDER, properties=good))
    assert not played.poisoned


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (None, "a token of theirs only.*cigri token cluster add"),
        (token("bob"), "one of 'bob'"),
        ("rubbish", "no token of OAR's"),
        (token("alice", "another secret"), "does not take the token"),
        (token("alice", expires=1), "does not take the token|expired"),
    ],
)
async def test_without_a_good_token_nothing_is_submitted(
    api: Oar3Api, played: Oar3, tokens: dict[str, str], given: str | None, told: str
) -> None:
    tokens.pop("alice")
    tokens |= {"alice": given} if given else {}

    with pytest.raises(SubmissionRejected, match=told):
        await api.submit(ORDER)

    assert not played.cluster.jobs


async def test_a_revoked_token_is_told_of(api: Oar3Api, played: Oar3) -> None:
    await api.submit(ORDER)
    played.revoked.add("alice")

    with pytest.raises(SubmissionRejected, match="revoked by an admin"):
        await api.submit(ORDER)


async def test_a_user_whom_the_cluster_does_not_know_takes_no_node_down(
    api: Oar3Api, played: Oar3, tokens: dict[str, str]
) -> None:
    tokens["carol"] = token("carol")

    with pytest.raises(SubmissionRejected, match="does not know the user carol"):
        await api.submit(attrs.evolve(ORDER, user="carol"))

    assert not played.asked("POST")


async def test_an_ill_web_server_before_it_says_nothing_about_a_user(
    api: Oar3Api, played: Oar3
) -> None:
    played.fault("html", "GET", "/media", times=10)

    with pytest.raises(ClusterUnreachable):
        await api.submit(ORDER)


@pytest.mark.parametrize("kind", ["half-made", "500-after", "reset-after", "cut", "html-after"])
@pytest.mark.parametrize("way", [0, 1, 2])
async def test_half_an_answer_says_nothing_about_what_was_made(
    api: Oar3Api, played: Oar3, kind: str, way: int
) -> None:
    played._breakage = way
    played.fault(kind, "POST", "/jobs")

    try:
        ids = await api.submit(ORDER)
    except SubmissionUnknown:
        pass
    else:
        # It has looked, and found them all.
        assert ids == list(played.cluster.jobs)
    assert len(played.asked("POST")) == 1
    found = await api.named(ORDER.name, "alice")
    assert [(job.id, job.array_index) for job in found] == [
        (number, place) for place, number in enumerate(played.cluster.jobs, 1)
    ]


async def test_a_hole_in_an_array_is_seen_after_a_good_answer(api: Oar3Api, played: Oar3) -> None:
    played.fault("steal", "POST", "/jobs")
    with pytest.raises(SubmissionUnknown, match="made 2 of 3"):
        await api.submit(ORDER)

    assert [job.array_index for job in await api.named(ORDER.name, "alice")] == [1, 3]


async def test_what_cannot_be_seen_after_a_good_answer_may_be_there(
    api: Oar3Api, played: Oar3
) -> None:
    played.fault("500", "GET", "/jobs", times=10)

    with pytest.raises(SubmissionUnknown, match="cannot be seen"):
        await api.submit(ORDER)


async def test_a_500_that_made_nothing_is_tried_once_more(api: Oar3Api, played: Oar3) -> None:
    played.fault("500", "POST", "/jobs")

    assert await api.submit(ORDER) == list(played.cluster.jobs)
    assert len(played.asked("POST")) == 2


async def test_a_500_that_others_do_not_get_is_the_submissions_own_fault(
    api: Oar3Api, played: Oar3
) -> None:
    with pytest.raises(SubmissionRejected, match="not enough resources for '/core=99"):
        await api.submit(attrs.evolve(ORDER, resource="/core=99,walltime=0:10:0"))

    assert not played.cluster.jobs


@pytest.mark.parametrize("count", [1, 3])
async def test_too_few_resources_for_anybody_is_no_fault_of_the_submission(
    api: Oar3Api, played: Oar3, count: int
) -> None:
    played.cluster.suspected |= {"node1", "node2"}

    with pytest.raises(ClusterUnreachable, match=r"no resource of .* is Alive"):
        await api.submit(lines(count))


async def test_a_poisoned_api_is_told_from_a_bad_submission(api: Oar3Api, played: Oar3) -> None:
    played.poisoned = True

    with pytest.raises(SubmissionUnknown, match="until its administrator restarts the API"):
        await api.submit(ORDER)
    with pytest.raises(ClusterUnreachable) as caught:
        await api.resources()

    assert caught.value.fault is Fault.SERVER_ERROR
    played.restart()
    assert await api.named(ORDER.name, "alice") == []


@pytest.mark.parametrize(
    ("kind", "fault"), [("hang", Fault.TIMEOUT), ("html", Fault.SERVER_ERROR)]
)
async def test_an_ill_api_is_unreachable(
    api: Oar3Api, played: Oar3, kind: str, fault: Fault
) -> None:
    played.fault(kind, "GET", "/resources", times=10)

    with pytest.raises(ClusterUnreachable) as caught:
        await api.resources()

    assert caught.value.fault is fault
    # One that hangs costs one time-out.
    assert len(played.asked("GET")) == (1 if kind == "hang" else 4)


async def test_nobody_listening_means_that_nothing_was_submitted(
    api: Oar3Api, played: Oar3
) -> None:
    await api.submit(ORDER)
    await played.stop()

    with pytest.raises(ClusterUnreachable) as caught:
        await api.submit(ORDER)

    assert caught.value.fault is Fault.REFUSED


async def test_what_others_have_broken_is_asked_again(api: Oar3Api, played: Oar3) -> None:
    ids = await api.submit(ORDER)
    for kind in ("500", "reset", "cut"):
        played.fault(kind, "GET", "/jobs")

    assert len((await api.jobs(ids, "alice")).jobs) == 3


async def test_it_never_asks_for_two_things_at_a_time(api: Oar3Api, played: Oar3) -> None:
    played.latency = 0.01

    async with asyncio.TaskGroup() as group:
        for place in range(4):
            group.create_task(api.submit(attrs.evolve(ORDER, name=f"n{place}")))
            group.create_task(api.jobs([700001, 700002], "alice"))
            group.create_task(api.delete([700001], "alice"))

    assert played.overlaps == 0


# ----- looks


async def test_jobs_are_found_by_name_though_their_times_lie(api: Oar3Api, played: Oar3) -> None:
    await api.submit(attrs.evolve(ORDER, name="another"))
    played.idle_for(10 * 86_400)
    ids = await api.submit(ORDER)
    played.cluster.finish(ids[0], 0)

    found = await api.named(ORDER.name, "alice")

    assert [job.id for job in found] == ids
    assert await api.named(ORDER.name, "bob") == []
    # Not in all that alice has ever run.
    (since, *_) = (re.findall(r"start_time=(\d+)", path) for path in reversed(asked(played)))
    assert time.time() - 2 * 86_400 - 60 < int(since[0]) < time.time()


async def test_what_oar_resubmits_is_no_job_of_ours_by_name(api: Oar3Api, played: Oar3) -> None:
    ids = await api.submit(attrs.evolve(ORDER, types=["besteffort", "idempotent"]))
    played.cluster.almighty = True
    await until(lambda: played.cluster.jobs[ids[0]].state != "Waiting")
    job = played.cluster.jobs[ids[0]]
    played.cluster._resubmit(job, "is a besteffort and idempotent job so we resubmit it")

    assert [job.id for job in await api.named(ORDER.name, "alice")] == ids


@pytest.mark.parametrize("count", [3, 70, 1200])
async def test_a_look_tells_how_each_ended_and_when(
    api: Oar3Api, played: Oar3, count: int
) -> None:
    ids = await api.submit(lines(count))
    played.cluster.finish(ids[0], 768)
    played.cluster.fail(ids[1], ("WALLTIME", "Job: 1 from 2 with 3"))
    played.cluster.jobs[ids[2]].state = "Running"
    played.cluster.jobs[ids[2]].start_time = 1234

    look = await api.jobs([*ids, 999_999], "alice")

    assert len(look.jobs) == count
    by_id = {job.id: job for job in look.jobs}
    ended, failed, running = (by_id[number] for number in ids[:3])
    assert (ended.state, ended.exit_code) == ("Terminated", 768)
    assert ended.start_time
    assert ended.stop_time
    assert (failed.state, failed.exit_code) == ("Error", None)
    assert (running.state, running.start_time) == ("Running", 1234)
    again = {job.id: job for job in (await api.jobs(ids, "alice")).jobs}
    assert again[ids[2]].start_time == 1234


async def test_thousands_of_jobs_that_wait_cost_one_request(api: Oar3Api, played: Oar3) -> None:
    ids = await api.submit(lines(3000))
    before = len(played.requests)

    assert len((await api.jobs(ids, "alice")).jobs) == 3000
    assert api.room(ids) == 3000
    assert len(played.requests) == before + 1


async def test_addresses_that_are_too_long_are_cut(api: Oar3Api, played: Oar3) -> None:
    ids = await api.submit(lines(900))
    played.most_address = 8190

    assert len((await api.jobs(ids, "alice")).jobs) == 900
    assert all(len(path) < 8190 for path in played.asked("GET")[-2:])
    assert oar3_listing.SHORT_ADDRESS < 8190


async def test_events_come_with_the_jobs_in_the_order_of_their_making(
    api: Oar3Api, played: Oar3
) -> None:
    ids = await api.submit(ORDER)
    played.cluster.fail(ids[0], ("BESTEFFORT_KILL", "kill the besteffort job"), ("B", "b"))
    await api.jobs(ids, "alice")
    before = len(played.requests)

    events = await api.events(ids[:1], "alice")

    assert [event.type for event in events] == ["BESTEFFORT_KILL", "B", "SWITCH_INTO_ERROR_STATE"]
    assert len(played.requests) == before
    assert await api.events(ids[1:], "alice") == []


async def test_a_job_is_not_over_while_oar_may_still_replace_it(
    api: Oar3Api, played: Oar3, clock: list[float]
) -> None:
    ids = await api.submit(ORDER)
    played.cluster.fail(ids[0])
    played.unchecked.add(ids[0])

    async def state() -> str:
        return (await api.jobs(ids[:1], "alice")).jobs[0].state

    assert await state() == "toError"
    clock[0] += GRACE + 1
    assert await state() == "Error"
    played.unchecked.clear()
    assert await state() == "Error"


async def test_resources_and_stress_are_told(api: Oar3Api, played: Oar3) -> None:
    assert len([r for r in await api.resources() if r.state == "Alive"]) == 16
    assert await api.stress() == 2.1
    played.stress = "?"
    assert await api.stress() is None
    assert await api.busy() == 0
    ids = await api.submit(ORDER)
    played.cluster.jobs[ids[0]].state = "Running"
    assert await api.busy() == 1


# ----- actions and files


async def test_deleting_what_is_over_or_unknown_is_no_error(api: Oar3Api, played: Oar3) -> None:
    ids = await api.submit(ORDER)
    played.cluster.finish(ids[0], 0)

    await api.delete([*ids, 999_999], "alice")
    await api.delete(ids, "alice")

    assert [played.cluster.jobs[number].fragged for number in ids] == [False, True, True]


@pytest.mark.parametrize("broken", [False, True])
async def test_an_array_is_deleted_with_one_request(
    api: Oar3Api, played: Oar3, broken: bool
) -> None:
    ids = await api.submit(ORDER)
    if broken:
        played.cluster.jobs[ids[0]].array_id = 0

    await api.delete_array(ids[0], "alice")

    fragged = [played.cluster.jobs[number].fragged for number in ids]
    assert fragged[1:] == [True, True]
    assert len(played.asked("DELETE")) == 1


async def test_a_job_without_an_array_is_deleted_as_itself(api: Oar3Api, played: Oar3) -> None:
    (number,) = await api.submit(lines(1))
    played.cluster.jobs[number].array_id = 0

    await api.delete_array(number, "alice")

    assert played.cluster.jobs[number].fragged


async def test_without_a_token_nothing_is_deleted_and_nobody_else_is_held_up(
    api: Oar3Api, played: Oar3, tokens: dict[str, str]
) -> None:
    ids = await api.submit(ORDER)
    tokens.clear()

    await api.delete(ids, "alice")
    await api.delete_array(ids[0], "alice")
    await api.checkpoint(ids[0], "alice")

    assert not any(job.fragged for job in played.cluster.jobs.values())


@pytest.mark.parametrize("as_oar", [True, False])
async def test_a_checkpoint_is_asked_for_where_the_api_may(
    api: Oar3Api, played: Oar3, as_oar: bool
) -> None:
    played.as_oar = as_oar
    played.cluster.almighty = True
    order = attrs.evolve(
        lines(1),
        command="exec sh -c 'trap \"exit 4\" USR2; : >ready; while :; do sleep .01; done'",
    )
    (number,) = await api.submit(order)
    await until((played.cluster.home("alice") / "ready").exists)

    await api.checkpoint(number, "alice")

    if as_oar:
        await until(lambda: played.cluster.jobs[number].state == "Terminated")
        assert played.cluster.jobs[number].exit_code == 4 << 8


async def test_files_are_read_from_the_home_that_jobs_start_in(api: Oar3Api, played: Oar3) -> None:
    home = played.cluster.home("alice")
    (home / "lines").write_text("".join(f"l{number}\n" for number in range(1000)))
    await api.submit(ORDER)

    assert await api.read("lines", "alice", limit=8) == b"98\nl999\n"
    assert await api.read("lines", "alice", tail=2, limit=100) == b"l998\nl999\n"
    assert await api.read("none", "alice", limit=100) is None
    await api.remove("lines", "alice")
    await api.remove("lines", "alice")
    assert not (home / "lines").exists()


@pytest.mark.parametrize("given", [None, token("bob", "another secret")])
async def test_files_of_a_user_without_a_good_token_are_not_taken_for_missing(
    api: Oar3Api, tokens: dict[str, str], given: str | None
) -> None:
    tokens.pop("bob")
    tokens |= {"bob": given} if given else {}

    with pytest.raises(SubmissionRejected, match="cigri token cluster add"):
        await api.read("lines", "bob", limit=8)
