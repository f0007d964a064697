"""Tasks are found by what they are, page by page, in lists and in whole exports."""

import json
from collections.abc import Iterator

import pytest

from cigri.clusters.simulated import Behaviour, SimulatedCluster
from cigri.domain.model import Caller, CampaignId, ClusterName, Task, TaskState
from cigri.domain.selection import CampaignSelection, Selection
from cigri.errors import NotAllowed
from cigri.store import task_pages
from cigri.store.task_tables import COLUMNS, Table
from tests.engine.harness import ANN, Engine

S = TaskState
SIM = ClusterName("sim")
TASKS = 2500
FAILING = {n: 3 if n % 200 else 4 for n in range(0, TASKS, 100)}


@pytest.fixture
async def busy(engine: Engine, cluster: SimulatedCluster) -> CampaignId:
    """Return a campaign of which some tasks have ended, some run, and some wait."""
    cluster.behaviour = Behaviour(exit_status=lambda task, _: FAILING.get(task, 0))
    cluster._slots = 16
    params = [f"--seed={n} Tag{n % 7}" if n % 2 else [f"word {n}", "x"] for n in range(TASKS)]
    described = {"name": "c", "exec_file": "x", "clusters": {"sim": {}}, "params": params}
    campaign = (await engine.api.submit(ANN, json.dumps(described).encode())).campaign.id
    while (await engine.api.get(campaign)).counts.settled < 1200:
        await engine.turn()
    return campaign


def wanted(task: Task, selection: Selection) -> bool:
    """Return what a look at a task says: the specification of a selection."""
    return (
        (not selection.states or task.state in selection.states)
        and selection.cluster in (None, task.cluster)
        and selection.exit_status in (None, task.exit_status)
        and selection.reads(task.parameter)
    )


SELECTIONS = [
    Selection(),
    *(Selection(states=frozenset({state})) for state in TaskState),
    Selection(states=frozenset({S.SUCCEEDED, S.FAILED})),
    Selection(states=frozenset({S.RUNNING, S.PENDING})),
    Selection(cluster=SIM),
    Selection(cluster=ClusterName("elsewhere")),
    Selection(exit_status=3),
    Selection(exit_status=0, states=frozenset({S.FAILED})),
    Selection(exit_status=4, cluster=SIM, states=frozenset({S.FAILED})),
    Selection(text="tag3"),
    Selection(text="d 24", states=frozenset({S.PENDING})),
    Selection(text="nowhere"),
]


@pytest.mark.parametrize(("limit", "chunks"), [(7, 1), (10_000, 100)])
async def test_pages_together_are_what_was_asked_for(
    engine: Engine, busy: CampaignId, monkeypatch: pytest.MonkeyPatch, limit: int, chunks: int
) -> None:
    monkeypatch.setattr(task_pages, "LEAST_CHUNKS", chunks)
    monkeypatch.setattr(task_pages, "MOST_SECONDS", 0.0)
    every = await engine.tasks(ANN, busy, 0, TASKS)
    for selection in SELECTIONS:
        expected = [task for task in every if wanted(task, selection)]

        found: list[Task] = []
        first: int | None = 0
        while first is not None:
            page = await engine.api.select(ANN, busy, selection, first, limit)
            assert len(page.tasks) <= limit
            assert page.following is None or page.following > first
            found += page.tasks
            first = page.following

        parts = await engine.api.export(ANN, busy, selection)
        exported = [task async for table in parts for task in rows(busy, table)]
        assert found == exported == expected, selection


def rows(campaign: CampaignId, table: Table) -> Iterator[Task]:
    """Yield the tasks of *table* as pages show them."""
    for row in zip(*(getattr(table, name) for name in COLUMNS), strict=True):
        values = dict(zip(COLUMNS, row, strict=True))
        yield Task(campaign=campaign, **values)


