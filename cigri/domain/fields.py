"""The fields of the JDL, one by one: what each takes, and what is refused by name.

A reader takes a JSON value and returns what it stands for, or raises `Mistake`.
"""

import re
from collections.abc import Callable, Mapping

from cigri.domain import oar_condition, oar_request
from cigri.domain.model import CampaignType, JobsType, TestMode
from cigri.domain.report import Mistake, kind, shown
from cigri.domain.spec import Allowance

#: Fields that change what runs and do nothing yet: refused by name, with the reason.
NOT_YET: Mapping[str, str] = {"replicate": "tasks cannot be replicated yet"}
#: Values by which JDL files of CiGri 3 say that they do not use a field.
_NOTHING = frozenset({"", "false", "none", "null"})

#: Fields that are kept, and of which the user is told that they do nothing yet.
OUTPUT = ("output_gathering_method", "output_file", "output_destination")

#: Fields that only some kinds of cluster honour, and what the others do instead.
HONOURED: Mapping[str, str] = {
    "properties": "resources are not chosen by it",
    "project": "jobs are not accounted to it",
    "cluster_job_type": "there are no such types of job",
    "checkpointing_type": "no signal comes before the walltime is over",
}

#: What is checked of such texts where a cluster honours them: it hands them to a shell.
CHECKED: Mapping[str, Callable[[str], object]] = {
    "properties": oar_condition.check_condition,
    "project": oar_request.check_project,
    "cluster_job_type": oar_request.job_types,
}

#: The fields of a cluster, in the order of the manual.
FIELDS = (
    "type",
    "walltime",
    "exec_file",
    "exec_directory",
    "resources",
    "properties",
    "project",
    "cluster_job_type",
    "prologue",
    "epilogue",
    "prologue_walltime",
    "epilogue_walltime",
    *OUTPUT,
    "dimensional_grouping",
    "temporal_grouping",
    "checkpointing_type",
    "test_mode",
    "max_jobs",
    "retries",
    "env",
)

#: The fields of the campaign as a whole, beside those that say what its tasks are.
GLOBAL = ("name", "clusters", "jobs_type", "max_fails", "tags")

_TYPES = {each.value: each for each in CampaignType} | {"besteffort": CampaignType.BEST_EFFORT}
_TYPE_HINT = f"write one of {', '.join(CampaignType)}"
_SIGNAL = "signal"
_YES, _NO = "true", "false"
_TEST_HINT = 'write true, false or "then-run"'

#: What would break or reverse lines on terminals and in logs.
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_DIGITS = re.compile(r"-?\d{1,20}", re.ASCII)
_PERCENT = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)\s*%", re.ASCII)
_TAG = re.compile(r"[^\s,]{1,50}")
_LONGEST_NAME = 255
_LONGEST_WORDS = 4096
_MOST_RETRIES = 100
_MOST_TAGS = 20


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


def jobs_type(value: object) -> JobsType:
    """Return what the tasks of a campaign are."""
    text = value.lower() if isinstance(value, str) else ""
    if text not in set(JobsType):
        raise Mistake(f"not a type of jobs: {shown(value)}", f"write {' or '.join(JobsType)}")
    return JobsType(text)


def nb_jobs(value: object) -> int:
    """Return how many tasks there are."""
    count = whole(value)
    if count < 0:
        raise Mistake(f"must not be negative: {count}")
    return count


def allowance(value: object) -> Allowance | None:
    """Return how many tasks may fail, a count or a share; `None` for any number."""
    if isinstance(value, str) and means_nothing(value):
        return None
    share = _PERCENT.fullmatch(value.strip()) if isinstance(value, str) else None
    if share:
        if float(share[1]) > 100:
            raise Mistake(f"{shown(value)} is more than all tasks", "write at most 100%")
        return Allowance(percent=float(share[1]))
    try:
        count = whole(value)
    except Mistake:
        raise Mistake(
            f"neither a number nor a share: {shown(value)}", 'write 5 or "10%"'
        ) from None
    if count < 0:
        raise Mistake(f"must not be negative: {count}", "leave it out for no limit")
    return Allowance(count=count)


