import pytest

from cigri.domain.report import Mistake
from cigri.domain.resources import Resources, parse_resources


@pytest.mark.parametrize(
    ("value", "text", "cores"),
    [
        (1, "1", 1),
        (12, "12", 12),
        ("3", "3", 3),
        (" 3 ", "3", 3),
        ("/core=2", "/core=2", 2),
        ("core=2", "core=2", 2),
    ],
)
def test_cores(value, text, cores):
    assert parse_resources(value) == Resources(text=text, cores=cores)


@pytest.mark.parametrize("text", ["nodes=1", "/nodes=1"])
def test_a_node_is_one_core_and_a_warning(text):
    resources = parse_resources(text)

    assert resources.cores == 1
    assert "is one core here" in str(resources.warning)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0, "not between 1 and"),
        (-1, "cannot be asked of a host"),
        ("0", "not between 1 and"),
        ("9" * 20, "not between 1 and"),
        ("9" * 100, "cannot be asked of a host"),
        (True, "true"),
        (None, "null"),
        (1.5, "a number"),
        ({"core": 1}, "an object"),
        ("", "cannot be asked of a host"),
        ("two", "a number of cores, as in 2, or /core=2"),
        ("nodes=2", "cannot be asked of a host"),
        ("/nodes=1/core=2", "levels of resources"),
        ("nodes=3+other=2", "levels of resources"),
        ("/core=1,walltime=1:00:00", "a field of its own"),
    ],
)
def test_what_a_host_cannot_give(value, words):
    with pytest.raises(Mistake) as refused:
        parse_resources(value)

    assert words in f"{refused.value} {refused.value.hint}"