async def test_the_last_page_says_that_it_is(engine: Engine, busy: CampaignId) -> None:
    failed = Selection(exit_status=3)
    count = sum(status == 3 for task, status in FAILING.items() if task < 1200)
    pages = [await engine.api.select(ANN, busy, failed, 0, limit) for limit in (count - 1, count)]

    assert pages[0].following is not None
    (rest,) = (await engine.api.select(ANN, busy, failed, pages[0].following, 10)).tasks[:1]
    assert rest.exit_status == 3


async def test_a_list_by_state_is_full_however_far_apart_its_tasks_are(
    engine: Engine, busy: CampaignId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(task_pages, "LEAST_CHUNKS", 1)
    monkeypatch.setattr(task_pages, "MOST_SECONDS", 0.0)

    assert len(await engine.tasks(ANN, busy, 0, 900, S.PENDING)) == 900


async def test_a_page_looks_on_while_there_is_time(
    engine: Engine, busy: CampaignId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(task_pages, "LEAST_CHUNKS", 1)
    nowhere = Selection(text="nowhere")
    following = []
    for seconds in (0.0, 3600.0):
        monkeypatch.setattr(task_pages, "MOST_SECONDS", seconds)
        following.append((await engine.api.select(ANN, busy, nowhere, 0, 1)).following)

    assert following == [task_pages.CHUNK, None]


async def test_only_the_owner_searches_and_exports(engine: Engine, busy: CampaignId) -> None:
    for who in (
        engine.api.select(Caller(user="bob"), busy, Selection(), 0, 1),
        engine.api.export(Caller(user="bob"), busy, Selection()),
    ):
        with pytest.raises(NotAllowed):
            await who


async def test_statistics_say_what_is_known_and_no_more(
    engine: Engine, cluster: SimulatedCluster
) -> None:
    cluster.behaviour = Behaviour(
        duration=lambda task, _: float(task), exit_status=lambda task, _: int(task == 4)
    )
    described = {"name": "c", "exec_file": "x", "clusters": {"sim": {}}, "nb_jobs": 5}
    campaign = (await engine.api.submit(ANN, json.dumps(described).encode())).campaign.id
    before = await engine.api.statistics(campaign)
    await engine.run(campaign)
    after = await engine.api.statistics(campaign)

    assert before.mean_duration is before.remaining is before.failed_share is None
    assert after.mean_duration == 2
    assert after.deviation == pytest.approx(2.5**0.5)
    assert (after.remaining, after.failed_share, after.again_share) == (0, 0.2, 0)


async def submit(engine: Engine, user: str, name: str, tags: list[str]) -> CampaignId:
    described = {"name": name, "exec_file": "x", "clusters": {"sim": {}}, "nb_jobs": 1}
    text = json.dumps({**described, "tags": tags}).encode()
    return (await engine.api.submit(Caller(user=user), text)).campaign.id


async def test_campaigns_are_found_by_user_name_tag_and_cluster(engine: Engine) -> None:
    first = await submit(engine, "ann", "Spring 2024", ["ising", "paper"])
    second = await submit(engine, "ann", "autumn", ["paper"])
    third = await submit(engine, "bob", "spring", ["paper"])
    await engine.api.cancel(ANN, second)
    expected = {
        CampaignSelection(): [first, third],
        CampaignSelection(user="ann"): [first],
        CampaignSelection(text="SPRING"): [first, third],
        CampaignSelection(text="%"): [],
        CampaignSelection(tag="paper"): [first, third],
        CampaignSelection(tag="paper", tags_of="bob"): [third],
        CampaignSelection(tag="pap"): [],
        CampaignSelection(cluster=SIM, user="bob"): [third],
        CampaignSelection(cluster=ClusterName("elsewhere")): [],
    }
    for selection, campaigns in expected.items():
        page = await engine.api.listing(["in_treatment"], 10, 0, selection)  # type: ignore[list-item]
        assert [item.id for item in page.items] == campaigns
        assert page.total == len(campaigns)
