"""Users who have another login on a cluster: what the cluster sees, and what runs as whom."""

import os
import pwd

import pytest

from cigri.clusters import open_driver
from cigri.clusters.mapped import MappedUsers
from cigri.clusters.options import LocalOptions
from cigri.clusters.simulated import SimulatedCluster
from tests.engine.harness import ANN, Clock, engine_on

JDL = b'{"name": "a", "nb_jobs": 3, "exec_file": "x", "clusters": {"sim": {}}}'


class Watched(SimulatedCluster):
    """A cluster that remembers as whom it was asked."""

    def __init__(self, now):
        super().__init__(now)
        self.users = set()

    async def submit(self, batch):
        self.users.add(("submit", batch.user))
        return await super().submit(batch)

    async def find(self, tag, user, jobs):
        self.users.add(("find", user))
        return await super().find(tag, user, jobs)

    async def status(self, jobs):
        self.users |= {("status", job.user) for job in jobs}
        return await super().status(jobs)

    async def kill(self, jobs):
        self.users |= {("kill", job.user) for job in jobs}
        await super().kill(jobs)

    async def withdraw(self, jobs):
        self.users |= {("withdraw", job.user) for job in jobs}
        await super().withdraw(jobs)

    async def forget(self, jobs):
        self.users |= {("forget", job.user) for job in jobs}
        await super().forget(jobs)

    async def outputs(self, job, tasks, stream, limit):
        self.users.add(("outputs", job.user))
        return await super().outputs(job, tasks, stream, limit)


@pytest.fixture
async def mapped(tmp_path):
    """An engine on a cluster that knows ann as lab07, and the cluster."""
    clock = Clock()
    cluster = Watched(clock)
    driver = MappedUsers(cluster, {"ann": "lab07"}, None)
    async with engine_on(tmp_path / "cigri.db", {"sim": driver}, clock) as engine:
        yield engine, cluster


async def test_the_cluster_sees_the_login_and_the_campaign_keeps_the_user(mapped):
    engine, cluster = mapped
    campaign = (await engine.api.submit(ANN, JDL)).campaign.id
    assert await engine.run(campaign) == "terminated"
    (task,) = await engine.tasks(ANN, campaign, 0, 1)

    assert await engine.api.output(ANN, task.id, "out", 100) == b"out of task 0\n"
    assert {user for _, user in cluster.users} == {"lab07"}
    assert {what for what, _ in cluster.users} >= {"submit", "status", "forget", "outputs"}
    assert (await engine.api.get(campaign)).user == "ann"


async def test_what_is_stopped_is_stopped_under_the_login(mapped):
    engine, cluster = mapped
    for stop in (engine.api.pause, engine.api.cancel):
        campaign = (await engine.api.submit(ANN, JDL)).campaign.id
        await engine.turn(seconds=0)
        await stop(ANN, campaign)
        await engine.turn(seconds=0)

    assert ("kill", "lab07") in cluster.users
    assert {user for _, user in cluster.users} == {"lab07"}


async def test_users_without_another_login_keep_theirs():
    driver = MappedUsers(Watched(Clock()), {"ann": "lab07"}, None)

    assert (driver.login("ann"), driver.login("bob")) == ("lab07", "bob")


def test_who_may_use_a_cluster_is_told_by_the_names_in_cigri(tmp_path):
    own = pwd.getpwuid(os.geteuid()).pw_name
    options = LocalOptions(users_mapping={"ann": own}, users=("ann",), allow_root=True)
    driver = open_driver("local", tmp_path, options)

    assert driver.refusal("ann") is None
    assert "not among the `users`" in driver.refusal(own)


def test_the_rules_of_the_login_hold(tmp_path):
    options = LocalOptions(users_mapping={"ann": "no-such-login"})

    assert "no user no-such-login" in open_driver("local", tmp_path, options).refusal("ann")


def test_without_a_mapping_the_driver_is_the_plain_one(tmp_path):
    assert not isinstance(open_driver("local", tmp_path, LocalOptions()), MappedUsers)


async def test_the_load_is_that_of_the_host(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "getloadavg", lambda: (3.0, 0.0, 0.0))
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    plain = open_driver("local", tmp_path, LocalOptions(stress_limit=0.9))
    mapped = open_driver(
        "local", tmp_path, LocalOptions(users_mapping={"ann": "lab07"}, stress_limit=0.9)
    )

    assert isinstance(mapped, MappedUsers)
    for driver in (plain, mapped):
        assert (await driver.stress(), driver.stress_limit) == (0.75, 0.9)
    assert await SimulatedCluster(Clock()).stress() is None
