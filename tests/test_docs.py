"""The pages name everything that there is to name."""

import re
from pathlib import Path

import pytest

from cigri.api import campaigns, clusters, events, jobs
from cigri.cli.group import COMMANDS
from cigri.clusters import worker
from cigri.domain import fields

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def page(name):
    return (ROOT / name).read_text("utf-8")


def test_the_readme_begins_with_the_two_lines():
    first, second = page("README.md").splitlines()[3:5]

    assert first == "python3 -m venv .venv && .venv/bin/pip install -q . && .venv/bin/cigri demo"
    assert second == (
        "python3 -m venv .venv && .venv/bin/pip install -q '.[test]' && .venv/bin/pytest -q"
    )


def test_every_command_is_in_the_readme():
    text = page("README.md")

    assert [name for name in COMMANDS if not re.search(rf"`?cigri {name}\b", text)] == []


@pytest.mark.parametrize("module", [campaigns, clusters, events, jobs])
def test_every_route_is_documented(module):
    documented = re.findall(r"^\| `([A-Z]+ [^`]+)`", page("docs/api.md"), re.MULTILINE)

    assert [
        route
        for each in module.routes
        if (route := f"{each.method} {each.path}") not in documented
    ] == []


def test_every_field_of_the_jdl_is_documented():
    text = page("docs/jdl.md")

    assert [name for name in (*fields.FIELDS, *fields.NOT_YET) if f"`{name}`" not in text] == []


def test_every_variable_of_a_task_is_documented():
    source = Path(worker.__file__).read_text("utf-8")
    names = set(re.findall(r"CIGRI_[A-Z_]+\b", source))

    assert [name for name in names if f"`{name}`" not in page("docs/worker.md")] == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_links_lead_somewhere(path):
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text("utf-8"))

    assert [link for link in links if not (path.parent / link).exists()] == []
