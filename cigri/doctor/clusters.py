"""Checks of the clusters: whether each can be reached, how large it is, and who may use it."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from cigri.clusters import DRIVERS
from cigri.clusters.driver import ClusterDriver
from cigri.clusters.identity import account, own_login
from cigri.clusters.options import OarOptions, usable_cores
from cigri.config import ClusterConfig, Config
from cigri.doctor import oar_options, repairs
from cigri.doctor.finding import Finding, fail, ok, warn
from cigri.domain.model import ClusterName
from cigri.domain.reactions import FAULTS
from cigri.errors import CigriError, ClusterUnreachable, Fault, NotFound
from cigri.store import clusters as stored
from cigri.store.database import examine

#: Seconds that a cluster has for its answer.
_PATIENCE = 15.0


async def check(config: Config, database: Path) -> AsyncIterator[Finding]:
    """Check each cluster, and tell which are held."""
    for name, cluster in config.clusters.items():
        driver = DRIVERS[cluster.driver](database.parent / "clusters" / name, cluster.options)
        try:
            finding = await _reached(name, driver, cluster)
        finally:
            await driver.close()
        yield finding
        for finding in _users(name, cluster):
            yield finding
        if isinstance(cluster.options, OarOptions):
            place = database.parent / "clusters" / name
            for finding in oar_options.check(name, cluster.options, place):
                yield finding
    async for finding in _holds(config, database):
        yield finding


async def _reached(name: ClusterName, driver: ClusterDriver, cluster: ClusterConfig) -> Finding:
    try:
        async with asyncio.timeout(_PATIENCE):
            slots = await driver.slots()
    except TimeoutError:
        error = ClusterUnreachable(f"no answer within {_PATIENCE:g} s", fault=Fault.TIMEOUT)
        return _ill(name, cluster, error)
    except CigriError as error:
        return _ill(name, cluster, error)
    if slots < 1:
        return _ill(name, cluster, CigriError("it answers, and no node of it is alive"))
    return _well(name, driver, cluster, slots)


def _ill(name: ClusterName, cluster: ClusterConfig, error: CigriError) -> Finding:
    repair = f"correct [clusters.{name}], or see whether it is up"
    if isinstance(cluster.options, OarOptions):
        code = FAULTS[error.fault] if isinstance(error, ClusterUnreachable) else None
        repair = repairs.of_oar(name, cluster.options.url, str(error), code) or repair
    return fail(name, str(error), repair)


def _well(name: ClusterName, driver: ClusterDriver, cluster: ClusterConfig, slots: int) -> Finding:
    text = f"{cluster.driver}, {slots} {'slot' if slots == 1 else 'slots'}"
    if cluster.driver == "local" and slots > usable_cores():
        more = f"{text}, though this host has {usable_cores()} cores"
        return warn(name, more, f"set `slots` in [clusters.{name}] to no more than that")
    if os.geteuid() == 0:
        return ok(name, f"{text}, each task as its user")
    refusal = driver.refusal(own_login())
    if refusal is not None:
        return warn(name, f"{text}, but not for {own_login()}", refusal)
    return ok(name, f"{text}, for {own_login()} alone")


def _users(name: ClusterName, cluster: ClusterConfig) -> Iterator[Finding]:
    """Check the logins that a cluster of this host names."""
    if cluster.driver != "local":
        return
    for user in sorted({*cluster.options.normal_users, *(cluster.options.users or ())}):
        try:
            account(user)
        except NotFound as error:
            text = f"names {user}: {error}"
            yield warn(name, text, f"make the account, or correct [clusters.{name}]")


async def _holds(config: Config, database: Path) -> AsyncIterator[Finding]:
    """Tell which clusters nothing is submitted to, and why."""
    try:
        async with examine(database) as opened, opened.read() as db:
            known = await stored.all_clusters(db)
    except CigriError:
        return  # that has been told
    for name in config.clusters:
        row = known.get(name)
        if row is None or row.hold is None:
            continue
        until = "cigri events and cigri clusters tell more"
        if not row.stopped:
            until = "it is tried again by itself"
        yield warn(name, f"nothing is submitted there: {row.hold.reason}", until)
