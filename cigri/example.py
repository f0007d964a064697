"""The text of cigri.toml.example, which documents every key."""

from importlib.resources import files
from pathlib import Path

NAME = "cigri.toml.example"


def text() -> str:
    """Return the example: what was installed with the package, or the tree's own."""
    installed = files("cigri").joinpath(NAME)
    if installed.is_file():
        return installed.read_text("utf-8")
    return (Path(__file__).parent.parent / NAME).read_text("utf-8")


def having(example: str, **values: str) -> str:
    r"""
    Return *example* with some of its commented keys set, each to a text.

    >>> having('#database = "/srv/x"\n', database="/data/y")
    'database = "/data/y"\n'

    Raises:
        ValueError: A key is not there, or more than once.
    """
    lines = example.splitlines(keepends=True)
    for key, value in values.items():
        (place,) = [n for n, line in enumerate(lines) if line.startswith(f"#{key} = ")]
        lines[place] = f'{key} = "{value}"\n'
    return "".join(lines)