def tags(value: object) -> tuple[str, ...]:
    """Return the words by which the owner finds a campaign again, each once."""
    if not isinstance(value, list):
        hint = f"write [{shown(value)}]" if isinstance(value, str) else None
        raise Mistake(f"must be an array of words, not {kind(value)}", hint)
    for word in value:
        if not _TAG.fullmatch(line(word, most=_LONGEST_WORDS)):
            raise Mistake(f"not a tag: {shown(word)}", "a tag is a word of 50 characters at most")
    if len(value) > _MOST_TAGS:
        raise Mistake(f"{len(value)} tags: the limit is {_MOST_TAGS}")
    return tuple(dict.fromkeys(value))


def campaign_type(value: object) -> CampaignType:
    """Return how the jobs stand against those of the cluster's owners."""
    text = value.lower() if isinstance(value, str) else ""
    if text not in _TYPES:
        raise Mistake(f"not a type of campaign: {shown(value)}", _TYPE_HINT)
    return _TYPES[text]


def max_jobs(value: object) -> int | None:
    """Return how many tasks may be at a cluster at a time, or `None` for no limit."""
    if isinstance(value, str) and means_nothing(value):
        return None
    limit = whole(value)
    if limit < 1:
        raise Mistake(f"must be at least 1, not {limit}", "leave it out for no limit")
    return limit


def retries(value: object) -> int:
    """Return how often a failed task is tried again."""
    count = 0 if means_nothing(value) else whole(value)
    if not 0 <= count <= _MOST_RETRIES:
        raise Mistake(f"must be between 0 and {_MOST_RETRIES}, not {count}")
    return count


def switch(value: object) -> bool:
    """Return whether something is on: true, false, or the words of CiGri 3 for it."""
    if means_nothing(value):
        return False
    if value is True or (isinstance(value, str) and value.lower() == _YES):
        return True
    raise Mistake(f"must be true or false, not {shown(value)}")


def test_mode(value: object) -> TestMode:
    """Return whether one task per cluster is tried first, and what follows."""
    if isinstance(value, str) and value.lower() in {TestMode.THEN_RUN, TestMode.THEN_WAIT}:
        return TestMode(value.lower())
    try:
        return TestMode.THEN_WAIT if switch(value) else TestMode.OFF
    except Mistake as mistake:
        raise Mistake(str(mistake), _TEST_HINT) from None


test_mode.__test__ = False  # type: ignore[attr-defined] # no test, whatever pytest makes of it


def checkpointing(value: object) -> str:
    """Return how tasks are checkpointed; an empty text if they are not."""
    if means_nothing(value):
        return ""
    text = value.lower() if isinstance(value, str) else ""
    if text == "blcr":
        raise Mistake("checkpoints by BLCR are not available", 'write "signal", or leave it out')
    if text != _SIGNAL:
        raise Mistake(f"not a type of checkpointing: {shown(value)}", 'write "signal" or "None"')
    return _SIGNAL


def words(value: object) -> str:
    """Return a text for a cluster's own scheduler; empty for none."""
    return "" if means_nothing(value) else line(value, most=_LONGEST_WORDS)


def output(value: object) -> str | None:
    """Return a setting of the gathering of outputs, or `None` for no gathering."""
    return words(value) or None


def means_nothing(value: object) -> bool:
    """Return whether this is a way to say that a field is not used."""
    if isinstance(value, str):
        return value.lower() in _NOTHING
    return value is None or value is False or value in ([], {})


def whole(value: object) -> int:
    """
    Return a whole number, which may be given as a text, as in CiGri 3.

    Raises:
        Mistake: It is none.
    """
    if type(value) is int:
        return value
    text = value.strip() if isinstance(value, str) else ""
    if not _DIGITS.fullmatch(text):
        raise Mistake(f"must be a whole number, not {shown(value)}")
    if abs(int(text)) >= 2**63:
        raise Mistake(f"a number beyond 64 bits: {shown(value)}")
    return int(text)
