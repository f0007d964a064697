"""What may be said to an OAR 3: one word that its database chokes on breaks it for everybody."""

import re
from collections.abc import Iterator, Mapping, Sequence

from cigri.clusters.oar.api import OarOrder
from cigri.domain.oar_condition import check_condition
from cigri.domain.report import Mistake
from cigri.errors import SubmissionRejected

#: One command with its line, beyond which the system does not start it.
MOST_COMMAND = 120_000

#: A name that is longer breaks the session of the database.
_NAME = re.compile(r"[A-Za-z0-9._-]{1,100}")
_WALLTIME = re.compile(r"walltime=[0-9]+:[0-9]{1,2}:[0-9]{1,2}")
_PART = re.compile(r"(?:\{([^{}]+)\})?(?:/[A-Za-z_][A-Za-z0-9_]*=[0-9]+)+")
_TYPE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:=-]*")
_OUTPUT = re.compile(r"[A-Za-z0-9_./-]*")
_PROJECT = re.compile(r"[A-Za-z0-9 ._/+=@-]{0,255}")

#: The words of a condition, its texts, its numbers and its signs.
_TOKEN = re.compile(
    r"(?P<word>[a-z_]\w*)|'(?P<text>[^']*)'|(?P<number>-?[\d.]+)|(?P<sign>\S)", re.IGNORECASE
)
_KEYWORDS = frozenset({"and", "or", "not", "in", "like", "is", "null", "between"})
#: What begins after the property that is compared.
_COMPARING = frozenset({"=", "<", ">", "!", "not", "in", "like", "is", "between"})
#: Columns of few words, of which any other one breaks the session.
_YES_OR_NO = frozenset({"besteffort", "deploy", "desktop_computing", "drain", "suspended_jobs"})
_CLOSED = frozenset({"state", "next_state", "finaud_decision", "next_finaud_decision"})
#: What the API calls otherwise than its database does.
RENAMED = {"id": "resource_id"}


def check(order: OarOrder) -> None:
    """Raise SubmissionRejected when OAR 3 would choke on *order*, or read it as another one."""
    wrong = _mistake(order)
    if wrong is not None:
        raise SubmissionRejected(f"OAR 3 takes no such jobs: {wrong}")


def _mistake(order: OarOrder) -> str | None:
    size = len(order.command) + 1 + max(map(len, order.lines), default=0)
    said = [order.command, *order.lines]
    cases: Sequence[tuple[bool, str]] = (
        (not _NAME.fullmatch(order.name), f"the name {order.name!r}"),
        (not order.lines, "there is none"),
        (not order.command.strip(), "the command is empty"),
        (any("\n" in text or "\0" in text for text in said), "a command of several lines"),
        # It would be replaced by the home that the user has where the API runs.
        (any("$HOME" in text for text in said), "$HOME in a command"),
        (size > MOST_COMMAND, f"a command of {size:,} bytes"),
        (not _is_resource(order.resource), f"the resource {order.resource!r}"),
        (not all(map(_TYPE.fullmatch, order.types)), f"the types {list(order.types)}"),
        (not _OUTPUT.fullmatch(order.output), f"the file {order.output!r}"),
        (not _PROJECT.fullmatch(order.project), f"the project {order.project!r}"),
    )
    return next((text for wrong, text in cases if wrong), None)


def _is_resource(text: str) -> bool:
    path, _, walltime = text.rpartition(",")
    return bool(_WALLTIME.fullmatch(walltime)) and all(map(_PART.fullmatch, path.split("+")))


def conditions(order: OarOrder) -> list[str]:
    """Return all that *order* says about properties of resources."""
    parts = order.resource.rpartition(",")[0].split("+")
    found = [part[1] for part in map(_PART.fullmatch, parts) if part and part[1]]
    return [order.properties, *found] if order.properties else found


def check_conditions(wanted: Sequence[str], known: Mapping[str, object]) -> None:
    """
    Raise SubmissionRejected when one of *wanted* is not plainly good SQL over *known* properties.

    A mistake in it would break the API for everybody until it is restarted.

    >>> check_conditions(["host = 'node1' and mem >= 2048"], {"host": "node2", "mem": 4096})
    """
    for text in wanted:
        try:
            names = check_condition(text)
        except Mistake as mistake:
            raise SubmissionRejected(f"properties: {mistake}") from mistake
        if missing := sorted(names - known.keys()):
            there = ", ".join(sorted(known.keys() - _CLOSED))
            raise SubmissionRejected(
                f"properties: this cluster has no property {missing[0]!r}; it has {there}"
            )
        for name, value, is_like in _comparisons(text):
            if not _fits(name, known[name], value, is_like=is_like):
                raise SubmissionRejected(
                    f"properties: {text!r} compares {name} with {value}, which is of another kind:"
                    " OAR 3 would stop answering anybody"
                )


def _comparisons(text: str) -> Iterator[tuple[str, str | float, bool]]:
    """Yield each property of a condition, each value that it is compared with, and if by LIKE."""
    tokens = [*_TOKEN.finditer(text)]
    name, is_like = "", False
    for found, after in zip(tokens, [*tokens[1:], None], strict=True):
        word = (found["word"] or "").lower()
        if found["text"] is not None:
            yield name, found["text"], is_like
        elif found["number"]:
            yield name, float(found["number"]), is_like
        elif word and word not in _KEYWORDS:
            # Two properties may be of kinds that cannot be compared.
            if after is None or after[0].lower() not in _COMPARING:
                raise SubmissionRejected(f"properties: {text!r} compares {name} with {word}")
            name, is_like = word, False
        is_like = is_like or word == "like"


def _fits(name: str, example: object, value: str | float, *, is_like: bool) -> bool:
    if name in _CLOSED or isinstance(example, bool) or (is_like and not isinstance(example, str)):
        return False
    if name in _YES_OR_NO:
        return value in {"YES", "NO"}
    if isinstance(example, int):
        return not isinstance(value, str) or bool(re.fullmatch(r"\d{1,9}", value))
    return isinstance(example, str) and isinstance(value, str)
