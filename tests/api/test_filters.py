"""Only what is asked for: filters of campaigns and of tasks."""

import pytest

from tests.api.face import JDL, OWN


async def names(client, options):
    page = (await client.get(f"/campaigns?{options}")).json()
    assert page["total"] == len(page["items"])
    return [each["name"] for each in page["items"]]


@pytest.fixture
async def three(client):
    for name, tags in (("ising", ["a", "b"]), ("Ising 2", ["b"]), ("other", [])):
        answer = await client.post("/campaigns", json=JDL | {"name": name, "tags": tags})
        assert answer.status_code == 201, answer.text


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ("q=ISING", ["ising", "Ising 2"]),
        ("tag=b", ["ising", "Ising 2"]),
        ("tag=a&q=ising", ["ising"]),
        (f"user={OWN}", ["ising", "Ising 2", "other"]),
        ("user=nobody", []),
        ("state=paused&q=ising", []),
        ("q=%25", []),
        ("cluster=local&q=ising", ["ising", "Ising 2"]),
        ("cluster=elsewhere", []),
    ],
)
async def test_campaigns_are_found_by(client, three, options, found):
    assert await names(client, options) == found


async def test_the_tags_of_others_are_not_to_be_guessed(mallory, three):
    assert await names(mallory, "tag=b") == []
    everything = (await mallory.get("/campaigns")).json()["items"]
    assert [each["tags"] for each in everything] == [None, None, None]


async def test_a_filter_stays_on_the_next_page(client, three):
    page = (await client.get("/campaigns?q=ising&limit=1")).json()

    following = next(link["href"] for link in page["links"] if link["rel"] == "next")
    page = (await client.get(following)).json()
    assert [each["name"] for each in page["items"]] == ["Ising 2"]
    assert [link["rel"] for link in page["links"]] == ["self"]


@pytest.fixture
async def words(client):
    """The path of a campaign of five tasks."""
    jdl = {key: value for key, value in JDL.items() if key != "nb_jobs"}
    params = ["--seed 1", "--seed 2", ["--title", "Seed"], "--t 3", "--t 4"]
    answer = await client.post("/campaigns", json=jdl | {"params": params})
    assert answer.status_code == 201, answer.text
    return answer.headers["Location"]


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ("q=SEED", [0, 1, 2]),
        ("q=seed&state=pending", [0, 1, 2]),
        ("state=pending,failed", [0, 1, 2, 3, 4]),
        ("state=failed", []),
        ("cluster=local", []),
        ("exit=1", []),
        ("exit=-9", []),
    ],
)
async def test_tasks_are_found_by(client, words, options, found):
    page = (await client.get(f"{words}/jobs?{options}")).json()

    assert [job["task"] for job in page["items"]] == found


@pytest.mark.parametrize("page", ["jobs", "jobs.csv", "jobs.ndjson"])
async def test_a_cluster_that_is_not_the_campaigns_is_a_mistake(client, mallory, words, page):
    answer = await client.get(f"{words}/{page}?cluster=nope")

    assert answer.status_code == 400
    (mistake,) = answer.json()["errors"]
    assert (mistake["pointer"], "local" in mistake["hint"]) == ("?cluster", True)
    assert (await mallory.get(f"{words}/{page}?cluster=nope")).status_code == 403


async def test_pages_of_found_tasks_follow_each_other(client, words):
    found, path = [], f"{words}/jobs?q=seed&limit=1"
    while path:
        page = (await client.get(path)).json()
        assert page["total"] is None
        found += [job["task"] for job in page["items"]]
        path = next((link["href"] for link in page["links"] if link["rel"] == "next"), None)

    assert found == [0, 1, 2]


@pytest.mark.parametrize(
    ("options", "hint"),
    [
        ("stat=failed", 'did you mean "state"?'),
        ("state=faild", 'did you mean "failed"?'),
        ("exit=x", None),
        ("exit=999", None),
        ("q=a&q=b", None),
        ("limit=0&offset=-1", None),
    ],
)
async def test_mistakes_in_options_are_told_at_once(client, words, options, hint):
    answer = await client.get(f"{words}/jobs?{options}")

    assert answer.status_code == 400
    mistakes = answer.json()["errors"]
    assert all(mistake["pointer"].startswith("?") for mistake in mistakes)
    assert mistakes[0].get("hint") == hint
    assert len(mistakes) == (2 if "limit" in options else 1)
