"""What one task occupies on its cluster."""

import re

import attrs

from cigri.domain.report import Mistake, kind, shown

FORMS = "a number of cores, as in 2, or /core=2"

#: More cores than any host has; longer numbers are typing errors.
MOST_CORES = 1_000_000
_CORES = re.compile(r"(?:/?core=)?(\d{1,20})", re.ASCII)
#: What others give as a whole is one core here; /resource_id=1 is CiGri 3's default.
_UNIT = re.compile(r"/?(?:nodes|resource_id)=1")


@attrs.frozen(kw_only=True)
class Resources:
    """What a task asks of its cluster."""

    #: As the user wrote it.
    text: str
    #: Cores that the task occupies.
    cores: int
    #: What was made of the text, when that may surprise.
    warning: str | None = None


def parse_resources(value: object) -> Resources:
    """
    Return what a text or a number asks of a host.

    >>> parse_resources("/core=2").cores, parse_resources(4).text
    (2, '4')

    Raises:
        Mistake: It is neither a number of cores nor a form of it.
    """
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise Mistake(f"not resources: {kind(value)} ({FORMS})")
    text = str(value).strip()
    if _UNIT.fullmatch(text):
        warning = f'resources "{text}" is one core here'
        return Resources(text=text, cores=1, warning=warning)
    cores = _CORES.fullmatch(text)
    if not cores:
        raise Mistake(f"resources {shown(value)} cannot be asked of a host ({FORMS})", _hint(text))
    if not 1 <= int(cores[1]) <= MOST_CORES:
        raise Mistake(f"resources {shown(value)} is not between 1 and {MOST_CORES} cores")
    return Resources(text=text, cores=int(cores[1]))


def resources_text(value: object) -> str:
    """
    Return what was asked for as a text; how a cluster reads it is seen later.

    Raises:
        Mistake: It is no text and no number.
    """
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise Mistake(f"not resources: {kind(value)} ({FORMS})")
    return str(value).strip()


def _hint(text: str) -> str | None:
    if "walltime" in text:
        return "the walltime has a field of its own"
    if "/" in text.lstrip("/") or "+" in text:
        return "only the batch schedulers of other clusters have levels of resources"
    return None
