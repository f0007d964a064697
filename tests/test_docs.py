"""The pages name everything that there is to name."""

import json
import re
from pathlib import Path

import attrs
import pytest

from cigri.api.operation import operations
from cigri.api.tables import TABLES
from cigri.cli.group import COMMANDS
from cigri.clusters import worker
from cigri.config import parse
from cigri.domain import fields
from cigri.domain.facts import ClusterFacts, Facts
from cigri.domain.jdl import read
from cigri.domain.recipe import WAYS
from cigri.engine.admission import VALUES
from cigri.engine.options import RuleOptions
from cigri.places import private_places

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


def test_every_route_is_documented_with_its_answers():
    rows = re.findall(
        r"^\| `([A-Z]+ /[^`]*)` \|.*\| ([0-9, ]+) \|$", page("docs/api.md"), re.MULTILINE
    )

    assert dict(rows) == {
        f"{each.method} {each.path}": ", ".join(str(code) for code in sorted(statuses(each)))
        for each in operations(TABLES)
    }


def statuses(operation):
    """Return what its row tells, beside what any route may answer."""
    usual = {operation.status} - {None}
    return usual | {code for code, _ in operation.answers} | set(operation.errors)


def test_every_field_of_the_jdl_is_documented():
    text = page("docs/jdl.md")

    every = (*fields.GLOBAL, *WAYS, *fields.FIELDS, *fields.NOT_YET)
    assert [name for name in every if f"`{name}`" not in text] == []


def test_every_condition_of_a_rule_is_documented():
    text = page("docs/admission.md")

    names = (*attrs.fields_dict(RuleOptions), *VALUES)
    assert [name for name in names if f"`{name}`" not in text] == []


def test_the_examples_of_the_jdl_page_are_campaigns():
    facts = Facts(clusters={"local": ClusterFacts()})
    whole = {"name": "n", "exec_file": "x", "clusters": {"local": {}}}
    blocks = re.findall(r"^```json\n(.*?)^```$", page("docs/jdl.md"), re.MULTILINE | re.DOTALL)

    assert len(blocks) == 5
    for block in blocks:
        given = json.loads(block)
        tasks = {} if any(key in given for key in (*WAYS, "jobs_type")) else {"nb_jobs": 1}
        read(json.dumps(whole | tasks | given).encode(), facts)


def test_the_examples_of_the_oar_page_are_a_configuration_and_a_campaign():
    text = page("docs/oar.md")
    (settings,) = re.findall(r"^```toml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    (jdl,) = re.findall(r"^```json\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)

    config = parse(settings, private_places(ROOT), base=ROOT)
    facts = Facts(clusters={name: each.options.facts() for name, each in config.clusters.items()})
    spec = read(jdl.encode(), facts)

    assert set(config.clusters) == {"dahu", "bigfoot"}
    assert (spec.clusters["dahu"].cores, spec.warnings) == (4, ())


def test_every_field_that_clusters_of_oar_honour_is_on_their_page():
    text = page("docs/oar.md")

    assert [name for name in fields.HONOURED if f"| `{name}` |" not in text] == []


def test_every_variable_of_a_task_is_documented():
    source = Path(worker.__file__).read_text("utf-8")
    names = set(re.findall(r"CIGRI_[A-Z_]+\b", source))

    assert [name for name in names if f"`{name}`" not in page("docs/worker.md")] == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_links_lead_somewhere(path):
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text("utf-8"))

    assert [link for link in links if not (path.parent / link).exists()] == []
