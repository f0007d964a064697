"""Clusters and the front page over HTTP."""

import re
from importlib.metadata import version

import pytest

from cigri.api import wire
from cigri.engine.answers import ClusterStatus
from tests.api.face import LOCAL


async def test_the_front_page_says_where_to_go(client):
    answer = await client.get("/")

    assert answer.headers["Cigri-Version"] == version("cigri")
    for link in answer.json()["links"]:
        assert (await client.get(link["href"])).status_code == 200
    for path in re.findall("<([^>]*)>", answer.headers["Link"]):
        assert (await client.get(path)).status_code == 200


async def test_clusters_are_listed(client):
    listing = (await client.get("/clusters")).json()

    assert listing["total"] == 1
    (cluster,) = listing["items"]
    assert cluster["links"][0] == {"rel": "self", "href": f"/clusters/{cluster['id']}"}
    del cluster["links"]
    value, slash, limit = cluster.pop("stress_factor").partition("/")
    assert float(value) >= 0
    assert (slash, limit) == ("/", "-")
    assert cluster == {
        "id": 1,
        "name": LOCAL,
        "driver": "local",
        "slots": 2,
        "busy": 0,
        "enabled": True,
        "blacklisted": False,
        "blacklist_reason": None,
        "next_try": None,
        "under_stress": False,
        "down": None,
        "used_by_others": None,
    }


@pytest.mark.parametrize(
    ("driver", "batch"), [("local", "local"), ("oar2", "oar2_5"), ("oar3", "oar3")]
)
def test_drivers_are_called_as_cigri_3_did(driver, batch):
    status = ClusterStatus(id=1, name=LOCAL, driver=driver, slots=1, busy=0, hold=None)

    assert wire.cluster_details(status).batch == batch


async def test_a_cluster_is_found_by_its_id_and_by_its_name(client):
    by_id, by_name = await client.get("/clusters/1"), await client.get("/clusters/local")

    assert by_id.json() == by_name.json()
    assert (await client.get("/clusters/other")).status_code == 404


@pytest.mark.parametrize(
    ("stress", "limit", "told"),
    [
        (0.5, 0.8, ("0.50/0.8", False)),
        (0.8, 0.8, ("0.80/0.8", True)),
        (12.345, None, ("12.35/-", False)),
        (None, 0.8, (None, False)),
    ],
)
@pytest.mark.parametrize("shown", [wire.cluster, wire.cluster_details])
def test_a_cluster_is_under_stress_from_its_limit_on(shown, stress, limit, told):
    status = ClusterStatus(
        id=1, name=LOCAL, driver="local", slots=2, busy=0, hold=None, stress=stress,
        stress_limit=limit,
    )  # fmt: skip

    cluster = shown(status)

    assert (cluster.stress_factor, cluster.under_stress) == told
