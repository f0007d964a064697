"""What is asked of a cluster of OAR: resources, properties, a project and types of job.

OAR hands these texts to a shell and to its database.  So what is not of its own language, word by
word, is refused, whatever it might do there.
"""

import re
from math import prod

import attrs

from cigri.domain.oar_condition import HINT, check_condition, condition
from cigri.domain.report import Mistake, kind, shown
from cigri.domain.resources import MOST_CORES, Resources

FORMS = "a number of cores, or levels as in /nodes=1/core=4"

#: Levels whose units are one core each, and those that are nodes.
_CORES = frozenset({"core", "resource_id"})
_NODES = frozenset({"nodes", "host", "network_address"})

_LEVEL = re.compile(r"([a-z_][a-z0-9_]{0,62})\s*=\s*([0-9]{1,7})", re.ASCII | re.IGNORECASE)
_LONGEST = 1024
_PROJECT = re.compile(r"[\w.@-]{1,255}", re.ASCII)
_JOB_TYPE = re.compile(r"\w[\w.:=-]{0,254}", re.ASCII)


def parse_oar(value: object, cores_per_node: int | None = None) -> Resources:
    """
    Return what a text or a number asks of a cluster of OAR.

    >>> parse_oar("/nodes=2/core=4").cores
    8

    Raises:
        Mistake: It is neither a number of cores nor a request as `oarsub -l` takes it.
    """
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise Mistake(f"not resources: {kind(value)} ({FORMS})")
    text = str(value).strip()
    if re.fullmatch(r"\d{1,20}", text, re.ASCII):
        return _bounded(text, int(text), value)
    if "walltime" in text.lower():
        why = f"resources {shown(value)} say how long tasks run"
        raise Mistake(why, "the walltime has a field of its own")
    if len(text) > _LONGEST:
        raise Mistake(f"resources of {len(text)} characters: the limit is {_LONGEST}")
    parts = [_Part.read(part, value) for part in text.split("+")]
    found = _bounded(text, max(1, sum(part.cores(cores_per_node) for part in parts)), value)
    if all(part.is_known(cores_per_node) for part in parts):
        return found
    warning = (
        f'resources "{text}": how many cores that is, only the cluster knows; here each unit'
        " counts as one"
    )
    return attrs.evolve(found, warning=warning)


def oar_resources(text: str) -> str:
    """
    Return a request in OAR's own words, without a walltime; *text* was accepted by `parse_oar`.

    >>> oar_resources("1"), oar_resources("4"), oar_resources("core=2")
    ('/resource_id=1', '/nodes=1/core=4', '/core=2')
    """
    if text.isdecimal():
        # On one node, as on a single host; every cluster has a resource_id.
        return "/resource_id=1" if int(text) == 1 else f"/nodes=1/core={text}"
    found = []
    for part in text.split("+"):
        filtered, levels = _filter(part, text)
        words = [f"{name}={count}" for name, count in _levels(levels, text)]
        given = f"{{{condition(filtered)}}}" if filtered else ""
        found.append(f"{given}/{'/'.join(words)}")
    return "+".join(found)


def whole_node(text: str, cores_per_node: int) -> str | None:
    """
    Return *text* as a request for all cores of a node that fits; `None` where a node is no answer.

    That is so where it asks for several nodes, more cores than one has, or for other things.

    >>> whole_node("2", 8), whole_node("{mem >= 4}/core=2", 8), whole_node("/gpu=1", 8)
    ('/nodes=1/core=8', '{mem >= 4}/nodes=1/core=8', None)
    """
    filtered, levels = _filter("/core=" + text if text.isdecimal() else text, text)
    words = _levels(levels, text) if "+" not in levels else []
    nodes = [count for name, count in words if name.lower() in _NODES]
    others = [name for name, _ in words if name.lower() not in _CORES | _NODES]
    cores = prod(count for name, count in words if name.lower() in _CORES)
    if not words or others or nodes not in ([], [1]) or cores > cores_per_node:
        return None
    given = f"{{{condition(filtered)}}}" if filtered else ""
    return f"{given}/nodes=1/core={cores_per_node}"


def check_project(text: str) -> None:
    """Check the name of a project, or raise `Mistake`."""
    if not _PROJECT.fullmatch(text):
        why = f"not a project of OAR: {shown(text)}"
        raise Mistake(why, "letters, digits, _ . @ - are taken, 255 at most")


def job_types(text: str) -> tuple[str, ...]:
    """
    Return further types of job, given with commas between them.

    >>> job_types("devel, cosystem")
    ('devel', 'cosystem')

    Raises:
        Mistake: One is none, or is chosen by another field.
    """
    found = tuple(filter(None, (word.strip() for word in text.split(","))))
    for word in found:
        if not _JOB_TYPE.fullmatch(word):
            raise Mistake(f"not a type of job of OAR: {shown(word)}", "letters, digits, _ . : = -")
        if word.lower().startswith("besteffort"):
            raise Mistake(f"{shown(word)} is not given here", 'write "type": "best-effort"')
    return found


def _bounded(text: str, cores: int, value: object) -> Resources:
    if not 1 <= cores <= MOST_CORES:
        raise Mistake(f"resources {shown(value)} is not between 1 and {MOST_CORES} cores")
    return Resources(text=text, cores=cores)


@attrs.frozen(kw_only=True)
class _Part:
    """What stands between two `+`: levels of resources, under a condition or none."""

    named: frozenset[str]
    levels: tuple[tuple[str, int], ...]

    @classmethod
    def read(cls, part: str, whole: object) -> "_Part":
        """Return what *part* of a request says, or raise `Mistake`."""
        filtered, levels = _filter(part, whole)
        named = check_condition(filtered) if filtered else frozenset()
        return cls(named=named, levels=tuple(_levels(levels, whole)))

    def cores(self, per_node: int | None) -> int:
        """Return how many cores that is, as far as anybody knows here."""
        names = {name.lower() for name, _ in self.levels}
        if not names & _CORES and "type" in self.named:
            return 0  # licences and the like
        count = prod(each for _, each in self.levels)
        return count * per_node if per_node and names <= _NODES else count

    def is_known(self, per_node: int | None) -> bool:
        """Return whether `cores` is more than a guess."""
        names = {name.lower() for name, _ in self.levels}
        return bool(names & _CORES or "type" in self.named or (per_node and names <= _NODES))


def _filter(part: str, whole: object) -> tuple[str, str]:
    """Return the condition in front of the levels, empty for none, and the levels."""
    part = part.strip()
    if not part.startswith("{"):
        return "", part
    condition, closed, levels = part[1:].partition("}")
    if not closed or not condition.strip():
        raise Mistake(f"resources {shown(whole)}: {{ }} holds a condition", HINT)
    return condition.strip(), levels.strip()


def _levels(text: str, whole: object) -> list[tuple[str, int]]:
    found = []
    for word in text.strip().removeprefix("/").split("/"):
        level = _LEVEL.fullmatch(word.strip())
        if not level:
            raise Mistake(f"resources {shown(whole)} cannot be asked of OAR ({FORMS})")
        found.append((level[1], int(level[2])))
    if any(count < 1 for _, count in found):
        raise Mistake(f"resources {shown(whole)} ask for none of a kind", "write 1 or more")
    return found
