"""The outermost layer: what no command expected ends here, with an exit code."""

import asyncio
import io
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Never

import asyncclick

from cigri import errors, places
from cigri.cli.failures import Exit, OutputLost, reader_gone, report, tell, writing
from cigri.cli.group import cigri


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command that *arguments* name and return its exit code."""
    _prepare_streams()
    # asyncio's own handler would only take note of the first Ctrl-C while a command works.
    signal.signal(signal.SIGINT, _interrupt)
    signal.signal(signal.SIGTERM, _terminate)
    try:
        code = _outcome(arguments)
        with writing():
            sys.stdout.flush()
    except BrokenPipeError:
        return reader_gone()
    except OutputLost as error:
        return _refusal(error)
    return code


def _outcome(arguments: Sequence[str] | None) -> int:
    try:
        return asyncio.run(_call(arguments))
    except asyncclick.exceptions.NoArgsIsHelpError as error:
        error.show()
        return Exit.USAGE
    except asyncclick.UsageError as error:
        return _usage(error)
    except (asyncclick.Abort, KeyboardInterrupt):
        return Exit.INTERRUPTED
    except (errors.CigriError, OSError) as error:
        return _refusal(error)
    except Exception as error:  # noqa: BLE001 - a bug is told in three lines too, and kept
        return _bug(error)


def _refusal(error: Exception) -> Exit:
    if isinstance(error, OSError):
        with writing():  # fails again if it was the output: of help, for one
            sys.stdout.flush()
    return report(error, command="cigri", where=" ".join(["cigri", *sys.argv[1:2]]))


async def _call(arguments: Sequence[str] | None) -> int:
    code: int | None = await cigri.main(arguments, prog_name="cigri", standalone_mode=False)
    return code or Exit.DONE  # help and version return none


def _usage(error: asyncclick.UsageError) -> Exit:
    path = error.ctx.command_path if error.ctx else "cigri"
    tell(error.format_message().rstrip("."), path, f"{path} --help")
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
    """Replace streams that are closed, and have one that is not UTF-8 show a question mark."""
    for name, mode, flags in _STREAMS:
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, flags), mode))
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")


def _interrupt(number: int, frame: FrameType | None) -> Never:
    raise KeyboardInterrupt


def _terminate(number: int, frame: FrameType | None) -> Never:
    sys.exit(Exit.TERMINATED)
