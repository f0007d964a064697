"""The bag of a campaign: pieces of parameters, ids of tasks, and campaigns that grow."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cigri.domain.model import (
    CampaignId,
    ClusterName,
    ClusterSettings,
    JobsType,
    Parameter,
    TaskId,
)
from cigri.domain.spec import CampaignSpec
from cigri.domain.sweep import Axis, Sweep
from cigri.errors import NotFound
from cigri.store import audit, campaigns, clusters, growth, parameters, spans
from cigri.store.database import Database, open_database
from cigri.store.parameters import DamagedParameters, Encoding, Piece

NAME = ClusterName("here")
SPEC = CampaignSpec(name="c", clusters={NAME: ClusterSettings(exec_file="x")}, jdl={})
ENDLESS = attrs.evolve(SPEC, jobs_type=JobsType.DESKTOP_COMPUTING)
SWEEP = Sweep(
    axes=(Axis(name="T", values=tuple("abcd")), Axis(name="seed", values=("1 2", "3", "'")))
)

words = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=5)
given_ones = st.lists(words | st.lists(words, max_size=3).map(tuple), min_size=1, max_size=5)


@st.composite
def pieces(draw: st.DrawFn) -> tuple[Piece, Sequence[Parameter] | None]:
    """Draw a piece and its parameters, `None` for those that are the numbers of the tasks."""
    match draw(st.sampled_from(Encoding)):
        case Encoding.COUNT:
            return Piece(draw(st.integers(1, 3000)), Encoding.COUNT), None
        case Encoding.SAME:
            count = draw(st.integers(1, 3000))
            return Piece(count, Encoding.SAME), [""] * count
        case Encoding.SWEEP:
            return parameters.pack_sweep(SWEEP), [SWEEP.parameter(n) for n in range(SWEEP.total)]
        case _:
            values = draw(given_ones)
            return parameters.pack(values), values


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[Database]:
    async with open_database(tmp_path / "cigri.db") as database:
        async with database.write() as tx:
            await clusters.register(tx, [NAME])
        yield database


async def submit(database: Database, *given: Piece, spec: CampaignSpec = SPEC) -> CampaignId:
    async with database.write() as tx:
        ids = {name: row.id for name, row in (await clusters.all_clusters(tx)).items()}
        campaign = await campaigns.create(tx, spec, user="ann", at=0, cluster_ids=ids)
        end = await parameters.insert(tx, campaign, 0, given)
        await campaigns.open_campaign(tx, campaign, end, 0)
    return campaign


async def add(database: Database, campaign: CampaignId, *given: Piece) -> None:
    async with database.write() as tx:
        total = (await campaigns.row(tx, campaign))["total"]
        end = await parameters.insert(tx, campaign, total, given)
        await growth.grow(tx, campaign, end - total)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    parts=st.lists(st.tuples(st.integers(0, 2), st.lists(pieces(), max_size=3)), max_size=6),
    data=st.data(),
)
async def test_every_number_has_its_parameter_and_its_id_once(
    opened: Database,
    parts: list[tuple[int, list[tuple[Piece, Sequence[Parameter] | None]]]],
    data: st.DataObject,
) -> None:
    three = [await submit(opened) for _ in range(3)]
    expected: list[list[Parameter]] = [[], [], []]
    for which, drawn in parts:
        await add(opened, three[which], *[piece for piece, _ in drawn])
        for piece, values in drawn:
            first = len(expected[which])
            numbers = range(first, first + piece.size)
            expected[which] += map(str, numbers) if values is None else values

    seen: set[int] = set()
    async with opened.read() as db:
        for campaign, values in zip(three, expected, strict=True):
            every = range(len(values))
            some = data.draw(st.sets(st.sampled_from(every)) if values else st.just(set()))
            whole = await parameters.of_tasks(db, campaign, every)
            ids = await spans.ids(db, campaign, every)
            places = [await spans.locate(db, ids[number]) for number in some]

            assert [whole[number] for number in every] == values
            assert await parameters.of_tasks(db, campaign, some) == {n: values[n] for n in some}
            assert await spans.ids(db, campaign, some) == {n: ids[n] for n in some}
            assert places == [(campaign, number) for number in some]
            assert len(ids) == len(values)
            assert seen.isdisjoint(ids.values())
            assert await audit.gaps(db, campaign) == []
            assert (await audit.recount(db, campaign)).total == len(values)
            seen |= set(ids.values())


async def test_what_is_being_added_is_invisible_and_forgotten(opened: Database) -> None:
    campaign = await submit(opened, Piece(5, Encoding.COUNT))
    for forget in (growth.forget_invisible, lambda tx, _: campaigns.delete_loading(tx)):
        async with opened.write() as tx:
            await parameters.insert(tx, campaign, 5, [parameters.pack(["a", "b"])])
            assert (await campaigns.get(tx, campaign)).counts.total == 5
            await forget(tx, campaign)
            found = await tx.all("SELECT first_task FROM parameter_chunk")
            assert [row["first_task"] for row in found] == [0]


async def test_a_million_tasks_are_a_row_or_two(opened: Database) -> None:
    await submit(opened, Piece(1_000_000, Encoding.COUNT))

    async with opened.read() as db:
        rows = await db.all(
            "SELECT (SELECT count(*) FROM parameter_chunk) + (SELECT count(*) FROM span) AS rows"
        )
    assert rows[0]["rows"] == 2


async def test_ids_are_not_given_again(opened: Database) -> None:
    campaign = await submit(opened, Piece(5, Encoding.COUNT))
    async with opened.write() as tx:
        await tx.run("DELETE FROM campaign WHERE id = ?", (campaign,))
    other = await submit(opened, Piece(1, Encoding.COUNT))

    async with opened.read() as db:
        assert await spans.ids(db, other, [0]) == {0: 6}
        with pytest.raises(NotFound, match="job 5"):
            await spans.locate(db, TaskId(5))


async def test_damage_of_any_piece_is_noticed(opened: Database) -> None:
    campaign = await submit(opened, parameters.pack_sweep(SWEEP), parameters.pack(["a"]))
    async with opened.write() as tx:
        await tx.run("UPDATE parameter_chunk SET data = x'00' WHERE first_task = 0")

    async with opened.read() as db:
        assert await parameters.damaged(db) == [campaign]
        assert await parameters.of_tasks(db, campaign, [12]) == {12: "a"}
        with pytest.raises(DamagedParameters, match="backup"):
            await parameters.of_tasks(db, campaign, [3])


@pytest.mark.parametrize("table", ["parameter_chunk", "span"])
async def test_a_gap_is_found(opened: Database, table: str) -> None:
    campaign = await submit(opened, Piece(5, Encoding.COUNT), parameters.pack(["a"]))
    await submit(opened, Piece(1, Encoding.COUNT))
    await add(opened, campaign, parameters.pack(["b"]))
    async with opened.write() as tx:
        await tx.run(f"DELETE FROM {table} WHERE campaign_id = 1 AND first_task = 0")  # noqa: S608

    async with opened.read() as db:
        (missing,) = await audit.gaps(db, campaign)
    assert missing.endswith("of the tasks from 0 on")


async def endless(database: Database) -> CampaignId:
    return await submit(database, Piece(growth.STOCK, Encoding.SAME), spec=ENDLESS)


async def test_an_endless_bag_is_filled_when_it_runs_low(opened: Database) -> None:
    campaign = await endless(opened)
    taken = growth.STOCK - growth.LOW
    for count, pending in [(taken, growth.LOW), (1, growth.STOCK)]:
        async with opened.write() as tx:
            change = campaigns.Move(pending=-count, succeeded=count)
            await campaigns.move(tx, campaign, change)
            await growth.refill_endless(tx, 1)
            found = (await campaigns.get(tx, campaign)).counts
        assert found.pending == pending

    async with opened.read() as db:
        assert await audit.gaps(db, campaign) == []
        assert await parameters.of_tasks(db, campaign, [found.total - 1]) == {found.total - 1: ""}
        pieces = await db.all("SELECT count FROM parameter_chunk UNION ALL SELECT count FROM span")
        assert [row["count"] for row in pieces] == [found.total] * 2


async def test_an_endless_campaign_does_not_end_by_itself(opened: Database) -> None:
    campaign = await endless(opened)
    async with opened.write() as tx:
        change = campaigns.Move(pending=-growth.STOCK, succeeded=growth.STOCK)
        await campaigns.move(tx, campaign, change)

        assert not await campaigns.finish_if_done(tx, campaign, 0)


async def test_what_stood_by_vanishes_when_an_endless_campaign_is_stopped(
    opened: Database,
) -> None:
    campaign = await endless(opened)
    async with opened.write() as tx:
        done = campaigns.Move(pending=-8, succeeded=5, queued=2)
        # One is in the bag again.
        await campaigns.move(tx, campaign, attrs.evolve(done, pending=-7), cursor=8)
        await campaigns.cancel(tx, campaign, 0)
        found = (await campaigns.get(tx, campaign)).counts

    assert (found.total, found.succeeded, found.queued, found.cancelled) == (8, 5, 2, 1)


async def test_a_campaign_that_counts_its_tasks_is_stopped_with_all_of_them(
    opened: Database,
) -> None:
    campaign = await submit(opened, Piece(10, Encoding.COUNT))
    async with opened.write() as tx:
        await campaigns.cancel(tx, campaign, 0)
        found = (await campaigns.get(tx, campaign)).counts

    assert (found.total, found.cancelled) == (10, 10)
