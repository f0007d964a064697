"""The outermost layer: what no command expected ends here, with an exit code."""

import asyncio
import codecs
import io
import os
import signal
import sys
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Never

import asyncclick

from cigri import errors, places
from cigri.cli.failures import Exit, OutputLost, reader_gone, report, tell, writing
from cigri.cli.group import cigri


def run(arguments: Sequence[str] | None = None, command: asyncclick.Command = cigri) -> int:
    """Run *command*, or that of its own which *arguments* name, and return the exit code."""
    _prepare_streams()
    # asyncio's own handler would only take note of the first Ctrl-C while a command works.
    signal.signal(signal.SIGINT, _interrupt)
    signal.signal(signal.SIGTERM, _terminate)
    try:
        code = _outcome(arguments, command)
        with writing():
            sys.stdout.flush()
    except BrokenPipeError:
        return reader_gone()
    except OutputLost as error:
        return _refusal(error, command)
    return code


def _outcome(arguments: Sequence[str] | None, command: asyncclick.Command) -> int:
    try:
        return asyncio.run(_call(arguments, command))
    except asyncclick.exceptions.NoArgsIsHelpError as error:
        error.show()
        return Exit.USAGE
    except asyncclick.UsageError as error:
        return _usage(error)
    except (asyncclick.Abort, KeyboardInterrupt):
        return Exit.INTERRUPTED
    except (errors.CigriError, OSError) as error:
        return _refusal(error, command)
    except Exception as error:  # noqa: BLE001 - a bug is told in three lines too, and kept
        return _bug(error)


def _refusal(error: Exception, command: asyncclick.Command) -> Exit:
    if isinstance(error, OSError):
        with writing():  # fails again if it was the output: of help, for one
            sys.stdout.flush()
    name = command.name or "cigri"
    return report(error, command=name, where=" ".join([name, *sys.argv[1:2]]))


async def _call(arguments: Sequence[str] | None, command: asyncclick.Command) -> int:
    code: int | None = await command.main(arguments, prog_name=command.name, standalone_mode=False)
    return code or Exit.DONE  # help and version return none


def _usage(error: asyncclick.UsageError) -> Exit:
    path = error.ctx.command_path if error.ctx else "cigri"
    # It begins a new line, with a tab, for each word that may stand there.
    message = " ".join(error.format_message().split()).rstrip(".")
    tell(message, path, f"{path} --help")
    return Exit.USAGE


def _bug(error: Exception) -> Exit:
    trace = traceback.format_exc()
    path = places.places(os.environ, os.getuid()).state / "last-error.log"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _keep(path, f"{' '.join(sys.argv)}\n{trace}")
    except OSError:
        path = Path("-")
        sys.stderr.write(trace)
    said = traceback.format_exception_only(_innermost(error))[0].strip()
    tell(f"a bug: {said}", str(path), "send this file to the developers")
    return Exit.REFUSED


def _keep(path: Path, text: str) -> None:
    """Write a new file that nobody else can read: command lines and traces tell of the user."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)


def _innermost(error: BaseException) -> BaseException:
    """Return what went wrong first in a group of tasks, or *error* itself."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


#: Standard streams, and how a file that takes their place is opened when they are closed: so that
#: reading and writing fail, but for errors, which nobody could be told of.
_STREAMS = (
    ("stdin", "r", os.O_WRONLY),
    ("stdout", "w", os.O_RDONLY),
    ("stderr", "w", os.O_WRONLY),
)


def _prepare_streams() -> None:
    """Replace streams that are closed, and have those that are not UTF-8 show what they can."""
    for name, mode, flags in _STREAMS:
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, flags), mode))
    codecs.register_error("cigri", _nearest)
    encoding = "ascii" if knows_ascii_alone(os.environ) else None
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding=encoding, errors="cigri")


def knows_ascii_alone(environment: Mapping[str, str]) -> bool:
    """
    Return whether the locale is that of C.

    Python takes it for one with UTF-8, which it then also writes into LC_CTYPE.

    >>> knows_ascii_alone({"LANG": "C", "LC_CTYPE": "C.UTF-8"}), knows_ascii_alone({})
    (True, False)
    """
    chosen = environment.get("LC_ALL") or environment.get("LC_CTYPE")
    if not chosen or (chosen == "C.UTF-8" and not environment.get("LC_ALL")):
        chosen = environment.get("LANG")
    return chosen in {"C", "POSIX"}


#: What stands for a sign that a terminal does not know.
_SIGNS = {"×": "x", "…": "...", "–": "-", "−": "-", "“": '"', "”": '"'}


def _nearest(error: UnicodeError) -> tuple[str, int]:
    """Have a stream write something similar, or a question mark."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lost = error.object[error.start : error.end]
    return "".join(_SIGNS.get(sign, "?") for sign in lost), error.end


def _interrupt(number: int, frame: FrameType | None) -> Never:
    raise KeyboardInterrupt


def _terminate(number: int, frame: FrameType | None) -> Never:
    sys.exit(Exit.TERMINATED)
