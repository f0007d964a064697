"""Every example in the documentation of the Python interface runs, on a real server."""

import doctest
import re
from pathlib import Path

import pytest

import cigri
from cigri.client import aio, campaign, sync, tasks

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parent.parent.parent
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE

EXAMPLES = [
    example
    for module in (sync, campaign, tasks, aio)
    for example in doctest.DocTestFinder().find(module)
    if example.examples
]


@pytest.fixture
def names(here):
    """What the examples may use: the server, and a campaign that has ended."""
    with cigri.connect() as c:
        done = c.submit("echo", params=["hello", "world"]).wait()
        yield {"cigri": cigri, "c": c, "campaign": done, "Path": Path}


def run(examples, names, capsys):
    """Return what differs from the examples; what they connected is closed."""
    examples.globs = dict(names)
    doctest.DocTestRunner(optionflags=FLAGS).run(examples, clear_globs=False)
    if examples.globs["c"] is not names["c"]:
        examples.globs["c"].close()
    return capsys.readouterr().out


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_the_examples_of_a_docstring_run(names, example, capsys):
    said = run(example, names, capsys)

    assert said == "", said


def test_the_page_about_python_runs(names, capsys):
    text = (ROOT / "docs/python.md").read_text("utf-8")
    plain = re.sub(r"^```\w*$", "", text, flags=re.MULTILINE)
    examples = doctest.DocTestParser().get_doctest(plain, {}, "python.md", None, 0)

    said = run(examples, names, capsys)

    assert len(examples.examples) > 10
    assert said == "", said
