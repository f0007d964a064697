"""Clusters and the front page over HTTP."""

from tests.api.face import LOCAL


async def test_the_front_page_says_where_to_go(client):
    front = (await client.get("/")).json()

    assert front["version"]
    for link in front["links"]:
        assert (await client.get(link["href"])).status_code == 200


async def test_clusters_are_listed(client):
    listing = (await client.get("/clusters")).json()

    assert listing["total"] == 1
    (cluster,) = listing["items"]
    assert cluster["links"][0] == {"rel": "self", "href": f"/clusters/{cluster['id']}"}
    del cluster["links"]
    assert cluster == {
        "id": 1,
        "name": LOCAL,
        "driver": "local",
        "slots": 2,
        "busy": 0,
        "enabled": True,
        "blacklisted": False,
        "blacklist_reason": None,
    }


async def test_a_cluster_is_found_by_its_id_and_by_its_name(client):
    by_id, by_name = await client.get("/clusters/1"), await client.get("/clusters/local")

    assert by_id.json() == by_name.json()
    assert (await client.get("/clusters/other")).status_code == 404
