"""What the fake OAR makes of a submission: the refusals of oarsub and of its admission rules."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs

from cigri.bench.fake.model import FakeOptions, Submission

#: The largest argument that a program can be started with.
MOST_IN_ARGUMENT = 131_071
_KNOWN = {
    "array", "checkpoint", "command", "directory", "hold", "name", "notify", "param_file",
    "project", "property", "properties", "queue", "reservation", "resource", "resources",
    "script", "script_path", "signal", "stderr", "stdout", "type", "workdir",
}  # fmt: skip
_TYPES = {"besteffort", "idempotent", "timesharing", "container", "inner", "deploy", "noop"}
_RESOURCE = re.compile(r"(?:\{[^}]*\})?(?:/[A-Za-z_]\w*=(?:\d+|ALL|BEST|BESTHALF))+")
_LEVEL = re.compile(r"/([A-Za-z_]\w*)=(\d+)")
_COUNTED = {"core", "cpu", "host", "nodes", "network_address", "resource_id", "cluster"}
_WALLTIME = 7200
_RULES = "[ADMISSION RULE] "
TYPED = f"{_RULES}Modify resource description with type constraints\n"
DEFAULT = f"{_RULES}Set default walltime to 7200.\n"
BESTEFFORT = (
    f"{_RULES}Automatically redirect in the besteffort queue\n"
    f"{_RULES}Automatically add the besteffort constraint on the resources\n"
)


class Refused(Exception):  # as the errors of the package
    """OAR refuses an order: code of the answer, its title, and the message."""

    def __init__(self, code: int, title: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.title = title


@attrs.frozen(kw_only=True)
class Order:
    """A submission that is accepted."""

    #: Makes it, given the id of its first job and the time.
    made: Callable[[int, float], Submission]
    held: bool
    #: What oarsub says before the ids.
    said: str


def order_of(asked: Any, user: str, options: FakeOptions) -> Order:  # noqa: ANN401 # JSON
    """
    Return what is to be submitted.

    Raises:
        Refused: As oarsub would.
    """
    if not isinstance(asked, Mapping) or not asked.get("command"):
        message = "A job must have a script, a command (script_path) or must be a reservation!"
        raise Refused(400, "Missing Required Field", message)
    for name in asked:
        if name not in _KNOWN:
            raise _exited(1, f"Unknown option: {name}\n", asked)
    if user in {"root", "oar"}:
        said = f"{_RULES}root and oar users are not allowed to submit jobs.\n\n"
        raise _exited(254, said, asked)
    if len(str(asked["command"]).encode()) > MOST_IN_ARGUMENT:
        raise Refused(500, "Oar server error", "")
    resource = str(_one(asked.get("resource", asked.get("resources", "/resource_id=1"))))
    cores, walltime = _resources(resource, asked, options)
    types = _types(asked)
    if len(str(asked.get("name", ""))) > 100:
        raise _exited(8, "OAR_JOB_ID=\n", asked)
    said = "" if walltime is not None else DEFAULT
    said += BESTEFFORT if "besteffort" in types else ""
    _check_property(str(asked.get("property", "")), said + TYPED, asked)
    if cores > options.cores:
        text = "There are not enough resources for your request\nOAR_JOB_ID=-5\n"
        raise _exited(8, f"{said}{TYPED}{text}{_VERIFY}", asked)
    lines = None if "param_file" not in asked else _lines(str(asked["param_file"]))
    if lines == []:
        raise _exited(6, f"{said}{TYPED}An array of jobs must have parameters\n", asked)

    def made(first: int, now: float) -> Submission:
        return Submission(
            user=user,
            command=str(asked["command"]),
            cores=cores,
            walltime=_WALLTIME if walltime is None else walltime,
            time=now,
            name=_text(asked, "name"),
            project=_text(asked, "project") or "default",
            types=types,
            directory=_text(asked, "directory") or f"/home/{user}",
            stdout=_text(asked, "stdout"),
            stderr=_text(asked, "stderr"),
            initial_request=f"oarsub {_options(asked)} {asked['command']}",
            lines=lines,
            first=first,
            checkpoint=int(asked.get("checkpoint", 0)),
        )

    array = "Simple array job submission is used\n" if lines and len(lines) > 1 else ""
    return Order(made=made, held=bool(asked.get("hold")), said=said + TYPED + array)


_VERIFY = "[ERROR] Oarsub failed, please verify your request syntax.\n"


def _exited(status: int, said: str, asked: Mapping[str, Any]) -> Refused:
    bad = status in {6, 8}
    command = f'oarsub {_options(asked)} \\"{asked["command"]}\\"'
    text = f"Oarsub command exited with status {status}: {said}\nCmd:\n{command}"
    return Refused(400 if bad else 500, "Bad query" if bad else "Oar server error", text)


def _options(asked: Mapping[str, Any]) -> str:
    return " ".join(
        f"--{name}={each}"
        for name, value in asked.items()
        if name not in {"command", "param_file"}
        for each in (value if isinstance(value, list) else [value])
    )


def _one(value: Any) -> Any:  # noqa: ANN401 # JSON
    return value[0] if isinstance(value, list) else value


def _text(asked: Mapping[str, Any], name: str) -> str | None:
    return str(asked[name]) if name in asked else None


def _resources(
    text: str, asked: Mapping[str, Any], options: FakeOptions
) -> tuple[int, int | None]:
    described, _, asked_time = text.partition(",walltime=")
    match = [part for part in described.split("+") if not _RESOURCE.fullmatch(part)]
    if match:
        said = f"/!\\ Cannot recognize the resource description : {match[0]}\n"
        raise _exited(255, said, asked)
    walltime = None
    if asked_time:
        if not re.fullmatch(r"\d+(:\d+){0,2}", asked_time):
            said = f"/!\\ Cannot recognize -- ,walltime={asked_time} -- resource\n"
            raise _exited(255, said, asked)
        hours, minutes, seconds = [*map(int, asked_time.split(":")), 0, 0][:3]
        walltime = hours * 3600 + minutes * 60 + seconds
    for name, _ in _LEVEL.findall(described):
        if name not in _COUNTED:
            said = f'{TYPED}Bad resource request (ERROR:  column "{name}" does not exist\n'
            raise _exited(8, f"{said})\nOAR_JOB_ID=-5\n{_VERIFY}", asked)
    return sum(_cores(part, options) for part in described.split("+")), walltime


def _cores(part: str, options: FakeOptions) -> int:
    levels = _LEVEL.findall(part)
    cores = math.prod(int(number) for _, number in levels)
    whole = levels and levels[-1][0] in {"nodes", "host", "network_address"}
    return cores * options.cores_per_node if whole else max(1, cores)


def _types(asked: Mapping[str, Any]) -> tuple[str, ...]:
    given = asked.get("type", [])
    types = tuple(given if isinstance(given, list) else [given])
    for each in types:
        if each not in _TYPES:
            said = f"{DEFAULT}{_RULES}Error: unknown job type: {each}\n\n"
            raise _exited(254, said, asked)
    if asked.get("queue", "default") not in {"default", "besteffort"}:
        said = f"{TYPED}ERROR : The queue {asked['queue']} does not exist\n"
        raise _exited(248, said, asked)
    return types


def _check_property(text: str, said: str, asked: Mapping[str, Any]) -> None:
    if text.count("(") != text.count(")") or "nosuch" in text:
        error = f'{said}Bad resource request (ERROR:  syntax error at or near "{text}"\n)\n'
        raise _exited(8, f"{error}OAR_JOB_ID=-5\n{_VERIFY}", asked)


def _lines(text: str) -> Sequence[str]:
    if "#" not in text:
        return [line for line in text.split("\n") if line and not line.isspace()]
    lines = (line.partition("#")[0] for line in text.split("\n"))
    return [line for line in lines if line and not line.isspace()]
