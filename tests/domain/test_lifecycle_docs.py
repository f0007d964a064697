"""The page on life cycles says what the tables say."""

from pathlib import Path

import pytest

from cigri.domain.lifecycle import (
    CAMPAIGN_TRANSITIONS,
    JOB_TRANSITIONS,
    STEP_TRANSITIONS,
    mermaid,
)
from cigri.domain.reactions import FAULTS, REACTIONS, EventCode, Scope
from cigri.domain.reactions import table as events_table
from cigri.errors import Fault

PAGE = (Path(__file__).parents[2] / "docs/lifecycle.md").read_text("utf-8")


@pytest.mark.parametrize("table", [CAMPAIGN_TRANSITIONS, STEP_TRANSITIONS, JOB_TRANSITIONS])
def test_the_diagram_is_the_table(table):
    # When this fails, put what `mermaid` returns into the page.
    assert f"```mermaid\n{mermaid(table)}\n```" in PAGE


@pytest.mark.parametrize("table", [CAMPAIGN_TRANSITIONS, STEP_TRANSITIONS, JOB_TRANSITIONS])
def test_every_state_is_explained(table):
    assert [state for state in table if f"**{state}**" not in PAGE] == []


def test_every_event_is_explained():
    assert [code for code in EventCode if f"`{code}`" not in PAGE] == []


def test_the_table_of_events_is_the_one_in_the_code():
    # When this fails, put what `cigri.domain.reactions.table` returns into the page.
    assert f"\n{events_table()}\n" in PAGE


def test_every_fault_of_a_cluster_has_an_event_of_its_own_that_holds_it():
    assert set(FAULTS) == set(Fault)
    assert len(set(FAULTS.values())) == len(Fault)
    assert {REACTIONS[code].holds for code in FAULTS.values()} == {Scope.CLUSTER}
