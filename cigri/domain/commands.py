"""What a campaign runs: the fields of the JDL that hold commands, directories and variables.

A reader takes a JSON value and returns what it stands for, or raises `Mistake`.
"""

import re
from collections.abc import Iterator, Mapping

from cigri.domain.fields import line, means_nothing
from cigri.domain.report import Mistake, kind, shown, suggestion

#: What the words `{…}` of a command stand for that no sweep may name.
MACROS = ("HOME", "CAMPAIGN_ID", "OAR_JOB_ID")

_LONGEST_PATH = 4096
#: Characters; Linux takes no word over 128 KiB.
_LONGEST_COMMAND = 32_000
_MOST_VARIABLES = 200
_ABSOLUTE = re.compile(r"/|(?:~|\$HOME|\$?\{HOME\})(?:/|$)")
#: What is quoted, else, as the group, what opens and is not closed.
_OPEN = re.compile(r"""\\. | '[^']*' | "[^"\\]*(?:\\.[^"\\]*)*" | (['"\\])""", re.VERBOSE)
#: Words that only a shell understands; what is quoted is matched first, as no group.
_SHELL = re.compile(
    r"""'[^']*' | "[^"\\]*(?:\\.[^"\\]*)*" | \\.
    | (?: (?<!\S) ( \|\|? | &&? | ; | \d?[<>]\S* ) | (;) ) (?!\S)""",
    re.VERBOSE,
)
#: A command that is a shell's own, where it replaces what it likes.
_A_SHELL = re.compile(r"\S*\b(?:ba|da|z|k)?sh\s+(?:-\w+\s+)*-\w*c\b")
_VARIABLE = re.compile(r"\$(?!(?:HOME|CIGRI_CAMPAIGN_ID)\b|\{HOME\})[A-Za-z_{(]\w*|`")
#: A variable of a shell, `${x}`, is none.
_PLACEHOLDER = re.compile(r"(?<!\$)\{([A-Za-z_][A-Za-z0-9_]*)\}")
#: What a script may not hold; its lines may have tabs.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OWN = "CIGRI_"


def command(value: object) -> str:
    """Return what to run, maybe empty."""
    text = line(value, most=_LONGEST_COMMAND)
    if any(found.lastindex for found in _OPEN.finditer(text)):
        raise Mistake(f"a quote is not closed, or a backslash ends the text: {shown(text)}")
    operator = next((found for found in _SHELL.finditer(text) if found.lastindex), None)
    if operator:
        hint = "write sh -c '…' around it, or quote it if it is meant as it stands"
        raise Mistake(f"no shell reads the command: {shown(operator[0])} does nothing", hint)
    return text


def variable(text: str) -> str | None:
    """Return the first thing in a command that a shell would replace, and nobody else does."""
    found = None if _A_SHELL.match(text) else _VARIABLE.search(text)
    return found[0] if found else None


def placeholders(text: str) -> Iterator[str]:
    """Yield the names in braces in a command that are no macros."""
    return (found[1] for found in _PLACEHOLDER.finditer(text) if found[1] not in MACROS)


def unknown_placeholder(text: str, names: tuple[str, ...]) -> Mistake | None:
    """Return what is wrong with the first name in braces that no axis of a sweep has."""
    unknown = next((name for name in placeholders(text) if name not in names), None)
    if unknown is None:
        return None
    listed = f"the sweep has {', '.join(names)}"
    likely = suggestion(unknown, names)
    why = f"{{{unknown}}} stands for nothing"
    return Mistake(why, f"{likely} {listed}" if likely else listed)


def path(value: object) -> str:
    """Return the name of a file or directory."""
    return line(value, most=_LONGEST_PATH)


def directory(value: object) -> str:
    """Return where to run it."""
    text = path(value)
    if not _ABSOLUTE.match(text):
        raise Mistake(f"not an absolute directory: {shown(text)}", "begin with / or $HOME/")
    return text


def file(value: object) -> str:
    """Return the file that the server is to read."""
    text = path(value)
    if not _ABSOLUTE.match(text):
        hint = "begin with / or $HOME/; only `cigri sub` knows where you are"
        raise Mistake(f"not an absolute path: {shown(text)}", hint)
    return text


def script(value: object) -> tuple[str, ...]:
    """Return the lines of a shell script, given as an array or as one text; none for no script."""
    if means_nothing(value):
        return ()
    given = [value] if isinstance(value, str) else value
    if not isinstance(given, list):
        raise Mistake(f"must be an array of lines, not {kind(value)}", 'write ["first", "second"]')
    lines: list[str] = []
    for number, each in enumerate(given, 1):
        if not isinstance(each, str):
            raise Mistake(f"line {number} must be a text, not {kind(each)}")
        lines += each.replace("\r\n", "\n").split("\n")
    if any(_CONTROL.search(each) for each in lines):
        raise Mistake("a control character in a line of the script")
    return tuple(lines)


def environment(value: object) -> Mapping[str, str]:
    """Return the variables that each task finds in its environment."""
    if means_nothing(value):
        return {}
    if not isinstance(value, dict):
        raise Mistake(f"must be an object, not {kind(value)}", 'write {"NAME": "value"}')
    for name, text in value.items():
        _check_variable(name, text)
    if len(value) > _MOST_VARIABLES:
        raise Mistake(f"{len(value)} variables: the limit is {_MOST_VARIABLES}")
    return dict(value)


def _check_variable(name: str, text: object) -> None:
    if not _NAME.fullmatch(name):
        hint = "letters, digits and _, no digit first"
        raise Mistake(f"not the name of a variable: {shown(name)}", hint)
    if name.startswith(_OWN):
        raise Mistake(f"{shown(name)}: the variables {_OWN}… are set for each task")
    if not isinstance(text, str):
        number = f'write "{text}"' if type(text) in {int, float} else None
        raise Mistake(f"{name} must be a text, not {kind(text)}", number)
    if "\0" in text:
        raise Mistake(f"a NUL character in {name} cannot be given to a program")
    if len(text) > _LONGEST_COMMAND:
        raise Mistake(f"{name} has {len(text)} characters: the limit is {_LONGEST_COMMAND}")
