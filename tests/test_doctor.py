"""`cigri doctor`: what is wrong with an installation is told, and a copy of a database is one."""

import fcntl
import os
import socket
import sqlite3
import subprocess
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cigri.clusters.simulated import SimulatedCluster
from cigri.doctor import clusters, configuration, database, examination, host
from cigri.doctor.finding import Finding, Level
from cigri.errors import ClusterUnreachable, Conflict
from cigri.places import private_places
from tests.engine.harness import ANN, Clock, engine_on

JDL = b'{"name":"c","params":["a","b","c"],"exec_file":"x","clusters":{"sim":{}}}'


@pytest.fixture
async def path(tmp_path: Path) -> AsyncIterator[Path]:
    """The database of an engine that has run a campaign and has another to run."""
    clock = Clock()
    path = tmp_path / "cigri.db"
    async with engine_on(path, {"sim": SimulatedCluster(clock)}, clock) as engine:
        done = (await engine.api.submit(ANN, JDL)).campaign.id
        await engine.run(done)
        await engine.api.submit(ANN, JDL)
        yield path


async def told(path: Path) -> dict[str, Finding]:
    return {finding.subject: finding async for finding in database.check(path)}


async def of_host(tmp_path: Path, text: str = "") -> dict[str, Finding]:
    places = private_places(tmp_path)
    config, _ = configuration.check(configured(tmp_path, text), places)
    assert config is not None
    found = host.check(config, places, config.server.database)
    return {finding.subject: finding async for finding in found}


