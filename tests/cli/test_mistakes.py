"""What goes wrong, what is said of it, and the exit code."""

import json

import pytest

pytestmark = pytest.mark.e2e

GOOD = {"name": "visc", "exec_file": "echo", "clusters": {"local": {}}, "nb_jobs": 2}

FILES = {
    "good.json": json.dumps(GOOD),
    "empty.json": "",
    "cut.json": '{"name": "x", "nb_jobs"',
    "list.json": "[1, 2]",
    "nothing.json": "{}",
    "parms.json": json.dumps(GOOD | {"parms": ["1"]}),
    "dahu.json": json.dumps(GOOD | {"clusters": {"dahu": {}}}),
    "no-file.json": json.dumps(GOOD | {"nb_jobs": None, "param_file": "/no/such/file"}),
    "params.txt": "a 1\nb 2\n",
    "object.json": '{"a": 1}',
    "null.json": "[null]",
}

#: Command, exit code, what stands in the error, what to try.
MISTAKES = [
    # Wrong usage.
    ("staat", 2, "Did you mean 'stat'?", "cigri --help"),
    ("help staat", 2, "Did you mean 'stat'?", "cigri --help"),
    ("stat 1..5", 2, "'1..5' is no campaign: give numbers", "cigri stat --help"),
    ("stat 8-5", 2, "write 5-8", "cigri stat --help"),
    ("stat 1-99999", 2, "more than 1000 campaigns", "cigri stat --help"),
    ("stat 1 --tag x", 2, "name campaigns, or choose", "cigri stat --help"),
    ("stat --limit 0", 2, "0 is not in the range", "cigri stat --help"),
    ("jobs all", 2, "may name several campaigns", "cigri jobs --help"),
    ("jobs 1 --exit x", 2, "'x' is not a valid integer", "cigri jobs --help"),
    ("jobs 1 --state done", 2, "'done' is not one of", "cigri jobs --help"),
    ("results 1,2", 2, "may name several campaigns", "cigri results --help"),
    ("results 1 -o xml", 2, "'xml' is not one of", "cigri results --help"),
    ("completion", 2, "Choose from: bash, zsh, fish\n", "cigri completion --help"),
    ("add", 2, "Missing argument 'CAMPAIGN'", "cigri add --help"),
    ("add 1", 2, "--params FILE, or with --json FILE", "cigri add --help"),
    ("add 1 --params a --json b", 2, "--params FILE, or with --json FILE", "cigri add --help"),
    ("add 1 --params no.txt", 2, "cannot read no.txt: no such file", "cigri add --help"),
    ("add 1 --json no.json", 2, "cannot read no.json: no such file", "cigri add --help"),
    ("sub", 2, "Missing argument 'FILE", "cigri sub --help"),
    ("sub no.json", 2, "cannot read no.json: no such file", "cigri sub --help"),
    ("sub good.json cut.json", 2, "not 2 files", "cigri sub --help"),
    ("sub good.json --grid T", 2, "'T' is not NAME=VALUES", "cigri sub --help"),
    ("sub good.json --grid T=1..2 --zip S=1..2", 2, "--grid or --zip", "cigri sub --help"),
    ("sub good.json --try --watch", 2, "exclude each other", "cigri sub --help"),
    ("fix", 2, "give campaigns, or --event", "cigri fix --help"),
    ("fix 1-3 5", 2, "events are of one campaign", "cigri fix --help"),
    ("fix 1 x", 2, "'x' is not a valid integer", "cigri fix --help"),
    ("go", 2, "Missing argument 'CAMPAIGNS", "cigri go --help"),
    ("wait 1 --timeout -1", 2, "'-1' is no number of seconds", "cigri wait --help"),
    ("logs 1", 2, "give the numbers of tasks, or --failed", "cigri logs --help"),
    ("logs 1 0 -f -o json", 2, "not as JSON", "cigri logs --help"),
    ("events --all", 2, "--all shows the closed events of campaigns", "cigri events --help"),
    ("explain", 2, "Missing argument 'CAMPAIGNS", "cigri explain --help"),
    # What is not there.
    ("stat 999999", 3, "there is no campaign 999999", "cigri stat --all"),
    ("stat 999998-999999", 3, "no campaign from 999998 to 999999", "cigri stat --all"),
    ("wait 999999", 3, "there is no campaign 999999", "cigri stat --all"),
    ("del 999999 -y", 3, "there is no campaign 999999", "cigri stat --all"),
    ("cancel 999999 -y", 3, "there is no campaign 999999", "cigri stat --all"),
    ("pause 999999", 3, "there is no campaign 999999", "cigri stat --all"),
    ("go 999999", 3, "there is no campaign 999999", "cigri stat --all"),
    ("explain 999999", 3, "there is no campaign 999999", "cigri stat --all"),
    ("events 999999", 3, "there is no campaign 999999", "cigri stat --all"),
    ("fix 999999", 3, "there is no campaign 999999", "cigri stat --all"),
    ("fix {} 999999", 3, "has no event 999999", "cigri events {} shows them"),
    ("fix --event 999999", 3, "there is no event 999999", "cigri events shows"),
    ("add 999999 --params params.txt", 3, "there is no campaign 999999", "cigri stat --all"),
    ("results 999999", 3, "there is no campaign 999999", "cigri stat --all"),
    ("logs {} 999", 3, "has no task 999", "cigri jobs {} shows its tasks"),
    ("logs {} 999 -f", 3, "has no task 999", "cigri jobs {} shows its tasks"),
    ("clusters nowhere", 3, "there is no cluster 'nowhere'", "cigri clusters"),
    ("clusters ..", 3, "there is no cluster '..'", "cigri clusters"),
    # What the server refuses.
    ("sub empty.json", 1, "campaign description", "correct it"),
    ("sub cut.json", 1, "campaign description", "correct it"),
    ("sub list.json", 1, "campaign description", "correct it"),
    ("sub nothing.json", 1, "campaign description has", "correct it"),
    ("sub parms.json", 1, 'did you mean "params"?', "correct it"),
    ("sub dahu.json", 1, "dahu", "correct it"),
    ("sub no-file.json", 1, "cannot read /no/such/file", "correct it"),
    ("sub good.json --grid T=1..x", 1, "/param_grid/T", "correct it"),
    ("sub good.json --grid T=0:1:x", 1, "/param_grid/T", "correct it"),
    ("add {} --json object.json", 1, "not a JSON array", "correct it"),
    ("add {} --json null.json", 1, "/0", "correct it"),
    ("add {} --json cut.json", 1, "not a JSON array", "correct it"),
    ("resume {}", 1, "campaign {} is terminated", "cigri stat"),
    ("pause {}", 1, "campaign {} is terminated", "cigri stat"),
    ("go {}", 1, "campaign {}", "cigri stat"),
]


