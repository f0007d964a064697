"""Tasks and their settings as words of a POSIX shell.

Each task is one line, a *record*: ``KIND task attempt id words…``.  What kind it is says how the
script of `script.py` reads its words.  What users have written is quoted for the shell that
evaluates it on the node; it goes to no other one, and never onto a command line.
"""

import re
from collections.abc import Callable, Mapping, Sequence

from cigri.clusters import worker
from cigri.clusters.driver import Batch, TaskOrder
from cigri.domain.model import Parameter
from cigri.domain.walltime import walltime_text

#: Stands for the home, which only the node knows; no word that travels has one otherwise.
_HOME = "\0"
#: Words that need no quotes, with the single spaces between them.
_PLAIN = re.compile(r"(?:[\w@%+=:,./-]+(?: [\w@%+=:,./-]+)*)?", re.ASCII)
#: What the kernel takes as one word of a command line (MAX_ARG_STRLEN), with its NUL.
_LONGEST_WORD = 128 * 1024 - 1
#: Variables that are some shell's own: there they cannot be set, or mean something, or are not
#: passed on.  `env` sets them.
_SHELLS_OWN = re.compile(
    r"_|UID|EUID|PPID|GROUPS|SHELLOPTS|BASH.*|FUNC.*|DIRSTACK|RANDOM|SRANDOM|SECONDS|LINENO|EPOCH.*"
    r"|OPT.*|HIST.*|IFS|PS\d|ENV|OLDPWD|SHLVL|POSIX.*|PIPESTATUS|HOSTNAME|HOSTTYPE|OSTYPE|MACHTYPE"
    r"|COMP_.*|READLINE_.*|MAPFILE|COPROC|_c_.*"
)


def quote(text: str) -> str:
    r"""
    Return *text* as one word of a shell, on one line.

    >>> print(quote("it's a\nline"))
    'it'\''s a'"$_c_n"'line'
    """
    if text and _PLAIN.fullmatch(text) and " " not in text:
        return text
    inside = text.replace("'", "'\\''").replace("\n", "'\"$_c_n\"'")
    return "'" + inside.replace(_HOME, "'\"$_c_h\"'") + "'"


def join(words: Sequence[str]) -> str:
    """Return *words* as those of a shell, on one line."""
    return " ".join(map(quote, words))


class _Unusable(Exception):
    """The words of a task cannot be made a command line."""


def records(batch: Batch, orders: Sequence[TaskOrder]) -> list[bytes]:
    """Return the lines of *orders*, each with its end."""
    write = _writer(batch)
    lines = []
    for order in orders:
        label = f"{order.task} {order.attempt} {order.id}"
        try:
            line = write(label, order.parameter)
        except (_Unusable, ValueError) as error:
            line = f"u {label} {quote(str(error))}"
        lines.append(worker.encode(line) + b"\n")
    return lines


def _writer(batch: Batch) -> Callable[[str, Parameter], str]:
    if batch.script is not None:
        script = quote(batch.script)
        return lambda label, _: f"s {label} {script}"
    if not batch.settings.parameter_names:
        return _appended
    settings = batch.settings

    def filled(label: str, parameter: Parameter) -> str:
        words = worker.command_line(
            settings.exec_file,
            parameter if isinstance(parameter, str) else list(parameter),
            _HOME,
            batch.campaign,
            settings.parameter_names,
            settings.parameter_template,
        )
        return f"{_repeated(label, parameter)} {_checked(words)}"

    return filled


def _appended(label: str, parameter: Parameter) -> str:
    """Return the record of a task whose words follow those of the command."""
    if isinstance(parameter, str):
        if _PLAIN.fullmatch(parameter) and len(parameter) < _LONGEST_WORD:
            return f"p {label} {parameter}"
        words = worker.split_words(parameter)
    else:
        words = list(parameter)
    return f"{_repeated(label, parameter)} {_checked(words)}"


def _repeated(label: str, parameter: Parameter) -> str:
    """Return the beginning of a record with the parameter as it was given, if that is allowed."""
    given = parameter if isinstance(parameter, str) else worker.join_words(list(parameter))
    if "\0" in given:
        message = "a NUL character cannot be given to a program"
        raise _Unusable(message)
    size = len(worker.encode(given))
    return f"l {label}" if size > worker.LONGEST_PARAMETER else f"q {label} {quote(given)}"


def _checked(words: Sequence[str]) -> str:
    for number, word in enumerate(words):
        if len(word) > _LONGEST_WORD // 4 and (size := len(worker.encode(word))) > _LONGEST_WORD:
            message = f"word {number} has {size} bytes: the system takes {_LONGEST_WORD} in one"
            raise _Unusable(message)
    return join(words)


def settings_of(batch: Batch) -> str:
    """Return lines of shell that set what all tasks of *batch* have in common."""
    settings = batch.settings
    directory = worker.expand(settings.exec_directory, _HOME, batch.campaign)
    plain, odd = _environment(settings.env)
    ours: Mapping[str, object] = {
        "CIGRI_TOKEN": batch.tag,
        "CIGRI_CAMPAIGN_ID": batch.campaign,
        "CIGRI_CAMPAIGNID": batch.campaign,
        "CIGRI_USER": batch.user,
        "CIGRI_WALLTIME": walltime_text(settings.walltime),
        "CIGRI_WALLTIME_SECONDS": f"{settings.walltime:.0f}",
        "CIGRI_RESOURCES": settings.resources,
        "CIGRI_JOB_NAME": batch.campaign_name,
        "CIGRI_JOBNAME": batch.campaign_name,
    }
    exported = " ".join(f"{name}={quote(str(value))}" for name, value in ours.items())
    lines = [f"_c_d={quote(directory)}", f"export {exported}"]
    lines += [f"export {name}={quote(text)}" for name, text in plain.items()]
    lines.append(f"_c_start() {{ {_start_with(odd)}; }}")
    if batch.script is None:
        lines.append(f"_c_cmd() {{ {_command(batch)}; }}")
    return "\n".join(lines) + "\n"


def _environment(env: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Return the variables that a shell sets, and those that it had better not."""
    plain: dict[str, str] = {}
    odd: dict[str, str] = {}
    for name, text in env.items():
        if name != "PWD" and not name.startswith("CIGRI_"):
            (odd if _SHELLS_OWN.fullmatch(name) else plain)[name] = text
    return plain, odd


def _start_with(odd: Mapping[str, str]) -> str:
    """Return how the words of a task are started."""
    if not odd:
        return 'exec "$@"; _c_fail'
    words = join([f"{name}={text}" for name, text in odd.items()])
    known = 'command -v "$1" >/dev/null 2>&1 || { exec "$1"; _c_fail; }'
    return f'{known}; exec env {words} "$@"; _c_fail'


def _command(batch: Batch) -> str:
    if batch.settings.parameter_names:
        return '_c_go "$@"'
    words = worker.command_line(batch.settings.exec_file, [], _HOME, batch.campaign)
    return f'_c_go {join(words)} "$@"'
