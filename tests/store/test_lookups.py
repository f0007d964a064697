"""Lists of ranges are looked up range by range: the other way costs what the bag is large."""

import sqlite3

import pytest

from cigri.store.database import migrations
from cigri.store.statements import load


@pytest.mark.parametrize("name", ["parameters_of", "spans_of"])
def test_a_range_is_looked_for_by_both_its_ends(name: str) -> None:
    db = sqlite3.connect(":memory:")
    for _, script in migrations():
        db.executescript(script)

    rows = db.execute(
        f"EXPLAIN QUERY PLAN {getattr(load('tasks'), name)}", {"campaign": 1, "ranges": "[]"}
    )

    plan = "\n".join(row[3] for row in rows)
    db.close()
    assert "first_task>? AND first_task<?" in plan, plan
