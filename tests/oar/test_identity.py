"""A real OAR is asked as the user whose campaign it is, or not at all."""

import asyncio
from pathlib import Path

import pytest

from cigri.clusters.oar.api import OarOrder
from cigri.clusters.oar.v2.api import Oar2Api
from cigri.clusters.options import Oar2Options
from cigri.errors import ClusterUnreachable, Fault, SubmissionRejected
from tests.testbed.oar2 import Oar2

pytestmark = pytest.mark.oar

HTTP = "http://127.0.0.1:6668"


def order(**change: str) -> OarOrder:
    return OarOrder(
        **{
            "user": "alice",
            "name": "identity",
            "command": "true",
            "lines": ["0", "1"],
            "resource": "/resource_id=1,walltime=0:1:0",
            "output": ".cigri.log",
            **change,
        }
    )


async def test_a_web_server_that_knows_better_is_found_out(oar2: Oar2, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("alicepw\n")
    options = Oar2Options(
        url=f"{HTTP}/oarapi-priv",
        auth="basic",
        basic_user="alice",
        password_file=tmp_path / "password",
    )
    last, api = oar2.last_job(), Oar2Api(options)

    with pytest.raises(SubmissionRejected, match="takes us for alice where we ask for bob"):
        await api.submit(order(user="bob"))
    with pytest.raises(SubmissionRejected, match="takes us for alice where we ask for bob"):
        await api.write(".cigri/x", "bob", b"x")

    assert oar2.last_job() == last
    assert len(await api.submit(order())) == 2
    await api.close()


async def test_a_web_server_that_knows_nobody_holds_the_cluster() -> None:
    api = Oar2Api(Oar2Options(url=f"{HTTP}/oarapi-public"))

    with pytest.raises(ClusterUnreachable) as caught:
        await api.submit(order())

    assert caught.value.fault is Fault.DENIED
    await api.close()


async def test_a_property_that_does_not_exist_is_refused_and_makes_no_job(oar2: Oar2) -> None:
    last, api = oar2.last_job(), Oar2Api(Oar2Options(url=f"{HTTP}/oarapi"))

    with pytest.raises(SubmissionRejected, match="Bad resource request"):
        await api.submit(order(properties="nosuch = 1"))

    assert oar2.last_job() == last
    await api.close()


async def test_what_jobs_hold_is_counted(oar2: Oar2) -> None:
    api = Oar2Api(Oar2Options(url=f"{HTTP}/oarapi"))
    (made,) = oar2.submit("bob", command="sleep 60", resource="/core=3,walltime=0:2:0")

    async with asyncio.timeout(60):
        while await api.busy() < 3:  # noqa: ASYNC110 # a cluster rings no bell
            await asyncio.sleep(0.5)

    oar2.delete("bob", made)
    await api.close()
