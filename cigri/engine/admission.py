"""Rules of admission that an administrator writes in Python.

Each public function of one file is a rule.  It is called with plain values, those that it names,
and returns `None` or why not.  Whatever it raises, returns or does with its time refuses the
campaign and says so; it never harms the server.
"""

import asyncio
import copy
import inspect
import os
import stat
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType

import attrs
import structlog

from cigri.domain.admission import Load, told
from cigri.domain.model import Caller
from cigri.domain.report import suggestion
from cigri.domain.spec import CampaignSpec
from cigri.errors import AdmissionRefused, InvalidConfig

log = structlog.get_logger()

#: Seconds that one rule may take.
PATIENCE = 5.0
#: Characters of what one rule says that are passed on.
_LONGEST = 1_000
#: What a rule may ask for by the names of its parameters.
VALUES = (
    "user",
    "name",
    "clusters",
    "types",
    "walltimes",
    "tasks",
    "active_campaigns",
    "tags",
    "jdl",
)
_NOBODY_ELSE = stat.S_IWGRP | stat.S_IWOTH

Function = Callable[..., object]


@attrs.frozen
class Rules:
    """The rules of one file."""

    functions: Mapping[str, Function] = attrs.field(factory=dict)
    #: Whom to ask for what they refuse.
    contact: str = "an administrator"
    patience: float = PATIENCE
    #: Rules that did not come back: they are not called again, as each call costs a thread.
    _stuck: set[str] = attrs.field(factory=set)

    async def check(self, spec: CampaignSpec, caller: Caller, load: Load) -> None:
        """
        Ask all rules, but for an administrator.

        Raises:
            AdmissionRefused: One of them refuses, or is broken.
        """
        if caller.admin:
            return
        for name, function in self.functions.items():
            why = await self._ask(name, function, _values(spec, caller, load))
            if why:
                raise AdmissionRefused(told(name, why, self.contact))

    async def _ask(
        self, name: str, function: Function, values: Mapping[str, object]
    ) -> str | None:
        if name in self._stuck:
            return "the rule does not answer: nothing can be submitted until it is mended"
        asked = _wanted(function)
        given = {key: copy.deepcopy(values[key]) for key in asked}
        try:
            async with asyncio.timeout(self.patience):
                answer = await _in_thread(function, given)
        except TimeoutError:
            self._stuck.add(name)
            log.warning("admission.rule_stuck", rule=name, seconds=self.patience)
            return f"the rule took longer than {self.patience:g} seconds"
        except _Broken as broken:
            log.exception("admission.rule_broken", rule=name)
            return f"the rule is broken: {broken}"
        if answer is None or isinstance(answer, str):
            return answer and _presentable(answer)
        kind = type(answer).__name__
        log.error("admission.rule_broken", rule=name, reason=f"it returned a value of type {kind}")
        return (
            f"the rule is broken: it returned neither None nor a text but a value of type {kind}"
        )


NO_RULES = Rules()


def load_rules(path: Path | None, contact: str) -> Rules:
    """
    Return the rules of a file; none without a file.

    Raises:
        InvalidConfig: The file cannot be read or run, or somebody else could write to it.
    """
    if path is None:
        return Rules(contact=contact)
    _check_safe(path)
    module = ModuleType("cigri_admission_rules")
    module.__file__ = str(path)
    try:
        # The administrator's own file, which nobody else can write to.
        exec(compile(path.read_bytes(), str(path), "exec"), module.__dict__)  # noqa: S102 - see above
    except OSError as error:
        raise _unusable(f"cannot read {path}: {error.strerror}") from error
    except (Exception, SystemExit) as error:
        raise _unusable(f"{path} does not run: {type(error).__name__}: {error}") from error
    functions = {
        name: value
        for name, value in vars(module).items()
        if inspect.isfunction(value)
        and value.__module__ == module.__name__
        and not name.startswith("_")
    }
    if not functions:
        raise _unusable(f"{path} has no rule", "each function whose name has no _ first is one")
    for name, function in functions.items():
        _check_parameters(path, name, function)
    return Rules(functions=functions, contact=contact)


