"""The fields of the JDL, one by one: what each takes, and what is refused by name.

A reader takes a JSON value and returns what it stands for, or raises `Mistake`.
"""

import re
from collections.abc import Mapping

from cigri.domain.model import CampaignType
from cigri.domain.report import Mistake, kind, shown

#: Fields that change what runs and do nothing yet: refused by name, with the reason.
NOT_YET: Mapping[str, str] = {
    "properties": "resources cannot be chosen by their properties yet",
    "project": "jobs cannot be accounted to a project yet",
    "cluster_job_type": "jobs cannot be given a cluster's own types yet",
    "prologue": "nothing is run before the first task of a cluster yet",
    "epilogue": "nothing is run after the last task of a cluster yet",
    "prologue_walltime": "there is no prologue yet",
    "epilogue_walltime": "there is no epilogue yet",
    "dimensional_grouping": "tasks cannot be put side by side into one job on demand yet",
    "temporal_grouping": "tasks cannot be put one after the other into one job on demand yet",
    "checkpointing_type": "tasks cannot be checkpointed yet",
    "test_mode": "there is no test mode yet",
    "env": "variables cannot be set for tasks yet",
    "replicate": "tasks cannot be replicated yet",
}
#: Values by which JDL files of CiGri 3 say that they do not use such a field.
_NOTHING = frozenset({"", "false", "none", "null"})

#: Fields that are kept, and of which the user is told that they do nothing yet.
OUTPUT = ("output_gathering_method", "output_file", "output_destination")

#: The fields of a cluster, in the order of the manual.
FIELDS = ("type", "walltime", "exec_file", "exec_directory", "resources", "max_jobs", *OUTPUT)

DESKTOP = "desktop_computing"

_TYPES = {each.value: each for each in CampaignType} | {"besteffort": CampaignType.BEST_EFFORT}
_LATER_TYPES = ("semi-best-effort", "nightly")
_TYPE_HINT = 'write "best-effort" or "normal"'

#: What would break or reverse lines on terminals and in logs.
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_DIGITS = re.compile(r"-?\d{1,20}", re.ASCII)
_LONGEST_NAME = 255
_LONGEST_PATH = 4096
#: Characters; Linux takes no word over 128 KiB.
_LONGEST_COMMAND = 32_000
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
_VARIABLE = re.compile(r"\$(?!HOME\b|\{HOME\})[A-Za-z_{(]\w*|`")


def line(value: object, *, most: int) -> str:
    """
    Return a text of one line.

    Raises:
        Mistake: It is none, or longer than *most* characters.
    """
    if not isinstance(value, str):
        raise Mistake(f"must be a text, not {kind(value)}")
    if _CONTROL.search(value):
        raise Mistake(f"a control character or line end in {shown(value)}")
    if len(value) > most:
        raise Mistake(f"a text of {len(value)} characters: the limit is {most}")
    return value


def name(value: object) -> str:
    """Return the name of a campaign."""
    text = line(value, most=_LONGEST_NAME)
    if not text.strip():
        raise Mistake("empty: every campaign has a name")
    return text


def jobs_type(value: object) -> str:
    """Return how the tasks of a campaign are given; there is one way yet."""
    text = value.lower() if isinstance(value, str) else ""
    if text == DESKTOP:
        raise Mistake(f"campaigns of type {DESKTOP} are not available yet", 'write "normal"')
    if text != "normal":
        raise Mistake(f"not a type of jobs: {shown(value)}", 'write "normal"')
    return text


def nb_jobs(value: object) -> int:
    """Return how many tasks there are."""
    count = _whole(value)
    if count < 0:
        raise Mistake(f"must not be negative: {count}")
    return count


def campaign_type(value: object) -> CampaignType:
    """Return how the jobs stand against those of the cluster's owners."""
    text = value.lower() if isinstance(value, str) else ""
    if text in _LATER_TYPES:
        raise Mistake(f"campaigns of type {text} are not available yet", _TYPE_HINT)
    if text not in _TYPES:
        raise Mistake(f"not a type of campaign: {shown(value)}", _TYPE_HINT)
    return _TYPES[text]


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


def path(value: object) -> str:
    """Return the name of a file or directory."""
    return line(value, most=_LONGEST_PATH)


def directory(value: object) -> str:
    """Return where to run it."""
    text = path(value)
    if not _ABSOLUTE.match(text):
        raise Mistake(f"not an absolute directory: {shown(text)}", "begin with / or $HOME/")
    return text


def max_jobs(value: object) -> int | None:
    """Return how many tasks may be at a cluster at a time, or `None` for no limit."""
    if isinstance(value, str) and means_nothing(value):
        return None
    limit = _whole(value)
    if limit < 1:
        raise Mistake(f"must be at least 1, not {limit}", "leave it out for no limit")
    return limit


def output(value: object) -> str | None:
    """Return a setting of the gathering of outputs, or `None` for no gathering."""
    return None if means_nothing(value) else path(value)


def means_nothing(value: object) -> bool:
    """Return whether this is a way to say that a field is not used."""
    if isinstance(value, str):
        return value.lower() in _NOTHING
    return value is None or value is False or value in ([], {})


def _whole(value: object) -> int:
    if type(value) is int:
        return value
    digits = value.strip() if isinstance(value, str) else ""
    hint = f"write {digits} without quotes" if _DIGITS.fullmatch(digits) else None
    raise Mistake(f"must be a whole number, not {shown(value)}", hint)