@pytest.fixture
def ended(submitted, cigri):
    """A campaign that has ended."""
    number = submitted(nb_jobs=1)
    assert cigri("wait", number).code == 0
    return number


@pytest.mark.parametrize("mistake", MISTAKES, ids=[line for line, *_ in MISTAKES])
def test_a_mistake_is_told_as_what_where_and_what_to_try(here, cigri, ended, mistake):
    line, code, what, attempt = mistake
    for name, text in FILES.items():
        (here / name).write_text(text)

    found = cigri(*line.format(ended).split())

    assert found.code == code, found.err
    assert what.format(ended) in found.err
    assert found.out == ""
    first, *_, last = found.err.splitlines()
    assert first.startswith("error: ")
    assert "\nwhere: " in found.err
    assert last.startswith(f"try:   {attempt.format(ended)}"), last


@pytest.mark.parametrize("name", ["usage", "notify", "web"])
def test_what_comes_later_says_in_one_line_what_to_use_meanwhile(nowhere, cigri, name):
    found = cigri(name, "12", "--whatever")

    assert found.code == 1
    assert found.out == ""
    assert len(found.err.splitlines()) == 1
    assert found.err.startswith(f"cigri {name} (")
    assert "comes in a later version; until then: " in found.err


@pytest.mark.parametrize(
    "line", ["stat", "stat last", "wait all", "events", "clusters", "explain 1", "go 1", "add 1"]
)
def test_without_a_server_every_command_is_code_5(nowhere, cigri, line):
    (nowhere / "p.txt").write_text("1\n")
    more = ["--params", "p.txt"] if line.startswith("add") else []

    found = cigri(*line.split(), *more)

    assert found.code == 5
    assert found.err.startswith("error: no server answers at ")
    assert found.err.endswith("try:   cigri serve, or name another server with --url\n")
