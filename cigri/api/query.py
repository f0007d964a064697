"""What stands in a URL, read strictly: a misspelt option is refused rather than ignored.

`DELETE …/events?resbumit` must not close events without running their tasks again.
"""

from collections.abc import Mapping
from typing import TypeVar

import attrs
from aiohttp import web

from cigri.domain.model import CampaignState, TaskState
from cigri.errors import InvalidRequest, NotFound
from cigri.strict import likely

DEFAULT_LIMIT = 100
MAX_LIMIT = 10_000
#: Digits of the largest number that certainly fits where numbers are stored.
_MOST_DIGITS = 18

_OFF = frozenset({"0", "false", "no", "off"})

#: The states of tasks in the words of the wire.
TASK_WORDS: Mapping[TaskState, str] = {state: state.value for state in TaskState} | {
    TaskState.SUCCEEDED: "terminated"
}

_TASK_STATES: Mapping[str, TaskState] = {word: state for state, word in TASK_WORDS.items()} | {
    "succeeded": TaskState.SUCCEEDED,
    "event": TaskState.FAILED,  # CiGri v3's word
}
_CAMPAIGN_STATES: Mapping[str, CampaignState] = {
    state.value: state for state in CampaignState if state is not CampaignState.LOADING
}

_Named = TypeVar("_Named")


@attrs.frozen
class Page:
    """Which part of a list is wanted."""

    offset: int
    limit: int


def options(request: web.Request, *known: str) -> Mapping[str, str]:
    """
    Return the options of *request*; every route also takes `pretty`.

    Raises:
        InvalidRequest: One is not *known*, or is there twice.
    """
    if not request.query_string:
        return {}
    found: dict[str, str] = {}
    for name, value in request.query.items():
        if name not in known and name != "pretty":
            raise _mistake(name, "unknown option", likely(name, [*known, "pretty"]))
        if name in found:
            raise _mistake(name, "given twice")
        found[name] = value
    return found


def flag(found: Mapping[str, str], name: str) -> bool:
    """Return whether the option *name* is on: there, and not as 0, false, no or off."""
    return found.get(name, "0").lower() not in _OFF


def page(found: Mapping[str, str]) -> Page:
    """Return which part of a list is wanted."""
    limit = _whole(found, "limit", DEFAULT_LIMIT)
    if not 1 <= limit <= MAX_LIMIT:
        raise _mistake("limit", f"not between 1 and {MAX_LIMIT}: {limit}")
    return Page(_whole(found, "offset", 0), limit)


def tail(found: Mapping[str, str]) -> int | None:
    """Return how many lines of an output are wanted, or `None` for all."""
    return _whole(found, "tail", 0) if "tail" in found else None


def task_state(found: Mapping[str, str]) -> TaskState | None:
    """Return the state that tasks are wanted in, or `None` for any."""
    return _named(_TASK_STATES, found["state"]) if "state" in found else None


def campaign_states(found: Mapping[str, str]) -> frozenset[CampaignState]:
    """Return the states that campaigns are wanted in; those that are not over by default."""
    words = found.get("state", "in_treatment,paused")
    if words == "all":
        return frozenset(_CAMPAIGN_STATES.values())
    return frozenset(_named(_CAMPAIGN_STATES, word) for word in words.split(","))


def identifier(request: web.Request, name: str, noun: str) -> int:
    """
    Return the number in the path of *request*.

    Raises:
        NotFound: It is no number that anything could have.
    """
    text = request.match_info[name]
    if not is_number(text):
        raise NotFound(f"no {noun} {text!r}")
    return int(text)


def is_number(text: str) -> bool:
    """
    Return whether *text* is a number that can be stored, in ASCII digits alone.

    >>> is_number("12"), is_number("-1"), is_number("١٢"), is_number("9" * 30)
    (True, False, False, False)
    """
    return text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS


def _whole(found: Mapping[str, str], name: str, default: int) -> int:
    text = found.get(name)
    if text is None:
        return default
    if not is_number(text):
        raise _mistake(name, f"not a whole number from 0 on: {text!r}")
    return int(text)


def _named(known: Mapping[str, _Named], word: str) -> _Named:
    if word not in known:
        raise _mistake("state", f"unknown state {word!r}", f"one of {', '.join(known)}")
    return known[word]


def _mistake(name: str, detail: str, hint: str | None = None) -> InvalidRequest:
    return InvalidRequest.at(f"?{name}", detail, hint)
