"""The promises of the code about itself: layers, sizes, and what a command may import."""

import ast
import re
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODULES = sorted((ROOT / "cigri").rglob("*.py"))

LONGEST_FUNCTION = 60
LONGEST_MODULE = 300
#: The worker has to be one file, to be copied to where nothing is installed.
ONE_FILE = "cigri/clusters/worker.py"
MEDIAN_FUNCTION = 8
P95_FUNCTION = 35
MEDIAN_MODULE = 110

#: What the server needs and a command that only asks it does not.
SERVER_PACKAGES = {"aiohttp", "aiosqlite", "cattrs", "msgspec", "sqlite3", "structlog"}
#: What `cigri --help` can do without: each costs more than all of it may take.
LAZY_PACKAGES = SERVER_PACKAGES | {"httpx", "pygments", "rich"}
#: In a text; documentation apart, which may speak of C++.
POSSESSIVE = re.compile(r"[*+?}][+]|[(][?]>")


def test_imports_go_down_only():
    # In a process of its own: it switches loggers off that other tests listen to.
    program = "from importlinter.cli import lint_imports as lint; exit(lint(no_cache=True))"
    done = python(program)

    assert done.returncode == 0, done.stdout


def test_no_function_is_too_long():
    assert {name: size for name, size in functions() if size > LONGEST_FUNCTION} == {}


def test_no_module_is_too_long():
    sizes = {str(path): size for path, size in modules() if size > LONGEST_MODULE}

    assert sizes.keys() <= {ONE_FILE}


def test_most_functions_are_short():
    sizes = sorted(size for _, size in functions())

    assert statistics.median(sizes) <= MEDIAN_FUNCTION
    assert sizes[int(len(sizes) * 0.95)] <= P95_FUNCTION


def test_most_modules_are_short():
    assert statistics.median(size for _, size in modules()) <= MEDIAN_MODULE


def test_no_pattern_uses_what_early_pythons_3_11_get_wrong():
    # Before 3.11.5, possessive quantifiers and atomic groups match what they must not, and miss
    # what they must; Debian 12 has 3.11.2.  Write alternatives that begin differently instead.
    found = [where for where, text in texts() if POSSESSIVE.search(text)]

    assert found == []


@pytest.mark.parametrize("pattern", ["a*+", "a++", "a?+", "a{2}+", "(?>a)"])
def test_such_a_pattern_is_found(pattern):
    assert POSSESSIVE.search(pattern)


def test_the_client_imports_nothing_of_the_server():
    assert loaded("import cigri.client") & SERVER_PACKAGES == set()


def test_the_commands_import_nothing_of_the_server():
    names = [path.stem for path in (ROOT / "cigri/cli").glob("*.py") if path.stem != "__init__"]

    assert (
        loaded("\n".join(f"import cigri.cli.{name}" for name in names)) & SERVER_PACKAGES == set()
    )


@pytest.mark.parametrize("arguments", [["--help"], ["--version"]])
def test_help_imports_nothing_heavy(arguments):
    program = f"""
import sys
from cigri.__main__ import main
sys.argv = ["cigri", *{arguments!r}]
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
"""

    assert loaded(program) & LAZY_PACKAGES == set()


def modules() -> Iterator[tuple[Path, int]]:
    for path in MODULES:
        if size := len(path.read_text("utf-8").splitlines()):
            yield path.relative_to(ROOT), size


def functions() -> Iterator[tuple[str, int]]:
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                assert node.end_lineno is not None
                yield f"{path.name}:{node.name}", node.end_lineno - node.lineno + 1


def texts() -> Iterator[tuple[str, str]]:
    """Yield each string of the code that is no documentation, and where it stands."""
    for path in MODULES:
        tree = ast.parse(path.read_text("utf-8"))
        aside = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and id(node) not in aside:
                text = (
                    node.value.decode("latin-1") if isinstance(node.value, bytes) else node.value
                )
                if isinstance(text, str):
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", text


def loaded(program: str) -> set[str]:
    """Return the top-level packages that a fresh interpreter holds after *program*."""
    report = 'import sys; print("\\n" + " ".join(m for m in sys.modules if "." not in m))'
    done = python(f"{program}\n{report}")
    assert done.returncode == 0, done.stderr
    return set(done.stdout.splitlines()[-1].split())


def python(program: str) -> subprocess.CompletedProcess[str]:
    """Run *program* on this tree, whatever copy of it is installed."""
    command = [sys.executable, "-c", program]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
