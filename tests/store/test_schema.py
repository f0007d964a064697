"""The schema, its migrations and its statements."""

import re
import sqlite3
from importlib.resources import files
from pathlib import Path

import pytest

from cigri.errors import UnusableDatabase
from cigri.store import database, statements

THEMES = sorted(
    entry.name.removesuffix(".sql")
    for entry in files("cigri.store").joinpath("sql").iterdir()
    if entry.name.endswith(".sql")
)
STATEMENTS = [(theme, name) for theme in THEMES for name in vars(statements.load(theme))]

#: Statements of every cycle or page: their cost may not grow with the number of tasks or jobs.
SCANS_ALLOWED = {
    # A handful of rows each: the clusters, and the installation.
    ("clusters", "all"),
    ("clusters", "installation"),
    ("clusters", "adopt"),
    ("clusters", "install"),
    ("news", "touch"),
    # For an administrator who asks for the tokens of everybody.
    ("access_tokens", "every"),
    ("listings", "campaigns"),
    ("listings", "count_by_state"),
    ("jobs", "name_submission"),
    # Once, at start.
    ("tasks", "damaged"),
    ("campaigns", "delete_loading"),
    # By campaign, each looked up.
    ("tasks", "forget_invisible"),
}


def migrated(path: Path | str = ":memory:") -> sqlite3.Connection:
    connection = sqlite3.connect(path)
    connection.create_function("crc32", 1, lambda _: 0)
    for _, sql in database.migrations():
        connection.executescript(sql)
    return connection


def arguments(sql: str) -> dict[str, object] | list[object]:
    names = set(re.findall(r":([a-z_]+)", re.sub(r"--.*", "", sql)))
    return dict.fromkeys(names, "[]") if names else ["[]"] * sql.count("?")


def test_migrations_are_numbered_without_a_gap() -> None:
    numbers = [number for number, _ in database.migrations()]

    assert numbers == list(range(1, len(numbers) + 1))
    names = sorted(e.name for e in files("cigri.store").joinpath("migrations").iterdir())
    assert all(re.fullmatch(r"\d{4}_[a-z_]+\.sql", n) for n in names if not n.startswith("_"))


async def test_opening_twice_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "cigri.db"
    dumps = []
    for _ in range(2):
        async with database.open_database(path):
            pass
        with sqlite3.connect(path) as connection:
            dumps.append(list(connection.iterdump()))
        connection.close()

    assert dumps[0] == dumps[1]


@pytest.mark.parametrize(("theme", "name"), STATEMENTS)
def test_a_statement_compiles_and_does_not_scan(theme: str, name: str) -> None:
    sql = getattr(statements.load(theme), name)
    connection = migrated()

    plan = connection.execute(f"EXPLAIN QUERY PLAN {sql}", arguments(sql)).fetchall()

    scans = [row[3] for row in plan if re.match(r"SCAN (?!json_each|.*VIRTUAL)", row[3])]
    # What is open or due has an index of its own: what is listed there is wanted.
    partial = connection.execute("SELECT name FROM sqlite_schema WHERE sql LIKE '%INDEX%WHERE%'")
    few = [
        "CONSTANT ROW",
        "USING COVERING",
        "(subquery",
        *(f"INDEX {name}" for (name,) in partial),
    ]
    scans = [scan for scan in scans if not any(words in scan for words in few)]
    connection.close()
    assert not scans or (theme, name) in SCANS_ALLOWED, scans


async def test_a_newer_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cigri.db"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 9999")
    connection.close()

    with pytest.raises(UnusableDatabase, match="upgrade"):
        async with database.open_database(path):
            pass


@pytest.mark.parametrize("damage", [b"not a database" * 100, b"\0" * 4096])
async def test_something_else_than_a_database_is_refused(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "cigri.db"
    path.write_bytes(damage)

    with pytest.raises(UnusableDatabase, match="doctor --backup"):
        async with database.open_database(path):
            pass


def test_the_columns_hold_the_counters_together() -> None:
    connection = migrated()
    insert = (
        "INSERT INTO campaign (name, user, state, submitted_at, jdl, total, pending)"
        " VALUES ('c', 'u', 'in_treatment', 0, '{}', 5, 4)"
    )

    with pytest.raises(sqlite3.IntegrityError, match="CHECK"):
        connection.execute(insert)
    connection.close()