def configured(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "cigri.toml"
    path.write_text(text)
    return path


async def test_a_database_in_order(path: Path) -> None:
    found = await told(path)

    assert {finding.level for finding in found.values()} == {Level.OK}
    assert found["counters"].text == "2 campaigns recounted"
    assert "ms for a durable write" in found["disk"].text


async def test_wrong_counters_and_damaged_parameters_are_found(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE campaign SET succeeded = 2, failed = 1 WHERE id = 1")
        connection.execute("UPDATE parameter_chunk SET crc = crc + 1 WHERE campaign_id = 2")
    connection.close()

    found = await told(path)

    assert found["campaign 1"].level is found["campaign 2"].level is Level.FAIL
    assert "recount" in found["campaign 1"].text
    assert "checksum" in found["campaign 2"].text
    assert "--backup" in (found["campaign 2"].repair or "")


async def test_damaged_results_are_found_and_other_campaigns_checked(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute(
            "INSERT INTO task_chunk (campaign_id, chunk, data, succeeded, failed)"
            " VALUES (1, 0, x'00', 0, 0)"
            " ON CONFLICT (campaign_id, chunk) DO UPDATE SET data = x'00'"
        )
        connection.execute("UPDATE campaign SET pending = 2, succeeded = 1 WHERE id = 2")
    connection.close()

    found = await told(path)

    assert "damaged" in found["campaign 1"].text
    assert "recount" in found["campaign 2"].text


async def test_rows_that_name_what_is_not_there_are_found(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute("DELETE FROM cluster")
    connection.close()

    assert "name what is not there" in (await told(path))["database"].text


async def test_a_damaged_file_is_told_with_its_repair(tmp_path: Path) -> None:
    (tmp_path / "cigri.db").write_bytes(b"no database" * 1000)

    found = await told(tmp_path / "cigri.db")

    assert found["database"].level is Level.FAIL
    assert "put a copy" in (found["database"].repair or "")


async def test_no_database_is_made_where_there_is_none(tmp_path: Path) -> None:
    found = await told(tmp_path / "deep/er/cigri.db")

    assert found["database"].level is Level.OK
    assert "none yet" in found["database"].text
    assert os.listdir(tmp_path) == []  # noqa: PTH208 - no Path in a coroutine


@pytest.mark.parametrize(
    ("limit", "value", "level"),
    [("_ENOUGH", 10**9, Level.WARN), ("_LEAST", 10**9, Level.FAIL), ("_SLOW", 0.0, Level.WARN)],
)
async def test_a_disk_that_is_full_or_slow_is_told(
    path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, value: float, level: Level
) -> None:
    monkeypatch.setattr(database, limit, value)

    found = [finding async for finding in database.check(path) if finding.subject == "disk"]

    assert level in {finding.level for finding in found}


async def test_a_database_on_a_network_file_system_is_refused(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cigri.store.custody.file_system", lambda path, mountinfo: "nfs4")

    disk, *_ = [finding async for finding in database.check(path)]

    assert disk.level is Level.FAIL
    assert "nfs4" in disk.text


async def test_a_backup_is_made_beside_a_server_and_overwrites_nothing(
    path: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.db"

    await database.backup(path, copy)

    assert (await told(copy))["counters"] == (await told(path))["counters"]
    with pytest.raises(Conflict, match="exists"):
        await database.backup(path, copy)


def test_every_mistake_of_a_configuration_is_told(tmp_path: Path) -> None:
    path = configured(tmp_path, "[server]\nport = -1\nprot = 2\n")

    config, found = configuration.check(path, private_places(tmp_path))

    assert config is None
    assert [finding.level for finding in found] == [Level.FAIL] * 2
    assert all(str(path) in (finding.repair or "") for finding in found)


def test_an_admission_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    rules = tmp_path / "rules.py"
    rules.write_text("def rule(:\n")
    rules.chmod(0o644)
    path = configured(tmp_path, f'[admission]\nfile = "{rules}"\n')

    _, found = configuration.check(path, private_places(tmp_path))
    rules.write_text("def rule(user: str) -> None:\n    pass\n")
    _, corrected = configuration.check(path, private_places(tmp_path))

    assert found[-1].subject == "admission"
    assert found[-1].level is Level.FAIL
    assert corrected[-1] == Finding(subject="admission", text=str(rules))


@pytest.mark.parametrize(
    ("later", "level"), [(0, Level.OK), (27, Level.WARN), (31, Level.FAIL)], ids=str
)
def test_a_certificate_is_told_before_it_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, later: int, level: Level
) -> None:
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=lab"]
    command += ["-days", "30", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    text = f'[server.tls]\ncertificate = "{certificate}"\nkey = "{key}"\n'
    at = time.time() + later * 86_400
    monkeypatch.setattr("cigri.doctor.configuration.time.time", lambda: at)

    _, found = configuration.check(configured(tmp_path, text), private_places(tmp_path))

    assert [finding.level for finding in found if finding.subject == "certificate"] == [level]


async def test_a_cluster_larger_than_its_host_and_unknown_users_are_told(tmp_path: Path) -> None:
    text = '[clusters.local]\nslots = 60000\nnormal_users = ["nosuchuser"]\n'
    config, _ = configuration.check(configured(tmp_path, text), private_places(tmp_path))
    assert config is not None

    found = [finding async for finding in clusters.check(config, tmp_path / "cigri.db")]

    assert [finding.level for finding in found] == [Level.WARN] * 2
    assert "60000 slots, though this host has" in found[0].text
    assert "nosuchuser" in found[1].text


async def test_a_cluster_that_does_not_answer_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def slots(self: object) -> int:
        raise ClusterUnreachable("connection refused")

    monkeypatch.setattr("cigri.clusters.local.LocalDriver.slots", slots)
    config, _ = configuration.check(None, private_places(tmp_path))
    assert config is not None

    (found,) = [finding async for finding in clusters.check(config, tmp_path / "cigri.db")]

    assert (found.level, found.text) == (Level.FAIL, "connection refused")


async def test_a_cluster_that_is_held_is_told(path: Path, tmp_path: Path) -> None:
    with sqlite3.connect(path) as connection:
        hold = "UPDATE cluster SET name = 'local', hold_reason = 'full', hold_since = 1"
        connection.execute(hold)
    connection.close()
    config, _ = configuration.check(None, private_places(tmp_path))
    assert config is not None

    *_, held = [finding async for finding in clusters.check(config, path)]

    assert held.level is Level.WARN
    assert held.text == "nothing is submitted there: full"


async def test_a_host_in_order(tmp_path: Path) -> None:
    found = await of_host(tmp_path, '[calendar]\ntimezone = "Europe/Paris"\n')

    assert {finding.level for finding in found.values()} == {Level.OK}
    assert "Europe/Paris" in found["time zones"].text
    assert "none runs" in found["server"].text


async def test_a_clock_behind_the_database_is_told(path: Path, tmp_path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE campaign SET submitted_at = ?", [time.time() + 3600])
    connection.close()

    clock = (await of_host(tmp_path))["clock"]

    assert clock.level is Level.FAIL
    assert "behind what the database has seen" in clock.text


async def test_a_clock_that_jumps_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "_DRIFT", -1.0)

    assert (await of_host(tmp_path))["clock"].level is Level.WARN


async def test_a_server_that_listens_elsewhere_is_told(tmp_path: Path) -> None:
    with (tmp_path / "cigri.db.lock").open("w+") as lock:
        lock.write("4711\n")
        lock.flush()
        fcntl.flock(lock, fcntl.LOCK_EX)
        without = await of_host(tmp_path)
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(str(tmp_path / "cigri.sock"))
            (tmp_path / "cigri.sock").chmod(0o600)
            listening.listen()
            among = await of_host(tmp_path)

    assert without["server"].text == "process 4711 serves this database"
    assert without["socket"].level is Level.FAIL
    assert among["socket"].text == f"{tmp_path}/cigri.sock, for its owner alone"


async def test_a_socket_that_cannot_be_made_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host.os, "access", lambda path, mode: False)  # root may do everything

    found = await of_host(tmp_path, '[server]\nsocket = "/proc/nowhere/cigri.sock"\n')

    assert found["socket"].level is Level.FAIL
    assert "/proc" in found["socket"].text


async def test_a_socket_with_too_long_a_path_is_told(tmp_path: Path) -> None:
    found = await of_host(tmp_path, f'[server]\nsocket = "/{"x" * 200}"\n')

    assert found["socket"].level is Level.FAIL


async def test_a_token_that_others_can_read_is_told(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("cig_x\n")
    token.chmod(0o644)
    open_to_all = (await of_host(tmp_path))["token"]
    token.chmod(0o600)

    assert open_to_all.level is Level.FAIL
    assert open_to_all.repair == f"chmod 600 {token}"
    assert (await of_host(tmp_path))["token"].level is Level.OK


async def test_with_mistakes_in_the_configuration_the_database_is_looked_at_all_the_same(
    path: Path, tmp_path: Path
) -> None:
    file = configured(tmp_path, "x = 1\n")
    found = [one async for one in examination.examine(file, private_places(tmp_path))]

    assert [one.subject for one in found] == ["configuration", "disk", "database", "counters"]