class _Broken(Exception):
    """A rule raised something."""

    def __init__(self, error: BaseException) -> None:
        kind = type(error).__name__
        try:
            told = f"{kind}: {error}"
        except Exception:  # noqa: BLE001 - as broken as its rule
            told = kind
        super().__init__(_presentable(told)[:200])
        self.__cause__ = error


async def _in_thread(function: Function, given: Mapping[str, object]) -> object:
    """
    Call a function in a thread of its own, which may go on when nobody waits for it any more.

    Raises:
        _Broken: The function raised anything.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[object] = loop.create_future()

    def settle(answer: object, error: BaseException | None) -> None:
        if future.done():
            return
        if error is None:
            future.set_result(answer)
        else:
            future.set_exception(_Broken(error))

    def call() -> None:
        try:
            outcome: tuple[object, BaseException | None] = (function(**given), None)
        # A rule that ends the program ends nothing.
        except BaseException as error:  # noqa: BLE001 - it is passed on
            outcome = (None, error)
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, *outcome)

    # The pool of the loop would wait for it when the server stops.
    threading.Thread(target=call, name=f"rule {function.__name__}", daemon=True).start()
    return await future


def _presentable(text: str) -> str:
    """Return what a rule says without what no answer can carry, and as long as anybody reads."""
    shown = "".join(char if char.isprintable() else " " for char in text[:_LONGEST])
    return shown if len(text) <= _LONGEST else f"{shown}…"


def _values(spec: CampaignSpec, caller: Caller, load: Load) -> Mapping[str, object]:
    return {
        "user": caller.user,
        "name": spec.name,
        "clusters": list(spec.clusters),
        "types": {name: settings.type.value for name, settings in spec.clusters.items()},
        "walltimes": {name: settings.walltime for name, settings in spec.clusters.items()},
        "tasks": load.tasks,
        "active_campaigns": load.active_campaigns,
        "tags": list(spec.tags),
        "jdl": spec.jdl,
    }


def _wanted(function: Function) -> Sequence[str]:
    parameters = inspect.signature(function).parameters.values()
    if any(each.kind is inspect.Parameter.VAR_KEYWORD for each in parameters):
        return VALUES
    return [each.name for each in parameters]


def _check_parameters(path: Path, name: str, function: Function) -> None:
    for each in inspect.signature(function).parameters.values():
        if each.kind is inspect.Parameter.VAR_KEYWORD:
            continue
        if each.name not in VALUES or each.kind is not inspect.Parameter.POSITIONAL_OR_KEYWORD:
            why = f"{path}: the rule {name} asks for {each.name}, which there is not"
            known = f"rules may ask for {', '.join(VALUES)}"
            likely = suggestion(each.name, VALUES)
            raise _unusable(why, f"{likely} {known}" if likely else known)


def _check_safe(path: Path) -> None:
    """Refuse a file that runs as the server and that somebody else could write or replace."""
    try:
        real = path.resolve(strict=True)
        for place in (real, real.parent, path.absolute().parent):
            _check_mode(place, _NOBODY_ELSE)
        for place in real.parent.parents:
            # In a directory such as /tmp nobody can replace what is another's.
            sticky = place.stat().st_mode & stat.S_ISVTX
            _check_mode(place, 0 if sticky else stat.S_IWOTH)
    except OSError as error:
        raise _unusable(f"cannot read {path}: {error.strerror}") from error


def _check_mode(place: Path, forbidden: int) -> None:
    found = place.stat()
    if found.st_uid not in {0, os.geteuid()}:
        raise _unusable(f"{place} belongs to somebody else", "the rules run as the server")
    if found.st_mode & forbidden:
        raise _unusable(f"others may write to {place}", f"chmod go-w {place}")


def _unusable(detail: str, hint: str | None = None) -> InvalidConfig:
    return InvalidConfig.at("admission.file", detail, hint)
